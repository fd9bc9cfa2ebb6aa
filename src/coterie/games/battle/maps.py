"""SMAC's maps as data: who fights whom, where all start, where the enemies are sent, and on what ground.

Rosters, points and ground are those of SMAC's map files. ``6m2m_15m`` is in none that is published: it is a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coterie.contracts import CoterieError
from coterie.fields import nearest
from coterie.games.battle.lots import Lot
from coterie.games.battle.terrain import SIZE, TERRAINS, Terrain, connected
from coterie.games.battle.units import BASE, KINDS
from coterie.games.options import number_within, whole_at_least

Point = tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Units of one kind that are created together, round one point.

    Args:
        unit: Its name, one of ``units.KINDS``.
        count: How many.
        x: Where, in cells from the west edge of the map.
        y: Where, in cells from the south edge.

    Raises:
        CoterieError: No such unit, fewer than one of them, or a point outside the map.
    """

    unit: str
    count: int
    x: float
    y: float

    def __post_init__(self) -> None:
        if self.unit not in KINDS:
            raise CoterieError(f"there is no unit {self.unit!r}: {nearest(str(self.unit), KINDS)}")
        whole_at_least(f"the count of {self.unit}s", self.count, 1)
        number_within(f"x of the {self.unit}s", self.x, 0, SIZE)
        number_within(f"y of the {self.unit}s", self.y, 0, SIZE)

    @property
    def point(self) -> Point:
        """(x, y)."""
        return self.x, self.y


@dataclass(frozen=True)
class BattleMap:
    """A battle: two sides, their starts, the ground, and what the enemies are told.

    Args:
        allies: The team, in the order of its ids.
        enemies: The others, in the order of their creation.
        length: Steps until an episode is cut.
        terrain: A name of ``terrain.TERRAINS``, or ground of your own.
        races: Letters of the two sides, allies first, P, T or Z; P is the one whose shields are observed.
        order: Where the enemies march: one point, or two, between which a point is drawn. () sets them on the allies
            themselves, None leaves them where they are.
        ally_types: Kinds in the order in which observations and states number the allies; empty: they do not.
        enemy_types: The same of the enemies, whose order differs on some of SMAC's maps.
        healers_count: Whether a side with nothing but healers left goes on.
        lot: How units and starts are drawn for every episode; then the groups only say how many they are.

    Raises:
        CoterieError: A side is empty, too many allies for a team that heals, walls between the two sides, or a value
            that is none of those above.
    """

    allies: tuple[Group, ...]
    enemies: tuple[Group, ...]
    length: int
    terrain: str | Terrain
    races: str
    order: tuple[Point, ...] | None
    ally_types: tuple[str, ...] = ()
    enemy_types: tuple[str, ...] = ()
    healers_count: bool = True
    lot: Lot | None = None

    def __post_init__(self) -> None:
        for side, units, types in (("allies", self.ally_units, self.ally_types),
                                   ("enemies", self.enemy_units, self.enemy_types)):  # fmt: skip
            _check_side(side, units, types)
        whole_at_least("the length of a battle", self.length, 1)
        if len(self.races) != 2 or set(self.races) - set("PTZ"):
            raise CoterieError(f"races must be two letters out of P, T and Z, allies first, not {self.races!r}")
        if isinstance(self.terrain, str) and self.terrain not in TERRAINS:
            raise CoterieError(f"there is no terrain {self.terrain!r}: {nearest(self.terrain, TERRAINS)}")
        if self.order is not None and len(self.order) > 2:
            raise CoterieError(f"the enemies cannot be sent to {len(self.order)} points: give one, two, none, or None")
        units = self.ally_units if self.lot is None else self.lot.kinds
        if _heals(units) and len(self.ally_units) > len(self.enemy_units):
            raise CoterieError(
                f"{len(self.ally_units)} allies with healers meet {len(self.enemy_units)} enemies: to heal an ally "
                "takes the action of an enemy's number, so give at least as many enemies as allies"
            )
        _check_ways(self)

    @property
    def ground(self) -> Terrain:
        """The terrain itself."""
        return TERRAINS[self.terrain] if isinstance(self.terrain, str) else self.terrain

    @property
    def ally_units(self) -> tuple[str, ...]:
        """The name of each ally's kind, in the order of their ids."""
        return _names(self.allies)

    @property
    def enemy_units(self) -> tuple[str, ...]:
        """The name of each enemy's kind, in the order of their ids."""
        return _names(self.enemies)

    @property
    def ally_shields(self) -> bool:
        """Whether the allies' shields are observed."""
        return self.races[0] == "P"

    @property
    def enemy_shields(self) -> bool:
        """Whether the enemies' shields are observed."""
        return self.races[1] == "P"


