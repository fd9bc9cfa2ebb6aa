"""Estimators: hand-computed numbers, and sums written out on random input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.policy.estimator import Gae, NStep, PrecedingTrace, Returns
from tests.oracles import estimators as oracle

T, E, M = 6, 2, 2
estimate = jax.jit(lambda estimator, *args: estimator(*args))
seeds, shares = st.integers(0, 10**6), st.floats(0.0, 1.0, width=32)


def column(*numbers):
    return jnp.asarray(numbers, jnp.float32)[:, None, None]


def ends(*steps, length=4):
    return jnp.asarray([[t in steps] for t in range(length)])


def returns(seed, end=0.25):
    """Ends of both kinds, on the same step too."""
    draw = np.random.default_rng(seed)
    floats = [draw.normal(size=(T, E, M)).astype(np.float32) for _ in range(3)]
    return Returns(*floats, *(draw.random((T, E)) < end for _ in range(2)))


def ratios(seed):
    return np.random.default_rng(seed + 1).normal(0.0, 0.5, (T, E)).astype(np.float32)


def call(estimator, data, gamma, log_ratio=None, turn=0):
    still = jnp.zeros(data.terminated.shape) if log_ratio is None else log_ratio
    advantage, target = estimate(estimator, jax.tree.map(jnp.asarray, data), gamma, still, jnp.asarray(turn))
    np.testing.assert_allclose(target, advantage + data.value, atol=2e-5)
    return np.asarray(advantage)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, atol=2e-5, rtol=2e-5)


def test_gae_by_hand():
    """gamma = lambda = 1/2. Step 1 terminates, step 2 is truncated, step 3 is cut by the rollout's end."""
    data = Returns(column(1, 2, 3, 4), column(1, 1, 1, 1), column(2, 100, 4, 8), ends(1), ends(2))
    # deltas: 1 + 1 - 1 = 1;  2 - 1 = 1 (no bootstrap);  3 + 2 - 1 = 4;  4 + 4 - 1 = 7
    close(call(Gae(trace=0.5), data, 0.5), column(1 + 0.25, 1, 4, 7))


def test_official_truncation_by_hand():
    """The truncated step is given no advantage at all, and passes nothing back."""
    data = Returns(column(1, 2, 3, 4), column(1, 1, 1, 1), column(2, 100, 4, 8), ends(), ends(1))
    close(call(Gae(trace=0.5, truncation="zero"), data, 0.5), column(1, 0, 4 + 0.25 * 7, 7))


def test_n_step_by_hand():
    """gamma = 1/2, n = 2; step 1 terminates, step 2 is truncated."""
    data = Returns(column(1, 2, 3, 4), column(0, 0, 0, 0), column(2, 100, 4, 8), ends(1), ends(2))
    close(call(NStep(steps=2), data, 0.5), column(1 + 1, 2, 3 + 2, 4 + 4))


def test_preceding_trace_by_hand():
    """gamma lambda = 1/2; the ratio of the *next* step counts, and counts as 1 when it is above 1."""
    data = Returns(column(0, 1, 1, 1), column(0, 0, 0, 0), column(0, 0, 0, 0), ends(), ends())
    log_ratio = jnp.log(jnp.asarray([[9.0], [0.5], [2.0], [0.25]]))
    # A3 = 1;  A2 = 1 + 0.5 * 0.25 * 1 = 1.125;  A1 = 1 + 0.5 * 1 * 1.125 = 1.5625;  A0 = 0 + 0.5 * 0.5 * 1.5625
    close(call(PrecedingTrace(trace=0.5), data, 1.0, log_ratio), column(0.390625, 1.5625, 1.125, 1))


@given(seeds, shares, shares)
def test_preceding_trace_is_the_double_sum(seed, gamma, trace):
    data, log_ratio = returns(seed), ratios(seed)
    expected = oracle.preceding_trace(*data, gamma, trace, np.exp(log_ratio))
    close(call(PrecedingTrace(trace), data, gamma, log_ratio, turn=3), expected)


