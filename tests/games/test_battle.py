"""Battles by hand: what the interface tells of scenes, what blows do, who kills whom when, and what is paid."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.contracts import CoterieError
from coterie.games.battle import GAMES, MAPS, Battle, BattleMap, Group, combat, reward
from coterie.games.battle.roster import fixed
from coterie.games.battle.units import BASE, LADDER
from tests.oracles.battle_twin import KINDS, SECOND

CAST = {"marine": 2, "marauder": 1, "medivac": 1, "stalker": 1, "zealot": 2, "colossus": 1, "zergling": 4,
        "hydralisk": 1, "baneling": 2, "spine_crawler": 1}  # fmt: skip
SIDES = [tuple(Group(unit, count, x, 16) for unit, count in CAST.items()) for x in (8, 24)]
STAGE = Battle(BattleMap(SIDES[0], SIDES[1], 1000, "strip", "PP", None), jitter=False)
"""Some of every kind on both sides, of which a scene keeps few; the enemies have nowhere to march."""
DUEL = Battle(BattleMap((Group("marine", 1, 9, 16),), (Group("marine", 1, 14, 16),), 9, "strip", "TT", None),
              jitter=False)  # fmt: skip
UNITS = [unit for unit, count in CAST.items() for _ in range(count)]
STOP, NORTH, SOUTH, EAST, WEST, AIM = range(1, 7)
NEVER = 1e6
IDLE = {"cooldown": NEVER}
"""Changes that keep somebody from fighting."""

reset = partial(jax.jit, static_argnums=0)(lambda game: game.reset(jax.random.key(0))[0])
observe = partial(jax.jit, static_argnums=0)(lambda game, state: game.observe(state))
advance = partial(jax.jit, static_argnums=0)(lambda game, state, action: game.step(jax.random.key(0), state, action))


class Scene:
    """A scene on STAGE: of each side those who are named, by kind, place and changes; the others are long dead."""

    def __init__(self, ours, theirs):
        state = jax.device_get(reset(STAGE))
        world = {name: np.array(column) for name, column in state.world._asdict().items()}
        full = {name: world[name].copy() for name in ("health", "shield")}
        for name in ("health", "shield", "loaded"):
            world[name][:] = 0
        self.who = []
        for first, actors in ((0, ours), (len(UNITS), theirs)):
            free = list(range(len(UNITS)))
            for kind, x, y, *changes in actors:
                i = next(i for i in free if UNITS[i] == kind)
                free.remove(i)
                self.who.append(first + i)
                values = {"health": full["health"][first + i], "shield": full["shield"][first + i]}
                for name, value in (values | {"x": x, "y": y, "loaded": True} | dict(*changes)).items():
                    world[name][first + i] = value
        self.state = state._replace(world=state.world._replace(**world))
        self.ours, self.theirs = self.who[: len(ours)], [i - len(UNITS) for i in self.who[len(ours) :]]
        self.earned = 0.0

    def play(self, *actions, steps=1):
        """Steps in which the allies do these things, or stop; the last of their results."""
        done = np.zeros(len(UNITS), np.int32)
        done[self.ours] = [*actions, *[STOP] * (len(self.ours) - len(actions))]
        for _ in range(steps):
            self.state, seen, outcome = jax.device_get(advance(STAGE, self.state, done))
            self.earned += outcome.reward[0]
        return seen, outcome

    def attack(self, j):
        """The action that attacks the enemy that was named at place j, or heals that ally."""
        return AIM + self.theirs[j]

    def heal(self, i):
        return AIM + self.ours[i]

    def __getattr__(self, name):  # a column of the world for those on the scene, in their order
        return np.asarray(getattr(self.state.world, name))[self.who]


def near(found, *wanted, tolerance=1e-3):
    np.testing.assert_allclose(found, wanted, atol=tolerance)


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


def aims(seen, scene, i):
    """Which of the other side somebody may attack."""
    return [bool(seen.legal[scene.ours[i], AIM + j]) for j in scene.theirs]


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


# Blows


def after(unit, health, shield, damage, hits):
    """Health and shield after so many hits of such damage in one loop."""
    blows = combat.Blows(jnp.array([[damage]], jnp.float32), jnp.array([[hits]], jnp.float32))
    found = combat.suffer(fixed((unit,), BASE), jnp.full((1, 1), float(health)), jnp.full((1, 1), float(shield)), blows)
    return [float(value[0, 0]) for value in found]


@pytest.mark.parametrize(
    ("scene", "wanted"),
    [
        (("marine", 45, 0, 6, 1), (39, 0)),
        (("zealot", 100, 50, 16, 2), (100, 34)),  # a shield has no armour
        (("zealot", 100, 50, 50, 5), (100, 0)),  # gone to the point
        (("zealot", 100, 0, 16, 2), (86, 0)),  # 8 - 1, twice
        (("stalker", 80, 5, 16, 2), (71, 0)),  # 5 of the first: 3 - 1, then 8 - 1
        (("zealot", 100, 5.8, 6, 1), (99.5, 0)),  # 0.2 - 1, but half a point at least
        (("spine_crawler", 300, 0, 4, 2), (299, 0)),  # 2 - 2, twice
        (("spine_crawler", 3, 0, 40, 1), (0, 0)),
        (("zealot", 30, 20, 90, 3), (0, 0)),  # 10 - 1 and twice 30 - 1
        (("marine", 31, 0, 31, 6), (0, 0)),  # not some millionths, though a sixth of 31 is no binary number
    ],
)
def test_shields_then_armour_for_every_hit(scene, wanted):
    near(after(*scene), *wanted, tolerance=1e-4)


def hits_by(steps, period, carry=0.0):
    """How often one fires in the loops of so many steps who could from the first on."""
    return 1 + int((8 * steps - 1 + 1e-3 + carry) // period)


@pytest.mark.parametrize(
    ("shooter", "target", "distance", "blows", "period"),
    [  # the loss of health and shield at each attack until the end, from the sheet
        ("marine", "marine", 5.7, [6] * 7 + [3], 0.8608),
        ("marine", "medivac", 5.9, [5] * 30, 0.8608),
        ("stalker", "zealot", 6, [10] * 5 + [9] * 11 + [1], 1.44),  # light: no bonus
        ("marauder", "stalker", 6, [20] * 4 + [19] * 4 + [4], 1.5),
        ("zealot", "marine", 0.9, [16, 16, 13], 1.2),
        ("zealot", "zealot", 1, [16] * 3 + [14] + [14] * 6 + [4], 1.2),  # the fourth: 2 of the shield, 5, 7
        ("hydralisk", "marine", 5, [12] * 3 + [9], 0.83),
        ("colossus", "marauder", 6, [38] * 3 + [11], 2.2),
        ("zergling", "marine", 0.8, [5] * 9, 0.696),
        ("stalker", "colossus", 6, [14] * 10 + [13] * 16 + [2], 1.44),
    ],
)  # fmt: skip
def test_times_to_kill(shooter, target, distance, blows, period):
    scene = Scene([(shooter, 10, 16)], [(target, 10 + distance, 16, IDLE)])
    total = scene.health[1] + scene.shield[1]
    assert sum(blows) == pytest.approx(total)
    attack, step, left = scene.attack(0), 0, total
    while left > 0:
        scene.play(attack)
        step += 1
        left = total - sum(blows[: hits_by(step, period * SECOND)])
        near(scene.health[1] + scene.shield[1], left)
        assert step < 200
    assert (scene.health[1] <= 0) == (left <= 0)


def test_two_that_kill_each_other_in_one_loop():
    """Eight shots of a marine take 7 periods of 13.77 loops: both die in loop 97, which is in the 13th step."""
    state = reset(DUEL)._replace(time=jnp.asarray(-90))
    rewards = []
    for step in range(1, 14):
        state, _, outcome = advance(DUEL, state, jnp.array([AIM]))
        near(state.world.health, *[max(45 - 6 * hits_by(step, 13.7728), 0)] * 2)
        rewards.append(float(outcome.reward[0]))
        assert bool(outcome.terminated) == (step == 13)
    near(sum(rewards), 20 * (45 + 10) / (45 + 10 + 200))
    assert outcome.info == {"won": 0, "dead_allies": 1, "dead_enemies": 1}


def test_a_spine_crawler_outranges_stalkers_and_stays():
    for distance, hit in ((8.49, True), (8.51, False)):
        scene = Scene([("stalker", 10, 16)], [("spine_crawler", 10 + distance, 16)])
        seen, _ = scene.play()
        near(scene.shield[0], 50 if hit else 80)
        assert aims(seen, scene, 0) == [False] and scene.x[1] == np.float32(10 + distance)
    scene = Scene([("stalker", 10, 16, IDLE), ("hydralisk", 13, 16)], [("spine_crawler", 11.6, 16, IDLE)])
    scene.play(EAST, WEST, steps=4)
    near([scene.x[2], scene.y[2]], 11.6, 16)
    assert scene.x[0] < 11 and scene.x[1] > 12.2  # overlaps are undone bit by bit


def test_whoever_has_fired_stands_for_a_moment():
    """2.67 loops a stalker, 0.8 a marine, a zealot not at all; the shot is in the last loop of a step."""
    targets = [("marauder", 12, 16, IDLE)]
    for kind, x, loops, speed in (("stalker", 10, 6, 2.9531), ("marine", 10, 8, 2.25), ("zealot", 11, 8, 2.25)):
        scene = Scene([(kind, x, 16, {"cooldown": 7})], targets)
        scene.play(scene.attack(0))
        assert scene.health[1] < 125 and scene.x[0] == x
        scene.play(WEST)
        near(scene.x[0], x - loops * speed / 16)


def test_orders_of_one_step():
    """Half a second of walking; stopping ends everything, also shooting."""
    ours = [("marine", 10, 12), ("stalker", 12, 12), ("medivac", 14, 12), ("zergling", 16, 12), ("marine", 10, 20)]
    scene = Scene(ours, [("marine", 10, 23.9, IDLE)])
    scene.play(NORTH, SOUTH, EAST, WEST, STOP)
    near(scene.x[:5], 10, 12, 14 + 2.75 / 2, 16 - 2.9531 / 2, 10)
    near(scene.y[:5], 12 + 2.25 / 2, 12 - 2.9531 / 2, 12, 12, 20)
    assert scene.health[5] == 45
    scene.play(*[STOP] * 4, scene.attack(0))
    assert scene.health[5] == 39


def test_room_is_made_by_halves():
    """Two marines that stand 0.35 too near: half of it, or a quarter each, is undone in every loop."""
    scene = Scene([("marine", 10, 16), ("marine", 10.4, 16), ("medivac", 10.1, 16)], [("zergling", 30, 16)])
    scene.play()
    near(scene.x[:2], 10.2 - (0.75 - 0.35 / 2**8) / 2, 10.2 + (0.75 - 0.35 / 2**8) / 2)
    near([scene.x[2], scene.y[2]], 10.1, 16)  # above them
    scene = Scene([("marine", 10, 16), ("marine", 10.7, 16)], [("zergling", 30, 16)])
    scene.play(EAST)
    near(scene.x[1:2], 10.7)  # who stands is not pushed by who walks ...
    near(scene.x[:1], 10.7 - 0.75 + 2.25 / 16)  # ... and holds it up: half of (its overlap and a loop's way) is left


def test_walls_hold_walkers_and_leave_their_moves():
    scene = Scene([("marine", 10, 23.8), ("medivac", 14, 23.8), ("marine", 31.8, 16)], [("zergling", 5, 16)])
    seen, _ = scene.play(NORTH, NORTH, EAST)
    near(scene.y[:3], 24, 23.8 + 1.375, 16, tolerance=2e-3)
    near(scene.x[2:3], 32, tolerance=2e-3)
    moves = np.asarray(seen.legal)[scene.ours, NORTH:AIM]
    assert moves[0].tolist() == [False, True, True, True]  # along the wall, too
    assert moves[2].tolist() == [True, True, False, True]


def test_a_medivac_heals_nine_a_second_for_three():
    near_by, full = ("marine", 14.5, 16, {"health": 20}), ("marauder", 8, 16)
    scene = Scene([("medivac", 10, 16), near_by, full, ("stalker", 10, 18, {"health": 20})], [("marine", 30, 16)])
    scene.play(scene.heal(1))
    near(scene.health, 150, 24.5, 125, 20, 45)
    near(scene.energy[:1], 50 - 1.5 + 0.5625 / 2)
    scene.play(scene.heal(2))
    near(scene.energy[:1], 48.5 + 0.5625)
    scene.play(scene.heal(3))  # a machine
    near(scene.health[3:4], 20)
    scene.play(STOP, EAST)
    near(scene.health[1:2], 24.5)  # without an order it heals nobody
    assert scene.x[1] - scene.x[0] > 5.125
    scene.play(scene.heal(1))  # it follows to its range
    assert 5 < scene.x[1] - scene.x[0] < 5.125 and 26 < scene.health[1] < 29
    scene.play(scene.heal(1), steps=6)
    near(scene.health[1:2], 45)


def test_a_medivac_begins_with_five_points_and_ends_with_none():
    """Each loop costs 0.1875 and brings 0.0352."""
    for energy, loops in ((5, 8), (4.95, 6), (4.7, 0), (0.1, 0)):
        scene = Scene([("medivac", 10, 16, {"energy": energy}), ("marine", 11, 16, {"health": 20})],
                      [("marine", 30, 16)])  # fmt: skip
        scene.play(scene.heal(1))
        near(scene.health[1:2], 20 + loops * 9 / 16)
        near(scene.energy[:1], energy + 8 * 0.5625 / 16 - loops * 3 / 16)
    scene = Scene([("medivac", 10, 16, {"energy": 5}), ("marauder", 11, 16, {"health": 20})], [("marine", 30, 16)])
    scene.play(scene.heal(1), steps=6)
    assert 20 + 14.9 < scene.health[1] < 20 + 21 and scene.energy[0] < 1  # down to the ground


def test_an_enemy_medivac_chooses_its_patients():
    theirs = [("medivac", 20, 16), ("marine", 18, 16, {"health": 30}), ("zealot", 22, 16, {"health": 60}),
              ("stalker", 20, 18, {"health": 1}), ("marauder", 27.32, 16, {"health": 1})]  # fmt: skip
    scene = Scene([("marine", 2, 16)], theirs)
    scene.play()
    near(scene.health[2:], 30, 64.5, 1, 1)  # 0.6 < 2/3; a machine, and one further than 6 from edge to edge
    scene.play(steps=2)
    near(scene.health[2:], 30, 73.5, 1, 1)  # kept, though the marine has the lower share by now
    scene.play(steps=8)
    assert scene.health[3] == 100 and scene.health[2] > 30
    for x, patient in ((18.1, 1), (17.9, 0)):  # the nearest of equals
        theirs = [("medivac", 20, 16), ("marine", 22, 16, {"health": 30}), ("marine", x, 16, {"health": 30})]
        scene = Scene([("marine", 2, 16)], theirs)
        scene.play()
        near(scene.health[2:], 30 + 4.5 * (patient == 0), 30 + 4.5 * (patient == 1))


def test_banelings_burst_and_spare_their_own():
    """35 at 2.2 and the other's radius: a zergling dies, a zealot loses its shield, then 34."""
    ours = [("baneling", 10, 16), ("baneling", 10, 16.7, {"cooldown": 3.5}), ("zergling", 9.5, 15)]
    theirs = [("zealot", 10.8, 16, {"shield": 35, **IDLE}), ("zergling", 10, 13.43, IDLE),
              ("medivac", 10, 15, {"energy": 0}), ("zergling", 10, 13.42, IDLE)]  # fmt: skip
    scene = Scene(ours, theirs)
    scene.state = scene.state._replace(
        world=scene.state.world._replace(hold=np.full(2 * len(UNITS), 100.0, np.float32))
    )
    scene.play(scene.attack(0), scene.attack(0))
    near(scene.health, 0, 0, 35, 66, 0, 150, 35)
    near(scene.shield[3:4], 0)
    assert scene.loaded.tolist() == [False, False] + [True] * 5


