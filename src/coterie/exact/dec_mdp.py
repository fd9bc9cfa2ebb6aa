"""A tabular Dec-MDP solved exactly in double precision: values, advantages, occupancy, gradients, optimum.

A policy is a tuple with one table ``[*, S, A_i]`` for each agent; a joint policy is one table ``[*, S, J]`` of all
``J = A_1 ... A_N`` joint actions, the first agent's choice counting most. ``*`` stands for any number of leading axes:
thousands of games of one size are solved in one call.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from coterie.contracts import CoterieError

Table = Float[np.ndarray, "..."]
Policies = tuple[Table, ...]


class Solved(NamedTuple):
    """What a joint policy is worth: V, Q, A, the normalised discounted state distribution d, and J = start . V."""

    value: Float[np.ndarray, "*b S"]
    quality: Float[np.ndarray, "*b S J"]
    advantage: Float[np.ndarray, "*b S J"]
    occupancy: Float[np.ndarray, "*b S"]
    objective: Float[np.ndarray, "*b"]


@dataclass(frozen=True, eq=False)
class DecMdp:
    """A cooperative game with full observation in which everything is known.

    Args:
        transition: P(s' | s, joint action), ``[*, S, J, S]``.
        reward: R(s, joint action), ``[*, S, J]``.
        start: Distribution of the first state, ``[*, S]``.
        gamma: Discount, at least 0 and below 1.
        actions: Number of actions of each agent.
    """

    transition: Float[np.ndarray, "*b S J S"]
    reward: Float[np.ndarray, "*b S J"]
    start: Float[np.ndarray, "*b S"]
    gamma: float
    actions: tuple[int, ...]

    def __post_init__(self) -> None:
        states, joint = self.reward.shape[-2:]
        if self.transition.shape[-3:] != (states, joint, states) or self.start.shape[-1] != states:
            raise CoterieError(f"transitions {self.transition.shape}, rewards {self.reward.shape} and start "
                               f"{self.start.shape} do not fit: give [S, J, S], [S, J] and [S]")  # fmt: skip
        if joint != math.prod(self.actions):
            raise CoterieError(f"{self.actions} actions make {math.prod(self.actions)} joint actions, not {joint}")
        if not 0.0 <= self.gamma < 1.0:
            raise CoterieError(f"gamma is {self.gamma}: give a number of at least 0 and below 1")
        for name, chances in (("transition", self.transition), ("start", self.start)):
            if chances.min() < 0.0 or np.abs(chances.sum(-1) - 1.0).max() > 1e-6:
                raise CoterieError(f"{name} is no distribution: its rows must be at least 0 and sum to 1")

    @property
    def states(self) -> int:
        """S."""
        return self.reward.shape[-2]

    @property
    def agents(self) -> int:
        """N."""
        return len(self.actions)

    def reward_bound(self) -> Float[np.ndarray, "*b"]:
        """r_max = max |R|."""
        return np.abs(self.reward).max((-2, -1))

    def expand(self, table: Float[np.ndarray, "*b S J"]) -> Table:
        """The same table with one axis for each agent, ``[*, S, A_1, ..., A_N]``."""
        return table.reshape(*table.shape[:-1], *self.actions)

    def chain(self, policy: Float[np.ndarray, "*b S J"]) -> Float[np.ndarray, "*b S S"]:
        """State transitions under a joint policy (or any weights of joint actions)."""
        return np.einsum("...sj,...sjp->...sp", policy, self.transition)

    def look_ahead(self, value: Float[np.ndarray, "*b S"]) -> Float[np.ndarray, "*b S J"]:
        """sum_s' P(s' | s, a) value(s')."""
        return np.einsum("...sjp,...p->...sj", self.transition, value)

    def system(self, policy: Float[np.ndarray, "*b S J"]) -> Float[np.ndarray, "*b S S"]:
        """I - gamma P_pi, whose inverse sums over time."""
        return np.eye(self.states) - self.gamma * self.chain(policy)

    def solve(self, policy: Float[np.ndarray, "*b S J"]) -> Solved:
        """Solve the Bellman equation of a joint policy ``[*, S, J]``, and d = (1 - gamma) sum_t gamma^t P_t."""
        system = self.system(policy)
        value = solve(system, (policy * self.reward).sum(-1))
        quality = self.reward + self.gamma * self.look_ahead(value)
        occupancy = (1 - self.gamma) * solve(np.swapaxes(system, -1, -2), np.broadcast_to(self.start, value.shape))
        return Solved(value, quality, quality - value[..., None], occupancy, (self.start * value).sum(-1))

    def marginal(self, table: Float[np.ndarray, "*b S J"], policies: Policies, keep: Collection[int]) -> Table:
        """E[table | actions of ``keep``], the other agents drawn from their policies: ``[*, S, A_i or 1, ...]``.

        Of Q it is the multi-agent value Q^{i_1..i_m} (A2PO's slides, "HAPPO"; Kuba et al. 2022, definition 1).
        """
        out = self.expand(table)
        for agent in range(self.agents):
            if agent not in keep:
                weight = along(policies[agent], agent, self.agents)
                out = (out * weight).sum(out.ndim - self.agents + agent, keepdims=True)
        return out

    def own(self, table: Float[np.ndarray, "*b S J"], policies: Policies, agent: int) -> Float[np.ndarray, "*b S A"]:
        """The table of one agent, the others marginalised: of Q, PERLA's equation 1 and DPO's decentralised critic."""
        kept = self.marginal(table, policies, (agent,))
        return kept.reshape(*kept.shape[: kept.ndim - self.agents], self.actions[agent])

    def gradient(self, policies: Policies, slots: Sequence[int] | None = None) -> Policies:
        """DJ / d logits of softmax tables, one ``[*, S, A]`` for each slot (of agents that share, the sum).

        d(s) pi_i(a | s) A_i(s, a) / (1 - gamma): the policy gradient theorem (PERLA, theorem 2), exactly.
        """
        found = self.solve(joint(policies))
        each = [
            found.occupancy[..., None] * pi * self.own(found.advantage, policies, i) / (1 - self.gamma)
            for i, pi in enumerate(policies)
        ]
        owners = tuple(range(self.agents)) if slots is None else tuple(slots)
        totals = (sum(g for g, owner in zip(each, owners, strict=True) if owner == slot) for slot in sorted({*owners}))
        return tuple(np.asarray(total) for total in totals)

    def improvement(self, old: Policies, new: Policies) -> Float[np.ndarray, "*b"]:
        """J(new) - J(old)."""
        return self.solve(joint(new)).objective - self.solve(joint(old)).objective

    def optimum(self) -> tuple[Float[np.ndarray, "*b S"], Int[np.ndarray, "*b S"]]:
        """The optimal values and a joint action for each state that attains them, by policy iteration."""
        choice = self.reward.argmax(-1)
        while True:  # each round is better than the last, and there are finitely many policies
            value, quality = self.solve(self.deterministic(choice))[:2]
            better = np.where(quality.max(-1) > value + 1e-10 * (1 + np.abs(value)), quality.argmax(-1), choice)
            if np.array_equal(better, choice):
                return value, choice
            choice = better

    def deterministic(self, choice: Int[np.ndarray, "*b S"]) -> Float[np.ndarray, "*b S J"]:
        """The joint policy that takes one joint action in each state."""
        return np.eye(self.reward.shape[-1])[choice]

    def finite_value(self, policy: Float[np.ndarray, "*b S J"], horizon: int) -> Float[np.ndarray, "*b S"]:
        """Expected sum of ``horizon`` rewards, not discounted, of a policy that does not know the time."""
        value = np.zeros(self.reward.shape[:-1])
        for _ in range(horizon):
            value = (policy * (self.reward + self.look_ahead(value))).sum(-1)
        return value

    def finite_optimum(self, horizon: int) -> Float[np.ndarray, "*b S"]:
        """The most that ``horizon`` steps can bring, not discounted, to a team that knows the time."""
        value = np.zeros(self.reward.shape[:-1])
        for _ in range(horizon):
            value = (self.reward + self.look_ahead(value)).max(-1)
        return value


def solve(system: Float[np.ndarray, "*b S S"], right: Float[np.ndarray, "*b S"]) -> Float[np.ndarray, "*b S"]:
    """X of system x = right."""
    return np.linalg.solve(system, right[..., None])[..., 0]


def along(policy: Float[np.ndarray, "*b S A"], agent: int, agents: int) -> Table:
    """One agent's table shaped to multiply an expanded table ``[*, S, A_1, ..., A_N]``."""
    return policy.reshape(*policy.shape[:-1], *(policy.shape[-1] if j == agent else 1 for j in range(agents)))


def joint(policies: Policies) -> Float[np.ndarray, "*b S J"]:
    """The product policy of all agents."""
    out = policies[0]
    for policy in policies[1:]:
        out = (out[..., :, None] * policy[..., None, :]).reshape(*out.shape[:-1], -1)
    return out


def softmax(logits: Table) -> Table:
    """Probabilities of logits, over the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)
