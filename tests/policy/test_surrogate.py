"""The clipped surrogate, its weights and its adaptive ranges: worked by hand and written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.policy.surrogate import Clip, Coefficients, KlPenalty, Sample
from coterie.policy.weighting import Context, Hysteretic, One, Others, Preceding, product

SHAPE = (1, 1, 1, 1)


def sample(x):
    return jnp.full(SHAPE, x, jnp.float32)


def loss(log_ratio, advantage, inside=1.0, outside=1.0, epsilon=0.2):
    """The loss of one sample as a number, in terms of its log-ratio."""
    args = sample(advantage), sample(inside), sample(outside), sample(0.0), sample(1.0), sample(epsilon), 2
    return Clip().loss((), Sample(log_ratio * jnp.ones(SHAPE), *args)).sum()


def context(carried=0.0, others=0.0, clip=0.2):
    return Context(sample(carried), sample(others), sample(1.0), sample(clip))


@pytest.mark.parametrize(
    ("ratio", "advantage", "inside", "outside", "expected"),
    [
        (1.0, 2.0, 1.0, 1.0, -2.0),
        (1.5, 2.0, 1.0, 1.0, -2.4),  # 1.5 is clipped to 1.2
        (0.5, 2.0, 1.0, 1.0, -1.0),  # min keeps the worse
        (0.5, -2.0, 1.0, 1.0, 1.6),  # 0.5 is clipped to 0.8
        (1.5, -2.0, 1.0, 1.0, 3.0),
        (1.0, 2.0, 1.5, 1.0, -2.4),  # an inside weight is clipped with the ratio
        (1.0, 2.0, 1.0, 1.5, -3.0),  # an outside weight is not
        (1.5, 2.0, 1.0, 0.5, -1.2),  # and multiplies the clipped term
        (0.8, 2.0, 1.25, 3.0, -6.0),
        (2.0, -1.0, 0.25, 2.0, 1.6),  # l = 0.5, clipped to 0.8
    ],
)
def test_by_hand(ratio, advantage, inside, outside, expected):
    np.testing.assert_allclose(loss(jnp.log(ratio), advantage, inside, outside), expected, rtol=1e-6)


@pytest.mark.parametrize("inside", [0.9, 1.0, 1.3])
@pytest.mark.parametrize("outside", [0.5, 1.0, 2.0])
def test_beyond_the_range_only_the_improving_side_stops(inside, outside):
    slope = jax.jit(jax.grad(loss))
    for weighted, advantage, stops in [(1.3, 1.0, True), (1.3, -1.0, False), (0.7, -1.0, True), (0.7, 1.0, False)]:
        found = slope(jnp.log(weighted / inside), advantage, inside, outside)
        expected = 0.0 if stops else -outside * weighted * advantage
        if stops:
            assert found == 0.0
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    for weighted in (0.85, 1.0, 1.15):
        found = slope(jnp.log(weighted / inside), 3.0, inside, outside)
        np.testing.assert_allclose(found, -outside * weighted * 3.0, rtol=1e-5)


def test_weightings_by_hand():
    """Each puts its product on its own side, within its own bounds."""
    two, seen = float(np.log(2.0)), lambda w, **kw: [float(x.squeeze()) for x in w(context(**kw))]
    assert seen(One(), carried=two, others=two) == [1.0, 1.0]
    np.testing.assert_allclose(seen(Others(0.1), carried=9.0, others=two), [1.1, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Others(0.1), others=-two), [0.9, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Others(2.0), others=two), [2.0, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(place="outside"), carried=two, others=9.0), [1.0, 2.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(), carried=two), [2.0, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(clip=0.1), carried=two), [1.1, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(clip=0.1), carried=-two), [0.9, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(clip=0.1), carried=two, clip=0.4), [1.1, 1.0], rtol=1e-6)
    np.testing.assert_allclose(seen(Preceding(adapted=True), carried=two, clip=0.4), [1.2, 1.0], rtol=1e-6)
    both = product(Preceding(clip=0.1), Preceding(place="outside"), Others(0.5))
    np.testing.assert_allclose(seen(both, carried=two, others=two), [1.1 * 1.5, 2.0], rtol=1e-6)


def test_the_range_of_a_position():
    """C(eps, k) = eps c + eps (1 - c) k / n for k = 1 .. n."""
    still, active = jnp.zeros((2, 2, 3)), jnp.ones(3, bool)
    clip = Clip(epsilon=0.2, adaptive="position", floor=0.5)
    for turn in range(4):
        expected = 0.2 * 0.5 + 0.2 * 0.5 * (turn + 1) / 4
        np.testing.assert_allclose(clip.range(jnp.asarray(turn), 4, still, active), np.full(3, expected), rtol=1e-6)
    fixed = Clip(epsilon=0.3).range(jnp.asarray(2), 4, still, active)
    np.testing.assert_allclose(fixed, np.full(3, 0.3), rtol=1e-6)


@given(st.integers(0, 10**6), st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_range_in_proportion_to_the_ratios(seed, active):
    """eps_i ~ mean of 1 / prod_{j >= i} (1 + |1 - r^j|) over active agents in index order; the largest is eps."""
    active[seed % 3] = True
    log_ratio = np.random.default_rng(seed).normal(0.0, 0.3, (4, 2, 3)).astype(np.float32)
    ratio, weight = np.exp(log_ratio), np.zeros(3)
    for i in range(3):
        for t, e in np.ndindex(4, 2):
            spread = 1.0
            for j in range(i, 3):
                spread *= 1.0 + abs(1.0 - ratio[t, e, j]) if active[j] else 1.0
            weight[i] += 1.0 / spread / 8
    found = Clip(adaptive="ratio").range(jnp.asarray(0), 2, jnp.asarray(log_ratio), jnp.asarray(active))
    largest = max(weight[i] for i in range(3) if active[i])
    for i in np.flatnonzero(active):
        np.testing.assert_allclose(found[i], 0.2 * weight[i] / largest, rtol=1e-5)


def test_the_range_before_anybody_moved_is_epsilon():
    found = Clip(adaptive="ratio").range(jnp.asarray(0), 2, jnp.zeros((4, 2, 3)), jnp.ones(3, bool))
    np.testing.assert_allclose(found, np.full(3, 0.2), rtol=1e-6)


def penalised(part, coefficients, kl, weight=(1.0, 1.0, 1.0), ratio=1.5, advantage=2.0, agents=4):
    """The losses of three samples of one agent."""
    row = lambda x: jnp.broadcast_to(jnp.asarray(x, jnp.float32), 3).reshape(1, 1, 3, 1)  # noqa: E731
    each = [jnp.asarray([x], jnp.float32) for x in coefficients]
    args = row(jnp.log(ratio)), row(advantage), row(1.0), row(0.5), row(kl), row(weight), sample(jnp.inf), agents
    return part.loss(Coefficients(*each), Sample(*args))[0, 0, :, 0]


def test_penalties_by_hand():
    """-outside r A = -0.5 * 1.5 * 2 = -1.5; a quarter of it with four agents."""
    kl = (0.01, 0.04, 0.16)
    code = KlPenalty(shared=False, root_of="each")
    np.testing.assert_allclose(penalised(code, (2.0, 3.0), kl), [-1.5 + 0.23, -1.5 + 0.52, -1.5 + 1.28], rtol=1e-5)
    mean = np.sqrt(0.07)
    np.testing.assert_allclose(penalised(KlPenalty(kl=None), (2.0, 9.0), kl), [-0.375 + 2 * mean] * 3, rtol=1e-5)
    weighted = np.sqrt((0.01 + 0.04) / 2)  # a dead agent's sample is no part of the mean
    found = penalised(KlPenalty(kl=None), (2.0, 9.0), kl, weight=(1.0, 1.0, 0.0))
    np.testing.assert_allclose(found, [-0.375 + 2 * weighted] * 3, rtol=1e-5)
    np.testing.assert_allclose(penalised(KlPenalty(root=None), (9.0, 1.0), kl), [-0.365, -0.335, -0.215], rtol=1e-5)


def adapted(part, *seen):
    """The coefficients of one slot after iterations whose last epoch's steps had these (KL, root of KL)."""
    now, out = part.init(1), []
    for steps in seen:
        kl, root = (jnp.asarray([[step[k]] for step in steps], jnp.float32) for k in (0, 1))
        now = part.adapt(now, kl, root)
        out.append((float(now.root[0]), float(now.kl[0])))
    return out


