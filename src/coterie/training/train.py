"""Training: iterations of collecting and learning in one compiled program, for several seeds at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, PRNGKeyArray, PyTree

from coterie.contracts import CoterieError, Game, Learner, Metrics
from coterie.training.collect import Stage, open_stage, scan
from coterie.training.evaluate import Episodes, play

SeedAxis = Literal["map", "vmap"]
SEEDS, ENVIRONMENTS = "seeds", "environments"


class Loop(NamedTuple):
    """Everything one seed carries from iteration to iteration."""

    learner: PyTree
    stage: Stage
    key: PRNGKeyArray


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


def begin(game: Game, learner: Learner, seeds: tuple[int, ...]) -> Loop:
    """The loops of all seeds before the first iteration, stacked ``[S, ...]``."""
    loops, environments = [], learner.sizes.environments
    for seed in seeds:
        init_key, stage_key, key = jax.random.split(jax.random.key(seed), 3)
        stage = _opened(game, learner, stage_key, environments)
        loops.append(Loop(learner.init(init_key, environments), stage, key))
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *loops)


@partial(jax.jit, static_argnums=(0, 3))
def _opened(game: Game, learner: Learner, key: PRNGKeyArray, environments: int) -> Stage:
    return open_stage(game, learner, key, environments)


def iterate(game: Game, learner: Learner, loop: Loop) -> tuple[Loop, Metrics]:
    """One iteration of one seed: collect, learn."""
    key, collect_key, learn_key = jax.random.split(loop.key, 3)
    collect_key = learner.across.key(collect_key)
    stage, rollout, ended = scan(game, learner, loop.learner, loop.stage, collect_key)
    state, metrics = learner.learn(loop.learner, rollout, learn_key)
    return Loop(state, stage, key), {**metrics, **learner.across.sum(ended)}


@partial(jax.jit, static_argnums=(0, 3, 4, 5), donate_argnums=(2,))
def advance(
    game: Game, learner: Learner, loops: Loop, length: int, axis: SeedAxis = "map", devices: int = 1
) -> tuple[Loop, Metrics]:
    """A chunk of ``length`` iterations for all seeds: loops and metrics ``[S, length, ...]``.

    Seeds are spread over the devices, and on each device batched (``vmap``) or run one after another (``map``). With
    ``devices`` above 1 the environments of each seed are spread over that many, and gradients summed.
    """

    def one(learner: Learner, loop: Loop) -> tuple[Loop, Metrics]:
        return jax.lax.scan(lambda now, _: iterate(game, learner, now), loop, None, length=length)

    def share(learner: Learner, loops: Loop) -> tuple[Loop, Metrics]:
        each = partial(one, learner.spread(ENVIRONMENTS) if devices > 1 else learner)
        return jax.vmap(each)(loops) if axis == "vmap" else jax.lax.map(each, loops)

    mesh = device_mesh(loops.key.shape[0], devices)
    if mesh.size == 1:
        return share(learner, loops)
    cut = specs(learner, devices)
    seeds = PartitionSpec(SEEDS)
    spread = jax.shard_map(share, mesh=mesh, in_specs=(PartitionSpec(), cut), out_specs=(cut, seeds), check_vma=False)
    return spread(learner, loops)


@partial(jax.jit, static_argnums=(0, 4, 5))
def assess(game: Game, learner: Learner, state: PyTree, keys: PRNGKeyArray, episodes: int, greedy: bool) -> Episodes:
    """Evaluate the teams of all seeds, ``[S, episodes]``; ``keys`` are separate from training's."""

    def share(learner: Learner, both: tuple[PyTree, PRNGKeyArray]) -> Episodes:
        return jax.lax.map(lambda x: play(game, learner.team(x[0], greedy), x[1], episodes), both)

    mesh, seeds = device_mesh(keys.shape[0]), PartitionSpec(SEEDS)
    if mesh.size == 1:
        return share(learner, (state, keys))
    spread = jax.shard_map(share, mesh=mesh, in_specs=(PartitionSpec(), seeds), out_specs=seeds, check_vma=False)
    return spread(learner, (state, keys))


