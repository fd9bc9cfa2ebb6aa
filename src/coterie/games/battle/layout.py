"""Where each unit stands when a battle starts.

StarCraft II creates a group on one point and shifts each unit to the nearest free spot. Its exact layout is unknown:
the house chose a fixed hexagonal spiral round the point, turned by 180 degrees for the enemies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float

from coterie.contracts import CoterieError
from coterie.games.battle.maps import BattleMap, Group
from coterie.games.battle.terrain import QUARTERS, SIZE, TERRAINS, Terrain, open_at, reached
from coterie.games.battle.units import Unit

Formation = Literal["hexagon", "square"]
"""The lattice that units of one group start on; which one StarCraft II takes is unknown."""
GAP = 0.05
"""Left between two neighbours, in cells."""
STEP = 0.1
"""Spacing of the spiral on which units of different size look for a place, in cells."""
REACHES = (8.0, 2**0.5 * SIZE)
"""How far they look, in cells: where all find a place near by, the rest of the map is never searched."""
_CLOSE = 1e-6  # neighbours on one spiral are as far apart as is asked, up to rounding


def places(
    battle_map: BattleMap, kinds: Mapping[str, Unit], formation: Formation = "hexagon"
) -> Float[np.ndarray, "N 2"]:
    """Where everybody starts: (x, y) in cells, allies in the order of their ids, then enemies in theirs.

    Each unit takes the first spot of its group's spiral on which it keeps its separation radius less 0.05 from walls
    and the map's edge, and the sum of both radii and 0.05 from everybody of its side who came before. Neighbours of one
    size are exactly that far apart. Flyers mind the edge only. Allies of one kind are numbered from west to east, then
    from south to north, as in SMAC.

    Args:
        battle_map: The sides and the ground.
        kinds: The balance, such as ``units.BASE``.
        formation: The lattice that units stand on.

    Raises:
        CoterieError: Somebody finds no place, or the two sides start on top of one another.
    """
    allies = _side(battle_map.allies, _created(battle_map), battle_map.ground, kinds, 1, formation)
    enemies = _side(battle_map.enemies, range(len(battle_map.enemies)), battle_map.ground, kinds, -1, formation)
    for unit in set(battle_map.ally_units):
        mine = [i for i, name in enumerate(battle_map.ally_units) if name == unit]
        east, north = allies[mine].round(6).T
        allies[mine] = allies[mine][np.lexsort((north, east))]
    _check_apart(battle_map, kinds, allies, enemies)
    return np.concatenate([allies, enemies])


def _created(battle_map: BattleMap) -> list[int]:
    """The allies' groups in the order in which they look for places.

    It is that of the enemies' groups, so that equal sides start in one formation: the ids of SMAC's allies do not tell
    in which order they were created.
    """
    names = [group.unit for group in battle_map.enemies]
    rank = [names.index(group.unit) if group.unit in names else len(names) for group in battle_map.allies]
    return sorted(range(len(rank)), key=rank.__getitem__)


def _side(
    groups: Sequence[Group],
    created: Iterable[int],
    terrain: Terrain,
    kinds: Mapping[str, Unit],
    turn: int,
    formation: Formation,
) -> Float[np.ndarray, "n 2"]:
    """The places of the units of one side, group by group."""
    found = [np.zeros((0, 2))] * len(groups)
    taken, radii = np.zeros((0, 2)), np.zeros(0)
    for i in created:
        group, unit = groups[i], kinds[groups[i].unit]
        sizes = {kinds[other.unit].separation for other in groups if other.point == group.point}
        apart = 2 * unit.separation + GAP
        spacing = turn * (apart if len(sizes) == 1 else STEP)
        for reach in REACHES:
            spots = _spots(group, unit, terrain, spacing, reach, formation)
            found[i] = _settle(group.count, spots, taken, radii + unit.separation + GAP - _CLOSE, apart - _CLOSE)
            if len(found[i]) == group.count:
                break
        else:
            raise CoterieError(
                f"only {len(found[i])} of {group.count} {group.unit}s find a place round ({group.x:g}, {group.y:g}): "
                "lower the count, move the point, or choose wider ground"
            )
        taken = np.concatenate([taken, found[i]])
        radii = np.concatenate([radii, np.full(group.count, unit.separation)])
    return np.concatenate(found)


def _settle(
    count: int,
    spots: Float[np.ndarray, "S 2"],
    taken: Float[np.ndarray, "m 2"],
    apart: Float[np.ndarray, " m"],
    spacing: float,
) -> Float[np.ndarray, "n 2"]:
    """The first spots, up to ``count``, that are ``apart`` from the places taken and ``spacing`` from each other."""
    free = np.ones(len(spots), bool)
    for other, least in zip(taken, apart, strict=True):
        free &= np.hypot(*(spots - other).T) >= least
    found = np.zeros((0, 2))
    while len(found) < count and free.any():
        found = np.concatenate([found, spots[free.argmax()][None]])
        free &= np.hypot(*(spots - found[-1]).T) >= spacing
    return found


def _spots(
    group: Group, unit: Unit, terrain: Terrain, spacing: float, reach: float, formation: Formation
) -> Float[np.ndarray, "S 2"]:
    """A spiral round the group's point, as far as ``reach``, without the spots where the unit cannot stand."""
    rings = int(np.ceil(reach / (0.75**0.5 * abs(spacing))))
    spots = np.array(group.point) + spacing * _spiral(rings, formation)
    room = unit.separation - GAP  # with all of it, so_many_baneling would lose a row by less than 0.001
    spots = spots[open_at(TERRAINS["open"], spots, room)]
    if unit.plane == "air":
        return spots
    spots = spots[open_at(terrain, spots, room)]
    x, y = (spots * QUARTERS).astype(int).T
    return spots[reached(terrain, group.point)[x, y]]  # not behind a wall


