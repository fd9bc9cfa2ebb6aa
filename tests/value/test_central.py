"""Central values by hand: QTRAN's three terms, WQMIX's weights, and where no gradient goes."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from coterie.value.central import Transformed, Unrestricted
from coterie.value.mixing import Free, Total
from coterie.value.recipes import cwqmix, owqmix, qtran
from tests.value import by_hand
from tests.value.by_hand import batch, linear, opened, utilities

UTILITIES = utilities((1.0, 2.0), (4.0, 0.0))  # the best are 1 and 0, together 6


def measured(learner, critic, target, now):
    """Loss, figures, and the gradient by the learning networks."""
    params, old = {"actor": UTILITIES, "critic": critic}, {"actor": UTILITIES, "critic": target}
    loss, stats, own, other = by_hand.measured(learner, params, old, now)
    assert not any(np.asarray(x).any() for x in jax.tree.leaves(other)), "nothing goes into the targets"
    return float(loss), stats, own


# Inputs of the joint value: the state, then what a and b choose. Q(0, 1) = -2.5 and Q(1, 0) = 5.5; V = -4.
JOINT, BASE = linear([0.5], [1.0], [2.0], [3.0], [-4.0]), linear([-4.0])
LATER = {"central_joint": linear([0.0], [10.0], [20.0], [30.0], [40.0]), "central_base": linear([9.0])}


@pytest.mark.parametrize(("opt", "other"), [(2.0, 0.5), (0.0, 0.0)])
def test_qtran_by_hand(opt, other):
    """Row 0 plays (0, 1) and terminates with 1; row 1 plays the best, earns 2 and goes on to Q'(1, 0) = 50."""
    learner = opened(replace(qtran(), central=Transformed(opt, other)))
    now = batch([[[0, 1], [1, 0]]], [[1.0, 2.0]], [[True, False]])
    loss, stats, slope = measured(learner, {"central_joint": JOINT, "central_base": BASE}, LATER, now)
    assert float(stats["target_mean"]) == (1.0 + (2.0 + 0.5 * 50.0)) / 2
    td = (1.0 + 2.5) ** 2 + (27.0 - 5.5) ** 2
    agree = 2 * (6.0 - 5.5 - 4.0) ** 2
    bound = (1.0 + 2.5 - 4.0) ** 2 + (6.0 - 5.5 - 4.0) ** 2  # both sums lie below
    assert loss == pytest.approx((td + opt * agree + other * bound) / 2)
    # The joint value learns from the temporal difference alone, whatever opt and other are.
    weight = slope["critic"]["central_joint"]["output"]["weight"]
    np.testing.assert_allclose(weight[0, :, 0], [-25.0, -3.5, -21.5, -21.5, -3.5], rtol=1e-6)
    by_base = slope["critic"]["central_base"]["output"]["weight"]
    np.testing.assert_allclose(by_base[0, 0, 0], (opt * 2 * -7.0 + other * 2 * -4.0) / 2)
    best, tried = (opt * 2 * -7.0 + other * 2 * -3.5) / 2, other * 2 * -0.5 / 2
    np.testing.assert_allclose(slope["actor"]["output"]["weight"][:, 0], [[tried, best], [best, tried]], rtol=1e-6)


def test_a_sum_above_the_joint_value_is_not_bounded():
    """V = 4: both sums lie above Q - V, so that only the best action is drawn to agree."""
    learner = opened(replace(qtran(), central=Transformed(1.0, 1.0)))
    now = batch([[[0, 1], [0, 1]]], [[1.0, 1.0]], [[True, True]])
    loss, _, slope = measured(learner, {"central_joint": JOINT, "central_base": linear([4.0])}, LATER, now)
    assert loss == pytest.approx(3.5**2 + (6.0 - 5.5 + 4.0) ** 2)
    np.testing.assert_allclose(slope["actor"]["output"]["weight"][:, 0], [[0.0, 9.0], [9.0, 0.0]], rtol=1e-6)


