"""StarCraft II micromanagement: the battles of SMAC and SMACv2 as games that the host steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coterie.bridges.deferred import Deferred
from coterie.bridges.hosted import HostedGame, Hosting, hosted
from coterie.bridges.starcraft_maps import MAPS, RACES, SIZES
from coterie.contracts import CoterieError
from coterie.extras import require
from coterie.fields import nearest
from coterie.games.options import one_of, variant, whole_at_least

Difficulty = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "A"]
LEVELS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "A")
METRICS = ("won", "dead_allies", "dead_enemies")
"""Reported at the end of an episode; SMAC's older versions do not count the dead."""
STEP_LIMIT = 120.0
"""Seconds that a step may take: a reset may have to start the game anew."""


@dataclass(frozen=True)
class Smac(Deferred):
    """A battle of SMAC in StarCraft II itself; every agent is one unit (Samvelyan et al. 2019).

    It needs the package smac, StarCraft II and SMAC's maps (the page on StarCraft says how).

    Args:
        map_name: Who fights whom, and where.
        difficulty: Of the built-in player; 7 is very hard, and what everybody reports.
        sparse: Pay 1 for a win and -1 for a defeat, nothing else.
        version: Of the game, such as 4.10; empty for the newest that is installed. Results of different versions
            cannot be compared.
        restart: Start the game anew for every episode, so that an episode depends on its seed only; it takes seconds.
        workers: Processes; 0 for one on every core. The results do not depend on it.
    """

    map_name: str = "3m"
    difficulty: Difficulty = "7"
    sparse: bool = False
    version: str = ""
    restart: bool = False
    workers: int = 0

    def __post_init__(self) -> None:
        if self.map_name not in MAPS:
            raise CoterieError(f"SMAC has no map {self.map_name!r}: {nearest(self.map_name, MAPS)}")
        _check(self.difficulty, self.workers)

    def host(self) -> HostedGame:
        """The battle; StarCraft II is started to find out what it is."""
        return _hosted("smac", self, self.workers)


@dataclass(frozen=True)
class Smacv2(Deferred):
    """A battle of SMACv2 in StarCraft II itself: teams and starting positions are drawn anew (Ellis et al. 2023).

    It needs the package smacv2, StarCraft II and SMACv2's maps (the page on StarCraft says how).

    Args:
        race: Of both sides.
        allies: Number of agents.
        enemies: Number of enemies.
        difficulty: Of the built-in player; 7 is very hard, and what everybody reports.
        sparse: Pay 1 for a win and -1 for a defeat, nothing else.
        conic_view: Agents see a cone only, and have twelve more actions that turn it.
        version: Of the game, such as 4.10; empty for the newest that is installed. Results of different versions
            cannot be compared.
        restart: Start the game anew for every episode, so that an episode depends on its seed only; it takes seconds.
        workers: Processes; 0 for one on every core. The results do not depend on it.
    """

    race: Literal["protoss", "terran", "zerg"] = "terran"
    allies: int = 5
    enemies: int = 5
    difficulty: Difficulty = "7"
    sparse: bool = False
    conic_view: bool = False
    version: str = ""
    restart: bool = False
    workers: int = 0

    def __post_init__(self) -> None:
        one_of("race", self.race, tuple(RACES))
        for name in ("allies", "enemies"):
            whole_at_least(name, getattr(self, name), 1)
        _check(self.difficulty, self.workers)

    def host(self) -> HostedGame:
        """The battle; StarCraft II is started to find out what it is."""
        return _hosted("smacv2", self, self.workers)


def _check(difficulty: str, workers: int) -> None:
    one_of("difficulty", difficulty, LEVELS)
    whole_at_least("workers", workers, 0)


def _hosted(factory: str, options: object, workers: int) -> HostedGame:
    require("pettingzoo", "games")
    given = {name: value for name, value in vars(options).items() if name != "workers"}
    how = Hosting("team", metrics=METRICS, workers=workers, limit=STEP_LIMIT)
    return hosted(f"coterie.bridges.starcraft_source:{factory}", given, how)


def _map(name: str) -> Callable[..., Smac]:
    return variant(Smac, f"SMAC's map {name} in StarCraft II: {len(MAPS[name])} agents.", map_name=name)


def _drawn(race: str, allies: int, enemies: int) -> Callable[..., Smacv2]:
    first = f"SMACv2 in StarCraft II: {allies} drawn {race} units against {enemies}."
    return variant(Smacv2, first, race=race, allies=allies, enemies=enemies)


_DRAWN = {f"starcraft/{race}_{a}_vs_{e}": _drawn(race, a, e) for race in RACES for a, e in SIZES}
GAMES = {**{f"starcraft/{name}": _map(name) for name in MAPS}, **_DRAWN}
"""The games of this file by name."""
