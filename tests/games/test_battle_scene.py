"""Pictures of battles: units of every kind, bars, blows, explosions, the dead and the ground are as they should be."""

import jax
import numpy as np
import pytest

from coterie.games.battle import GAMES, MAPS, TERRAINS, Battle, BattleMap, BattleState, Group, scene
from coterie.games.battle.outline import area, outlines
from coterie.games.battle.scene import ALLY, BAR, ENEMY, ENERGY, HEALS, HEALTH, LACK, LETTERS, SHIELD
from coterie.games.battle.terrain import Terrain, fine
from coterie.games.battle.units import BASE, KINDS
from coterie.games.battle.world import World

SIDES = [tuple(Group(name, 1, x, 16) for name in KINDS) for x in (8, 24)]
ALL = Battle(BattleMap(*SIDES, 100, "strip", "PP", None))
"""One of every kind on both sides, in a row each: unit i of a side stands at y = 9 + 1.5 i."""
N = len(KINDS)


def opened(game=ALL, time=3, score=1.5, **changes):
    """A state as after a reset, with changes: by name, values of units by their number."""
    units = [BASE[name] for name in game.units]
    n, a = len(units), game.allies
    place = np.array([[8.0 if i < a else 24.0, 9 + 1.5 * (i if i < a else i - a)] for i in range(n)], np.float32)
    columns = {
        "x": place[:, 0],
        "y": place[:, 1],
        "health": np.array([unit.health for unit in units], np.float32),
        "shield": np.array([unit.shield for unit in units], np.float32),
        "energy": np.array([unit.energy for unit in units], np.float32),
        "loaded": np.ones(n, bool),
        "burst": np.zeros(n, bool),
        "victim": np.full(n, -1, np.int32),
        **{name: np.full(n - a, -1, np.int32) for name in ("target", "shooter")},
        **{name: np.zeros(n, np.float32) for name in ("cooldown", "hold", "quiet")},
    }
    for name, values in changes.items():
        for i, value in values.items():
            columns[name][i] = value
    kind = np.array([KINDS.index(name) for name in game.units])
    return BattleState(World(**columns), kind, np.zeros(2), np.full(a, -1), np.int32(time), np.float32(score))


def inside(game, state):
    """The frame, and its shapes but those of the legend and the ground."""
    drawn = game.scene(state, None)
    return drawn, [shape for shape in drawn.shapes if shape.y >= 8 and (shape.kind != "polygon" or shape.x)]


def unit(name, enemy=False):
    return KINDS.index(name) + N * enemy


def test_every_unit_is_a_disc_of_its_size_with_its_letter():
    drawn, shapes = inside(ALL, opened())
    discs = {(s.x, s.y): s for s in shapes if s.kind == "disc"}
    letters = {(s.x, s.y): s.text for s in shapes if s.kind == "text"}
    assert len(discs) == len(letters) == 2 * N and len(set(LETTERS.values())) == N
    for i, name in enumerate(ALL.units):
        at = (8.0 if i < N else 24.0), 9 + 1.5 * (i % N)
        assert (discs[at].size, discs[at].color) == (BASE[name].radius, ALLY if i < N else ENEMY)
        assert letters[at] == LETTERS[name]
    # Nobody is hurt, so the only bars are of energy (and health) of the medivacs, which start with a quarter.
    assert sorted(s.color for s in shapes if s.kind == "line") == sorted(2 * [HEALTH, ENERGY, LACK])
    assert drawn.caption == "step 3   return 1.50   10 against 10"
    words = {s.text for s in drawn.shapes if s.kind == "text" and s.y < 8}
    assert {"team", "enemies", "shield", "energy", "heals", "explosion", "spine crawler"} <= words


