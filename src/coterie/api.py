"""The public face in Python: train, load, evaluate, play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox
import jax
import numpy as np
import optax
from jaxtyping import PRNGKeyArray, PyTree

from coterie.catalogue import make
from coterie.contracts import CoterieError, Game, Observation
from coterie.fields import decode, encode
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import Recipe
from coterie.training import checkpoint, session
from coterie.training.session import Observer
from coterie.training.train import Loop, Schedule, SeedAxis, begin, schedule
from coterie.version import __version__


class Evaluation(NamedTuple):
    """Mean return over seeds with its 95 % interval, and the mean of each seed."""

    mean: float
    low: float
    high: float
    returns: np.ndarray


@dataclass(frozen=True)
class Policy:
    """One agent's decentralised policy: it sees that agent's local observation (and its own memory) only."""

    learner: PolicyLearner
    params: PyTree
    agent: int

    def start(self) -> PyTree:
        """The memory at the start of an episode."""
        return jax.tree.map(lambda h: h[0, self.agent], self.learner.carry(1))

    def __call__(
        self, observation: Any, memory: PyTree = None, legal: Any = None, key: PRNGKeyArray | None = None
    ) -> Any:
        """The action for a local observation ``[O_i]``: greedy, or sampled if a key is given.

        With a recurrent policy pass ``memory`` (``start()`` at first): the result is then ``(action, memory)``.
        """
        spec, agent = self.learner.spec, self.agent
        local = np.zeros((1, spec.n_agents, spec.observation_size), np.float32)
        size = spec.observation_sizes[agent]
        given = np.asarray(observation, np.float32)
        if given.shape not in ((size,), (spec.observation_size,)):
            raise CoterieError(f"agent {spec.agents[agent]} observes {size} numbers, not an array of {given.shape}")
        local[0, agent, : given.shape[0]] = given
        mask = np.broadcast_to(spec.legal, (1, *spec.legal.shape)).copy()
        if legal is not None:
            mask[0, agent] = np.asarray(legal)
        alive = np.ones((1, spec.n_agents), bool)
        seen = Observation(*jax.tree.map(jax.numpy.asarray, (local, np.zeros((1, spec.state_size), np.float32), mask,
                                                             alive)))  # fmt: skip
        carry = self.learner.carry(1)
        if memory is not None:
            carry = jax.tree.map(lambda h, own: h.at[0, agent].set(own), carry, memory)
        team = self.learner.play(self.params, greedy=key is None)
        action, carry = team.act(carry, seen, jax.random.key(0) if key is None else key)
        own = action[0, agent]
        return own if memory is None else (own, jax.tree.map(lambda h: h[0, agent], carry))


@dataclass(frozen=True)
class Run:
    """A trained (or half-trained) run: its directory, and what stands in it."""

    directory: Path
    document: Mapping[str, Any]
    game: Game
    learner: PolicyLearner
    loops: Loop

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the run."""
        return tuple(self.document["seeds"])

    def evaluate(self, episodes: int = 100, greedy: bool = True) -> Evaluation:
        """Play ``episodes`` whole episodes with each seed's team."""
        if episodes < 1:
            raise CoterieError(f"an evaluation needs at least 1 episode, not {episodes}")
        states = self.loops.learner
        found = session.assessment(self.game, self.learner, states, self.seeds, episodes, 1)
        one = found["greedy" if greedy else "sampled"]
        return Evaluation(one["mean"], one["low"], one["high"], one["returns"])

    def state(self, seed: int = 0) -> PyTree:
        """The training state of one seed (counted from 0)."""
        if not 0 <= seed < len(self.seeds):
            raise CoterieError(f"the run has seeds numbered 0 to {len(self.seeds) - 1}, not {seed}")
        return jax.tree.map(lambda x: x[seed], self.loops.learner)

    @property
    def policies(self) -> list[Policy]:
        """One decentralised policy per agent, of the first seed."""
        params = self.learner.policy(self.state())
        return [Policy(self.learner, params, agent) for agent in range(self.learner.spec.n_agents)]


