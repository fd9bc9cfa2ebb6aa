"""The public face in Python: train, load, evaluate, play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox
import jax
import numpy as np
import optax
from jaxtyping import PyTree

from coterie.bridges.hosted import hosted
from coterie.catalogue import learner as taught
from coterie.catalogue import make, read, said
from coterie.contracts import CoterieError, Game, HostGame
from coterie.fields import convert, decode
from coterie.player import Playing, Policy
from coterie.recipes import AnyRecipe, Recipe, ValueRecipe
from coterie.training import record, session
from coterie.training.engine import Loop, SeedAxis
from coterie.training.files import plain
from coterie.training.session import Observer
from coterie.training.train import Schedule, engine, schedule
from coterie.version import __version__

Opened = str | Game | HostGame | Callable[..., Any]
"""What may stand for a game."""


class Evaluation(NamedTuple):
    """Mean return over seeds with its 95 % interval, and the mean of each seed."""

    mean: float
    low: float
    high: float
    returns: np.ndarray


@dataclass(frozen=True)
class Run:
    """A trained (or half-trained) run: its directory, and what stands in it."""

    directory: Path
    document: Mapping[str, Any]
    game: Game | HostGame
    learner: Playing
    loops: Loop

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the run."""
        return tuple(self.document["seeds"])

    def assess(self, episodes: int) -> dict[str, Any]:
        """Whole episodes with each seed's team, greedily and by sampling: what a report prints."""
        if episodes < 1:
            raise CoterieError(f"an evaluation needs at least 1 episode, not {episodes}")
        with closing(engine(self.game, self.learner, Schedule(self.seeds, 0, 1, 1, episodes))) as at_work:
            return session.assessment(at_work, self.loops.learner, self.seeds, episodes, 1)

    def evaluate(self, episodes: int = 100, greedy: bool = True) -> Evaluation:
        """Play ``episodes`` whole episodes with each seed's team."""
        one = self.assess(episodes)["greedy" if greedy else "sampled"]
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
    recipe: AnyRecipe,
    game: Opened,
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
    devices: int = 1,
) -> Run:
    """Train a team and leave a run directory.

    Args:
        recipe: The method, such as ``coterie.recipes.a2po()``.
        game: A name of the catalogue or ``module:factory``; any jittable ``Game``; or a function that makes
            PettingZoo or Gymnasium environments.
        seeds: How many seeds (0, 1, …), or which.
        steps: Environment steps of each seed, rounded up to whole chunks of iterations.
        out: The run directory.
        game_options: Options of a game given by name or by a function.
        resume: Go on with the run in ``out``.
        points: Log points (and checkpoints) at most.
        evaluations: Evaluations along the way; there is always one at the end.
        episodes: Episodes of an evaluation, for each seed.
        observer: Called with a ``Progress`` after every log point.
        backends: ``tensorboard`` or ``wandb`` besides the journal.
        axis: ``map`` runs seeds one after another inside the program (each as alone), ``vmap`` batches them.
        devices: Devices over which the environments of each seed are spread: faster, with other minibatches.

    Raises:
        CoterieError: Bad input, one line with the remedy.
    """
    if not isinstance(recipe, Recipe | ValueRecipe):
        raise CoterieError(f"{recipe!r} is no recipe: give one such as coterie.recipes.a2po()")
    opened, about = _opened(game, game_options or {})
    numbers = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
    learner = taught(recipe, opened.spec, len(numbers))
    sizes = learner.sizes
    axis = convert("axis", SeedAxis, axis)
    plan = schedule(numbers, steps, sizes.environments * sizes.rollout, points, evaluations, episodes, devices)
    directory = Path(out)
    document = plain({
        "recipe": said(recipe, record.noted(directory, "recipe") if resume else None),
        "game": about,
        "seeds": numbers,
        "schedule": plan._asdict(),
        "axis": axis,
        "versions": {"coterie": __version__, "jax": jax.__version__, "numpy": np.__version__,
                     "equinox": equinox.__version__, "optax": optax.__version__},
    })  # fmt: skip
    loops = session.run(directory, document, opened, learner, plan, observer=observer, backends=backends, axis=axis,
                        resume=resume)  # fmt: skip
    return Run(directory, document, opened, learner, loops)