@given(seeds, shares, shares)
def test_gae_is_the_sum_and_preceding_trace_at_ratio_1(seed, gamma, trace):
    data = returns(seed)
    expected = oracle.gae(*data, gamma, trace)
    close(call(Gae(trace), data, gamma), expected)
    np.testing.assert_array_equal(call(PrecedingTrace(trace), data, gamma), call(Gae(trace), data, gamma))


@given(seeds, shares, shares)
def test_official_truncation_is_the_official_loop(seed, gamma, trace):
    data = returns(seed)
    close(call(Gae(trace, truncation="zero"), data, gamma), oracle.official_gae(*data, gamma, trace))


@given(seeds, shares)
def test_without_truncation_the_two_variants_agree(seed, gamma):
    data = returns(seed)._replace(truncated=np.zeros((T, E), bool))
    np.testing.assert_array_equal(call(Gae(truncation="zero"), data, gamma), call(Gae(), data, gamma))


@pytest.mark.parametrize("steps", [1, 2, 3, T + 2])
def test_n_step_is_the_sum(steps):
    for seed in range(20):
        data = returns(seed)
        close(call(NStep(steps), data, 0.9), oracle.n_step(*data, 0.9, steps))


def test_gae_of_lambda_1_is_the_longest_n_step():
    """Within an episode a step leads to the next observation, so the values telescope."""
    for seed in range(10):
        data = returns(seed)
        within = ~(data.terminated | data.truncated)[:-1, :, None]
        ahead = np.where(within, data.value[1:], data.next_value[:-1])
        data = data._replace(next_value=np.concatenate([ahead, data.next_value[-1:]]))
        close(call(Gae(1.0), data, 0.9), call(NStep(T), data, 0.9))


@given(seeds, shares)
def test_lambda_squared_spares_the_first_turn(seed, trace):
    data, log_ratio = returns(seed), ratios(seed)
    squared = PrecedingTrace(trace, lambda_squared=True)
    close(call(squared, data, 0.9, turn=0), oracle.gae(*data, 0.9, trace))
    for turn in (1, 2):
        expected = oracle.preceding_trace(*data, 0.9, trace * trace, np.exp(log_ratio))
        close(call(squared, data, 0.9, log_ratio, turn), expected)


@pytest.mark.parametrize("estimator", [Gae(), Gae(truncation="zero"), NStep(), PrecedingTrace()])
def test_nothing_leaks_from_one_episode_into_the_one_before(estimator):
    """After an end at step 2, neither rewards, values nor ratios of later steps reach steps 0 to 2."""
    data, log_ratio = returns(0, end=0.0), ratios(0)
    for kind in ("terminated", "truncated"):
        ended = data._replace(**{kind: np.arange(T)[:, None] == np.full((1, E), 2)})
        later = np.arange(T)[:, None, None] > 2
        other = ended._replace(
            reward=np.where(later, 7.0, data.reward).astype(np.float32),
            value=np.where(later, -7.0, data.value).astype(np.float32),
            next_value=np.where(later, 3.0, data.next_value).astype(np.float32),
        )
        a = call(estimator, ended, 0.9, log_ratio, 1)
        b = call(estimator, other, 0.9, np.where(later[..., 0], 0.0, log_ratio).astype(np.float32), 1)
        np.testing.assert_array_equal(a[:3], b[:3])


@pytest.mark.parametrize("estimator", [Gae(), NStep(), PrecedingTrace()])
def test_termination_ignores_what_follows_and_truncation_does_not(estimator):
    data = returns(1, end=0.0)
    last = np.broadcast_to(np.arange(T)[:, None] == T - 1, (T, E))
    shifted = data._replace(next_value=data.next_value + np.float32(1.0) * last[..., None])
    terminated = [call(estimator, d._replace(terminated=last), 0.9) for d in (data, shifted)]
    np.testing.assert_array_equal(*terminated)
    truncated = [call(estimator, d._replace(truncated=last), 0.9) for d in (data, shifted)]
    close(truncated[1][-1] - truncated[0][-1], np.full((E, M), 0.9))
