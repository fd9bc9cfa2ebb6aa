"""Sequential updates under shared parameters: the baseline of later agents drifts (OMDPG's "baseline drift").

Agents choose by softmax tables ``[S, A]`` that begin as copies of one: one for all, one for each, or one for each type.
In its turn an agent takes one gradient step of size ``rate`` (relative to the largest slope) on HAPPO's surrogate; it
moves everybody who shares its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coterie.exact.dec_mdp import Policies, joint, softmax
from coterie.exact.found import NOISE, Found, expected, largest, ratio
from coterie.exact.random_games import Case

STRIDE = 4.0
"""Largest change of a logit in one turn at rate 1."""


class _Pass(NamedTuple):
    """Behaviour, the policies before and after the turn of each agent, and the drift at the start of it, ``[N, B]``."""

    behaviour: Policies
    before: list[Policies]
    after: list[Policies]
    drift: np.ndarray


def types(actions: Sequence[int]) -> tuple[int, ...]:
    """The type of each agent: other numbers of actions make another, and so does a third place in the team."""
    return tuple(int(agent > 1 or count != actions[0]) for agent, count in enumerate(actions))


def _choose(logits: list[np.ndarray], actions: tuple[int, ...]) -> Policies:
    return tuple(softmax(own[..., :count]) for own, count in zip(logits, actions, strict=True))


def _sequence(case: Case, slots: Sequence[int], groups: Sequence[Sequence[int]] = ()) -> _Pass:
    """Agents of a slot share a table; ``groups`` take their turns together (none named: everybody alone)."""
    game = case.game
    base = np.log(max(case.old, key=lambda p: p.shape[-1]))
    logits = [base.copy() for _ in game.actions]
    behaviour = _choose(logits, game.actions)
    old, drift = game.solve(joint(behaviour)), []
    befores, afters = [], []
    for group in groups or [(agent,) for agent in range(game.agents)]:
        before = _choose(logits, game.actions)
        for agent in group:
            moved = np.abs(before[agent] / behaviour[agent] - 1) * behaviour[agent]
            drift.append((old.occupancy * moved.sum(-1)).sum(-1))
            centred = _centred(game.own(old.advantage, before, agent), before[agent])
            slope = old.occupancy[..., None] * before[agent] * centred
            step = (STRIDE * case.rate / np.maximum(largest(slope), 1e-300))[:, None, None] * slope
            for other in (j for j, slot in enumerate(slots) if slot == slots[agent]):
                logits[other] = logits[other].copy()
                logits[other][..., : game.actions[agent]] += step
        befores += [before] * len(group)
        afters += [_choose(logits, game.actions)] * len(group)
    return _Pass(behaviour, befores, afters, np.stack(drift))


def _slots(case: Case, shared: bool) -> tuple[int, ...]:
    return (0,) * case.game.agents if shared else tuple(range(case.game.agents))


def _centred(own: np.ndarray, policy: np.ndarray) -> np.ndarray:
    return own - (policy * own).sum(-1, keepdims=True)


def start_separate(case: Case) -> Found:
    """E_{d, pi}|pi_live / pi_behaviour - 1| at the start of a turn, own parameters: 0."""
    return Found(_sequence(case, _slots(case, shared=False)).drift.max(0))


def start_shared(case: Case) -> Found:
    """The same where all agents share theirs."""
    return Found(_sequence(case, _slots(case, shared=True)).drift.max(0))


def start_by_type(case: Case) -> Found:
    """The same where the agents of a type share theirs. Figures: at the turn of the first of its type, of a later one.

    A team without two agents of a type has no later one.
    """
    kinds = types(case.game.actions)
    drift = _sequence(case, kinds).drift
    first = np.array([kinds.index(kind) == agent for agent, kind in enumerate(kinds)])
    later = np.full(case.count, np.nan) if first.all() else drift[~first].max(0)
    return Found(drift.max(0), figures={"first of its type": drift[first].max(0), "later one": later})


def start_blocks(case: Case) -> Found:
    """The same where all agents of a type take their turn together (A2PO's blocks, drawn along the types): 0."""
    kinds = types(case.game.actions)
    groups = [[agent for agent, kind in enumerate(kinds) if kind == one] for one in sorted({*kinds})]
    return Found(_sequence(case, kinds, groups).drift.max(0))


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
    game, done = case.game, _sequence(case, _slots(case, shared))
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
