"""Probe games: tiny tasks with exact answers, each of which needs one more thing to be right.

A rule says what is seen and paid, what a best team does, and the exact value of each state under it. Where actions
do not matter that is the value under every team. A learner that fails an early probe has a fault that no tuning
will mend. ``probe_teams`` adds memory, mixed teams, boxes and several action components.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from coterie.contracts import ActionSpace, Observation, Spec
from coterie.games.options import whole_at_least
from coterie.games.probe_game import ProbeGame, ProbeState, Rule, alike, all_see, idle


@dataclass(frozen=True)
class ConstantRule:
    """Every step pays 1. Terminating after one step, V = 1; merely truncated after ``length``, V = 1 / (1 - gamma)."""

    agents: int
    length: int
    truncates: bool

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return alike(self.agents, 1, ActionSpace.discrete(2), self.length, float(self.length))

    def observe(self, state: ProbeState) -> Observation:
        """Always 1."""
        return all_see(self.spec, jnp.ones_like(state.cue)[None])

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """Always 1."""
        return jnp.ones_like(state.cue)

    def best(self, state: ProbeState) -> Array:
        """Any action."""
        return idle(self.spec)

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """The sum of gamma^k over the steps to come: endlessly many if only the clock ends an episode."""
        endless = jnp.ones_like(state.cue) / (1 - gamma)
        return endless if self.truncates else endless * (1 - gamma ** (self.length - state.time))


@dataclass(frozen=True)
class ObservationRule:
    """One step pays the number that is seen: V(o) = o."""

    agents: int
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return alike(self.agents, 1, ActionSpace.discrete(2), 1, 0.0)

    def observe(self, state: ProbeState) -> Observation:
        """The cue."""
        return all_see(self.spec, state.cue[None])

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """The cue."""
        return state.cue

    def best(self, state: ProbeState) -> Array:
        """Any action."""
        return idle(self.spec)

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """The cue."""
        return state.cue


@dataclass(frozen=True)
class DiscountRule:
    """The last of ``length`` steps pays 1 and the clock is seen: V(t) = gamma^(length - 1 - t)."""

    agents: int
    length: int
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return alike(self.agents, self.length, ActionSpace.discrete(2), self.length, 1.0)

    def observe(self, state: ProbeState) -> Observation:
        """The time, one-hot."""
        return all_see(self.spec, jax.nn.one_hot(state.time, self.length))

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """1 at the last step."""
        return (state.time == self.length - 1).astype(state.cue.dtype)

    def best(self, state: ProbeState) -> Array:
        """Any action."""
        return idle(self.spec)

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """Discounted once for each step before the last."""
        return jnp.ones_like(state.cue) * gamma ** (self.length - 1 - state.time)


@dataclass(frozen=True)
class ActionRule:
    """One step; right is action 1, or where the cue is seen 0 for cue -1 and 1 for cue 1.

    Pays the share of agents that are right (own action matters), or 1 if all are and else 0 (joint action matters).
    V = 1 for a best team. For uniform play it is 1/2, or 2^-N if joint.
    """

    agents: int
    joint: bool
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return alike(self.agents, 1, ActionSpace.discrete(2), 1, 1.0)

    def observe(self, state: ProbeState) -> Observation:
        """The cue if joint, else 1."""
        return all_see(self.spec, (state.cue if self.joint else jnp.ones_like(state.cue))[None])

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """The share of right actions, or whether all are."""
        right = (action == self.best(state)).astype(state.cue.dtype)
        return right.min() if self.joint else right.mean()

    def best(self, state: ProbeState) -> Array:
        """The right action of every agent."""
        right = (state.cue > 0).astype(jnp.int32) if self.joint else 1
        return idle(self.spec) + right

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """1."""
        return jnp.ones_like(state.cue)


def _opened(rule: Rule, agents: int, length: int = 1) -> ProbeGame:
    whole_at_least("agents", agents, 1)
    whole_at_least("length", length, 1)
    return ProbeGame(rule)


def constant(agents: int = 2) -> ProbeGame:
    """One step that always pays 1: V = 1."""
    return _opened(ConstantRule(agents, 1, truncates=False), agents)


def observation(agents: int = 2) -> ProbeGame:
    """One step that pays what is seen, -1 or 1: V(o) = o."""
    return _opened(ObservationRule(agents), agents)


def discount(agents: int = 2, length: int = 2) -> ProbeGame:
    """The last of ``length`` steps pays 1: V(t) = gamma^(length - 1 - t)."""
    return _opened(DiscountRule(agents, length), agents, length)


def action(agents: int = 2) -> ProbeGame:
    """One step that pays the share of agents choosing 1: V = 1 at best, 1/2 for uniform play."""
    return _opened(ActionRule(agents, joint=False), agents)


def joint(agents: int = 2) -> ProbeGame:
    """One step that pays 1 if all choose what the cue says: V = 1 at best, 2^-agents for uniform play."""
    return _opened(ActionRule(agents, joint=True), agents)


def truncation(agents: int = 2, length: int = 5) -> ProbeGame:
    """Pays 1 for ever, cut by the clock every ``length`` steps: V = 1 / (1 - gamma) in every state."""
    return _opened(ConstantRule(agents, length, truncates=True), agents, length)


GAMES = {
    "probe/constant": constant,
    "probe/observation": observation,
    "probe/discount": discount,
    "probe/action": action,
    "probe/joint": joint,
    "probe/truncation": truncation,
}
"""The games of this file by name."""