def test_banelings_burst_when_they_are_killed():
    scene = Scene([("marauder", 10, 16), ("zealot", 13, 16)], [("baneling", 14, 16, {"health": 10, **IDLE}),
                                                              ("zergling", 14, 17, IDLE)])  # fmt: skip
    scene.play(scene.attack(0))
    near(scene.health, 125, 100, 0, 35)
    near(scene.shield[1:2], 15)
    scene.play(STOP, STOP)
    near(scene.shield[1:2], 15)  # once
    last = Scene([("marauder", 10, 16, {"cooldown": 7}), ("zealot", 13, 16)],
                 [("baneling", 14, 16, {"health": 9, **IDLE})])  # fmt: skip
    _, outcome = last.play(last.attack(0))  # in the last of the step's loops
    near(last.shield[1:2], 15)
    assert outcome.terminated and outcome.info["won"]


def test_a_colossus_burns_a_line():
    """40 for whom the line, 1.25 to each side and 0.15 before and behind, meets; 40 is more than a zergling has."""
    ours = [("colossus", 10, 16), ("marine", 15, 17)]
    theirs = [("zergling", 15, 16, IDLE), ("zergling", 15.52, 17, IDLE), ("zergling", 14.47, 15, IDLE),
              ("zergling", 15, 16 - 1.77, IDLE), ("zealot", 15, 16 + 1.91, IDLE), ("marine", 15, 13, IDLE),
              ("medivac", 15, 16.5)]  # fmt: skip
    scene = Scene(ours, theirs)
    scene.play(scene.attack(0), STOP)
    near(scene.health, 200, 45, 0, 0, 35, 0, 100, 45, 150)
    assert [int(scene.state.world.shooter[j] == scene.ours[0]) for j in scene.theirs] == [1, 1, 0, 1, 0, 0, 0]
    near(scene.shield[6:7], 50)
    theirs[4] = ("zealot", 15, 16 + 1.89, IDLE)
    scene = Scene(ours, theirs)
    scene.play(scene.attack(0), STOP)
    near(scene.shield[6:7], 10)


