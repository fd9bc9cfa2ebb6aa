"""Battles by hand: what is paid, and how they end."""

import jax.numpy as jnp
import pytest

from coterie.games.battle import Battle, reward
from tests.games.battle_stage import AIM, DUEL, NEVER, STOP, UNITS, Scene, advance, near, reset
from tests.oracles.battle_units import KINDS

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
