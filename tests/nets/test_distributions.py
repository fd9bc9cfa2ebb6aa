"""Distribution families: against enumeration, scipy and finite differences, and what masks promise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.contracts import ActionSpace, CoterieError, Spec
from coterie.nets.distributions import ILLEGAL, Categorical, Gaussian, family, log_slope
from tests.oracles import distributions as oracle


def spec_of(*spaces):
    n = len(spaces)
    return Spec(tuple(f"a{i}" for i in range(n)), ("t",) * n, (3,) * n, tuple(spaces), 3, 5)


CHOICE = family(spec_of(ActionSpace.discrete(5)))
MULTI_SPEC = spec_of(ActionSpace.multi_discrete((3, 2)), ActionSpace.multi_discrete((4,)))
MULTI = family(MULTI_SPEC)
BOXES = spec_of(ActionSpace.continuous((0.0, -2.0), (1.0, 4.0)), ActionSpace.continuous((-1.0,), (1.0,)))


def masked(seed, rows=64, choices=5, scale=3.0):
    draw = np.random.default_rng(seed)
    raw = jnp.asarray(scale * draw.standard_normal((rows, choices)), jnp.float32)
    legal = draw.random((rows, choices)) < 0.5
    legal[np.arange(rows), draw.integers(0, choices, rows)] = True
    return raw, jnp.asarray(legal)


@jax.jit
def statistics(key, raw, other, legal):
    params, new = CHOICE.parameters(raw, legal), CHOICE.parameters(other, legal)
    drawn = CHOICE.sample(key, params)
    return drawn, CHOICE.mode(params), CHOICE.entropy(params), CHOICE.kl(params, new), CHOICE.log_prob(params, drawn)


def test_hand_computed_choices():
    params = CHOICE.parameters(jnp.log(jnp.array([1.0, 3.0, 5.0, 7.0, 9.0])), jnp.array([1, 1, 0, 0, 0], bool))
    assert float(CHOICE.log_prob(params, jnp.int32(1))) == pytest.approx(np.log(0.75), abs=1e-6)
    assert float(CHOICE.entropy(params)) == pytest.approx(0.25 * np.log(4) + 0.75 * np.log(4 / 3), abs=1e-6)
    assert int(CHOICE.mode(params)) == 1
    even = CHOICE.parameters(jnp.zeros(5), jnp.array([1, 1, 0, 0, 0], bool))
    assert float(CHOICE.kl(params, even)) == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5), abs=1e-6)
    assert float(CHOICE.log_prob(params, jnp.int32(3))) == ILLEGAL


@given(st.integers(0, 10_000))
def test_masks_hold(seed):
    raw, legal = masked(seed)
    other = masked(seed + 1)[0]
    drawn, mode, entropy, kl, log_prob = statistics(jax.random.key(seed), raw, other, legal)
    rows = np.arange(64)
    assert legal[rows, drawn].all() and legal[rows, mode].all()
    assert (entropy <= jnp.log(legal.sum(-1).astype(jnp.float32)) + 1e-5).all() and (entropy >= -1e-6).all()
    assert (kl >= -1e-6).all() and (log_prob <= 1e-6).all() and jnp.isfinite(log_prob).all()
    for row in range(0, 64, 8):
        p, q = oracle.categorical(raw[row], legal[row]), oracle.categorical(other[row], legal[row])
        assert float(log_prob[row]) == pytest.approx(np.log(p[drawn[row]]), abs=2e-5)
        assert float(entropy[row]) == pytest.approx(-np.sum(p[p > 0] * np.log(p[p > 0])), abs=2e-5)
        assert float(kl[row]) == pytest.approx(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])), abs=5e-5)
    same = statistics(jax.random.key(seed), raw, raw, legal)[3]
    np.testing.assert_array_equal(same, 0.0)


def test_samples_follow_the_probabilities():
    raw, legal = jnp.array([0.0, 1.0, -1.0, 2.0, 0.5]), jnp.array([1, 1, 0, 1, 1], bool)
    params = CHOICE.parameters(jnp.broadcast_to(raw, (100_000, 5)), jnp.broadcast_to(legal, (100_000, 5)))
    drawn = CHOICE.sample(jax.random.key(0), params)
    assert drawn.dtype == jnp.int32
    frequency = np.bincount(np.asarray(drawn), minlength=5) / 100_000
    expected = oracle.categorical(raw, legal)
    assert np.all(np.abs(frequency - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / 100_000))


def test_extreme_logits_and_no_legal_choice_stay_finite():
    raw = jnp.array([[1e4, -1e4, 0.0, 3.0, 1e8], [1.0, 2.0, 3.0, 4.0, 5.0]])
    legal = jnp.array([[1, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)

    def everything(raw):
        params, uniform = CHOICE.parameters(raw, legal), CHOICE.parameters(0.0 * raw, legal)
        log_p = CHOICE.log_prob(params, jnp.array([4, 2], jnp.int32))
        kl = CHOICE.kl(uniform, params) + CHOICE.kl(params, uniform)
        return jnp.sum(CHOICE.entropy(params) + kl + log_p)

    assert jnp.isfinite(everything(raw)) and jnp.isfinite(jax.grad(everything)(raw)).all()
    params = CHOICE.parameters(raw, legal)
    assert (np.asarray(CHOICE.entropy(params)) == 0).all() and int(CHOICE.sample(jax.random.key(0), params)[1]) == 0


def test_multi_discrete_equals_enumeration():
    draw = np.random.default_rng(0)
    raw = jnp.asarray(draw.standard_normal((2, MULTI.size)), jnp.float32)
    other = jnp.asarray(draw.standard_normal((2, MULTI.size)), jnp.float32)
    legal = jnp.asarray(MULTI_SPEC.legal)
    assert Categorical((2, 4)) == MULTI and MULTI.size == 8 and MULTI.log_std_shape == ()
    params, new = MULTI.parameters(raw, legal), MULTI.parameters(other, legal)
    action = MULTI.sample(jax.random.key(1), params)
    assert action.shape == (2, 2) and action.dtype == jnp.int32
    assert int(action[1, 1]) == 0 and MULTI.action(action) is action
    for agent in range(2):
        table = oracle.joint(raw[agent].reshape(2, 4), MULTI_SPEC.legal[agent])
        target = oracle.joint(other[agent].reshape(2, 4), MULTI_SPEC.legal[agent])
        chosen = table[tuple(int(a) for a in action[agent])]
        assert float(MULTI.log_prob(params, action)[agent]) == pytest.approx(np.log(chosen), abs=1e-5)
        assert float(MULTI.entropy(params)[agent]) == pytest.approx(oracle.entropy(table), abs=1e-5)
        assert float(MULTI.kl(params, new)[agent]) == pytest.approx(oracle.kl(table, target), abs=1e-5)
        assert max(table, key=table.get) == tuple(int(a) for a in MULTI.mode(params)[agent])


def gaussian(squash, mean=(0.3, -0.7), log_std=(-0.5, 0.2)):
    dist = family(BOXES, squash)
    raw = jnp.broadcast_to(jnp.array(mean), (2, 2))
    return dist, dist.parameters(raw, jnp.asarray(BOXES.legal), jnp.array(log_std))


@pytest.mark.parametrize("squash", ["clip", "tanh"])
def test_gaussian_density_and_entropy_equal_scipy(squash):
    dist, params = gaussian(squash)
    assert dist.size == 2 and dist.log_std_shape == (2,) and hash(dist) == hash(family(BOXES, squash))
    latent = jnp.array([[0.9, -1.4], [0.9, 0.0]])
    mean, std = np.array([0.3, -0.7]), np.exp([-0.5, 0.2])
    if squash == "tanh":
        density = oracle.squashed_density(np.tanh(np.asarray(latent[0], np.float64)), mean, std)
        entropy = np.array([oracle.squashed_entropy(m, s) for m, s in zip(mean, std, strict=True)])
    else:
        density = oracle.stats.norm.pdf(latent[0], mean, std)
        entropy = oracle.stats.norm.entropy(mean, std)
    expected = [np.log(density).sum(), np.log(density[0])]
    np.testing.assert_allclose(dist.log_prob(params, latent), expected, rtol=1e-5)
    np.testing.assert_allclose(dist.entropy(params), [entropy.sum(), entropy[0]], atol=5e-5)
    np.testing.assert_array_equal(dist.mode(params)[1], [np.float32(0.3), 0.0])


def test_squashed_density_integrates_to_one():
    dist = Gaussian(((-1.0,),), ((1.0,),), "tanh")
    u = jnp.linspace(-12.0, 12.0, 20_001)[:, None]
    params = dist.parameters(jnp.full((20_001, 1), 0.4), jnp.ones((20_001, 1), bool), jnp.array([0.3]))
    mass = np.trapezoid(np.exp(np.asarray(dist.log_prob(params, u))), np.tanh(np.asarray(u[:, 0], np.float64)))
    assert mass == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("squash", ["clip", "tanh"])
def test_gaussian_samples_have_their_moments_and_absent_components_are_zero(squash):
    dist = family(BOXES, squash)
    legal = jnp.broadcast_to(jnp.asarray(BOXES.legal), (50_000, 2, 2))
    params = dist.parameters(jnp.full((50_000, 2, 2), 0.3), legal, jnp.array([[-0.5, 0.2], [0.0, 9.0]]))
    drawn = np.asarray(dist.sample(jax.random.key(0), params))
    assert drawn.dtype == np.float32 and not drawn[:, 1, 1].any()
    np.testing.assert_allclose(drawn[:, 0].mean(0), 0.3, atol=0.03)
    np.testing.assert_allclose(drawn[:, 0].std(0), np.exp([-0.5, 0.2]), rtol=0.02)
    entropy = -np.asarray(dist.log_prob(params, jnp.asarray(drawn))).mean(0)
    np.testing.assert_allclose(entropy, np.asarray(dist.entropy(params))[0], atol=0.03)


def test_gaussian_divergence():
    dist, old = gaussian("tanh")
    _, new = gaussian("tanh", (0.1, 0.4), (0.0, -0.3))
    s, t, gap = np.exp([-0.5, 0.2]), np.exp([0.0, -0.3]), np.array([0.2, -1.1])
    each = np.log(t / s) + (s**2 + gap**2) / (2 * t**2) - 0.5
    np.testing.assert_allclose(dist.kl(old, new), [each.sum(), each[0]], rtol=1e-5)
    np.testing.assert_array_equal(dist.kl(old, old), 0.0)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-2, 1), st.floats(-2, 1))
def test_gaussian_divergence_is_not_negative(a, b, s, t):
    dist = Gaussian(((-1.0,),), ((1.0,),))
    params = lambda m, v: dist.parameters(jnp.array([m]), jnp.ones(1, bool), jnp.array([v]))  # noqa: E731
    assert float(dist.kl(params(a, s), params(b, t))) >= -1e-6


def test_actions_lie_in_the_box():
    for squash in ("clip", "tanh"):
        dist = family(BOXES, squash)
        latent = jnp.array([[[0.0, 0.0], [0.0, 0.0]], [[99.0, -99.0], [99.0, 99.0]], [[0.5, -0.5], [0.5, 0.5]]])
        half = np.tanh(0.5) if squash == "tanh" else 0.5
        expected = [[[0.5, 1.0], [0, 0]], [[1, -2], [1, 0]], [[0.5 + 0.5 * half, 1 - 3 * half], [half, 0]]]
        np.testing.assert_allclose(dist.action(latent), expected, atol=1e-6)


def test_log_slope_far_out():
    with jax.enable_x64(True):
        u = jnp.array([0.0, 0.5, -2.0, 30.0])
        exact = [0.0, np.log(1 - np.tanh(0.5) ** 2), np.log(1 - np.tanh(2.0) ** 2), np.log(4.0) - 60.0]
        np.testing.assert_allclose(log_slope(u), exact, atol=1e-12)
    np.testing.assert_array_equal(jax.vmap(jax.grad(log_slope))(jnp.array([0.0, 50.0, -50.0])), [0.0, -2.0, 2.0])


@pytest.mark.parametrize("name", ["choice", "multi", "clip", "tanh"])
def test_gradients_equal_finite_differences(name):
    with jax.enable_x64(True):
        spec = {"choice": spec_of(ActionSpace.discrete(5)), "multi": MULTI_SPEC}.get(name, BOXES)
        dist = family(spec, name if name in ("clip", "tanh") else "clip")
        draw = np.random.default_rng(0)
        shape = (spec.n_agents, dist.size)
        raw, other = jnp.asarray(draw.standard_normal(shape)), jnp.asarray(draw.standard_normal(shape))
        legal, log_std = jnp.asarray(spec.legal), jnp.zeros(max(1, dist.size))
        old = dist.parameters(other, legal, log_std)
        action = dist.sample(jax.random.key(0), old)

        @jax.jit
        def loss(raw, log_std):
            params = dist.parameters(raw, legal, log_std)
            return jnp.sum(dist.log_prob(params, action) + 2 * dist.entropy(params) + 3 * dist.kl(old, params))

        slopes = jax.jit(jax.grad(loss, argnums=(0, 1)))(raw, log_std)
        for which, start in enumerate((raw, log_std)):
            for place in np.ndindex(*start.shape):
                ends = []
                for step in (1e-6, -1e-6):
                    args = [raw, log_std]
                    args[which] = start.at[place].add(step)
                    ends.append(float(loss(*args)))
                assert float(slopes[which][place]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_bad_families_are_refused():
    with pytest.raises(CoterieError, match="clip or tanh"):
        family(BOXES, "sigmoid")
    with pytest.raises(CoterieError, match="finite bounds"):
        family(spec_of(ActionSpace.continuous((0.0,), (np.inf,))))
