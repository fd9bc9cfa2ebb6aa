"""Networks: against loops in NumPy, under vmap, and as configuration."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.nets.networks import Network, orthogonal
from tests.oracles import gru as oracle

NETWORKS = [
    Network(),
    Network(encoder=(8,), memory=5, head=(6,), activation="relu", norm=True),
    Network(encoder=(), memory=4),
    Network(encoder=(), head=()),
    Network(encoder=(7,), head=(5,), norm=True),
]


def problem(net, length=6, rows=3, inputs=4, outputs=2, seed=0):
    params = net.init(jax.random.key(seed), inputs, outputs, 1.0)
    draw = np.random.default_rng(seed)
    jitter = lambda leaf: leaf + jnp.asarray(0.3 * draw.standard_normal(leaf.shape), jnp.float32)  # noqa: E731
    x = jnp.asarray(draw.standard_normal((length, rows, inputs)), jnp.float32)
    carry = jax.tree.map(lambda h: h + 0.5, net.carry(rows))
    return jax.tree.map(jitter, params), carry, x, jnp.asarray(draw.random((length, rows)) < 0.3)


@pytest.mark.parametrize("net", NETWORKS)
def test_apply_equals_numpy_row_by_row(net):
    params, carry, x, reset = problem(net)
    y, memory = jax.jit(net.apply)(params, carry, x, reset)
    assert y.dtype == jnp.float32 and y.shape == (6, 3, 2)
    for row in range(3):
        start = np.full(net.memory, 0.5)
        outputs, memories = oracle.network(net, params, start, x[:, row], np.asarray(reset)[:, row])
        np.testing.assert_allclose(y[:, row], outputs, atol=2e-5)
        if net.memory:
            np.testing.assert_allclose(memory[:, row], memories, atol=2e-5)
        else:
            assert memory == ()


@pytest.mark.parametrize("net", NETWORKS[:2])
def test_vmap_over_slots_and_seeds_equals_a_loop(net):
    loss = lambda params, carry, x, reset: jnp.sum(jnp.sin(net.apply(params, carry, x, reset)[0]))  # noqa: E731
    gradient = jax.jit(jax.value_and_grad(loss, argnums=(0, 2)))
    data = [[problem(net, seed=10 * i + j) for j in range(3)] for i in range(2)]
    stacked = jax.tree.map(lambda *a: jnp.stack(a), *[jax.tree.map(lambda *a: jnp.stack(a), *d) for d in data])
    together = jax.jit(jax.vmap(jax.vmap(gradient)))(*stacked)
    for i, j in np.ndindex(2, 3):
        alone = gradient(*data[i][j])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a[i, j], b, atol=3e-4, rtol=3e-4), together, alone)  # noqa: B023


def test_gradient_equals_finite_differences():
    net = NETWORKS[1]
    with jax.enable_x64(True):
        params, carry, x, reset = jax.tree.map(
            lambda a: a.astype(jnp.float64) if a.dtype == jnp.float32 else a, problem(net)
        )
        loss = jax.jit(lambda p, x: jnp.sum(jnp.cos(net.apply(p, carry, x, reset)[0])))
        slopes = jax.jit(jax.grad(loss, argnums=(0, 1)))(params, x)
        draw = np.random.default_rng(1)
        for _ in range(5):
            way = jax.tree.map(lambda a: jnp.asarray(draw.standard_normal(a.shape)), (params, x))
            ends = [loss(*jax.tree.map(lambda a, d: a + s * d, (params, x), way)) for s in (1e-6, -1e-6)]  # noqa: B023
            along = sum(jax.tree.leaves(jax.tree.map(lambda g, d: jnp.sum(g * d), slopes, way)))
            assert float(along) == pytest.approx(float(ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-6)


def test_feed_forward_ignores_reset_and_step_order():
    net = Network(encoder=(8,))
    params, _, x, reset = problem(net)
    y, _ = net.apply(params, (), x, reset)
    flat, _ = net.apply(params, (), x.reshape(1, 18, 4), jnp.ones((1, 18), bool))
    np.testing.assert_allclose(y.reshape(18, 2), flat[0], atol=1e-6)


def test_memory_in_two_pieces_equals_the_whole():
    net = NETWORKS[1]
    params, carry, x, reset = problem(net)
    apply = jax.jit(net.apply)
    y, memory = apply(params, carry, x, reset)
    y1, m1 = apply(params, carry, x[:2], reset[:2])
    y2, m2 = apply(params, m1[-1], x[2:], reset[2:])
    np.testing.assert_allclose(y, jnp.concatenate([y1, y2]), atol=1e-6)
    np.testing.assert_allclose(memory, jnp.concatenate([m1, m2]), atol=1e-6)


@pytest.mark.parametrize(("rows", "columns"), [(3, 7), (7, 3), (5, 5), (1, 4)])
def test_orthogonal(rows, columns):
    q = orthogonal(np.random.default_rng(0), rows, columns, 2.0)
    gram = q @ q.T if rows <= columns else q.T @ q
    np.testing.assert_allclose(gram, 4.0 * np.eye(min(rows, columns)), atol=1e-12)


def test_initial_parameters():
    net = Network(encoder=(16,), memory=8, head=(16,), activation="relu", norm=True)
    params = net.init(jax.random.key(3), 5, 4, 0.01)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(params))
    assert all(not np.any(layer["bias"]) for layer in params.values())
    norms = lambda name: np.linalg.svd(params[name]["weight"], compute_uv=False)  # noqa: E731
    np.testing.assert_allclose(norms("encoder_0"), np.sqrt(2.0), rtol=1e-5)
    np.testing.assert_allclose(norms("output"), 0.01, rtol=1e-5)
    for block in np.split(np.asarray(params["memory"]["recurrent_weight"]), 3, axis=1):
        np.testing.assert_allclose(block @ block.T, np.eye(8), atol=1e-6)
    tanh = Network(encoder=(16,)).init(jax.random.key(3), 5, 4, 0.01)
    np.testing.assert_allclose(np.linalg.svd(tanh["encoder_0"]["weight"], compute_uv=False), 5 / 3, rtol=1e-5)


def test_the_key_decides_the_parameters():
    init = lambda key: Network().init(key, 4, 2, 1.0)["output"]["weight"]  # noqa: E731
    assert np.array_equal(init(jax.random.key(0)), init(jax.random.key(0)))
    assert np.array_equal(init(jax.random.key(0)), init(jax.random.PRNGKey(0)))
    assert not np.array_equal(init(jax.random.key(0)), init(jax.random.key(1)))


def test_init_inside_compiled_code_is_refused():
    with pytest.raises(CoterieError, match="outside compiled code"):
        jax.jit(lambda key: Network().init(key, 4, 2, 1.0))(jax.random.key(0))


def test_a_network_is_hashable_configuration():
    assert Network((8,), 4) == Network([8], 4) != Network((8,), 5)
    assert hash(Network((8,), 4)) == hash(Network((8,), 4))
    assert jax.tree.leaves(Network()) == [] and isinstance(Network(), eqx.Module)
    assert Network().carry(3) == () and Network(memory=4).carry(2, 3).shape == (2, 3, 4)


@pytest.mark.parametrize("wrong", [{"activation": "gelu"}, {"encoder": (0,)}, {"memory": -1}, {"head": (4, -2)}])
def test_bad_configuration_is_refused(wrong):
    with pytest.raises(CoterieError):
        Network(**wrong)