def test_shields_regenerate_after_ten_quiet_seconds():
    scene = Scene([("zealot", 10, 16, {"shield": 10, "quiet": 156}), ("stalker", 12, 16, {"shield": 79, "quiet": 999}),
                   ("zergling", 14, 16, {"health": 20})], [("marine", 30, 16)])  # fmt: skip
    scene.play()
    near(scene.shield[:2], 10 + 5 / 8, 80)  # loops 160 to 164 after the last hit
    near(scene.health[2:3], 20 + 0.2734 / 2)


# The enemies


def test_an_enemy_notices_keeps_and_answers():
    """A zealot looks 5 far from edge to edge: 5.875 to a marine, follows for one more, and answers from further."""
    for distance, target in ((5.87, 0), (5.88, -1)):
        scene = Scene([("marine", 10, 16)], [("zealot", 10 + distance, 16)])
        scene.play()
        assert (scene.state.world.target[scene.theirs[0]] == scene.ours[0]) == (target == 0)
        near(scene.x[1:], 10 + distance - 1.125 * (target == 0))
    for distance, kept in ((6.86, True), (6.88, False)):
        scene = Scene([("marine", 10, 16), ("marine", 10 + distance + 5.5, 16)], [("zealot", 10 + distance, 16)])
        scene.state.world.target[scene.theirs[0]] = scene.ours[0]
        scene.play()
        assert scene.state.world.target[scene.theirs[0]] == scene.ours[0 if kept else 1]
    for quiet, answers in ((79, True), (80, False)):  # hit in the last five seconds
        scene = Scene([("stalker", 10, 16)], [("zealot", 17, 16, {"quiet": quiet})])
        scene.state.world.shooter[scene.theirs[0]] = scene.ours[0]
        scene.play()
        near(scene.x[1:], 17 - 1.125 * answers)
    scene = Scene([("stalker", 10, 16)], [("zealot", 17, 16)])
    scene.play()
    assert scene.x[1] == 17
    scene.play(scene.attack(0), steps=2)
    assert scene.x[1] < 16 and scene.state.world.shooter[scene.theirs[0]] == scene.ours[0]


