"""Battles by hand: healing, explosions, burnt lines, shields, and whom the enemies go for."""

import numpy as np

from tests.games.battle_stage import EAST, IDLE, STOP, UNITS, Scene, near


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