def train(
    recipe: Recipe,
    game: str | Game,
    seeds: int | Sequence[int] = 1,
    steps: int = 1_000_000,
    out: str | Path = "runs/run",
    *,
    game_options: Mapping[str, Any] | None = None,
    resume: bool = False,
    points: int = 50,
    evaluations: int = 10,
    episodes: int = 64,
    observer: Observer | None = None,
    backends: tuple[str, ...] = (),
    axis: SeedAxis = "map",
) -> Run:
    """Train a team and leave a run directory.

    Args:
        recipe: The method, such as ``coterie.recipes.a2po()``.
        game: A name of the catalogue, or any jittable ``Game``.
        seeds: How many seeds (0, 1, …), or which.
        steps: Environment steps of each seed, rounded up to whole chunks of iterations.
        out: The run directory.
        game_options: Options of a game given by name.
        resume: Go on with the run in ``out``.
        points: Log points (and checkpoints) at most.
        evaluations: Evaluations along the way; there is always one at the end.
        episodes: Episodes of an evaluation, for each seed.
        observer: Called with a ``Progress`` after every log point.
        backends: ``tensorboard`` or ``wandb`` besides the journal.
        axis: ``map`` runs seeds one after another inside the program (each as alone), ``vmap`` batches them.

    Raises:
        CoterieError: Bad input, one line with the remedy.
    """
    options = dict(game_options or {})
    opened = make(game, **options) if isinstance(game, str) else game
    learner = PolicyLearner(recipe, opened.spec).checked()
    sizes = learner.sizes
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    plan = schedule(numbers, steps, sizes.environments * sizes.rollout, points, evaluations, episodes)
    document = {
        "recipe": encode(recipe),
        "game": {"name": game if isinstance(game, str) else type(game).__name__, "options": options},
        "seeds": list(numbers),
        "schedule": plan._asdict(),
        "axis": axis,
        "versions": {"coterie": __version__, "jax": jax.__version__, "numpy": np.__version__,
                     "equinox": equinox.__version__, "optax": optax.__version__},
    }  # fmt: skip
    directory = Path(out)
    loops = session.run(directory, document, opened, learner, plan, observer=observer, backends=backends, axis=axis,
                        resume=resume)  # fmt: skip
    return Run(directory, document, opened, learner, loops)


def restore(directory: str | Path) -> tuple[Recipe, str, dict[str, Any], Schedule, SeedAxis]:
    """What a run directory says was asked for: recipe, game name, game options, schedule and seed axis."""
    document = session.read_run(Path(directory))
    try:
        recipe = decode(Recipe, document["recipe"])
        plan = Schedule(**{**document["schedule"], "seeds": tuple(document["schedule"]["seeds"])})
        return recipe, document["game"]["name"], document["game"]["options"], plan, document["axis"]
    except (KeyError, TypeError) as error:
        where = Path(directory) / session.RUN
        raise CoterieError(f"{where} is not the record of a run ({error}): restore it or train anew") from error


def load(directory: str | Path, game: Game | None = None) -> Run:
    """Open a run directory; nothing in it is executed.

    Args:
        directory: The run directory.
        game: The game, where the run was made on a game of your own.

    Raises:
        CoterieError: It is missing, damaged, half-written, of a newer version, or of another game.
    """
    recipe, name, options, plan, _ = restore(directory)
    opened = make(name, **options) if game is None else game
    learner = PolicyLearner(recipe, opened.spec).checked()
    like = begin(opened, learner, plan.seeds)
    loops, _ = checkpoint.load(Path(directory) / session.CHECKPOINTS, like)
    return Run(Path(directory), session.read_run(Path(directory)), opened, learner, loops)


def resume(directory: str | Path, observer: Observer | None = None, game: Game | None = None) -> Run:
    """Go on with a run that was stopped, exactly as it would have gone on."""
    recipe, name, options, plan, axis = restore(directory)
    opened = make(name, **options) if game is None else game
    learner = PolicyLearner(recipe, opened.spec).checked()
    document = session.read_run(Path(directory))
    loops = session.run(Path(directory), document, opened, learner, plan, observer=observer, axis=axis, resume=True)
    return Run(Path(directory), document, opened, learner, loops)


__all__ = ["Evaluation", "Policy", "Run", "load", "restore", "resume", "train"]