def _names(groups: tuple[Group, ...]) -> tuple[str, ...]:
    return tuple(group.unit for group in groups for _ in range(group.count))


def _heals(units: tuple[str, ...]) -> bool:
    return any(BASE[unit].energy > 0 for unit in units)


def _check_side(side: str, units: tuple[str, ...], types: tuple[str, ...]) -> None:
    """Refuse a side without units, and types that do not number its kinds."""
    if not units:
        raise CoterieError(f"the {side} have no units: give them at least one Group, such as Group('marine', 3, 9, 16)")
    for unit in types:
        if unit not in KINDS:
            raise CoterieError(f"there is no unit {unit!r} for the types of the {side}: {nearest(str(unit), KINDS)}")
    if types and (set(units) - set(types) or len(set(types)) < len(types)):
        raise CoterieError(
            f"the types of the {side} are {', '.join(types)}: name each kind once, "
            f"{', '.join(dict.fromkeys(units))} among them, or leave the types out"
        )


def _check_ways(battle: BattleMap) -> None:
    """Refuse ground on which those who walk cannot meet, or cannot go where they are sent."""
    places = [(f"the {group.unit}s at", group.point) for group in (*battle.allies, *battle.enemies)
              if BASE[group.unit].plane != "air"]  # fmt: skip
    places += [("the enemies' goal at", point) for point in battle.order or ()]
    name = f"terrain {battle.terrain}" if isinstance(battle.terrain, str) else "the terrain"
    for what, (x, y) in places:
        if not connected(battle.ground, (x, y), (x, y)):
            raise CoterieError(f"{name} has a wall where {what} ({x:g}, {y:g}) would be: choose a point on open ground")
        first, start = places[0]
        if not connected(battle.ground, start, (x, y)):
            raise CoterieError(
                f"{name} cuts {first} ({start[0]:g}, {start[1]:g}) off from {what} ({x:g}, {y:g}): "
                "choose points, or ground, so that one can walk from one to the other"
            )


def _opposed(
    allies: Mapping[str, int],
    enemies: Mapping[str, int],
    length: int,
    races: str,
    terrain: str = "strip",
    types: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
    healers_count: bool = True,
) -> BattleMap:
    """The commonest of SMAC's maps: 14 apart on the line y = 16, the enemies sent to where the allies start."""
    return BattleMap(
        tuple(Group(unit, count, 9, 16) for unit, count in allies.items()),
        tuple(Group(unit, count, 23, 16) for unit, count in enemies.items()),
        length, terrain, races, ((9, 16),), *types, healers_count,
    )  # fmt: skip


