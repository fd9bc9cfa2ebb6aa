"""PERLA: variances of marginalised critics and of policy gradient estimators, by enumeration and moment recursions.

Agent 0 learns. Its estimators are g = sum_t gamma^t X_t over an endless episode; X_t is Q(s, a) score(s, a_0) for g^C,
Qtilde(s, a_0) score for g^D, and for g^P the mean of Q over k fresh draws of the others' actions times the score. Their
first two moments solve linear equations, so nothing is sampled or cut off.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from coterie.exact.dec_mdp import joint, solve
from coterie.exact.found import Found, Numbers, error, largest, ratio
from coterie.exact.random_games import Case

DRAWS = 2
"""k where tuples of draws are enumerated."""


class _View(NamedTuple):
    """Agent 0's view: pi_0 ``[B, S, A]``, the others' joint policy ``[B, S, R]``, a table of both ``[B, S, A, R]``."""

    own: np.ndarray
    others: np.ndarray
    table: np.ndarray

    def mean(self) -> np.ndarray:
        """Qtilde (equation 1), ``[B, S, A]``."""
        return np.einsum("bsr,bsar->bsa", self.others, self.table)

    def spread(self) -> np.ndarray:
        """Var(Q | s, a_0), ``[B, S, A]``."""
        return np.einsum("bsr,bsar->bsa", self.others, (self.table - self.mean()[..., None]) ** 2)

    def drawn(self, power: int) -> np.ndarray:
        """E[Qhat^power | s, a_0] over all ``R^k`` tuples of draws, one by one."""
        total = np.zeros(self.own.shape)
        for tuple_ in itertools.product(range(self.others.shape[-1]), repeat=DRAWS):
            chance = np.prod([self.others[..., r] for r in tuple_], axis=0)
            total += chance[..., None] * np.mean([self.table[..., r] for r in tuple_], axis=0) ** power
        return total


def _view(case: Case, table: np.ndarray) -> _View:
    own = case.old[0]
    return _View(own, joint(case.old[1:]), table.reshape(*own.shape, -1))


def theorem_1(case: Case) -> Found:
    """Var(Qhat) = Var(Q) / k + (k - 1) / k Var(Qtilde) over s ~ d, a ~ pi, Qhat by all tuples of k = 2 draws."""
    seen = case.game.solve(joint(case.old))
    view = _view(case, case.table)
    weight = seen.occupancy[..., None] * view.own
    total = lambda x: (weight * x).sum((-2, -1))  # noqa: E731
    middle = total(view.mean())
    full = total(view.mean() ** 2 + view.spread()) - middle**2
    kept = total(view.mean() ** 2) - middle**2
    found = total(view.drawn(2)) - total(view.drawn(1)) ** 2
    told = full / DRAWS + (DRAWS - 1) / DRAWS * kept
    return Found(error(found, told, largest(case.table) ** 2), figures={"Var Qtilde / Var Q": ratio(kept, full, full)})


def theorem_3(case: Case) -> Found:
    """E[g^C] = E[g^P] with any critic, the draws of the others from the policies that made the data."""
    return _expectations(case, joint(case.old[1:]))


def theorem_3_stale(case: Case) -> Found:
    """The same where the others have already moved when they send their policies."""
    return _expectations(case, joint(case.new[1:]))


def _expectations(case: Case, sent: np.ndarray) -> Found:
    seen, view = case.game.solve(joint(case.old)), _view(case, case.table)
    weight = seen.occupancy[..., None] * view.own
    central = _total(weight, view.mean(), _tabular(case))
    perla = _total(weight, view._replace(others=sent).drawn(1), _tabular(case))
    return Found(error(perla, central, largest(case.table)))


def _total(weight: np.ndarray, critic: np.ndarray, score: np.ndarray) -> np.ndarray:
    return np.einsum("bsa,bsa,bsad->bd", weight, critic, score)


def _tabular(case: Case) -> np.ndarray:
    """Scores of a softmax table: a parameter for each state and action, ``[B, S, A, S * A]``."""
    policy = case.old[0]
    count, states, actions = policy.shape
    inner = np.eye(actions) - policy[:, :, None, :]
    return np.einsum("st,bsac->bsatc", np.eye(states), inner).reshape(count, states, actions, states * actions)


def _single(case: Case) -> np.ndarray:
    """Scores of one parameter that all states share, logits = theta * feature(s, a): ``[B, S, A, 1]``."""
    policy = case.old[0]
    feature = case.table[..., : policy.shape[-1]]
    return (feature - (policy * feature).sum(-1, keepdims=True))[..., None]


def variances(case: Case, score: np.ndarray, draws: int = 1) -> tuple[Numbers, Numbers, Numbers]:
    """Var(g^C), Var(g^P), Var(g^D) with true Q, summed over components.

    With G = X + gamma G' and m(s) = E[G | s]: E[|G|^2 | s] = E[|X|^2 + 2 gamma <X, m(s')> + gamma^2 |G'|^2]. In g^C the
    reward-to-go X and the next state share the others' actions; in g^P and g^D they do not.
    """
    game, policy = case.game, joint(case.old)
    quality = game.solve(policy).quality
    view = _view(case, quality)
    average, spread, size = view.mean(), view.spread(), (score**2).sum(-1)
    step = (view.own[..., None] * average[..., None] * score).sum(-2)  # E[X | s], [B, S, D]
    mean = np.linalg.solve(game.system(policy), step)
    ahead = np.einsum("bsjp,bpd->bsjd", game.transition, mean).reshape(*view.table.shape, -1)
    together = np.einsum("bsa,bsr,bsad,bsard->bsar", view.own, view.others, score, ahead)
    twice = np.eye(game.states) - game.gamma**2 * game.chain(policy)
    centre = (np.einsum("bs,bsd->bd", game.start, mean) ** 2).sum(-1)

    def variance(square: np.ndarray, critic: np.ndarray) -> Numbers:
        now = (view.own * size * square).sum(-1) + 2 * game.gamma * (critic * together).sum((-2, -1))
        return (game.start * solve(twice, now)).sum(-1) - centre

    flat = average[..., None]
    return (variance(average**2 + spread, view.table), variance(average**2 + spread / draws, flat),
            variance(average**2, flat))  # fmt: skip


def _limit(case: Case, score: np.ndarray, signed: bool) -> Numbers:
    """B^2 C^2 / (1 - gamma^2), C = sup Q or sup |Q|."""
    quality = case.game.solve(joint(case.old)).quality
    top = quality.max((-2, -1)) if signed else largest(quality)
    return (score**2).sum(-1).max((-2, -1)) * top**2 / (1 - case.game.gamma**2)


def theorem_4_equality(case: Case) -> Found:
    """Var(g^P) - Var(g^D) = (1/k) E[sum_t gamma^{2t} |score|^2 Var(Q | s, a_0)], k = 3 (equation 9)."""
    score, policy, game = _tabular(case), joint(case.old), case.game
    quality = game.solve(policy).quality
    view = _view(case, quality)
    _, perla, alone = variances(case, score, draws=3)
    rate = (view.own * (score**2).sum(-1) * view.spread()).sum(-1)
    told = (game.start * solve(np.eye(game.states) - game.gamma**2 * game.chain(policy), rate)).sum(-1) / 3
    return Found(error(perla - alone, told, largest(quality) ** 2 / (1 - game.gamma**2)))


def theorem_4(case: Case) -> Found:
    """Var(g^P) - Var(g^D) <= B^2 C^2 / (k (1 - gamma^2)), C = sup Q as printed; mended: sup |Q|."""
    worst, mended = np.zeros(case.count), np.zeros(case.count)
    for score in (_tabular(case), _single(case)):
        _, perla, alone = variances(case, score)
        scale = largest(case.game.solve(joint(case.old)).quality) ** 2
        worst = np.maximum(worst, ratio(perla - alone, _limit(case, score, signed=True), scale))
        mended = np.maximum(mended, ratio(perla - alone, _limit(case, score, signed=False), scale))
    return Found(worst, mended)


def theorem_5(case: Case) -> Found:
    """Var(g^C) - Var(g^D) <= B^2 C^2 / (1 - gamma^2), C = sup |Q|; one parameter that all states share."""
    return _theorem_5(case, _single(case))


def theorem_5_tabular(case: Case) -> Found:
    """The same with a parameter for each state and action."""
    return _theorem_5(case, _tabular(case))


def _theorem_5(case: Case, score: np.ndarray) -> Found:
    central, _, alone = variances(case, score)
    scale = largest(case.game.solve(joint(case.old)).quality) ** 2
    limit = _limit(case, score, signed=False)
    return Found(
        ratio(central - alone, limit, scale), figures={"Var g^D above Var g^C": ratio(alone - central, limit, scale)}
    )