def test_bars_are_in_proportion():
    stalker, marine = unit("stalker"), unit("marine", enemy=True)
    full = {unit("medivac", enemy): 200 for enemy in (False, True)}  # else they have bars, too
    _, shapes = inside(ALL, opened(health={stalker: 60, marine: 15}, shield={stalker: 20}, energy=full))
    bars = {(s.x < 16, s.color): (s.x, s.to[0], s.y) for s in shapes if s.kind == "line"}
    assert len(bars) == 5 and (False, SHIELD) not in bars
    r, top = BASE["stalker"].radius, 9 + 1.5 * stalker + BASE["stalker"].radius
    health, shield, lack = bars[True, HEALTH], bars[True, SHIELD], bars[True, LACK]
    near = lambda *numbers: pytest.approx(numbers, abs=0.011)  # noqa: E731
    assert health[:2] == near(8 - r, 8 + r / 2) and shield[:2] == near(8 - r, 8 - r / 2)
    assert lack[:2] == near(8 - r / 2, 8 + r) and lack[2] == shield[2]
    assert health[2] - BAR / 2 > top and shield[2] - health[2] > BAR  # above the unit, and one above the other
    assert bars[False, HEALTH][:2] == near(23.625, 23.875) and bars[False, LACK][:2] == near(23.875, 24.375)


def blows(shapes):
    return [s for s in shapes if s.kind == "line" and s.alpha < 1]


def test_lines_go_to_whom_one_hits_or_heals():
    marine, medivac, zealot = (KINDS.index(name) for name in ("marine", "medivac", "zealot"))
    # The marine hits the enemy's zealot, which hits the medivac, which heals the zealot; the enemy's heals the marine.
    victims = {marine: zealot, zealot + N: medivac, medivac: zealot, medivac + N: marine}
    _, shapes = inside(ALL, opened(victim=victims))
    lines = {(s.color, s.x < 16, s.to[0] < 16): s for s in blows(shapes)}
    assert set(lines) == {(ALLY, True, False), (ENEMY, False, True), (HEALS, True, True), (HEALS, False, False)}
    shot = lines[ALLY, True, False]
    assert abs(shot.y - 9 - 1.5 * marine) < 0.375 and abs(shot.to[1] - 9 - 1.5 * zealot) < 0.5
    healed = lines[HEALS, False, False]
    assert abs(healed.y - 9 - 1.5 * medivac) < 0.75 and abs(healed.to[1] - 9 - 1.5 * marine) < 0.375


def test_a_colossus_burns_a_line_across():
    colossus = KINDS.index("colossus")
    _, shapes = inside(ALL, opened(victim={colossus: colossus}))
    shot, swept = blows(shapes)
    assert shot.y == shot.to[1] == swept.y + 1.25 == swept.to[1] - 1.25
    assert swept.x == swept.to[0] == 24 and swept.size == pytest.approx(0.3)


def test_explosions_and_the_dead():
    bane, ling = unit("baneling", enemy=True), unit("zergling")
    _, shapes = inside(ALL, opened(health={bane: 0, ling: 0}, loaded={bane: False}, burst={bane: True}))
    (blast,) = (s for s in shapes if s.kind == "disc" and s.alpha < 1)
    assert (blast.size, blast.color, blast.y) == (pytest.approx(2.2), ENEMY, 9 + 1.5 * KINDS.index("baneling"))
    crosses = [s for s in shapes if s.kind == "polygon"]
    assert [(s.x, s.color) for s in crosses] == [(8, ALLY), (24, ENEMY)] and all(s.alpha < 0.5 for s in crosses)
    assert sum(s.kind == "disc" for s in shapes) == 2 * N - 1 and sum(s.kind == "text" for s in shapes) == 2 * N - 2


def test_ranges_on_demand():
    game = Battle(ALL.battle, draw_ranges=True)
    _, shapes = inside(game, opened(game, health={unit("spine_crawler"): 0}))
    rings = sorted(s.size for s in shapes if s.kind == "ring" and s.x == 8)
    assert rings == sorted(u.reach + u.radius for name, u in BASE.items() if u.reach > 1 and name != "spine_crawler")


