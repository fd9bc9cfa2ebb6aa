"""Equations that hold in every game: decompositions, the policy gradient, the decentralised critic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coterie.exact.dec_mdp import DecMdp, Policies, joint, solve
from coterie.exact.found import Found, error, expected, largest, ratio, solved, stages
from coterie.exact.random_games import Case

STEP = 1e-30
"""Of the complex-step derivative: Im f(x + i h) / h has no cancellation, so its error is rounding alone."""


def advantage_decomposition(case: Case) -> Found:
    """A^{1:m}(s, a^{1:m}) = sum_j A^j(s, a^{1:j-1}, a^j) for every m, agents in the order of their numbers and back."""
    found, worst = case.game.solve(joint(case.old)), np.zeros(case.count)
    for order in (range(case.game.agents), range(case.game.agents)[::-1]):
        total: np.ndarray | float = 0.0
        for m, agent in enumerate(order):
            before = _independent_advantage(case.game, case.old, found.quality, tuple(order[:m]), agent)
            total = total + before
            whole = case.game.marginal(found.advantage, case.old, order[: m + 1])
            worst = np.maximum(worst, error(total, np.broadcast_to(whole, np.shape(total)), largest(found.quality)))
    return Found(worst)


def _independent_advantage(
    game: DecMdp, policies: Policies, quality: np.ndarray, before: Sequence[int], agent: int
) -> np.ndarray:
    """A^agent(s, a^before, a^agent) = Q^{before, agent} - Q^{before}."""
    return game.marginal(quality, policies, (*before, agent)) - game.marginal(quality, policies, before)


def performance_difference(case: Case) -> Found:
    """J' - J = E_{d', pi'}[A] / (1 - gamma), d normalised; as printed d has the factor 1 / (1 - gamma) instead."""
    old, new = solved(case)
    exact, told = new.objective - old.objective, expected(case.game, new.occupancy, joint(case.new), old.advantage)
    scale = largest(old.quality)
    return Found(error(told / (1 - case.game.gamma) ** 2, exact, scale), error(told, exact, scale))


def non_stationarity(case: Case) -> Found:
    """The shift of the transitions from pi to pi-hat^i is the sum of the shifts that each turn causes."""
    chains = [case.game.chain(joint(stage)) for stage in stages(case)]
    turns, worst = np.zeros_like(chains[0]), np.zeros(case.count)
    for i, agent in enumerate(range(case.game.agents), 1):
        own = [q - p if j == agent else p for j, (p, q) in enumerate(zip(stages(case)[i - 1], case.new, strict=True))]
        turns = turns + case.game.chain(joint(tuple(own)))
        worst = np.maximum(worst, error(chains[i] - chains[0], turns, np.ones(case.count)))
    return Found(worst)


def joint_distance(case: Case) -> Found:
    """TV(pi, pi') <= sum_i TV(pi_i, pi'_i) in every state."""
    whole = 0.5 * np.abs(joint(case.old) - joint(case.new)).sum(-1)
    parts = sum(0.5 * np.abs(p - q).sum(-1) for p, q in zip(case.old, case.new, strict=True))
    ratios = [ratio(whole[:, s], np.asarray(parts)[:, s], np.zeros(case.count)) for s in range(case.game.states)]
    return Found(np.max(ratios, axis=0))


def policy_gradient(case: Case) -> Found:
    """DJ / dlogit = d(s) pi_i(a|s) A_i(s, a) / (1 - gamma), against the complex-step derivative of J."""
    game, found = case.game, case.game.gradient(case.old)
    worst, scale = np.zeros(case.count), np.max([largest(g) for g in found], axis=0)
    for agent, policy in enumerate(case.old):
        for s, a in np.ndindex(*policy.shape[-2:]):
            logits = np.log(policy).astype(complex)
            logits[:, s, a] += 1j * STEP
            raised = np.exp(logits)
            moved = raised / raised.sum(-1, keepdims=True)
            policy_j = joint(tuple(moved if j == agent else p for j, p in enumerate(case.old)))
            value = solve(game.system(policy_j), (policy_j * game.reward).sum(-1))
            slope = (game.start * value).sum(-1).imag / STEP
            worst = np.maximum(worst, error(slope, found[agent][:, s, a], scale))
    return Found(worst)


def decentralised_critic(case: Case) -> Found:
    """The fixed point of agent i's own Bellman equation (DPO, eq. 5) is E_{-i}[Q], and its V is the team's."""
    game, found, worst = case.game, case.game.solve(joint(case.old)), np.zeros(case.count)
    for agent, policy in enumerate(case.old):
        quality = _own_quality(game, case.old, agent, np.eye(game.states))
        exact = game.own(found.quality, case.old, agent)
        worst = np.maximum(worst, error(quality, exact, largest(found.quality)))
        worst = np.maximum(worst, error((policy * quality).sum(-1), found.value, largest(found.quality)))
    return Found(worst)


def decentralised_critic_hidden(case: Case) -> Found:
    """The same where an agent cannot tell states 0 and 1 apart and its critic sees what it sees.

    The critic's fixed point is that of the averaged game, states weighted by the occupancy; it is compared with
    E[Q | what the agent sees, a_i].
    """
    game, worst = case.game, np.zeros(case.count)
    if game.states == 1:
        return Found(worst)
    policies = tuple(_alias(p) for p in case.old)
    found = game.solve(joint(policies))
    seen = np.eye(game.states)[:, 1:]
    seen[0, 0] = 1.0
    weight = found.occupancy[..., None] * seen
    given = weight / np.maximum(weight.sum(-2, keepdims=True), 1e-300)  # P(state | observation), [B, S, O]
    visited = weight.sum(-2) > 1e-9
    for agent in range(game.agents):
        quality = _own_quality(game, policies, agent, seen, given)
        exact = np.einsum("bso,bsa->boa", given, game.own(found.quality, policies, agent))
        gap = np.where(visited[..., None], quality - exact, 0.0)
        worst = np.maximum(worst, error(gap, np.zeros_like(gap), largest(found.quality)))
    return Found(worst)


def _alias(policy: np.ndarray) -> np.ndarray:
    return np.concatenate([policy[:, :1], policy[:, :1], policy[:, 2:]], axis=1)


def _own_quality(
    game: DecMdp, policies: Policies, agent: int, seen: np.ndarray, given: np.ndarray | None = None
) -> np.ndarray:
    """Q(o, a_i) of an agent that takes the others for a part of its environment and ``seen [S, O]`` for the state."""
    weight = np.broadcast_to(seen, (len(game.reward), *seen.shape)) if given is None else given
    reward = np.einsum("bso,bsa->boa", weight, game.own(game.reward, policies, agent))
    steps = np.moveaxis(game.transition @ seen, -1, 1)  # [B, O', S, J]
    moves = np.stack([game.own(steps[:, o], policies, agent) for o in range(seen.shape[1])], axis=-1)
    moves = np.einsum("bso,bsap->boap", weight, moves)
    local = np.stack([policies[agent][:, np.flatnonzero(seen[:, o])[0]] for o in range(seen.shape[1])], axis=1)
    system = np.eye(seen.shape[1]) - game.gamma * np.einsum("boa,boap->bop", local, moves)
    value = solve(system, (local * reward).sum(-1))
    return reward + game.gamma * np.einsum("boap,bp->boa", moves, value)
