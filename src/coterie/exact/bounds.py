"""The monotonic improvement bounds of PPO, MAPPO, CoPPO and HAPPO (A2PO's slides).

S = sum_i alpha_i, alpha_i = max_s TV(pi_i, pi'_i), eps = max |A^pi|; surrogates have the factor 1 / (1 - gamma).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coterie.exact.dec_mdp import Solved, joint
from coterie.exact.found import Found, Numbers, distances, expected, largest, ratio, solved, stages
from coterie.exact.random_games import Case

SMALL = 0.01
"""A step small enough to tell a first-order error (the ratio stays) from a second-order one (it vanishes)."""


def residual(case: Case, old: Solved, new: Solved) -> Numbers:
    """|J' - J - E_{d, pi'}[A] / (1 - gamma)|, what every bound of the joint policy bounds."""
    return np.abs(new.objective - old.objective - expected(case.game, old.occupancy, joint(case.new), old.advantage))


def joint_shape(gamma: float, total: Numbers) -> Numbers:
    """1 / (1 - gamma) - 1 / (1 - gamma (1 - S)), the factor of the CoPPO, HAPPO and A2PO bounds."""
    return 1 / (1 - gamma) - 1 / (1 - gamma * (1 - total))


def ppo_linear(case: Case) -> Found:
    """J' >= L - 4 eps alpha / (1 - gamma), alpha of the joint policy."""
    return _of_joint(case, lambda eps, alpha, gamma: 4 * eps * alpha / (1 - gamma))


def trpo_quadratic(case: Case) -> Found:
    """|J' - L| <= 4 eps gamma alpha^2 / (1 - gamma)^2, TRPO's form."""
    return _of_joint(case, lambda eps, alpha, gamma: 4 * eps * gamma * alpha**2 / (1 - gamma) ** 2)


def _of_joint(case: Case, bound: Callable[[Numbers, Numbers, float], Numbers]) -> Found:
    old, new = solved(case)
    alpha = distances((joint(case.old),), (joint(case.new),))[0]
    right = bound(largest(old.advantage), alpha, case.game.gamma)
    return Found(ratio(residual(case, old, new), right, largest(old.quality)))


def mappo_bound(case: Case) -> Found:
    """|J' - J - (1/n) sum_i E[r^i A] / (1 - gamma)| <= 4 eps S / (1 - gamma)."""
    game, (old, new) = case.game, solved(case)
    alone = [(*case.old[:i], case.new[i], *case.old[i + 1 :]) for i in range(game.agents)]
    surrogate = np.mean([expected(game, old.occupancy, joint(one), old.advantage) for one in alone], axis=0)
    right = 4 * largest(old.advantage) * distances(case.old, case.new).sum(0) / (1 - game.gamma)
    return Found(ratio(np.abs(new.objective - old.objective - surrogate), right, largest(old.quality)))


def coppo_bound(case: Case) -> Found:
    """|J' - L| <= 4 eps S (1 / (1 - gamma) - 1 / (1 - gamma (1 - S))); figures apart for S above 1."""
    old, new = solved(case)
    total = distances(case.old, case.new).sum(0)
    right = 4 * largest(old.advantage) * total * joint_shape(case.game.gamma, total)
    found = ratio(residual(case, old, new), right, largest(old.quality))
    return Found(found, figures={"worst for S > 1": np.where(total > 1, found, np.nan)})


def coppo_proof(case: Case) -> Found:
    """The proof's P(some agent's action has differed within t steps) <= 1 - (1 - S)^t, as a probability: at most 1.

    Above S = 1 it is none. Measured: its largest value for t up to 20; mended: 1 - max(0, 1 - S)^t.
    """
    total, steps = distances(case.old, case.new).sum(0), np.arange(1, 21)[:, None]
    return Found((1 - (1 - total) ** steps).max(0), (1 - np.maximum(0.0, 1 - total) ** steps).max(0))


def happo_single(case: Case) -> Found:
    """|J(pi-hat^i) - L| <= 2 eps a_i (3/(1-g) - 2/(1-g(1-S_i))) + 2 eps sum_e a_j/(1-g), L = J(pi) + E[A]/(1-g).

    eps = max |A^pi| as printed; mended: the largest |A| of all teams pi-hat^0 .. pi-hat^n of the update.
    """
    return _happo_single(case, lambda i: 0)


def happo_single_previous(case: Case) -> Found:
    """The same with L = J(pi-hat^{i-1}) + E[A^pi] / (1 - g): the objective that agent i would have to improve."""
    return _happo_single(case, lambda i: i - 1)


def _happo_single(case: Case, base: Callable[[int], int]) -> Found:
    game, teams, alphas = case.game, stages(case), distances(case.old, case.new)
    known = [game.solve(joint(team)) for team in teams]
    scale, still = largest(known[0].quality), np.full(case.count, np.nan)
    eps, every = largest(known[0].advantage), np.max([largest(one.advantage) for one in known], axis=0)
    worst, mended = np.zeros(case.count), np.zeros(case.count)
    for i in range(1, game.agents + 1):
        before, own = alphas[: i - 1].sum(0), alphas[i - 1]
        gain = expected(game, known[0].occupancy, joint(teams[i]), known[0].advantage)
        left = np.abs(known[i].objective - known[base(i)].objective - gain)
        shape = 2 * own * (3 / (1 - game.gamma) - 2 / (1 - game.gamma * (1 - before - own)))
        shape = shape + 2 * before / (1 - game.gamma)
        found = ratio(left, eps * shape, scale)
        worst, mended = np.maximum(worst, found), np.maximum(mended, ratio(left, every * shape, scale))
        still = np.where((own == 0) & (before > 0) & (before < SMALL), np.fmax(still, found), still)
    return Found(worst, mended, {"agent i stays, small steps before": still})