def test_an_enemy_takes_the_nearest_that_it_can_hit():
    ours = [("medivac", 15, 16), ("marine", 14, 16), ("marine", 11, 16)]
    for kind, target in (("marauder", 1), ("marine", 0), ("stalker", 0)):
        scene = Scene(ours, [(kind, 16, 16, IDLE)])
        scene.play()
        assert scene.state.world.target[scene.theirs[0]] == scene.ours[target]


# Reward and end


def test_a_win_without_shields_pays_twenty():
    """The last of the time is a win, too, and no truncation."""
    state = reset(DUEL)
    world = state.world._replace(cooldown=jnp.array([0, NEVER]))
    state, total = state._replace(world=world, time=jnp.asarray(-4)), 0.0
    for step in range(13):
        state, _, outcome = advance(DUEL, state, jnp.array([AIM]))
        total += float(outcome.reward[0])
        assert bool(outcome.terminated) == (step == 12) and not outcome.truncated
    near(total, 20)
    near(state.score, 20)
    assert outcome.info == {"won": 1, "dead_allies": 0, "dead_enemies": 1} and state.time == DUEL.limit


def test_time_over_is_a_cut_without_a_bonus():
    state = reset(DUEL)._replace(time=jnp.asarray(7))
    for truncated in (False, True):
        state, _, outcome = advance(DUEL, state, jnp.array([STOP]))
        assert bool(outcome.truncated) == truncated and not outcome.terminated and outcome.reward[0] == 0


