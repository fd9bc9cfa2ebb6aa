"""What a critic looks at: features ``[..., M, F]``, one row per value that is really different.

A team reward and the global state give one value for the whole team: M = 1, computed once and broadcast.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from coterie.contracts import Observation, Spec


class Local(eqx.Module):
    """V(o^i): each agent's own observation (IPPO)."""

    per_agent: bool = eqx.field(static=True, default=True, init=False)

    def size(self, spec: Spec) -> int:
        """F, the number of features."""
        return spec.observation_size

    def __call__(self, observation: Observation) -> Float[Array, "*lead M F"]:
        """The features."""
        return observation.local


class GlobalState(eqx.Module):
    """V(s): the state, once for the team; with individual rewards one output per agent (MAPPO)."""

    per_agent: bool = eqx.field(static=True, default=False, init=False)

    def size(self, spec: Spec) -> int:
        """F, the number of features."""
        return spec.state_size

    def __call__(self, observation: Observation) -> Float[Array, "*lead M F"]:
        """The features."""
        return observation.state[..., None, :]


class AgentSpecific(eqx.Module):
    """V(s, o^i): the state beside each agent's own observation (MAPPO's agent-specific state, CoPPO on SMAC)."""

    per_agent: bool = eqx.field(static=True, default=True, init=False)

    def size(self, spec: Spec) -> int:
        """F, the number of features."""
        return spec.state_size + spec.observation_size

    def __call__(self, observation: Observation) -> Float[Array, "*lead M F"]:
        """The features."""
        local = observation.local
        state = jnp.broadcast_to(observation.state[..., None, :], (*local.shape[:-1], observation.state.shape[-1]))
        return jnp.concatenate([state, local], axis=-1)


CriticInput = Local | GlobalState | AgentSpecific
