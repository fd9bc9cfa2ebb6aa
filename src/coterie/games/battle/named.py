"""Battles by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from coterie.contracts import CoterieError
from coterie.games.battle.game import Battle
from coterie.games.battle.lots import Lot
from coterie.games.battle.maps import MAPS, BattleMap, Group, Point
from coterie.games.battle.terrain import SIZE, TERRAINS
from coterie.games.battle.units import BASE
from coterie.games.options import number_within, variant
from coterie.games.sides import opposed, plural


def _lot(kinds: dict[str, float], helper: str, race: str, allies: int, enemies: int) -> BattleMap:
    """A battle in the manner of SMACv2: so many units of a race's kinds, by weight, on open ground."""
    names = tuple(kinds)
    return BattleMap(
        (Group(names[0], allies, 9, 16),), (Group(names[0], enemies, 23, 16),), 200, "open", race * 2, ((16, 16),),
        names, names, "medivac" not in names, Lot(names, tuple(kinds.values()), helper),
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


def _starts(terrain: str) -> tuple[Point, Point]:
    """Where allies and enemies start on the first map of that ground; on the strip if there is none."""
    battle = next((one for one in MAPS.values() if one.terrain == terrain), MAPS["3m"])
    home, away = (
        (sum(group.x for group in side) / len(side), sum(group.y for group in side) / len(side))
        for side in (battle.allies, battle.enemies)
    )
    return home, away


def custom(
    allies: tuple[str, ...] = ("marine", "marine"),
    enemies: tuple[str, ...] = ("zealot",),
    terrain: str = "strip",
    distance: float = 0.0,
    reward: Literal["dense", "sparse"] = "dense",
    difficulty: Literal["easy", "normal", "hard"] = "normal",
    length: int = 150,
) -> Battle:
    """A battle of any units, on any of the maps' ground, under SMAC's interface and our physics.

    Args:
        allies: The team's units by name; equal ones are grouped.
        enemies: Those of the scripted enemy.
        terrain: Ground of one of the maps: strip, open, octagon, house, basin, ridge, corridor or ravine.
        distance: Between the middles of the two sides, in cells, on a line from west to east through the middle of the
            map; 0: they start where they do on SMAC's map of that ground.
        reward: dense (damage to enemies, deaths, winning) or sparse (1 for winning, -1 for losing).
        difficulty: easy, normal or hard.
        length: Steps after which an episode is truncated.
    """
    number_within("distance", distance, 0, SIZE)
    for side, units in (("allies", allies), ("enemies", enemies)):
        if units and set(units) == {"medivac"}:
            raise CoterieError(f"the {side} are medivacs only, and so have lost before it begins: add who can fight")
    home, away = _starts(terrain)
    if distance:
        home, away = (((SIZE + sign * distance) / 2, SIZE / 2) for sign in (-1, 1))
    kinds = tuple(tuple(dict.fromkeys(units)) for units in (allies, enemies))
    left, right = (tuple(Group(name, units.count(name), *point) for name in names)
                   for units, names, point in zip((allies, enemies), kinds, (home, away), strict=True))  # fmt: skip
    shields = "".join("P" if any(BASE[name].shield for name in names) else "T" for names in kinds)
    ours, theirs = (names if len(names) > 1 else () for names in kinds)
    counts = "medivac" not in (*allies, *enemies)
    try:
        battle = BattleMap(left, right, length, terrain, shields, (home,), ours, theirs, counts)
        return Battle(battle, reward=reward, scaled=reward == "dense", difficulty=difficulty)
    except CoterieError as error:
        if not distance or terrain not in TERRAINS:
            raise
        remedy = f"change the distance, {distance:g}, or leave it out to start where SMAC's map has them"
        raise CoterieError(f"{str(error).rpartition(':')[0]}: {remedy}") from None


GAMES: dict[str, Callable[..., Battle]] = {
    **{f"battle/{name}": _map(name) for name in MAPS},
    **{f"battle/{name}": _drawn(name) for name in DRAWN},
    "battle/custom": custom,
}
"""SMAC's maps by name, battles whose units are drawn, and any other."""