@pytest.mark.parametrize(
    ("options", "scale", "paid", "win", "loss"),
    [
        ({}, 255 / 20, 6, 6 + 10 + 200, 6),
        ({"positive": False, "scaled": False}, 1, 6 - 3, 6 + 10 + 200 - 3, 6 - 3 - 5),
        ({"reward": "sparse"}, 255 / 20, 0, 1, -1),
    ],
)
def test_what_is_paid(options, scale, paid, win, loss):
    """Both hit once; then with one shot left for the enemy or for the ally."""
    game = Battle(DUEL.battle, jitter=False, **options)
    for health, wanted, end in (([45, 45], paid, ""), ([45, 6], win, "won"), ([6, 45], loss, "lost")):
        state = reset(DUEL)
        state = state._replace(world=state.world._replace(health=jnp.array(health, float)))
        _, _, outcome = advance(game, state, jnp.array([AIM]))
        near(outcome.reward, wanted / scale)
        assert bool(outcome.terminated) == bool(end) and float(outcome.info["won"]) == (end == "won")


def test_shields_that_enemies_regain_pay():
    scene = Scene([("marine", 2, 16)], [("zealot", 30, 16, {"shield": 20, "quiet": 500})])
    _, outcome = scene.play()
    most = 200 + sum(10 + KINDS[unit].health + KINDS[unit].shield for unit in UNITS)
    near(outcome.reward[0], 1 / (most / 20), tolerance=1e-6)


