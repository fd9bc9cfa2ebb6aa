"""The maps of battles: sizes as in SMAC, and ground that agrees with itself."""

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from coterie.games.battle.maps import MAPS
from coterie.games.battle.named import DRAWN
from coterie.games.battle.reward import largest
from coterie.games.battle.roster import fixed
from coterie.games.battle.terrain import TERRAINS, Terrain, cells, connected, fine, half_planes, open_at, reached
from coterie.games.battle.units import BASE

SIZES = {  # allies, enemies, length, actions, observation, state, most reward: numbers of SMAC's own code
    "3m": (3, 3, 60, 9, 30, 48, 365),
    "8m": (8, 8, 120, 14, 80, 168, 640),
    "25m": (25, 25, 150, 31, 250, 950, 1575),
    "5m_vs_6m": (5, 6, 70, 12, 55, 98, 530),
    "8m_vs_9m": (8, 9, 120, 15, 85, 179, 695),
    "10m_vs_11m": (10, 11, 150, 17, 105, 243, 805),
    "27m_vs_30m": (27, 30, 180, 36, 285, 1170, 1850),
    "MMM": (10, 10, 150, 16, 160, 290, 1015),
    "MMM2": (10, 12, 180, 18, 176, 322, 1205),
    "2s3z": (5, 5, 120, 11, 80, 120, 1020),
    "3s5z": (8, 8, 150, 14, 128, 216, 1510),
    "3s5z_vs_3s6z": (8, 9, 170, 15, 136, 230, 1670),
    "3s_vs_3z": (3, 3, 150, 9, 36, 54, 680),
    "3s_vs_4z": (3, 4, 200, 10, 42, 61, 840),
    "3s_vs_5z": (3, 5, 250, 11, 48, 68, 1000),
    "1c3s5z": (9, 9, 180, 15, 162, 270, 1870),
    "2m_vs_1z": (2, 1, 150, 7, 16, 26, 360),
    "corridor": (6, 24, 400, 30, 156, 282, 1280),
    "6h_vs_8z": (6, 8, 150, 14, 78, 140, 1480),
    "2s_vs_1sc": (2, 1, 300, 7, 17, 27, 510),
    "so_many_baneling": (7, 32, 100, 38, 202, 397, 1480),
    "bane_vs_bane": (24, 24, 200, 30, 336, 984, 1260),
    "2c_vs_64zg": (2, 64, 400, 70, 332, 342, 3080),
    "6m2m_15m": (8, 15, 150, 21, 184, 314, 1025),
}
CONVEX = {"strip": 4, "open": 4, "octagon": 8, "house": 6, "basin": 8}


def test_all_maps_are_there():
    assert list(SIZES) == list(MAPS) and len(MAPS) == 24
    assert {battle.terrain for battle in MAPS.values()} == set(TERRAINS)


@pytest.mark.parametrize("name", MAPS)
def test_sizes_are_smacs(name):
    battle = MAPS[name]
    a, e, actions = len(battle.ally_units), len(battle.enemy_units), 6 + len(battle.enemy_units)
    units = battle.ally_units + battle.enemy_units
    own, theirs = battle.ally_shields + len(battle.ally_types), battle.enemy_shields + len(battle.enemy_types)
    seen = 4 + e * (5 + theirs) + (a - 1) * (5 + own) + 1 + own
    state = a * (4 + own) + e * (3 + theirs) + a * actions
    assert (a, e, battle.length, actions, seen, state, largest(fixed(units, BASE), a)) == SIZES[name]


def test_sides_and_orders_of_types():
    assert MAPS["MMM"].ally_units == ("marauder",) * 2 + ("marine",) * 7 + ("medivac",)
    assert MAPS["MMM"].enemy_units == ("marine",) * 7 + ("marauder",) * 2 + ("medivac",)
    assert MAPS["MMM2"].enemy_units == ("marine",) * 8 + ("marauder",) * 3 + ("medivac",)
    assert MAPS["bane_vs_bane"].ally_units == MAPS["bane_vs_bane"].enemy_units[::-1]
    assert MAPS["2s3z"].ally_types == MAPS["2s3z"].enemy_types[::-1] == ("stalker", "zealot")
    assert MAPS["1c3s5z"].ally_types == MAPS["1c3s5z"].enemy_types == ("colossus", "stalker", "zealot")
    assert {name for name, battle in MAPS.items() if not battle.healers_count} == {"MMM", "MMM2", "6m2m_15m"}
    assert {name for name, battle in DRAWN.items() if not battle.healers_count} == {n for n in DRAWN if "terran" in n}
    orders = {name: battle.order for name, battle in MAPS.items() if battle.order != ((9, 16),)}
    assert orders == {
        "2m_vs_1z": ((13, 12), (19, 12)), "corridor": ((4.47, 4.33),), "6h_vs_8z": ((14.6, 9.49),), "2s_vs_1sc": None,
        "so_many_baneling": ((4.47, 4.33),), "bane_vs_bane": ((16, 8),), "2c_vs_64zg": (),
    }  # fmt: skip


