"""Battles by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from coterie.games.battle.game import Battle
from coterie.games.battle.lots import Lot
from coterie.games.battle.maps import MAPS, BattleMap, Group
from coterie.games.battle.terrain import SIZE
from coterie.games.battle.units import BASE
from coterie.games.options import number_within, variant
from coterie.games.sides import opposed, plural


def _lot(kinds: dict[str, float], helper: str, race: str, allies: int, enemies: int) -> BattleMap:
    """A battle in the manner of SMACv2: so many units of a race's kinds, by weight, on open ground."""
    names = tuple(kinds)
    return BattleMap(
        (Group(names[0], allies, 9, 16),), (Group(names[0], enemies, 23, 16),), 200, "open", race * 2, ((16, 16),),
        names, names, lot=Lot(names, tuple(kinds.values()), helper),
    )  # fmt: skip


RACES = {
    "protoss": ({"stalker": 0.45, "zealot": 0.45, "colossus": 0.1}, "colossus"),
    "terran": ({"marine": 0.45, "marauder": 0.45, "medivac": 0.1}, "medivac"),
    "zerg": ({"zergling": 0.45, "hydralisk": 0.45, "baneling": 0.1}, "baneling"),
}
"""SMACv2's kinds of each race by weight, and the one that no side has alone."""
DRAWN = {
    f"{race}_{allies}_vs_{enemies}": _lot(*lot, race[0].upper(), allies, enemies)
    for race, lot in RACES.items()
    for allies, enemies in ((5, 5), (10, 10), (10, 11), (20, 20), (20, 23))
}
"""Battles in the manner of SMACv2 by name: units and starts are drawn for every episode."""


def _drawn(name: str) -> Callable[..., Battle]:
    """A function that opens a map whose units are drawn."""
    battle = DRAWN[name]
    assert battle.lot
    kinds = ", ".join(plural(kind) for kind in battle.lot.kinds)
    ours, theirs = len(battle.ally_units), len(battle.enemy_units)
    first = f"Battle {name} (in SMACv2's manner, our physics): {ours} against {theirs}, drawn from {kinds}."
    return variant(Battle, first, hidden=("battle",), battle=battle)


def _map(name: str) -> Callable[..., Battle]:
    """A function that opens a map; all other options can be given."""
    battle = MAPS[name]
    first = f"Battle {name} (SMAC interface, our physics): {opposed(battle.ally_units, battle.enemy_units)}."
    return variant(Battle, first, hidden=("battle",), battle=battle)


def custom(
    allies: tuple[str, ...] = ("marine", "marine"),
    enemies: tuple[str, ...] = ("zealot",),
    terrain: str = "strip",
    distance: float = 14.0,
    reward: Literal["dense", "sparse"] = "dense",
    difficulty: Literal["easy", "normal", "hard"] = "normal",
    length: int = 150,
) -> Battle:
    """A battle of any units, on any of the maps' ground, under SMAC's interface and our physics.

    Args:
        allies: The team's units by name; equal ones are grouped.
        enemies: Those of the scripted enemy.
        terrain: Ground of one of the maps: strip, open, octagon, house, basin, ridge, corridor or ravine.
        distance: Between the middles of the two sides, in cells; they start on a line through the middle of the map.
        reward: dense (damage to enemies, deaths, winning) or sparse (1 for winning, -1 for losing).
        difficulty: easy, normal or hard.
        length: Steps after which an episode is truncated.
    """
    number_within("distance", distance, 0, SIZE)
    west, east = (SIZE - distance) / 2, (SIZE + distance) / 2
    kinds = tuple(tuple(dict.fromkeys(units)) for units in (allies, enemies))
    left, right = (tuple(Group(name, units.count(name), x, SIZE / 2) for name in names)
                   for units, names, x in zip((allies, enemies), kinds, (west, east), strict=True))  # fmt: skip
    shields = "".join("P" if any(BASE[name].shield for name in names) else "T" for names in kinds)
    ours, theirs = (names if len(names) > 1 else () for names in kinds)
    battle = BattleMap(left, right, length, terrain, shields, ((west, SIZE / 2),), ours, theirs)
    return Battle(battle, reward=reward, scaled=reward == "dense", difficulty=difficulty)


GAMES: dict[str, Callable[..., Battle]] = {
    **{f"battle/{name}": _map(name) for name in MAPS},
    **{f"battle/{name}": _drawn(name) for name in DRAWN},
    "battle/custom": custom,
}
"""SMAC's maps by name, battles whose units are drawn, and any other."""