@lru_cache(maxsize=16)
def _spiral(rings: int, formation: Formation) -> Float[np.ndarray, "S 2"]:
    """A lattice of spacing 1, ring by ring from the middle, each from the east and counterclockwise."""
    if formation == "square":
        along = np.arange(-rings, rings + 1)
        spots = np.stack(np.meshgrid(along, along, indexing="ij"), -1).reshape(-1, 2)
        angle = np.arctan2(spots[:, 1], spots[:, 0]) % (2 * np.pi)
        return spots[np.lexsort((angle, np.abs(spots).max(1)))].astype(float)
    angle = np.arange(7) * np.pi / 3
    corners = np.stack([np.cos(angle), np.sin(angle)], 1)
    found = [np.zeros((1, 2))]
    for ring in range(1, rings + 1):
        along = np.arange(ring)[:, None]
        found += [ring * corners[i] + along * (corners[i + 1] - corners[i]) for i in range(6)]
    return np.concatenate(found)


def _check_apart(
    battle_map: BattleMap,
    kinds: Mapping[str, Unit],
    allies: Float[np.ndarray, "A 2"],
    enemies: Float[np.ndarray, "E 2"],
) -> None:
    """Refuse sides that overlap."""
    own, theirs = (np.array([kinds[unit].separation for unit in units])
                   for units in (battle_map.ally_units, battle_map.enemy_units))  # fmt: skip
    distance = np.hypot(*np.moveaxis(allies[:, None] - enemies, -1, 0))
    overlap = np.argwhere(distance < own[:, None] + theirs - _CLOSE)
    if len(overlap):
        ally, enemy = overlap[0]
        (x, y), (far_x, far_y) = allies[ally], enemies[enemy]
        raise CoterieError(
            f"allied {battle_map.ally_units[ally]} {ally} at ({x:.1f}, {y:.1f}) starts on top of enemy "
            f"{battle_map.enemy_units[enemy]} {enemy} at ({far_x:.1f}, {far_y:.1f}): move the groups further apart"
        )
