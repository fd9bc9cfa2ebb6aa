"""Sequential updates under shared parameters: the baseline of later agents drifts (OMDPG's "baseline drift").

All agents choose by one softmax table ``[S, A]``, or each by its own copy of it. In its turn an agent takes one
gradient step of size ``rate`` (relative to the largest slope) on HAPPO's surrogate; with sharing it moves everybody.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coterie.exact.dec_mdp import Policies, joint, softmax
from coterie.exact.found import NOISE, Found, Numbers, expected, largest, ratio
from coterie.exact.random_games import Case

STRIDE = 4.0
"""Largest change of a logit in one turn at rate 1."""


class _Pass(NamedTuple):
    """All turns: behaviour, the policies before and after each turn, and the drift at the start of each."""

    behaviour: Policies
    before: list[Policies]
    after: list[Policies]
    drift: Numbers


def _choose(logits: list[np.ndarray], actions: tuple[int, ...]) -> Policies:
    return tuple(softmax(own[..., :count]) for own, count in zip(logits, actions, strict=True))


def _sequence(case: Case, shared: bool) -> _Pass:
    game = case.game
    base = np.log(max(case.old, key=lambda p: p.shape[-1]))
    logits = [base.copy() for _ in game.actions]
    behaviour = _choose(logits, game.actions)
    old, drift = game.solve(joint(behaviour)), np.zeros(case.count)
    befores, afters = [], []
    for agent, count in enumerate(game.actions):
        before = _choose(logits, game.actions)
        moved = np.abs(before[agent] / behaviour[agent] - 1) * behaviour[agent]
        drift = np.maximum(drift, (old.occupancy * moved.sum(-1)).sum(-1))
        slope = (
            old.occupancy[..., None] * before[agent] * _centred(game.own(old.advantage, before, agent), before[agent])
        )
        step = (STRIDE * case.rate / np.maximum(largest(slope), 1e-300))[:, None, None] * slope
        for other in range(game.agents) if shared else (agent,):
            logits[other] = logits[other].copy()
            logits[other][..., :count] += step
        befores.append(before)
        afters.append(_choose(logits, game.actions))
    return _Pass(behaviour, befores, afters, drift)


def _centred(own: np.ndarray, policy: np.ndarray) -> np.ndarray:
    return own - (policy * own).sum(-1, keepdims=True)


def start_separate(case: Case) -> Found:
    """E_{d, pi}|pi_live / pi_behaviour - 1| at the start of a turn, own parameters: 0."""
    return Found(_sequence(case, shared=False).drift)


def start_shared(case: Case) -> Found:
    """The same where all agents share theirs."""
    return Found(_sequence(case, shared=True).drift)


def estimate_separate(case: Case) -> Found:
    """sum_i E_{d, pi}[(M r^i - M) A] = E_{d, pi'}[A], M the ratios of the turns before: HAPPO's estimate telescopes."""
    return _estimate(case, shared=False)


def estimate_shared(case: Case) -> Found:
    """The same with shared parameters and ratios against the live policy at the start of the turn.

    Figures: the error with ratios against the frozen behaviour policy, and where the return falls although the
    estimate promised a rise (1) or not (0).
    """
    return _estimate(case, shared=True)


def _estimate(case: Case, shared: bool) -> Found:
    game, done = case.game, _sequence(case, shared)
    old = game.solve(joint(done.behaviour))
    live, frozen = np.zeros(case.count), np.zeros(case.count)
    factor: Policies = ()  # M pi of the agents that had their turn
    for i in range(game.agents):
        rest, start = done.behaviour[i + 1 :], done.behaviour[i]
        own = start * done.after[i][i] / done.before[i][i]
        gain = lambda mine, past, rest=rest: expected(game, old.occupancy, joint((*past, mine, *rest)), old.advantage)  # noqa: E731
        live += gain(own, factor) - gain(start, factor)
        past = tuple(done.after[j][j] for j in range(i))
        frozen += gain(done.after[i][i], past) - gain(start, past)
        factor = (*factor, own)
    final = done.after[-1]
    target = expected(game, old.occupancy, joint(final), old.advantage)
    scale, size = largest(old.advantage) / (1 - game.gamma), largest(old.quality) / (1 - game.gamma)
    change = game.solve(joint(final)).objective - old.objective
    wrong = (live > NOISE * size) & (change < -NOISE * size)
    figures = {
        "frozen ratios": ratio(np.abs(frozen - target), scale, size),
        "worse though estimated better": wrong.astype(float),
    }
    return Found(ratio(np.abs(live - target), scale, size), figures=figures)