def _opened(game: Opened, options: Mapping[str, Any]) -> tuple[Game | HostGame, dict[str, Any]]:
    """The game, and what ``run.json`` says of it."""
    if isinstance(game, str):
        found = make(game, **options)
        return found, {"name": game, "options": read(game, options)}
    if isinstance(game, HostGame):
        return game, {"name": type(game).__name__, "options": {}, "own": True}
    if isinstance(game, type) or (callable(game) and not isinstance(game, Game)):
        opened = hosted(game, options)
        return opened, {"name": opened.source.name, "options": dict(options), "own": True}
    if not isinstance(game, Game):
        ways = (
            "a name such as particle/spread, a function that makes environments, or an object with spec, reset and step"
        )
        raise CoterieError(f"{game!r} is no game: give {ways}")
    try:
        hash(game)
    except TypeError as error:
        said = f"a {type(game).__name__} cannot be a constant of a compiled program ({error})"
        raise CoterieError(f"{said}: make it a frozen dataclass of hashable fields") from error
    if options:
        raise CoterieError("game_options are for a game given by name: set them on the game object itself")
    return game, {"name": type(game).__name__, "options": {}, "own": True}


class Record(NamedTuple):
    """What ``run.json`` says: enough to go on with the run."""

    document: dict[str, Any]
    game: Game | HostGame
    learner: Playing
    plan: Schedule
    axis: SeedAxis


def restore(directory: str | Path, game: Opened | None = None) -> Record:
    """Read ``run.json``; ``game`` is needed where the run was made on a game of the user's own.

    Raises:
        CoterieError: It is missing, damaged, of a newer version, or of another game.
    """
    where = Path(directory) / record.RUN
    document = record.read_run(Path(directory))
    try:
        recipe = decode(AnyRecipe, document["recipe"])
        name, options, own = document["game"]["name"], dict(document["game"]["options"]), document["game"].get("own")
        plan = Schedule(**{**document["schedule"], "seeds": tuple(document["schedule"]["seeds"])})
        axis = document["axis"]
    except CoterieError as error:
        raise CoterieError(f"{where}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CoterieError(f"{where} is not the record of a run ({error!r}): restore it or train anew") from error
    if own and game is None:
        raise CoterieError(
            f"{directory} was made on a game of your own: give it, coterie.load(directory, game={name}(…))"
        )
    if game is None:
        opened = make(name, **options)
    else:
        opened, about = _opened(game, options if own else {})
        if own and about["name"] != name:
            raise CoterieError(f"{directory} was made on the game {name}, not on {about['name']}: give that one")
    return Record(document, opened, taught(recipe, opened.spec), plan, axis)


def load(directory: str | Path, game: Opened | None = None) -> Run:
    """Open a run directory; nothing in it is executed.

    Args:
        directory: The run directory.
        game: The game, where the run was made on a game of your own.

    Raises:
        CoterieError: It is missing, damaged, half-written, of a newer version, or of another game.
    """
    found = restore(directory, game)
    like = engine(found.game, found.learner, found.plan._replace(devices=1)).begin()
    loops, _ = record.restored(Path(directory), found.document, like)
    return Run(Path(directory), found.document, found.game, found.learner, loops)


def resume(
    directory: str | Path,
    observer: Observer | None = None,
    game: Opened | None = None,
    backends: tuple[str, ...] = (),
) -> Run:
    """Go on with a run that was stopped, exactly as it would have gone on.

    Args:
        directory: The run directory.
        observer: Called with a ``Progress`` after every log point.
        game: The game, where the run was made on a game of your own.
        backends: ``tensorboard`` or ``wandb`` besides the journal.

    Raises:
        CoterieError: As ``load`` and ``train``.
    """
    document, opened, learner, plan, axis = restore(directory, game)
    loops = session.run(Path(directory), document, opened, learner, plan, observer=observer, backends=backends,
                        axis=axis, resume=True)  # fmt: skip
    return Run(Path(directory), document, opened, learner, loops)


__all__ = ["Evaluation", "Policy", "Record", "Run", "load", "restore", "resume", "train"]