@pytest.mark.parametrize("name", TERRAINS)
def test_cells_are_those_with_open_quarters_and_keep_the_flagged_ones(name):
    ground = TERRAINS[name]
    flagged = fine(replace(ground, corners=False, convex=False))
    assert (flagged <= fine(ground)).all() and fine(ground).shape == (128, 128) and cells(ground).shape == (32, 32)
    flagged = flagged[::4, ::4]
    quarters = fine(ground).reshape(32, 4, 32, 4).sum((1, 3))
    assert (quarters[flagged] == 16).all() and (cells(ground) == (quarters > 0)).all()
    assert set(quarters[~flagged]) <= {0, 10, 16}  # half-open cells own the four centres on their diagonal
    for low, high, runs in ground.bands:
        row = {x for first, last in runs for x in range(first, last + 1)}
        assert all(set(np.flatnonzero(flagged[:, y])) == row for y in range(low, high + 1))


def picture(ground, x, y):
    """The mask of moves as rows, north at the top."""
    return ["".join(".#"[int(cell)] for cell in row) for row in cells(ground)[x, y].T[::-1]]


def test_cells_at_the_steps():
    assert picture(TERRAINS["octagon"], slice(5, 12), slice(5, 12)) == [
        ".######", ".######", ".######",
        "..#####",  # (7, 8) is half open, (6, 8) only touched
        "...####", "....###", ".......",
    ]  # fmt: skip
    assert picture(TERRAINS["corridor"], slice(8, 20), slice(8, 20)) == [
        "....########", "....########", "....########", ".....#######", ".....#######", "....########", "...#####....",
        "..#####.....", "######......", "#####.......", "####........", "####........",
    ]  # fmt: skip
    assert picture(TERRAINS["ridge"], slice(0, 10), slice(9, 21)) == [
        "..........", ".......###", "......####", ".#########", "##########", "##########", "##########", "####......",
        "####......", "##########", "##########", "##########",
    ]  # fmt: skip


def test_corners_only_open_in_the_inner_corner_of_a_step():
    shut = Terrain(((8, 9, ((8, 11),)), (10, 11, ((8, 9),))), corners=False)
    step = replace(shut, corners=True)
    assert fine(shut).sum() == 16 * 12 and fine(step).sum() == 16 * 12 + 36  # 28 below the diagonal, 8 on it
    assert open_at(step, np.array([[10.9, 10.9], [10.5, 11.0]])).tolist() == [True, True]
    assert open_at(step, np.array([[11.4, 11.4], [9.9, 12.1]])).tolist() == [False, False]
    slot = Terrain(((8, 9, ((8, 13),)), (10, 11, ((8, 9), (12, 13)))))  # between two walls: no step
    odd = Terrain(((7, 8, ((7, 10),)), (9, 10, ((7, 8),))))  # not in blocks
    for ground in (slot, odd):
        assert (fine(ground) == fine(replace(ground, corners=False))).all()


def test_areas_by_hand():
    """Cells of the polygon, and two of the four centres on each half-open cell's diagonal for the half that is shut."""
    polygons = {"strip": (16 * 32, 0), "open": (32 * 32, 0), "octagon": (20 * 20 - 4 * 8, 16),
                "house": (12 * 16 - 2 * 8, 8), "basin": (14 * 12 - 4 * 2, 8)}  # fmt: skip
    assert set(polygons) == set(CONVEX) == {name for name, ground in TERRAINS.items() if ground.convex}
    for name, (area, halves) in polygons.items():
        assert fine(TERRAINS[name]).sum() == 16 * area + 2 * halves


