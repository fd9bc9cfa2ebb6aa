"""DPO: equation 3, lemma 3.1 and theorems 3.2 and 3.3 (L without normalising: rho = d / (1 - gamma))."""

from __future__ import annotations

import numpy as np

from coterie.exact.dec_mdp import DecMdp, joint
from coterie.exact.found import Found, Numbers, divergences, expected, largest, ratio, solved
from coterie.exact.random_games import Case


def _reach(case: Case, power: int) -> Numbers:
    """r_max / (1 - gamma)^power."""
    return case.game.reward_bound() / (1 - case.game.gamma) ** power


def _individual(game: DecMdp, case: Case, occupancy: np.ndarray, advantage: np.ndarray) -> np.ndarray:
    """L^i = E_{rho, pi^i}[A^i] of every agent, ``[N, B]`` (equation 6)."""
    alone = [(*case.old[:i], case.new[i], *case.old[i + 1 :]) for i in range(game.agents)]
    return np.stack([expected(game, occupancy, joint(one), advantage) for one in alone])


def advantage_bound(case: Case) -> Found:
    """Max |A| <= r_max / (1 - gamma), a step in the proof of lemma 3.1; mended: 2 r_max / (1 - gamma)."""
    old = case.game.solve(joint(case.old))
    left, scale = largest(old.advantage), largest(old.quality)
    return Found(ratio(left, _reach(case, 1), scale), ratio(left, 2 * _reach(case, 1), scale))


def trpo_divergence(case: Case) -> Found:
    """Equation 3: J' - J >= L - C max_s KL(pi || pi'), C = 4 gamma r_max / (1 - gamma)^3 as in theorem 3.2."""
    old, new = solved(case)
    left = expected(case.game, old.occupancy, joint(case.new), old.advantage) - (new.objective - old.objective)
    bound = 4 * case.game.gamma * _reach(case, 3) * divergences((joint(case.old),), (joint(case.new),))[0]
    return Found(ratio(left, bound, largest(old.quality)))


def lemma_3_1(case: Case) -> Found:
    """L^joint - L^i >= -M sqrt(sum_{j != i} Dmax_j), M = 2 r_max / (1 - gamma)^2; the worst agent."""
    game, old = case.game, case.game.solve(joint(case.old))
    whole, parts = expected(game, old.occupancy, joint(case.new), old.advantage), divergences(case.old, case.new)
    each = _individual(game, case, old.occupancy, old.advantage)
    right = 2 * _reach(case, 2) * np.sqrt(np.maximum(parts.sum(0) - parts, 0.0))
    scale = largest(old.quality)
    return Found(np.max([ratio(each[i] - whole, right[i], scale) for i in range(game.agents)], axis=0))


def _constants(case: Case) -> tuple[Numbers, Numbers]:
    """M-hat and C of theorem 3.2."""
    n = case.game.agents
    return np.sqrt((n - 1) / n) * 2 * _reach(case, 2), 4 * case.game.gamma * _reach(case, 3)


def theorem_3_2(case: Case) -> Found:
    """J' - J >= (1/N) sum L^i - Mhat sum sqrt(Dmax_i) - C sum Dmax_i."""
    game, (old, new) = case.game, solved(case)
    parts, (root, kl) = divergences(case.old, case.new), _constants(case)
    each = _individual(game, case, old.occupancy, old.advantage)
    left = each.mean(0) - (new.objective - old.objective)
    return Found(ratio(left, root * np.sqrt(parts).sum(0) + kl * parts.sum(0), largest(old.quality)))


SIZES = (1e-4, 1e-2, 0.1, 0.5, 1.0, 4.0)
"""Steps towards the advantage that theorem 3.3's surrogate is tried with, in units of log-probability over max |A|."""


def theorem_3_3(case: Case) -> Found:
    """Gain over penalty of the surrogate (17), (1/N) L^i against Mhat sqrt(Dmax) + C Dmax: at most 1, claimed reached.

    An agent moves only if the ratio exceeds 1. It is tried on the new policy and on exponential tilts
    pi exp(t A^i / max |A^i|), which for a given KL in each state gain the most. The proof that it never does: L^i <=
    max TV span(A^i) / (1 - gamma) <= 2 r_max / (1 - gamma)^2 sqrt(Dmax / 2), so that the ratio is at most
    1 / sqrt(2 N (N - 1)), 1/2 for two agents.
    """
    game, old, (root, kl) = case.game, case.game.solve(joint(case.old)), _constants(case)
    worst, surrogate = np.zeros(case.count), np.full(case.count, -np.inf)
    for agent, policy in enumerate(case.old):
        own = game.own(old.advantage, case.old, agent)
        unit = own / np.maximum(largest(own), 1e-300)[:, None, None]
        tilts = [policy * np.exp(size * unit) for size in SIZES]
        for tried in (case.new[agent], *(t / t.sum(-1, keepdims=True) for t in tilts)):
            gain = np.einsum("bs,bsa,bsa->b", old.occupancy, tried, own) / (1 - game.gamma) / game.agents
            moved = np.maximum(divergences((policy,), (tried,))[0], 0.0)
            price = root * np.sqrt(moved) + kl * moved
            worst = np.maximum(worst, ratio(gain, price, np.zeros(case.count)))
            surrogate = np.maximum(surrogate, np.where(moved > 1e-12, gain - price, -np.inf))
    limit = np.full(case.count, 1 / np.sqrt(2 * game.agents * (game.agents - 1)))
    return Found(worst, figures={"largest surrogate": surrogate, "share of the proved limit": worst / limit})
