"""Training: chunks of iterations, each followed by a log point, and now and then by an evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from coterie.contracts import CoterieError, Game, HostGame, Learner, Metrics
from coterie.training.engine import Compiled, Engine, Loop, SeedAxis
from coterie.training.evaluate import Episodes
from coterie.training.hosted import Hosted


class Schedule(NamedTuple):
    """How a run is cut: seeds, iterations, iterations per compiled chunk, chunks between evaluations.

    ``episodes`` are those of an evaluation, ``devices`` those over which each seed's environments are spread.
    """

    seeds: tuple[int, ...]
    iterations: int
    chunk: int
    evaluate_every: int
    episodes: int
    devices: int = 1

    @property
    def chunks(self) -> int:
        """Number of compiled chunks, one log point each."""
        return self.iterations // self.chunk


def schedule(
    seeds: tuple[int, ...],
    steps: int,
    per_iteration: int,
    points: int = 50,
    evaluations: int = 10,
    episodes: int = 64,
    devices: int = 1,
) -> Schedule:
    """Cut ``steps`` environment steps into at most ``points`` equal chunks of iterations, rounding up."""
    if steps < 1 or not seeds:
        raise CoterieError(f"a run needs at least 1 step and 1 seed, not {steps} steps and {len(seeds)} seeds")
    if len(set(seeds)) < len(seeds) or min(seeds) < 0 or max(seeds) >= 2**32:
        raise CoterieError(f"seeds are {list(seeds)}: give different whole numbers from 0 to {2**32 - 1}")
    for name, value, least in (("points", points, 1), ("evaluations", evaluations, 0), ("episodes", episodes, 1)):
        if value < least:
            raise CoterieError(f"{name} is {value}: give at least {least}")
    wanted = -(-steps // per_iteration)
    chunk = max(1, -(-wanted // points))
    chunks = -(-wanted // chunk)
    return Schedule(seeds, chunks * chunk, chunk, max(1, chunks // max(evaluations, 1)), episodes, devices)


class Point(NamedTuple):
    """One log point: the state after a chunk, its metrics ``[S, ...]``, evaluations ``[S, episodes]``, seconds."""

    iteration: int
    loops: Loop
    metrics: Metrics
    evaluations: dict[str, Episodes]
    seconds: float


def evaluation_keys(seeds: tuple[int, ...], iteration: int) -> PRNGKeyArray:
    """One key per seed that training never uses."""
    each = [jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 0x0E7A1), iteration) for seed in seeds]
    return jnp.stack(each)


def engine(game: Game | HostGame, learner: Learner, plan: Schedule, axis: SeedAxis = "map") -> Engine:
    """What plays and learns: one compiled program, or, for games that the host steps, compiled parts of it.

    Raises:
        CoterieError: Seeds or environments to be batched or spread, of a game that the host steps.
    """
    if not isinstance(game, HostGame):
        return Compiled(game, learner, plan.seeds, axis, plan.devices)
    for name, value, only in (("axis", axis, "map"), ("devices", plan.devices, 1)):
        if value != only:
            raise CoterieError(
                f"{name} {value} is for compiled games, and this one is stepped on the host: leave it out"
            )
    return Hosted(game, learner, plan.seeds)


def train(run: Engine, learner: Learner, plan: Schedule, loops: Loop, start: int = 0) -> Iterator[Point]:
    """Train, yielding a ``Point`` after every chunk.

    Args:
        run: What plays and learns.
        learner: The method.
        plan: Seeds and how the run is cut.
        loops: Where to go on from.
        start: Iterations already done in ``loops``.

    Raises:
        CoterieError: A quantity stopped being finite, or a simulator failed for good.
    """
    now = loops
    for iteration in range(start + plan.chunk, plan.iterations + 1, plan.chunk):
        clock = time.perf_counter()
        now, metrics = run.advance(now, plan.chunk)
        metrics = jax.block_until_ready(metrics)
        seconds = time.perf_counter() - clock
        check(metrics, learner, plan, iteration)
        chunks = iteration // plan.chunk
        evaluations = {}
        if chunks % plan.evaluate_every == 0 or iteration == plan.iterations:
            keys = evaluation_keys(plan.seeds, iteration)
            for name, greedy in (("greedy", True), ("sampled", False)):
                evaluations[name] = run.assess(now.learner, keys, plan.episodes, greedy)
        yield Point(iteration, now, summary(metrics), evaluations, seconds)


def summary(metrics: Metrics) -> Metrics:
    """Over a chunk's iterations ``[S, length, ...]``: sums of episodes and returns, largest of ``max``, means else."""

    def merge(name: str) -> Callable[[Array], Array]:
        if name in ("episodes", "returns", "lost"):
            return lambda x: jnp.sum(x, 1)
        return (lambda x: jnp.max(x, 1)) if name.endswith("max") else (lambda x: jnp.mean(x, 1))

    merged = {name: merge(name)(x) for name, x in metrics.items() if name != "guard"}
    merged["episode_return"] = merged.pop("returns") / merged["episodes"]
    return merged


def check(metrics: Metrics, learner: Learner, plan: Schedule, iteration: int) -> None:
    """Raise if anything stopped being finite, naming the first bad quantity, the seed and the iteration."""
    guarded = learner.guarded
    found = np.asarray(metrics["guard"])
    if np.all(found == len(guarded)):
        return
    seed, step = np.argwhere(found != len(guarded))[0]
    name = guarded[found[seed, step]]
    remedy = "the game gave them, check its reset and step" if name in ("observations", "rewards") else (
        "lower the learning rates (actor_fit.rate, critic_fit.rate), or the scale of the game's rewards")  # fmt: skip
    raise CoterieError(
        f"{name} stopped being finite at iteration {iteration - plan.chunk + int(step) + 1} of seed "
        f"{plan.seeds[seed]}: {remedy}; the checkpoint before that is kept"
    )
