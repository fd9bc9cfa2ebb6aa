"""The gated recurrent unit: its own backward pass against the automatic derivative of a plain loop."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.nets.recurrent import gru
from tests.oracles import gru as oracle


def problem(seed, length, rows, size, resets=0.3):
    draw = np.random.default_rng(seed)
    x = jnp.asarray(draw.standard_normal((length, rows, 3 * size)))
    reset = jnp.asarray(draw.random((length, rows)) < resets)
    carry = jnp.asarray(draw.standard_normal((rows, size)))
    weight = jnp.asarray(draw.standard_normal((size, 3 * size)) / np.sqrt(size))
    bias = jnp.asarray(draw.standard_normal(size))
    slope = jnp.asarray(draw.standard_normal((length, rows, size)))
    return x, reset, carry, weight, bias, slope


@partial(jax.jit, static_argnums=0)
def gradients(f, x, reset, carry, weight, bias, slope):
    loss = lambda x, carry, weight, bias: jnp.sum(slope * jnp.sin(f(x, reset, carry, weight, bias)))  # noqa: E731
    return jax.value_and_grad(loss, argnums=(0, 1, 2, 3))(x, carry, weight, bias)


run = jax.jit(gru)


def close(a, b, tolerance):
    jax.tree.map(lambda u, v: np.testing.assert_allclose(u, v, rtol=tolerance, atol=tolerance), a, b)


@pytest.mark.parametrize("resets", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("length", "rows", "size"), [(1, 3, 4), (9, 5, 6)])
def test_values_and_gradients_equal_the_plain_loop_in_float64(length, rows, size, resets):
    with jax.enable_x64(True):
        data = problem(length, length, rows, size, resets)
        assert data[0].dtype == jnp.float64
        close(run(*data[:5]), oracle.gru(*data[:5]), 1e-12)
        close(gradients(gru, *data), gradients(oracle.gru, *data), 1e-10)


def test_float32_equals_the_plain_loop_to_rounding():
    data = jax.tree.map(lambda a: a.astype(jnp.float32) if a.dtype != bool else a, problem(0, 12, 8, 16))
    close(run(*data[:5]), oracle.gru(*data[:5]), 3e-6)
    close(gradients(gru, *data), gradients(oracle.gru, *data), 3e-5)


def test_gradient_equals_finite_differences():
    with jax.enable_x64(True):
        x, reset, carry, weight, bias, slope = problem(3, 4, 2, 3)
        _, gradient = gradients(gru, x, reset, carry, weight, bias, slope)
        value = lambda args: float(gradients(gru, args[0], reset, *args[1:], slope)[0])  # noqa: E731
        args, step = [x, carry, weight, bias], 1e-6
        for which in range(4):
            for place in list(np.ndindex(*args[which].shape))[::5]:
                moved = [
                    value([a.at[place].add(s) if i == which else a for i, a in enumerate(args)]) for s in (step, -step)
                ]
                assert gradient[which][place] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=2e-8)


def test_hand_computed_step():
    # One unit, h = 0.5: r = sigmoid(1 + 0.5), z = sigmoid(-1 + 1), n = tanh(0.2 + r (0.5 * 3 + 0.1)).
    x = jnp.array([[[1.0, -1.0, 0.2]]])
    h = gru(x, jnp.zeros((1, 1), bool), jnp.array([[0.5]]), jnp.array([[1.0, 2.0, 3.0]]), jnp.array([0.1]))
    r, z = 1 / (1 + np.exp(-1.5)), 0.5
    assert float(h[0, 0, 0]) == pytest.approx((1 - z) * np.tanh(0.2 + r * 1.6) + z * 0.5, abs=1e-6)


@given(st.integers(0, 1000), st.integers(1, 7))
def test_a_reset_equals_playing_the_episodes_separately(seed, cut):
    x, _, carry, weight, bias, _ = jax.tree.map(lambda a: a.astype(jnp.float32), problem(seed, 8, 3, 4))
    none = jnp.zeros((8, 3), bool)
    whole = run(x, none.at[cut].set(True), carry, weight, bias)
    first = run(x, none, carry, weight, bias)[:cut]
    second = run(jnp.roll(x, -cut, axis=0), none, jnp.zeros_like(carry), weight, bias)[: 8 - cut]
    np.testing.assert_allclose(whole, jnp.concatenate([first, second]), atol=1e-6)


def test_no_gradient_passes_a_reset():
    x, _, carry, weight, bias, slope = jax.tree.map(lambda a: a.astype(jnp.float32), problem(1, 6, 2, 4))
    reset = jnp.zeros((6, 2), bool).at[3].set(True)
    slope = slope.at[:3].set(0.0)
    _, (dx, d_carry, _, _) = gradients(gru, x, reset, carry, weight, bias, slope)
    assert not np.any(dx[:3]) and not np.any(d_carry) and np.all(np.any(np.asarray(dx[3:]), axis=(1, 2)))


def test_vmap_over_slots_and_seeds_equals_a_loop():
    sets = [[problem(10 * i + j, 5, 2, 3) for j in range(3)] for i in range(2)]
    stack = jax.tree.map(lambda *a: jnp.stack(a), *[jax.tree.map(lambda *a: jnp.stack(a), *s) for s in sets])
    alone = partial(gradients, gru)
    together = jax.jit(jax.vmap(jax.vmap(alone)))(*stack)
    for i, j in np.ndindex(2, 3):
        close(jax.tree.map(lambda a: a[i, j], together), alone(*sets[i][j]), 1e-5)  # noqa: B023