def test_coefficients_follow_a_sequence_worked_by_hand():
    """Target 0.01, band 1.5: above 0.015 doubled, below 0.00667 halved. The paper has one test for both."""
    paper = KlPenalty(root=0.5, kl=1.0)
    steps = [(0.02, 0.0), (0.04, 0.0)], [(0.016, 0.0), (0.013, 0.0)], [(0.001, 0.0), (0.002, 0.0)]
    assert adapted(paper, *steps) == [(1.0, 2.0), (1.0, 2.0), (0.5, 1.0)]
    # The code looks at the last step alone, and steers the mean root to 0.1: between 0.0667 and 0.15 it stays.
    code = KlPenalty(root=1.0, kl=1.0, statistic="code", limits=(0.5, 2.0))
    steps = [(9.0, 9.0), (0.02, 0.1)], [(9.0, 9.0), (0.02, 0.16)], [(9.0, 9.0), (0.001, 0.01)]
    assert adapted(code, *steps) == [(1.0, 2.0), (2.0, 2.0), (1.0, 1.0)]
    assert adapted(KlPenalty(root=None, kl=1.0, limits=(0.5, 2.0)), [(9.0, 9.0)]) == [(0.0, 2.0)]


def test_the_root_has_a_finite_slope_where_nothing_has_moved():
    """At the old policy KL and its slope are 0; a step away the pull is b1 sqrt(F / 2), whatever the distance."""

    def loss(logit, part):
        old, new = (jnp.array([x, 0.0]) for x in (0.3, logit))
        log_old, log_new = jax.nn.log_softmax(old), jax.nn.log_softmax(new)
        kl = jnp.sum(jnp.exp(log_old) * (log_old - log_new)) * jnp.ones(SHAPE)
        one = jnp.ones(SHAPE)
        return part.loss(part.init(1), Sample(0 * one, 0 * one, one, one, kl, one, sample(jnp.inf), 2)).sum()

    p = jax.nn.sigmoid(0.3)
    cone = 2.0 * jnp.sqrt(p * (1 - p) / 2)
    for kind in ("mean", "each"):
        slope = jax.grad(lambda logit, kind=kind: loss(logit, KlPenalty(root=2.0, kl=None, root_of=kind)))
        assert abs(slope(0.3)) < 0.1 * cone
        np.testing.assert_allclose([slope(0.4), slope(0.5), -slope(0.2)], cone, rtol=0.06)


def test_hysteretic_weights_by_hand():
    for advantage, eta, expected in ((1.0, 0.3, 1.0), (-1.0, 0.3, 0.3), (0.0, 0.3, 1.0), (-2.0, 1.0, 1.0)):
        now = Context(sample(0.0), sample(0.0), sample(advantage), sample(0.2))
        inside, outside = Hysteretic(eta)(now)
        assert inside.item() == 1.0 and outside.item() == np.float32(expected)
        both = product(Hysteretic(eta), Others(0.1))(now._replace(others=sample(5.0)))
        np.testing.assert_allclose([x.item() for x in both], [1.1, expected], rtol=1e-6)