def evaluation_keys(seeds: tuple[int, ...], iteration: int) -> PRNGKeyArray:
    """One key per seed that training never uses."""
    each = [jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 0x0E7A1), iteration) for seed in seeds]
    return jnp.stack(each)


def device_mesh(seeds: int, devices: int = 1) -> Mesh:
    """Devices for ``seeds``, each on ``devices`` of them: as many rows as divide the seeds."""
    found = jax.devices()
    if devices < 1 or devices > len(found):
        raise CoterieError(
            f"devices is {devices} and there are {len(found)} here: give a number from 1 to {len(found)}"
        )
    rows = max(n for n in range(1, len(found) // devices + 1) if seeds % n == 0)
    return Mesh(np.array(found[: rows * devices]).reshape(rows, devices), (SEEDS, ENVIRONMENTS))


def specs(learner: Learner, devices: int) -> Any:
    """How loops ``[S, ...]`` are cut: seeds first and, over ``devices``, what has environments next."""
    whole = PartitionSpec(SEEDS)
    cut = PartitionSpec(SEEDS, ENVIRONMENTS) if devices > 1 else whole
    state = jax.tree.map(lambda each: cut if each else whole, learner.per_environment())
    stage: Any = cut
    key: Any = whole
    return Loop(state, stage, key)


def place(loops: Loop, learner: Learner, devices: int = 1) -> Loop:
    """Put each seed, and each of its environments, on its device."""
    environments = learner.sizes.environments
    if environments % devices:
        raise CoterieError(f"devices {devices} do not divide the {environments} environments: give a divisor")
    mesh = device_mesh(loops.key.shape[0], devices)
    cut = jax.tree.broadcast(specs(learner, devices), loops, is_leaf=lambda x: isinstance(x, PartitionSpec))
    return jax.tree.map(lambda x, spec: jax.device_put(x, NamedSharding(mesh, spec)), loops, cut)


def train(
    game: Game,
    learner: Learner,
    plan: Schedule,
    loops: Loop | None = None,
    start: int = 0,
    axis: SeedAxis = "map",
) -> Iterator[Point]:
    """Train, yielding a ``Point`` after every chunk.

    Args:
        game: A jittable game.
        learner: The method.
        plan: Seeds and how the run is cut.
        loops: Where to go on from; None for a fresh start.
        start: Iterations already done in ``loops``.
        axis: Seeds one after another inside the program (``map``, same bytes as alone) or batched (``vmap``).

    Raises:
        CoterieError: A quantity stopped being finite.
    """
    now = begin(game, learner, plan.seeds) if loops is None else loops
    for iteration in range(start + plan.chunk, plan.iterations + 1, plan.chunk):
        clock = time.perf_counter()
        now, metrics = advance(game, learner, now, plan.chunk, axis, plan.devices)
        metrics = jax.block_until_ready(metrics)
        seconds = time.perf_counter() - clock
        check(metrics, learner, plan, iteration)
        chunks = iteration // plan.chunk
        evaluations = {}
        if chunks % plan.evaluate_every == 0 or iteration == plan.iterations:
            keys = evaluation_keys(plan.seeds, iteration)
            for name, greedy in (("greedy", True), ("sampled", False)):
                evaluations[name] = assess(game, learner, now.learner, keys, plan.episodes, greedy)
        yield Point(iteration, now, summary(metrics), evaluations, seconds)


def summary(metrics: Metrics) -> Metrics:
    """Over a chunk's iterations ``[S, length, ...]``: sums of episodes and returns, largest of ``max``, means else."""

    def merge(name: str) -> Callable[[Array], Array]:
        if name in ("episodes", "returns"):
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
