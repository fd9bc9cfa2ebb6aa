"""Where units of battles start, and what is refused when a map is made."""

from dataclasses import replace

import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.games.battle.layout import GAP, places
from coterie.games.battle.maps import MAPS, BattleMap, Group
from coterie.games.battle.terrain import TERRAINS, Terrain, fine, half_planes, open_at
from coterie.games.battle.units import BALANCES, BASE

EQUAL = ("3m", "8m", "25m", "MMM", "2s3z", "3s5z", "1c3s5z", "bane_vs_bane")
TRIO = MAPS["3m"]
HERD = Group("zergling", 8, 23, 16)


def kinds_of(battle):
    return np.array([*battle.ally_units, *battle.enemy_units])


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("balance", BALANCES)
def test_starts(name, balance):
    battle, kinds = MAPS[name], BALANCES[balance]
    found, names = places(battle, kinds), kinds_of(battle)
    radius = np.array([kinds[unit].separation for unit in names])
    a = len(battle.ally_units)
    assert found.shape == (len(names), 2) and (found == places(battle, kinds)).all()

    distance = np.hypot(*np.moveaxis(found[:, None] - found, -1, 0)) + 99 * np.eye(len(found))
    assert (distance >= radius[:, None] + radius + GAP - 1e-5).all()
    for spot, unit, size in zip(found, names, radius, strict=True):
        ground = TERRAINS["open"] if unit == "medivac" else battle.ground
        assert open_at(ground, spot, size - GAP) and fine(ground)[tuple((4 * spot).astype(int))]

    for groups, side in ((battle.allies, found[:a]), (battle.enemies, found[a:])):
        owners = np.repeat(np.arange(len(groups)), [group.count for group in groups])
        for point in {group.point for group in groups}:
            team = side[[groups[i].point == point for i in owners]]
            assert np.hypot(*(team.mean(0) - point)) < 1
            assert np.hypot(*(team - point).T).min() < 1e-9  # the first one stands on the point itself

    for unit in set(battle.ally_units):
        mine = found[:a][names[:a] == unit].round(6).tolist()
        assert mine == sorted(mine)


@pytest.mark.parametrize("name", EQUAL)
def test_equal_sides_start_in_one_formation_turned_round(name):
    found, names = places(MAPS[name], BASE), kinds_of(MAPS[name])
    a = len(MAPS[name].ally_units)
    rows = lambda spots, units: sorted((str(u), *s) for s, u in zip(spots.round(6).tolist(), units, strict=True))  # noqa: E731
    assert rows(32 - found[a:], names[a:]) == rows(found[:a], names[:a])


def test_the_spiral_by_hand():
    high = 0.8 * 0.75**0.5
    found = places(MAPS["8m_vs_9m"], BASE)
    ring = [(0, 0), (0.8, 0), (0.4, high), (-0.4, high), (-0.8, 0), (-0.4, -high), (0.4, -high), (1.6, 0)]
    assert np.allclose(found[8:], (23, 16) - np.array([*ring, (1.2, high)]))
    assert np.allclose(found[:8], np.array([9, 16]) + sorted(ring))
    found = places(MAPS["2s3z"], BASE)
    assert np.allclose(found[:2], [(9, 16), (10.3, 16)])
    assert np.allclose(found[5:7], [(23, 16), (21.7, 16)])


def test_starts_of_units_of_several_sizes_and_of_groups_that_share_a_point():
    twice = replace(TRIO, allies=(Group("marine", 3, 9, 16),) * 2, enemies=(Group("marine", 6, 23, 16),))
    once = replace(twice, allies=(Group("marine", 6, 9, 16),))
    assert np.allclose(places(twice, BASE), places(once, BASE))
    # A flyer stays over the wall where a walker has to go inside.
    air = replace(TRIO, allies=(Group("medivac", 1, 9, 25), Group("marine", 1, 9, 16)), enemies=(HERD,))
    assert places(air, BASE)[0].tolist() == [9, 25]
    edge = replace(TRIO, allies=(Group("marine", 1, 0, 8),))
    x, y = places(edge, BASE)[0]
    assert 0.325 <= x < 1 and 8.325 <= y < 9.5


def test_nobody_starts_behind_a_wall():
    """The cell beyond the thin wall is nearer, but not to walk to."""
    ground = Terrain(((8, 9, ((0, 31),)), (11, 12, ((8, 10),))))
    crowd = replace(
        TRIO, terrain=ground, allies=(Group("marine", 20, 9, 9),), enemies=(Group("marine", 3, 30, 9),), order=()
    )
    assert (places(crowd, BASE)[:, 1] < 10).all()