# Q*(a, b) = 1 + Q*_a + 2 Q*_b: 14 of (0, 1), 6 of the agents' best (1, 0), 12 of (1, 1).
STAR = {
    "central_net": utilities((3.0, 1.0), (2.0, 5.0)),
    "central_mixing": {"network": linear([1.0], [1.0], [2.0])},
}
PLAYED = batch([[[0, 1], [1, 0], [1, 1]]], [[7.0, 2.0, 1.0]], [[True] * 3])
ERRORS, CENTRAL = [7.0 - 1.0, 2.0 - 6.0, 1.0 - 2.0], (7.0 - 14.0) ** 2 + (2.0 - 6.0) ** 2 + (1.0 - 12.0) ** 2
WEIGHTS = {
    "optimistic": (owqmix, [1.0, 0.25, 0.25]),  # 1 where the target lies above the mixture
    "central": (cwqmix, [1.0, 1.0, 0.25]),  # 7 > 6; the best action; neither
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_wqmix_by_hand(kind):
    make, weights = WEIGHTS[kind]
    learner = opened(replace(make(0.25), mixing=Total(), central=Unrestricted(Free(()))))
    loss, stats, slope = measured(learner, STAR, STAR, PLAYED)
    assert loss == pytest.approx((np.dot(weights, np.square(ERRORS)) + CENTRAL) / 3)
    assert float(stats["weight_mean"]) == pytest.approx(np.mean(weights))
    first, second, third = (-2.0 * w * e / 3 for w, e in zip(weights, ERRORS, strict=True))
    by_actor = slope["actor"]["output"]["weight"][:, 0]
    np.testing.assert_allclose(by_actor, [[first, second + third], [second, first + third]], rtol=1e-5)
    # The central value learns from its own errors, which count once: -7, -4, -11.
    by_a = slope["critic"]["central_net"]["output"]["weight"][0, 0]
    np.testing.assert_allclose(by_a, [2 * 7.0 / 3, 2 * (4.0 + 11.0) / 3], rtol=1e-5)
    by_state = slope["critic"]["central_mixing"]["network"]["output"]["weight"][0, 0, 0]
    np.testing.assert_allclose(by_state, 2 * (7.0 + 4.0 + 11.0) / 3, rtol=1e-5)


def test_the_central_value_makes_the_targets():
    """r + gamma Q*' of the learning agents' best (1, 0): 1 + 0.5 (1 + 2 + 2 x 3), not the mixture's 6."""
    learner = opened(replace(owqmix(), mixing=Total(), central=Unrestricted(Free(()))))
    later = STAR | {"central_net": utilities((7.0, 2.0), (3.0, 9.0))}
    _, stats, _ = measured(learner, STAR, later, batch([[[0, 0]]], [[1.0]]))
    assert float(stats["target_mean"]) == 1.0 + 0.5 * 9.0


def test_what_the_dead_would_do_does_not_make_a_joint_action_worse():
    """b is dead: (1, 1) is the best joint action as (1, 0) is, for its action is none."""
    learner = opened(replace(cwqmix(0.25), mixing=Total(), central=Unrestricted(Free(()))))
    now = batch([[[1, 1], [0, 1]]], [[-9.0, -9.0]], [[True, True]], alive=np.array([True, False]))
    _, stats, _ = measured(learner, STAR, STAR, now)
    assert float(stats["weight_mean"]) == (1.0 + 0.25) / 2


def test_the_joint_value_does_not_read_the_actions_of_the_dead():
    learner = opened(qtran())
    both = {"central_joint": JOINT, "central_base": BASE}
    now = [batch([[[1, b]]], [[0.0]], alive=np.array([True, False])) for b in (0, 1)]
    assert measured(learner, both, LATER, now[0])[0] == measured(learner, both, LATER, now[1])[0]