@pytest.mark.parametrize("name", CONVEX)
def test_half_planes_bound_the_same_ground(name):
    planes = half_planes(TERRAINS[name])
    assert planes.shape == (CONVEX[name], 3) and np.allclose(np.hypot(planes[:, 0], planes[:, 1]), 1)
    x, y = np.meshgrid(*[(np.arange(-8, 136) + 0.5) / 4] * 2, indexing="ij")  # and two cells beyond the map

    def inside(rows):
        return (x[..., None] * rows[:, 0] + y[..., None] * rows[:, 1] <= rows[:, 2] + 1e-9).all(-1)

    assert (inside(planes) == np.pad(fine(TERRAINS[name]), 8)).all()
    for i in range(len(planes)):
        assert inside(np.delete(planes, i, 0)).sum() > inside(planes).sum(), "a half plane that bounds nothing"


def walked(ground, start, goal):
    """Whether a search, cell by cell, finds a way."""
    start, goal = (tuple(int(4 * along) for along in point) for point in (start, goal))
    seen, queue = {start}, deque([start])
    while queue:
        x, y = queue.popleft()
        for cell in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if cell not in seen and min(cell) >= 0 and max(cell) < 128 and ground[cell]:
                seen.add(cell)
                queue.append(cell)
    return goal in seen and bool(ground[start])


@pytest.mark.parametrize("name", MAPS)
def test_one_can_walk_to_the_enemies_and_to_their_goal(name):
    battle = MAPS[name]
    start, *others = [group.point for group in (*battle.allies, *battle.enemies)] + list(battle.order or ())
    for other in others:
        assert connected(battle.ground, start, other) and walked(fine(battle.ground), start, other)


def test_connected_as_a_search_finds():
    halves = Terrain(((4, 9, ((0, 31),)), (12, 20, ((0, 31),))))
    assert connected(halves, (3, 5), (30, 9)) and connected(halves, (3, 13), (30, 20))
    assert not connected(halves, (3, 5), (3, 13)) and not connected(halves, (3, 13), (3, 5))
    assert not connected(halves, (3, 11), (3, 13)) and not connected(halves, (3, 13), (3, 11))
    assert reached(halves, (3, 5)).sum() == 16 * 6 * 32 and not reached(halves, (3, 10)).any()
    assert connected(TERRAINS["strip"], (0, 8), (31.9, 24)) and not connected(TERRAINS["strip"], (9, 16), (9, 25))
    touching = Terrain(((8, 9, ((8, 9),)), (10, 11, ((10, 11),))), corners=False)
    assert not connected(touching, (9, 9), (11, 11))  # a point is no way, but a lane is
    assert connected(replace(touching, corners=True), (9, 9), (11, 11))
    ridge = fine(TERRAINS["ridge"]).copy()
    assert walked(ridge, (16, 9), (16, 16))
    ridge[:16, 48:56] = ridge[112:, 48:56] = False  # both ends of the cliff
    assert not walked(ridge, (16, 9), (16, 16))


def test_the_choke_of_the_corridor():
    along = np.arange(-4, 4, 0.01)
    free = open_at(TERRAINS["corridor"], 13 + np.stack([along, -along], 1) / 2**0.5)
    wide = 0.01 * free.sum()
    assert 2.4 < wide < 3.2 and wide == pytest.approx(2 * 2**0.5, abs=0.03)
    assert (np.diff(np.flatnonzero(free)) == 1).all() and free[400]
    lane = fine(TERRAINS["corridor"]).copy()
    lane[48:56, 48:56] = False
    assert not walked(lane, (19.04, 19.12), (4.47, 4.33))


def test_clearance_from_walls():
    points = np.array([[8.3, 16], [9, 8.37], [9, 8.38], [0.37, 16], [0.38, 16], [31.62, 23.62], [31.62, 23.63]])
    assert open_at(TERRAINS["strip"], points, 0.375).tolist() == [True, False, True, False, True, True, False]
    points = np.array([[8 + 0.26, 8 + 0.26], [8 + 0.27, 8 + 0.27]])  # 0.37 and 0.38 from the diagonal wall
    assert open_at(TERRAINS["octagon"], points, 0.375).tolist() == [False, True]
    points = np.array([[13, 13], [13.9, 12.1], [14.2, 11.8]])
    assert open_at(TERRAINS["corridor"], points).tolist() == [True, True, False]
    assert open_at(TERRAINS["corridor"], points, 0.375).tolist() == [True, False, False]
    assert not open_at(TERRAINS["corridor"], np.array([[-0.1, 3], [40, 3], [32, 32]])).any()
