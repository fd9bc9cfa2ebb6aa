"""The unit of rewards: a running mean of squared discounted sums against a loop, and that learning does not see it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.value.learner import ValueLearner
from coterie.value.recipes import iql, vdn
from coterie.value.scale import ByReturns, Unscaled
from coterie.value.target import Hard, Soft
from tests.value.sequences import learn, rollout, small, spec

GAMMA = 0.8


def test_a_unit_by_hand():
    """One environment: 1, then 2 at an end, then 3. Sums 1, 2.8, 3, whose mean square is (1 + 7.84 + 9) / 3."""
    part = ByReturns()
    reward, ends = jnp.asarray([1.0, 2.0, 3.0]).reshape(3, 1, 1), jnp.asarray([[False], [True], [False]])
    state = part.see(part.init(1, 1), reward, ends, GAMMA)
    assert float(part.unit(state)) == pytest.approx(np.sqrt((1 + 2.8**2 + 9) / 3))
    assert float(state.total[0, 0]) == 3.0  # it goes on in the next rollout
    nothing = part.see(part.init(1, 1), jnp.zeros((3, 1, 1)), ends, GAMMA)
    assert float(part.unit(nothing)) == pytest.approx(1e-4)


def test_a_unit_equals_a_loop():
    """The first iterations are averaged evenly, later ones forget at 1 - beta."""
    part, draw = ByReturns(beta=0.9), np.random.default_rng(0)
    see = jax.jit(lambda part, *args: part.see(*args))
    state, total, square, weight = part.init(3, 2), np.zeros((3, 2)), 0.0, 0.0
    for _ in range(5):
        reward, ends = draw.normal(size=(4, 3, 2)), draw.random((4, 3)) < 0.3
        state = see(part, state, jnp.asarray(reward, jnp.float32), jnp.asarray(ends), GAMMA)
        squares = []
        for t in range(4):
            total = reward[t] + GAMMA * total
            squares += list((total**2).ravel())
            total[ends[t]] = 0.0
        square, weight = 0.9 * square + 0.1 * np.mean(squares), 0.9 * weight + 0.1
        np.testing.assert_allclose(part.unit(state), np.sqrt(square / weight), rtol=1e-5)
        np.testing.assert_allclose(state.total, total, atol=1e-6)


def played(times):
    """Two iterations of learning where rewards are paid ``times``."""
    learner = ValueLearner(small(vdn()), spec()).checked()
    state, metrics = learner.init(jax.random.key(0), 3), {}
    for seed in range(2):
        ro = rollout(learner, state, seed)
        state, metrics = learn(learner, state, ro._replace(reward=ro.reward * times), jax.random.key(seed))
    return state, metrics


def test_learning_does_not_see_what_a_game_pays():
    """Rewards 1024 times as large give the same bytes; figures are in the game's units."""
    (a, small_figures), (b, large) = (played(times) for times in (1.0, 1024.0))
    jax.tree.map(np.testing.assert_array_equal, a.learning, b.learning)
    for name in ("td_error", "value_mean", "target_mean"):
        np.testing.assert_allclose(large[name], 1024.0 * small_figures[name], rtol=1e-5)
    assert float(b.earned.square) == 1024.0**2 * float(a.earned.square)


def test_rewards_as_they_are():
    part = Unscaled()
    state = part.see(part.init(3, 1), jnp.ones((4, 3, 1)), jnp.zeros((4, 3), bool), GAMMA)
    assert state == () and float(part.unit(state)) == 1.0


def test_targets_follow():
    """Hard: a copy at every third count, from 1. Soft: a share of the gap."""
    old, new = {"a": jnp.asarray([0.0, 2.0])}, {"a": jnp.asarray([10.0, 12.0])}
    for count, wanted in ((1, old), (2, old), (3, new), (4, old), (6, new)):
        np.testing.assert_array_equal(Hard(3)(old, new, jnp.int32(count))["a"], wanted["a"])
    np.testing.assert_allclose(Soft(0.25)(old, new, jnp.int32(1))["a"], [2.5, 4.5])


def test_each_agents_sums_are_kept_where_each_has_a_value():
    kept = replace(spec(), reward="individual")
    for make, values in ((vdn, 1), (iql, 3)):
        learner = ValueLearner(small(make()), kept).checked()
        assert learner.values == values and learner.recipe.scale.init(3, values).total.shape == (3, values)
