"""Value normalisation: against the official averages, by hand, and where those lose digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.nets.normaliser import NoNorm, ValueNorm
from tests.oracles import normaliser as oracle


def test_hand_computed():
    norm = ValueNorm(beta=0.5)
    state = norm.update(norm.init(), jnp.array([1.0, 3.0, 99.0]), jnp.array([1.0, 1.0, 0.0]))
    assert (float(state.mean), float(state.variance), float(state.weight)) == (2.0, 1.0, 0.5)
    # Weights 1/3 and 2/3: mean 2/3 * 8 + 1/3 * 2 = 6, variance 1/3 * (1 + 16) + 2/3 * (0 + 4) = 25/3.
    state = norm.update(state, jnp.array([8.0]), jnp.array([1.0]))
    assert float(state.mean) == pytest.approx(6.0) and float(state.variance) == pytest.approx(25 / 3)
    assert float(norm.normalise(state, jnp.array(6 + np.sqrt(25 / 3), jnp.float32))) == pytest.approx(1.0)


@pytest.mark.parametrize("beta", [0.99999, 0.9, 0.0])
def test_equals_the_official_averages(beta):
    draw = np.random.default_rng(0)
    with jax.enable_x64(True):
        norm, official = ValueNorm(beta=beta), oracle.ValueNorm(beta)
        state = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), norm.init())
        for _ in range(20):
            x, weights = 5 + 3 * draw.standard_normal((6, 4)), (draw.random((6, 4)) < 0.7).astype(float)
            state = norm.update(state, jnp.asarray(x), jnp.asarray(weights))
            official.update(x, weights)
        mean, variance = official.moments()
        np.testing.assert_allclose((state.mean, state.variance), (mean, variance), rtol=1e-9)
        np.testing.assert_allclose(norm.normalise(state, jnp.asarray(x)), official.normalise(x), rtol=1e-9)


def test_a_large_mean_does_not_swallow_the_variance():
    norm, draw = ValueNorm(), np.random.default_rng(0)
    state = norm.init()
    for _ in range(10):
        x = jnp.asarray(10_000 + draw.standard_normal(1000), jnp.float32)
        state = norm.update(state, x, jnp.ones(1000))
    assert float(state.variance) == pytest.approx(1.0, abs=0.05)


def test_identity_before_any_update_and_after_an_empty_one():
    norm, x = ValueNorm(), jnp.array([-3.0, 7.0])
    state = norm.update(norm.init(), x, jnp.zeros(2))
    jax.tree.map(np.testing.assert_array_equal, state, norm.init())
    np.testing.assert_array_equal(norm.normalise(state, x), x)
    state = norm.update(state, x, jnp.ones(2))
    jax.tree.map(np.testing.assert_array_equal, norm.update(state, x, jnp.zeros(2)), state)


def test_denormalise_inverts_normalise_above_and_below_the_floor():
    norm = ValueNorm()
    for spread in (10.0, 1e-3):
        x = jnp.array([-spread, 0.0, spread]) + 4.0
        state = norm.update(norm.init(), x, jnp.ones(3))
        np.testing.assert_allclose(norm.denormalise(state, norm.normalise(state, x)), x, rtol=1e-6)
    assert float(jnp.max(norm.normalise(state, x))) == pytest.approx(1e-3 / 0.1, rel=1e-3)


def test_beta_can_be_swept_in_one_program():
    x, state = jnp.array([1.0, 3.0]), ValueNorm().init()
    betas = jnp.array([0.5, 0.9])
    swept = jax.jit(jax.vmap(lambda beta: ValueNorm(beta).update(state, x, jnp.ones(2))))(betas)
    np.testing.assert_allclose(swept.weight, [0.5, 0.1], rtol=1e-6)
    assert swept.mean.dtype == jnp.float32


def test_no_norm_is_the_identity():
    norm, x = NoNorm(), jnp.array([1.0, 2.0])
    state = norm.update(norm.init(), x, jnp.ones(2))
    assert state == () and norm.normalise(state, x) is x and norm.denormalise(state, x) is x