_MMM, _SZ, _CSZ = ("marauder", "marine", "medivac"), ("stalker", "zealot"), ("colossus", "stalker", "zealot")
_BANE, _FAR, _NEAR = ("baneling", "zergling"), ((4.47, 4.33),), (27.91, 28.24)
MAPS: dict[str, BattleMap] = {
    "3m": _opposed({"marine": 3}, {"marine": 3}, 60, "TT"),
    "8m": _opposed({"marine": 8}, {"marine": 8}, 120, "TT"),
    "25m": _opposed({"marine": 25}, {"marine": 25}, 150, "TT"),
    "5m_vs_6m": _opposed({"marine": 5}, {"marine": 6}, 70, "TT"),
    "8m_vs_9m": _opposed({"marine": 8}, {"marine": 9}, 120, "TT"),
    "10m_vs_11m": _opposed({"marine": 10}, {"marine": 11}, 150, "TT"),
    "27m_vs_30m": _opposed({"marine": 27}, {"marine": 30}, 180, "TT"),
    "MMM": _opposed({"marauder": 2, "marine": 7, "medivac": 1}, {"marine": 7, "marauder": 2, "medivac": 1}, 150, "TT",
                    types=(_MMM, _MMM), healers_count=False),
    "MMM2": _opposed({"marauder": 2, "marine": 7, "medivac": 1}, {"marine": 8, "marauder": 3, "medivac": 1}, 180, "TT",
                     types=(_MMM, _MMM), healers_count=False),
    "2s3z": _opposed({"stalker": 2, "zealot": 3}, {"stalker": 2, "zealot": 3}, 120, "PP", types=(_SZ, _SZ[::-1])),
    "3s5z": _opposed({"stalker": 3, "zealot": 5}, {"stalker": 3, "zealot": 5}, 150, "PP", types=(_SZ, _SZ[::-1])),
    "3s5z_vs_3s6z": _opposed({"stalker": 3, "zealot": 5}, {"stalker": 3, "zealot": 6}, 170, "PP",
                             types=(_SZ, _SZ[::-1])),
    "3s_vs_3z": _opposed({"stalker": 3}, {"zealot": 3}, 150, "PP", "open"),
    "3s_vs_4z": _opposed({"stalker": 3}, {"zealot": 4}, 200, "PP", "open"),
    "3s_vs_5z": _opposed({"stalker": 3}, {"zealot": 5}, 250, "PP", "open"),
    "1c3s5z": _opposed({"colossus": 1, "stalker": 3, "zealot": 5}, {"colossus": 1, "stalker": 3, "zealot": 5}, 180,
                       "PP", types=(_CSZ, _CSZ)),
    "2m_vs_1z": BattleMap((Group("marine", 1, 13, 12), Group("marine", 1, 19, 12)), (Group("zealot", 1, 16, 19),),
                          150, "octagon", "TP", ((13, 12), (19, 12))),
    "corridor": BattleMap((Group("zealot", 6, 19.04, 19.12),), (Group("zergling", 24, *_NEAR),), 400, "corridor", "PZ",
                          _FAR),
    "6h_vs_8z": BattleMap((Group("hydralisk", 6, 14.6, 9.49),), (Group("zealot", 8, 14.41, 16.76),), 150, "basin", "ZP",
                          ((14.6, 9.49),)),
    "2s_vs_1sc": BattleMap((Group("stalker", 1, 11.12, 10.34), Group("stalker", 1, 16.98, 10.37)),
                           (Group("spine_crawler", 1, 13.92, 20.04),), 300, "house", "PZ", None),
    "so_many_baneling": BattleMap((Group("zealot", 7, 11.47, 12.02),), (Group("baneling", 32, *_NEAR),), 100, "ravine",
                                  "PZ", _FAR),
    "bane_vs_bane": BattleMap((Group("baneling", 4, 16, 8), Group("zergling", 20, 16, 11)),
                              (Group("zergling", 20, 16, 21), Group("baneling", 4, 16, 24)), 200, "octagon", "ZZ",
                              ((16, 8),), _BANE, _BANE),
    "2c_vs_64zg": BattleMap((Group("colossus", 2, 16, 16),), (Group("zergling", 64, 16, 9),), 400, "ridge", "PZ", ()),
    "6m2m_15m": _opposed({"marauder": 6, "medivac": 2}, {"marine": 15}, 150, "TT", types=(_MMM, _MMM),
                         healers_count=False),
}  # fmt: skip
"""SMAC's maps by name: the 23 official ones, and ``6m2m_15m``."""
