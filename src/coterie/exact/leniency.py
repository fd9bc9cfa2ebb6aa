"""Leniency is hysteresis in expectation: every outcome of the forgiving masks is enumerated.

A batch is the first few numbers of the case's table as errors (advantages), each in its own direction. A negative
error is forgotten with probability l (leniency; the seed's mask keeps it where x > l), so it has the weight
w = 1 - l in expectation.
"""

from __future__ import annotations

import itertools

import numpy as np

from coterie.exact.dec_mdp import joint
from coterie.exact.found import Found, error, largest
from coterie.exact.random_games import Case

BATCH = 6
STEP = 0.5
"""Learning rate of the tabular updates."""


def _masks(errors: np.ndarray, leniency: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """All outcomes ``(kept [B, M], chance [B])`` of independent masks; what is not negative is always kept."""
    out = []
    for bits in itertools.product((0.0, 1.0), repeat=errors.shape[-1]):
        kept = np.broadcast_to(np.array(bits), errors.shape)
        each = np.where(kept == 1.0, 1 - leniency[:, None], leniency[:, None])
        each = np.where(errors >= 0, kept, each)
        out.append((kept, each.prod(-1)))
    return out


def _mask_expectation(case: Case, averaged: bool) -> Found:
    """E over masks of the batch's policy gradient, against that with the weights 1 - l."""
    policy, advantage = joint(case.old), case.table
    count, states, actions = policy.shape
    score = (np.eye(states * actions) - policy.reshape(count, -1)[:, None, :])[:, :BATCH]  # any directions will do
    errors = advantage.reshape(count, -1)[:, :BATCH]
    weight = np.where(errors < 0, 1 - case.rate[:, None], 1.0)
    exact = np.einsum("bm,bm,bmd->bd", weight, errors, score) / errors.shape[-1]
    total = np.zeros_like(exact)
    for kept, chance in _masks(errors, case.rate):
        number = np.maximum(kept.sum(-1), 1.0) if averaged else np.full(count, errors.shape[-1])
        total += (chance / number)[:, None] * np.einsum("bm,bm,bmd->bd", kept, errors, score)
    return Found(error(total, exact, largest(exact)))


def gradient(case: Case) -> Found:
    """E[(1/B) sum m_b A_b grad log pi_b] = (1/B) sum w_b A_b grad log pi_b, w = 1 - l where A < 0: one update."""
    return _mask_expectation(case, averaged=False)


def gradient_of_kept(case: Case) -> Found:
    """The same where the mean is over the kept samples only."""
    return _mask_expectation(case, averaged=True)


def table_once(case: Case) -> Found:
    """Lenient Q-learning, one update: E[Q + m eta delta] is hysteretic Q-learning with beta = (1 - l) eta."""
    return _table(case, steps=1)


def table_often(case: Case) -> Found:
    """The same after four updates: the sign of an error depends on what was forgiven before."""
    return _table(case, steps=4)


def _table(case: Case, steps: int) -> Found:
    """E of a lenient Q-value over all masks of ``steps`` rewards, against the hysteretic one."""
    rewards = case.table.reshape(case.count, -1)[:, :steps]
    hysteretic = np.zeros(case.count)
    for reward in rewards.T:
        delta = reward - hysteretic
        hysteretic = hysteretic + STEP * np.where(delta < 0, 1 - case.rate, 1.0) * delta
    lenient = np.zeros(case.count)
    for bits in itertools.product((False, True), repeat=steps):
        value, chance = np.zeros(case.count), np.ones(case.count)
        for reward, forgiven in zip(rewards.T, bits, strict=True):
            delta = reward - value
            chance = chance * np.where(delta < 0, case.rate if forgiven else 1 - case.rate, 0.0 if forgiven else 1.0)
            value = value + (0.0 if forgiven else STEP * delta)
        lenient = lenient + chance * value
    return Found(error(lenient, hysteretic, np.abs(rewards).max(-1)))