REFUSED = {
    "there is no unit 'marin': did you mean marine?": lambda: Group("marin", 3, 9, 16),
    "the count of marines must be a whole number of at least 1, not 0": lambda: Group("marine", 0, 9, 16),
    "x of the marines must be a number between 0 and 32, not 33": lambda: Group("marine", 3, 33, 16),
    "y of the marines must be a number between 0 and 32, not -1": lambda: Group("marine", 3, 9, -1),
    "the allies have no units: give them at least one Group": lambda: replace(TRIO, allies=()),
    "the enemies have no units: give them at least one Group": lambda: replace(TRIO, enemies=()),
    "the length of a battle must be a whole number of at least 1, not 0": lambda: replace(TRIO, length=0),
    "races must be two letters out of P, T and Z, allies first, not 'TX'": lambda: replace(TRIO, races="TX"),
    "races must be two letters out of P, T and Z, allies first, not 'T'": lambda: replace(TRIO, races="T"),
    "there is no terrain 'octogon': did you mean octagon?": lambda: replace(TRIO, terrain="octogon"),
    "cannot be sent to 3 points: give one, two, none, or None": lambda: replace(TRIO, order=((9, 16),) * 3),
    "10 allies with healers meet 9 enemies: .* give at least as many enemies as allies": lambda: replace(
        MAPS["MMM"], enemies=(Group("marine", 9, 23, 16),)
    ),
    "there is no unit 'marines' for the types of the allies: did you mean marine?": lambda: replace(
        TRIO, ally_types=("marines",)
    ),
    "the types of the enemies are zealot: name each kind once, stalker, zealot among them, or leave": lambda: replace(
        MAPS["2s3z"], enemy_types=("zealot",)
    ),
    "the types of the allies are marine, marine: name each kind once": lambda: replace(
        TRIO, ally_types=("marine", "marine")
    ),
    "terrain strip has a wall where the marines at \\(9, 25\\) would be: choose a point on open": lambda: replace(
        TRIO, allies=(Group("marine", 3, 9, 25),)
    ),
    "the enemies' goal at \\(9, 7\\) would be: choose a point": lambda: replace(TRIO, order=((9, 7),)),
    "the terrain cuts the marines at \\(9, 16\\) off from the marines at \\(23, 16\\): choose points, or": lambda: (
        replace(TRIO, terrain=Terrain(((8, 23, ((0, 14), (18, 31))),)))
    ),
    "a band of y cannot go from 8 to 32: give whole numbers": lambda: Terrain(((8, 32, ((0, 31),)),)),
    "a band of y cannot go from 8.0 to 9: give whole numbers": lambda: Terrain(((8.0, 9, ((0, 31),)),)),  # pyright: ignore
    "a run of x cannot go from 9 to 8: give whole numbers": lambda: Terrain(((8, 9, ((9, 8),)),)),
    "a cliff's x cannot go from -1 to 8": lambda: Terrain(((8, 9, ((0, 8),)),), cliffs=((-1, 8, 4, 5),)),
    "a cliff's y cannot go from 5 to 4": lambda: Terrain(((8, 9, ((0, 8),)),), cliffs=((0, 8, 5, 4),)),
    "the terrain has no ground: give at least one band with a run": lambda: Terrain(((8, 9, ()),)),
    "the terrain has bays, so it is not convex: leave out convex": lambda: replace(TERRAINS["ravine"], convex=True),
    "not convex, so half planes do not bound it: use fine": lambda: half_planes(TERRAINS["corridor"]),
    "only 2.. of 300 zerglings find a place round \\(14.41, 16.76\\): lower the count, move the point": lambda: places(
        replace(MAPS["6h_vs_8z"], enemies=(Group("zergling", 300, 14.41, 16.76),)), BASE
    ),
    "allied marine 0 at \\(9.0, 16.0\\) starts on top of enemy marine 0 .*: move the groups further apart": lambda: (
        places(replace(TRIO, enemies=(Group("marine", 3, 9.2, 16),)), BASE)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals_say_on_one_line_what_to_do(message):
    with pytest.raises(CoterieError, match=message) as refused:
        REFUSED[message]()
    assert "\n" not in str(refused.value)


def test_own_maps():
    ground = Terrain(((10, 20, ((5, 25),)),), convex=True)
    own = BattleMap((Group("stalker", 2, 8, 15),), (Group("zealot", 4, 22, 15),), 90, ground, "PP", ((8, 15),))
    assert own.ground is ground and places(own, BASE).shape == (6, 2) and hash(own) == hash(replace(own))
    assert half_planes(ground).tolist() == [[1, 0, 26], [0, 1, 21], [-1, 0, -5], [0, -1, -10]]
