"""The stochastic game: its law, its table, its optima; rows drawn when needed are the table's."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.contracts import CoterieError
from coterie.games import stochastic
from coterie.games.stochastic import StochasticGame, discounted_optimum, finite_optimum, table

SMALL = StochasticGame(states=3, agents=2, actions=2, seed=5)


def test_the_law_of_rewards_and_transitions():
    rewards, chances = table(StochasticGame())
    assert rewards.shape == (30, 125) and chances.shape == (30, 125, 30)
    assert abs(rewards.mean()) < 0.2 and rewards.min() < -4.9 and rewards.max() > 4.9
    np.testing.assert_allclose(rewards.std(), 10 / np.sqrt(12), rtol=0.03)
    np.testing.assert_allclose(chances.sum(-1), 1.0, atol=1e-5)
    spread = np.log(chances.max(-1) / chances.min(-1))
    assert 3.9 < spread.max() < 4.0  # logits lie in (0, 4)
    assert not np.allclose(table(StochasticGame(seed=1))[0], rewards)


def test_steps_follow_the_table(monkeypatch):
    """Frequencies of 4000 steps from one place, within 4.5 standard errors; and the reward is that of the table."""
    rewards, chances = table(SMALL)
    state, _ = SMALL.reset(jax.random.key(0))
    state = state._replace(place=jnp.asarray(2))
    keys = jax.random.split(jax.random.key(1), 4000)
    after, seen, outcome = jax.vmap(lambda key: SMALL.step(key, state, jnp.array([1, 0])))(keys)
    found = np.bincount(after.place, minlength=3) / 4000
    error = np.sqrt(chances[2, 2] * (1 - chances[2, 2]) / 4000)
    assert (np.abs(found - chances[2, 2]) < 4.5 * error).all()
    np.testing.assert_array_equal(outcome.reward, np.full((4000, 2), rewards[2, 2]))
    np.testing.assert_array_equal(seen.local[:, 0], np.eye(3)[after.place])
    monkeypatch.setattr(stochastic, "ENTRIES", 1)  # now rows are drawn when they are needed
    assert not SMALL.tabular and SMALL.spec.optimum is None
    lazy, _, paid = jax.vmap(lambda key: SMALL.step(key, state, jnp.array([1, 0])))(keys)
    np.testing.assert_array_equal(lazy.place, after.place)
    np.testing.assert_allclose(paid.reward, outcome.reward, rtol=1e-6)


def test_optima_equal_the_best_of_all_policies():
    """Over an endless episode: all 4^3 stationary joint policies. In two steps: all choices at both times."""
    rewards, chances = (x.astype(np.float64) for x in table(SMALL))
    values = []
    for policy in itertools.product(range(4), repeat=3):
        own = np.arange(3), np.array(policy)
        values.append(np.linalg.solve(np.eye(3) - 0.9 * chances[own], rewards[own]))
    best, policy = discounted_optimum(SMALL, 0.9)
    np.testing.assert_allclose(best, np.max(values, axis=0), atol=1e-10)
    numbers = policy @ np.array([2, 1])
    np.testing.assert_allclose(values[int(numbers @ np.array([16, 4, 1]))], best, atol=1e-10)
    brief = replace(SMALL, length=2)
    brute = max(
        rewards[0, first] + sum(chances[0, first, s] * rewards[s, then[s]] for s in range(3))
        for first in range(4) for then in itertools.product(range(4), repeat=3)
    )  # fmt: skip
    np.testing.assert_allclose(finite_optimum(brief), brute, atol=1e-10)
    assert brief.spec.optimum == finite_optimum(brief)


def test_the_clock_truncates_and_nothing_terminates():
    state, _ = SMALL.reset(jax.random.key(0))
    ends = []
    for key in jax.random.split(jax.random.key(1), 3):
        state, _, outcome = SMALL.step(key, state, jnp.array([0, 1]))
        ends.append((bool(outcome.terminated), bool(outcome.truncated)))
    assert ends == [(False, False), (False, False), (False, True)]


def test_a_large_game_is_drawn_as_it_is_played():
    large = catalogue.make("stochastic/random", states="100", agents="6", actions="5")
    assert not large.tabular and large.spec.optimum is None and large.spec.horizon == 100
    state, _ = large.reset(jax.random.key(0))
    after, _, outcome = jax.jit(large.step)(jax.random.key(1), state, jnp.arange(6) % 5)
    assert 0 <= int(after.place) < 100 and np.isfinite(outcome.reward).all()
    with pytest.raises(CoterieError, match=r"^the table of 100 places and 15,625 joint actions has 156,250,000 trans"):
        table(large)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"states": 1}, "states"),
        ({"agents": 0}, "agents"),
        ({"actions": 1}, "actions"),
        ({"agents": 40}, "joint actions"),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(CoterieError, match=words):
        StochasticGame(**options)