def test_deaths_pay_what_was_left():
    """Dense sums by hand: before, after, and who died; one ally."""
    before, after = jnp.array([50.0, 40, 30, 0]), jnp.array([20.0, 0, 31, 0])
    died = jnp.array([False, True, False, False])
    assert reward.dense(before, after, died, 1, True) == 40 + 10 - 1
    assert reward.dense(before, after, died, 1, False) == 49 - 0.5 * 30
    assert reward.dense(before, after.at[0].set(0), died.at[0].set(True), 1, False) == 49 - 0.5 * (50 + 10)
    assert reward.dense(after, before, died & False, 2, True) == 1


ENDS = {  # living allies, the medivac last; living enemies, the same; how it stands, and on a map where healers count
    ("11", "11"): ("", ""), ("01", "11"): ("lost", ""), ("00", "11"): ("lost", "lost"), ("10", "01"): ("won", ""),
    ("11", "00"): ("won", "won"), ("01", "01"): ("lost", ""), ("00", "00"): ("lost", "drawn"),
    ("01", "00"): ("lost", "won"), ("10", "10"): ("", ""), ("00", "01"): ("lost", "lost"),
}  # fmt: skip


@pytest.mark.parametrize("living", ENDS)
def test_how_battles_end(living):
    """SMAC's order: defeat, win, draw. On maps with medivacs these alone have lost, and the last of them is a win."""
    ours, theirs = (jnp.array([mark == "1" for mark in marks]) for marks in living)
    healers = jnp.array([False, True])
    for counts, wanted in zip((False, True), ENDS[living], strict=True):
        found = reward.result(ours, theirs, healers, healers, counts)
        assert [name for name in found._fields if getattr(found, name)] == [wanted] * bool(wanted)
        assert bool(found.over) == bool(wanted)