@pytest.mark.parametrize(("dead", "time", "result"), [
    ({}, 3, ""), ({}, 100, "time over"), (range(N, 2 * N), 100, "won"), (range(N), 9, "lost"),
    (range(2 * N), 9, "draw"),
])  # fmt: skip
def test_captions_tell_the_result(dead, time, result):
    drawn, _ = inside(ALL, opened(time=time, health=dict.fromkeys(dead, 0)))
    assert drawn.caption.endswith(f"   {result}" if result else "10 against 10")


def test_a_last_medivac_loses():
    game = Battle(MAPS["MMM"])
    medivac = game.units.index("medivac", game.allies)
    dead = dict.fromkeys((i for i in range(game.allies, len(game.units)) if i != medivac), 0)
    assert game.scene(opened(game, health=dead), None).caption.endswith("10 against 1   won")


@pytest.mark.parametrize("terrain", TERRAINS)
def test_outlines_hold_the_open_ground(terrain):
    """As many quarter cells as the outlines hold, but for the halves that a diagonal cuts off those it goes through."""
    loops, ground = outlines(TERRAINS[terrain]), fine(TERRAINS[terrain])
    cut = ground.sum() / 16 - sum(map(area, loops))
    assert 0 <= cut < 0.02 * ground.sum() / 16
    assert sum(area(loop) < 0 for loop in loops) == (terrain == "ridge")


def test_outlines_of_islands_that_touch_and_of_a_ring():
    touching = outlines(Terrain(((0, 1, ((0, 1),)), (2, 3, ((2, 3),))), corners=False))
    assert sum(map(area, touching)) == 8
    ring = outlines(Terrain(((4, 4, ((4, 6),)), (5, 5, ((4, 4), (6, 6))), (6, 6, ((4, 6),)))))
    assert sorted(map(area, ring)) == [-1, 9] and all(len(loop) == 4 for loop in ring)


@pytest.mark.parametrize("name", ["3m", "corridor", "2c_vs_64zg", "2s_vs_1sc", "bane_vs_bane", "terran_5_vs_5"])
def test_the_picture_fits_the_ground(name):
    game = GAMES[f"battle/{name}"]()
    drawn = game.scene(opened(game), None)
    left, bottom, right, top = drawn.bounds
    ground = [s for s in drawn.shapes if s.kind == "polygon" and s.x == 0]
    assert [s.color for s in ground[:2]] == [scene.WALL, scene.GROUND]
    assert (ground[-1].color == scene.CLIFF) == (name == "2c_vs_64zg")
    x, y = np.array(ground[1].corners).T
    assert left < x.min() and x.max() < right and bottom < y.min() and y.max() < top
    assert np.allclose([right - x.max(), x.min() - left, top - y.max()], scene.MARGIN)
    words = [s for s in drawn.shapes if s.kind == "text" and s.color != scene.PAPER]
    assert all(bottom < s.y < y.min() and left < s.x < right for s in words)
    assert len(drawn.shapes) < 70 + 2 * len(game.units)  # nobody is hurt


def test_wide_corners_are_drawn_as_they_are_walked():
    half, wide = (GAMES["battle/corridor"](corners=corners) for corners in ("half", "open"))
    drawn = [game.scene(opened(game), None).shapes for game in (half, wide)]
    areas = [area(next(s.corners for s in shapes if s.color == scene.GROUND)) for shapes in drawn]
    assert areas[1] > areas[0] + 1


def test_a_game_draws_what_it_has_stepped():
    """The state of compiled code has what the picture needs: banelings that meet burst in that step, and only then."""
    lair = [(Group("baneling", 1, x, 16),) for x in (15.5, 16.5)]
    game = Battle(BattleMap(*lair, 9, "strip", "ZZ", ((15, 16),)))
    step = jax.jit(lambda state: game.step(jax.random.key(0), state, np.array([6]))[0])
    first = game.reset(jax.random.key(0))[0]
    second = step(first)
    third = step(second)
    blasts = [sum(s.kind == "disc" and s.size > 2 for s in game.scene(jax.device_get(state), None).shapes)
              for state in (first, second, third)]  # fmt: skip
    assert blasts == [0, 2, 0]
