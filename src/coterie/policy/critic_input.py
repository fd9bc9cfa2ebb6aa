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


class PolicyEmbedded(eqx.Module):
    """V(s, a^-i): what ``inner`` gives and the *other* agents' actions; the value is its mean over their policies.

    V^_i(s) = E_{a^-i ~ pi^-i} V(s, a^-i), the mean over ``samples`` draws from the behaviour policies, fresh for every
    step; or, where the others have ``enumerated`` joint actions or fewer, exact. The critic is trained on the actions
    taken. The actions come in at the head of the critic network, whose first layer is linear in them: a draw costs no
    more than the layers above that one. Source: PERLA, section 3 (its K is 100).

    Args:
        inner: What else the critic looks at: ``local`` (PERLA-IPPO) or ``global_state`` (PERLA-MAPPO).
        samples: K, draws for each step.
        enumerated: Enumerate up to this many joint actions of the others instead of drawing.
    """

    inner: Local | GlobalState | AgentSpecific = Local()
    samples: int = eqx.field(static=True, default=100)
    enumerated: int = eqx.field(static=True, default=100)

    @property
    def per_agent(self) -> bool:
        """Whether the features below the actions differ from agent to agent; the values always do."""
        return self.inner.per_agent

    def size(self, spec: Spec) -> int:
        """F, the number of features without the actions."""
        return self.inner.size(spec)

    def __call__(self, observation: Observation) -> Float[Array, "*lead M F"]:
        """The features without the actions."""
        return self.inner(observation)


CriticInput = Local | GlobalState | AgentSpecific | PolicyEmbedded
