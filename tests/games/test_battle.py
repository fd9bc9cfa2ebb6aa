"""Battles by hand: what is known of units and maps, and what the interface tells of scenes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.contracts import CoterieError
from coterie.games.battle import GAMES, MAPS, Battle
from coterie.games.battle.units import BASE, LADDER
from tests.games.battle_stage import AIM, IDLE, NORTH, STAGE, UNITS, Scene, aims, near, observe, reset
from tests.oracles.battle_units import KINDS, SECOND

# What is known of the units and the maps


def test_the_units_are_those_of_the_sheet():
    assert list(BASE) == list(KINDS)
    for name, unit in BASE.items():
        kind = KINDS[name]
        for column in ("health", "shield", "armour", "damage", "bonus", "hits", "reach", "speed", "radius",
                       "separation", "scale"):  # fmt: skip
            assert getattr(unit, column) == getattr(kind, column) or name == "medivac", (name, column)
        assert unit.period == pytest.approx(kind.period * SECOND) and unit.point == pytest.approx(kind.point * SECOND)
        marks = {"light": unit.light, "armored": unit.armored, "bio": unit.biological, "air": unit.plane == "air",
                 "strides": unit.plane == "both", "up": unit.hits_air, "heals": unit.energy > 0,
                 "sweeps": unit.sweep > 0, "blasts": unit.blast > 0, "heal": unit.regeneration > 0}  # fmt: skip
        assert {mark for mark, has in marks.items() if has} == kind.flags, name


def test_later_weapons():
    """The ladder's: a stalker 13 (+5) every 1.87 s, a colossus 10 (+5 light) every 1.5 s at 7, a spine's period."""
    changed = {name: unit for name, unit in LADDER.items() if unit != BASE[name]}
    assert {name: (unit.damage, unit.bonus, unit.versus, unit.period / SECOND, unit.reach)
            for name, unit in changed.items()} == {
        "stalker": (13, 5, "armored", 1.87, 6), "colossus": (10, 5, "light", 1.5, 7),
        "spine_crawler": (25, 5, "armored", 1.85, 7),
    }  # fmt: skip


TOLD = {  # actions, observation, state: numbers of SMAC's own code
    "3m": (9, 30, 48), "8m": (14, 80, 168), "25m": (31, 250, 950), "5m_vs_6m": (12, 55, 98),
    "8m_vs_9m": (15, 85, 179), "10m_vs_11m": (17, 105, 243), "27m_vs_30m": (36, 285, 1170), "MMM": (16, 160, 290),
    "MMM2": (18, 176, 322), "2s3z": (11, 80, 120), "3s5z": (14, 128, 216), "3s5z_vs_3s6z": (15, 136, 230),
    "3s_vs_3z": (9, 36, 54), "3s_vs_4z": (10, 42, 61), "3s_vs_5z": (11, 48, 68), "1c3s5z": (15, 162, 270),
    "2m_vs_1z": (7, 16, 26), "corridor": (30, 156, 282), "6h_vs_8z": (14, 78, 140), "2s_vs_1sc": (7, 17, 27),
    "so_many_baneling": (38, 202, 397), "bane_vs_bane": (30, 336, 984), "2c_vs_64zg": (70, 332, 342),
    "6m2m_15m": (21, 184, 314),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_open_games_tell_what_smac_tells(name):
    game = GAMES[f"battle/{name}"]()
    _, seen = jax.eval_shape(game.reset, jax.random.key(0))
    actions, local, state = TOLD[name]
    a = len(MAPS[name].ally_units)
    assert (seen.legal.shape, seen.local.shape, seen.state.shape) == ((a, actions), (a, local), (state,))
    assert (game.spec.n_agents, game.spec.observation_size, game.spec.state_size) == (a, local, state)


def test_what_makes_no_battle():
    for options, message in (({"reward": "shaped"}, "reward cannot be"), ({"balance": "patch"}, "balance cannot be"),
                             ({"length": -1}, "length must be a whole number of at least 0, not -1")):  # fmt: skip
        with pytest.raises(CoterieError, match=message):
            catalogue.make("battle/3m", **options)


# The interface


def test_attacks_up_to_a_distance_of_six():
    scene = Scene([("marine", 10, 16)], [("zergling", 16, 16), ("zergling", 10, 22.001), ("zergling", 14, 20, IDLE),
                                         ("marine", 6, 11.5)])  # fmt: skip
    seen = observe(STAGE, scene.state)
    assert aims(seen, scene, 0) == [True, False, True, False]
    assert seen.legal[scene.ours[0], :AIM].tolist() == [False, True, True, True, True, True]
    others = np.delete(np.asarray(seen.legal), scene.ours, 0)
    assert others[:, 0].all() and not others[:, 1:].any()  # the dead
    np.testing.assert_array_equal(seen.alive, np.arange(len(UNITS)) == scene.ours[0])
    assert not np.delete(np.asarray(seen.local), scene.ours, 0).any()


def test_medivacs_heal_whoever_is_near_and_no_medivac():
    scene = Scene([("medivac", 10, 16), ("marine", 16, 16), ("marine", 16.1, 16, {"health": 1}), ("zealot", 10, 11),
                   ("stalker", 10, 16, {"health": 3})], [("marine", 11, 16)])  # fmt: skip
    seen = observe(STAGE, scene.state)
    legal = np.flatnonzero(seen.legal[scene.ours[0], AIM:]).tolist()
    assert legal == sorted(scene.ours[i] for i in (1, 3, 4))  # hurt or not; not itself
    enemies = np.asarray(seen.local[scene.ours[0], 4 : 4 + 6 * len(UNITS)]).reshape(-1, 6)
    assert enemies[scene.theirs[0], 0] == (scene.theirs[0] in legal) == 1  # the bit of an enemy is that of an ally
    scene = Scene([("medivac", 10, 16), ("marauder", 10, 15)], [("marine", 11, 16)])
    seen = observe(STAGE, scene.state)
    row = np.asarray(seen.local[scene.ours[0], 4:10])
    near(row, 0, 1 / 9, 1 / 9, 0, 1, 0)  # in reach, but the ally of its number is gone


@pytest.mark.parametrize(
    ("place", "ways"),
    [((16, 16), "NSEW"), ((16, 22.9), "NSEW"), ((16, 23), "SEW"), ((16, 23.99), "SEW"), ((16, 9), "NSEW"),
     ((16, 8.99), "NEW"), ((0.4, 16), "NSEW"), ((0, 16), "NSE"), ((31, 16), "NSW"), ((30.99, 16), "NSEW")],
)  # fmt: skip
def test_moves_at_walls_and_at_the_edge(place, ways):
    """The cell one further counts; SMAC cuts its numbers off, so that -0.6 is in cell 0."""
    scene = Scene([("marine", *place)], [("marine", 16, 16)])
    moves = np.asarray(observe(STAGE, scene.state).legal)[scene.ours[0], NORTH:AIM]
    assert "".join(np.array(list("NSEW"))[moves]) == ways


def test_rows_of_a_small_battle_by_hand():
    """2s3z: two stalkers and three zealots a side; the enemies' types are numbered the other way round."""
    game = Battle(MAPS["2s3z"], see_last_actions=True, see_clock=True, state_clock=True)
    state = reset(game)
    world = state.world._replace(
        x=jnp.array([9.0, 12, 9, 9, 9, 13.5, 9, 30, 9, 9]),
        y=jnp.array([16.0, 16, 10, 25.5, 16, 16, 7, 16, 16, 16]),
        health=jnp.array([40.0, 80, 100, 100, 0, 60, 80, 100, 100, 0]),
        shield=jnp.array([0.0, 20, 50, 25, 0, 40, 80, 5, 50, 0]),
        cooldown=jnp.array([7.0, -3, 0, 11, 5, 0, 0, 0, 0, 0]),
    )
    state = state._replace(world=world, last=jnp.array([1, 6, 2, 3, 0]), time=jnp.asarray(30))
    seen = observe(game, state)
    eye = np.eye(11)
    stalker, zealot = [1, 0], [0, 1]
    none = [0] * 8
    enemies = [[1, 0.5, 0.5, 0, 0.75, 0.5, 0, 1], none, none, [1, 0, 0, 0, 1, 1, 1, 0], none]  # the second is 9 away
    far = [0] * 19
    allies = [[1, 1 / 3, 1 / 3, 0, 1, 0.25, *stalker, *eye[6]], [1, 2 / 3, 0, -2 / 3, 1, 1, *zealot, *eye[2]], far, far]
    wanted = np.concatenate([[1, 1, 1, 1], *enemies, *allies, [0.5, 0, *stalker], [0.25]])
    near(seen.local[0], *wanted, tolerance=1e-6)
    assert not seen.local[4].any() and seen.legal[4].tolist() == [True] + [False] * 10
    place = lambda i: [(float(world.x[i]) - 16) / 32, (float(world.y[i]) - 16) / 32]  # noqa: E731
    rows = [[0.5, 7 / 35, *place(0), 0, *stalker], [1, 0, *place(1), 0.25, *stalker], [1, 0, *place(2), 1, *zealot],
            [1, 11 / 22, *place(3), 0.5, *zealot], [0] * 7]  # fmt: skip
    theirs = [[0.75, *place(5), 0.5, 0, 1], [1, *place(6), 1, 0, 1], [1, *place(7), 0.1, 1, 0], [1, *place(8), 1, 1, 0],
              [0] * 6]  # fmt: skip
    near(seen.state, *np.concatenate([*rows, *theirs, *eye[[1, 6, 2, 3, 0]], [0.25]]), tolerance=1e-6)
    start = observe(game, reset(game)).state
    assert not start[-56:].any()  # no last actions, no time


def test_a_medivac_tells_its_energy():
    scene = Scene([("medivac", 10, 16, {"energy": 30, "cooldown": 1}), ("marine", 9, 16, {"cooldown": 6})],
                  [("marine", 28, 16)])  # fmt: skip
    rows = np.asarray(observe(STAGE, scene.state).state[: 5 * len(UNITS)]).reshape(-1, 5)
    near(rows[scene.ours[0]], 1, 30 / 200, -6 / 32, 0, 0)
    near(rows[scene.ours[1]], 1, 6 / 15, -7 / 32, 0, 0)
