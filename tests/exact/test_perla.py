"""PERLA's variances against paths enumerated one by one and against a double sum over time."""

import numpy as np
import pytest

from coterie.exact import perla
from coterie.exact.dec_mdp import joint
from coterie.exact.judge import decode, stored
from coterie.exact.random_games import random_case
from tests.oracles import exact as oracle


def parts(case, single):
    """P, start, pi, Q ``[S, A, R]``, Qtilde ``[S, A]`` and scores of agent 0 as functions of a joint action."""
    game, pi, others = case.game, joint(case.old)[0], joint(case.old[1:])[0]
    quality = game.solve(joint(case.old)).quality[0].reshape(*case.old[0].shape[1:], -1)
    score = (perla._single if single else perla._tabular)(case)[0]
    return game.transition[0], game.start[0], pi, quality, np.einsum("sr,sar->sa", others, quality), score


def double_sum(transition, start, gamma, policy, step, later, steps):
    """E|g|^2 - |E g|^2 of g = sum gamma^t X_t, term by term.

    ``step[s, a]`` is X and ``later`` what stands for it beside a later term, given s and a.
    """
    chain, first = np.einsum("sj,sjt->st", policy, transition), np.einsum("sj,sjd->sd", policy, step)
    seen, mean, total = [start], np.zeros(step.shape[-1]), 0.0
    for _ in range(steps):
        seen.append(seen[-1] @ chain)
    for t in range(steps):
        mean = mean + gamma**t * seen[t] @ first
        total += gamma ** (2 * t) * np.einsum("s,sj,sjd->", seen[t], policy, step**2)
        ahead = first
        for k in range(t + 1, steps):
            cross = np.einsum("s,sj,sjd,sjp,pd->", seen[t], policy, later, transition, ahead)
            total += 2 * gamma ** (t + k) * cross
            ahead = chain @ ahead
    return total - mean @ mean


@pytest.mark.parametrize("single", [True, False], ids=["one parameter", "table"])
def test_the_double_sum_equals_all_paths(single):
    """Five steps of the stored counterexample: every path, one by one."""
    case = decode(stored()["perla_theorem_5"])
    transition, start, pi, quality, average, score = parts(case, single)
    for table in (quality, np.broadcast_to(average[..., None], quality.shape)):
        step = (table[..., None] * score[:, :, None]).reshape(2, 4, -1)
        mean, square = oracle.moments(transition, start, 0.5, pi, lambda s, a, x=step: x[s, a], 5)
        told = double_sum(transition, start, 0.5, pi, step, step, 5)
        np.testing.assert_allclose(square - mean @ mean, told, rtol=1e-10)


@pytest.mark.parametrize("single", [True, False], ids=["one parameter", "table"])
@pytest.mark.parametrize("seed", range(3))
def test_variances_equal_the_double_sum(seed, single):
    case = random_case(np.random.default_rng(seed), 1, 3, (2, 2), 0.5)
    transition, start, pi, quality, average, score = parts(case, single)
    shape = (3, 4, -1)
    central = (quality[..., None] * score[:, :, None]).reshape(shape)
    alone = (np.broadcast_to(average[..., None], quality.shape)[..., None] * score[:, :, None]).reshape(shape)
    told = [double_sum(transition, start, 0.5, pi, x, x, 60) for x in (central, alone)]
    found = perla.variances(case, (perla._single if single else perla._tabular)(case), draws=2)
    np.testing.assert_allclose([found[0][0], found[2][0]], told, rtol=1e-9)
    # Two fresh draws beside the trajectory: their own second moment, and no covariance with what follows.
    others = joint(case.old[1:])[0]
    spread = np.einsum("sr,sar->sa", others, (quality - average[..., None]) ** 2)
    more = (score**2).sum(-1) * spread / 2
    own = np.einsum("sa,sa->s", case.old[0][0], more)
    chain, seen, extra = np.einsum("sj,sjt->st", pi, transition), start, 0.0
    for t in range(60):
        extra += 0.25**t * seen @ own
        seen = seen @ chain
    np.testing.assert_allclose(found[1][0], told[1] + extra, rtol=1e-9)


@pytest.mark.parametrize("name", ["perla_theorem_5", "perla_theorem_5_tabular"])
def test_theorem_5_fails_by_the_double_sum_too(name):
    case = decode(stored()[name])
    transition, start, pi, quality, average, score = parts(case, name == "perla_theorem_5")
    shape = (2, 4, -1)
    central = (quality[..., None] * score[:, :, None]).reshape(shape)
    alone = (np.broadcast_to(average[..., None], quality.shape)[..., None] * score[:, :, None]).reshape(shape)
    excess = np.subtract(*(double_sum(transition, start, 0.5, pi, x, x, 60) for x in (central, alone)))
    bound = (score**2).sum(-1).max() * np.abs(quality).max() ** 2 / (1 - 0.25)
    assert excess > 1.05 * bound
    np.testing.assert_allclose(getattr(perla, name.removeprefix("perla_"))(case).printed, excess / bound, rtol=1e-9)


def test_scores_by_hand():
    """A table: 1 - pi for the chosen action, - pi for the other, 0 in other states; one parameter: the feature's."""
    case = random_case(np.random.default_rng(0), 1, 2, (2, 2), 0.5)
    p = case.old[0][0]
    table = perla._tabular(case)[0]
    np.testing.assert_allclose(table[1, 0], [0, 0, 1 - p[1, 0], -p[1, 1]])
    feature = case.table[0, :, :2]
    np.testing.assert_allclose(perla._single(case)[0, 0, :, 0], feature[0] - p[0] @ feature[0])
