"""What probe games share: a rule, with exact values, made playable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, Spec


class ProbeState(NamedTuple):
    """Steps taken, and what was drawn for the episode: -1 or 1."""

    time: Int[Array, ""]
    cue: Float[Array, ""]


class Rule(Protocol):
    """What a probe game asks."""

    @property
    def spec(self) -> Spec:
        """What the game is; an episode always lasts ``horizon`` steps."""
        ...

    @property
    def truncates(self) -> bool:
        """Whether only the clock ends an episode, so that values reach beyond its end."""
        ...

    def observe(self, state: ProbeState) -> Observation:
        """What the team sees."""
        ...

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """The team's reward for an action in a state."""
        ...

    def best(self, state: ProbeState) -> Array:
        """A best joint action."""
        ...

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """The exact discounted return from a state under the best team."""
        ...


@dataclass(frozen=True)
class ProbeGame:
    """A rule made playable.

    Args:
        rule: What the game asks.
    """

    rule: Rule

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return self.rule.spec

    def reset(self, key: PRNGKeyArray) -> tuple[ProbeState, Observation]:
        """A new episode; its cue is -1 or 1 with equal chance."""
        state = ProbeState(jnp.zeros((), jnp.int32), jax.random.rademacher(key, (), float))
        return state, self.rule.observe(state)

    def step(self, key: PRNGKeyArray, state: ProbeState, action: Array) -> tuple[ProbeState, Observation, Outcome]:
        """Pay the joint action and move the clock."""
        reward = jnp.broadcast_to(self.rule.pay(state, action), (self.spec.n_agents,))
        after = ProbeState(state.time + 1, state.cue)
        over = after.time >= self.spec.horizon
        never = jnp.zeros((), bool)
        ends = (never, over) if self.rule.truncates else (over, never)
        return after, self.rule.observe(after), Outcome(reward, *ends, {})


def alike(agents: int, size: int, space: ActionSpace, horizon: int, optimum: float) -> Spec:
    """The spec of a team of equals whose state is what each of them sees."""
    names = tuple(f"agent_{i}" for i in range(agents))
    return Spec(names, ("agent",) * agents, (size,) * agents, (space,) * agents, size, horizon, optimum=optimum)


def all_see(spec: Spec, features: Float[Array, " O"]) -> Observation:
    """The observation in which state and every local observation are the same features."""
    n = spec.n_agents
    local = jnp.broadcast_to(features, (n, *features.shape))
    return Observation(local, features, jnp.asarray(spec.legal), jnp.ones(n, bool))


def idle(spec: Spec) -> Array:
    """The joint action of zeros, for rules that pay no heed to it."""
    return jnp.zeros((spec.n_agents, *spec.action_shape), jnp.int32)
