"""Battles by hand: what blows do, who kills whom when, who stands and who walks."""

import jax.numpy as jnp
import numpy as np
import pytest

from coterie.games.battle import combat
from coterie.games.battle.roster import fixed
from coterie.games.battle.units import BASE
from tests.games.battle_stage import AIM, DUEL, EAST, IDLE, NORTH, SOUTH, STOP, WEST, Scene, advance, aims, near, reset
from tests.oracles.battle_units import SECOND

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
