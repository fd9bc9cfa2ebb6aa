"""A suite: which methods play which games, with which seeds and budgets, and the claims that this tests.

A suite is a small Python file with a ``suite = Suite(...)``. It is code of your own and is executed like any module;
a campaign's directory holds what it said as data, and reading that executes nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, NamedTuple

from coterie import catalogue
from coterie.campaign.claims import Claim
from coterie.contracts import CoterieError, Game, HostGame
from coterie.fields import nearest
from coterie.recipes import AnyRecipe
from coterie.training.engine import SeedAxis

Scale = Literal["laptop", "full"]
SCALES: tuple[Scale, ...] = ("laptop", "full")


@dataclass(frozen=True)
class Method:
    """A recipe of the catalogue with overrides, under a name of its own.

    Args:
        recipe: Its name in the catalogue.
        options: Overrides, as on the command line: ``{"surrogate.epsilon": 0.1}``.
    """

    recipe: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arena:
    """A game of the catalogue with options, a budget for each scale, and what counts as a good return.

    Args:
        game: Its name in the catalogue.
        laptop: Environment steps of each seed at laptop scale.
        full: The same at full scale.
        options: The game's options.
        recipe: Overrides for every method on this game, such as the number of environments.
        reference: The return that is normalised to 1; default: the game's known optimum, else the best mean of the
            campaign's own methods. A random team's return is normalised to 0.
    """

    game: str
    laptop: int
    full: int
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    reference: float | None = None


class Job(NamedTuple):
    """One run of a campaign: a method on a game, with all its seeds in one program."""

    method: str
    game: str
    recipe: AnyRecipe
    arena: Arena
    steps: int
    seeds: tuple[int, ...]

    @property
    def place(self) -> str:
        """Its run directory inside the campaign's."""
        return f"runs/{slug(self.method)}/{slug(self.game)}"

    def opened(self) -> Game | HostGame:
        """The game."""
        return catalogue.make(self.arena.game, **self.arena.options)


@dataclass(frozen=True)
class Suite:
    """Methods × games × seeds, and claims.

    Args:
        name: What it is called.
        about: A sentence for the report.
        methods: Recipes by the names that the report shows.
        games: Games by the names that the report shows.
        laptop_seeds: Seeds of each method on each game at laptop scale.
        full_seeds: The same at full scale.
        claims: What is to be tested.
        points: Log points of a run at most.
        episodes: Episodes of each evaluation, for each seed.
        axis: ``map`` runs seeds one after another, each as alone; ``vmap`` batches them, which is faster where a run is
            tiny.

    Raises:
        CoterieError: An unknown recipe, game or option, a claim about something that is not in the suite, or two
            claims of one name.
    """

    name: str
    about: str
    methods: Mapping[str, Method]
    games: Mapping[str, Arena]
    laptop_seeds: int = 5
    full_seeds: int = 10
    claims: tuple[Claim, ...] = ()
    points: int = 40
    episodes: int = 128
    axis: SeedAxis = "map"

    def __post_init__(self) -> None:
        if not self.methods or not self.games:
            raise CoterieError(f"suite {self.name} has no {'games' if self.methods else 'methods'}: name at least one")
        names = [claim.name for claim in self.claims]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CoterieError(f"suite {self.name} has two claims called {twice[0]!r}: rename one")
        for kind, known in (("methods", self.methods), ("games", self.games)):
            if len({slug(name) for name in known}) < len(known):
                raise CoterieError(f"suite {self.name} has {kind} whose names give the same directory: rename one")
        for claim in self.claims:
            claim.check(set(self.methods), set(self.games))

    def jobs(self, scale: Scale) -> tuple[Job, ...]:
        """Every run, cheapest games first, so that a first result comes early.

        Raises:
            CoterieError: A recipe, game or option that the catalogue does not know, with the place in the suite.
        """
        return tuple(self._job(method, game, scale) for game in self._by_cost(scale) for method in self.methods)

    def _by_cost(self, scale: Scale) -> list[str]:
        return sorted(self.games, key=lambda name: getattr(self.games[name], scale))

    def _job(self, method: str, game: str, scale: Scale) -> Job:
        line, arena = self.methods[method], self.games[game]
        where = f"suite {self.name}, {method} on {game}"
        try:
            recipe = catalogue.recipe(line.recipe, {**line.options, **arena.recipe})
            catalogue.make(arena.game, **arena.options)
        except CoterieError as error:
            raise CoterieError(f"{where}: {error}") from None
        seeds = self.laptop_seeds if scale == "laptop" else self.full_seeds
        named = recipe if method == recipe.name else replace(recipe, name=method)
        return Job(method, game, named, arena, getattr(arena, scale), tuple(range(seeds)))

    @property
    def sizes(self) -> str:
        """In words."""
        seeds = f"{self.laptop_seeds} (full: {self.full_seeds})"
        return f"{len(self.methods)} methods × {len(self.games)} games × {seeds} seeds"


def slug(name: str) -> str:
    """``name`` as one folder's name."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip("-.") or "unnamed"


def shipped() -> dict[str, str]:
    """The suites of the house: name -> module."""
    import coterie.campaign.suites as room

    return {module.name: f"{room.__name__}.{module.name}" for module in iter_modules(room.__path__)}


def load(name: str) -> Suite:
    """A suite by name, or from a Python file of your own, which is executed.

    Raises:
        CoterieError: No such suite or file, or a file that fails or defines no ``suite``.
    """
    known, path = shipped(), Path(name)
    if name in known:
        return import_module(known[name]).suite
    if path.suffix != ".py":
        raise CoterieError(f"there is no suite {name!r}: {nearest(name, known)}, or give a Python file of your own")
    return taken(path, execute(path))


def execute(path: Path) -> ModuleType:
    """A Python file of your own as a module.

    Raises:
        CoterieError: No such file, or one that fails.
    """
    if not path.is_file():
        raise CoterieError(f"there is no file {path}: check the path")
    spec = importlib.util.spec_from_file_location(f"coterie_suite_{slug(path.stem)}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except CoterieError as error:
        raise CoterieError(f"{path}: {error}") from None
    except Exception as error:
        raise CoterieError(f"{path} fails when it is read: {type(error).__name__}: {error}") from error
    return module


def taken(path: Path, module: ModuleType) -> Suite:
    """The suite that a file defines.

    Raises:
        CoterieError: It defines none.
    """
    found = getattr(module, "suite", None)
    if not isinstance(found, Suite):
        raise CoterieError(f"{path} defines no suite: end it with suite = Suite(...)")
    return found
