"""What is valued: the agents' own utilities, an agent's action by itself, or the joint action."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from coterie.contracts import Spec
from coterie.nets.networks import Network
from coterie.nets.sharing import Layout, layout
from coterie.parts.tower import Tower
from coterie.value.mixing import GAIN


class Utilities(eqx.Module):
    """Q_i(o_i, a_i), the outputs of the agents' own networks, as ``mixing`` puts them together; no network beside."""


class OwnAction(eqx.Module):
    """Q_i(o_i, a_i), one value for each agent from its own observation and action (independent DDPG).

    Args:
        ensemble: C, copies that differ in their start; targets take the least of them.
    """

    ensemble: int = eqx.field(static=True, default=1)

    @property
    def each(self) -> bool:
        """Whether every agent has a value of its own."""
        return True

    def size(self, spec: Spec, actions: int) -> int:
        """Inputs of the network."""
        return spec.observation_size + actions

    def features(
        self, local: Float[Array, "*lead N O"], state: Float[Array, "*lead S"], joint: Float[Array, "*lead N N F"]
    ) -> Float[Array, "*lead N X"]:
        """What each agent's value reads; ``joint[..., i, :, :]`` is the joint action as agent i takes it to be."""
        del state
        own = jnp.moveaxis(jnp.diagonal(joint, axis1=-3, axis2=-2), -1, -2)
        return jnp.concatenate([local, own], -1)


class JointAction(eqx.Module):
    """Q(s, a_1, ..., a_N), a value of the global state and the joint action (Lowe et al. 2017; Kuba et al. 2022).

    Args:
        each: Give every agent a value of its own (MADDPG), in the slots of ``sharing``.
        ensemble: C, copies that differ in their start; targets take the least of them.
        pessimism: lambda_PU: how much copies are drawn to their own pessimistic value of joint actions that nobody has
            tried, y_PU = mean_c Q_c - kappa std_c (OMDPG, "pessimistic uncertainty"); None leaves the term out.
        kappa: Deviations that y_PU lies below the mean.
    """

    each: bool = eqx.field(static=True, default=False)
    ensemble: int = eqx.field(static=True, default=1)
    pessimism: float | None = None
    kappa: float = 1.0

    def size(self, spec: Spec, actions: int) -> int:
        """Inputs of the network."""
        return spec.state_size + spec.n_agents * actions

    def features(
        self, local: Float[Array, "*lead N O"], state: Float[Array, "*lead S"], joint: Float[Array, "*lead N N F"]
    ) -> Float[Array, "*lead N X"]:
        """What each agent's value reads; ``joint[..., i, :, :]`` is the joint action as agent i takes it to be."""
        n, lead = local.shape[-2], joint.shape[:-2]
        wide = jnp.broadcast_to(state[..., None, :], (*lead, state.shape[-1]))
        return jnp.concatenate([wide, joint.reshape(*lead, n * joint.shape[-1])], -1)


ActionCritic = OwnAction | JointAction


class ActionValue(eqx.Module):
    """Networks that value actions: C copies, each with the slots of its agents, or one for the team."""

    part: ActionCritic
    network: Network = eqx.field(static=True)
    spec: Spec = eqx.field(static=True)
    sharing: str | tuple[int, ...] = eqx.field(static=True)
    actions: int = eqx.field(static=True)

    @property
    def tower(self) -> Tower:
        """One copy."""
        slots = layout(self.sharing, self.spec) if self.part.each else Layout((0,))
        return Tower(self.network, slots, self.part.size(self.spec, self.actions), 1, GAIN)

    def init(self, key: PRNGKeyArray) -> PyTree:
        """Parameters ``[C slots, ...]``."""
        copies = [self.tower.init(k) for k in jax.random.split(key, self.part.ensemble)]
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *copies)

    def of(self, params: PyTree, features: Float[Array, "L R M X"]) -> Float[Array, "C L R M"]:
        """The value of every copy; ``M`` is the team's 1, or N."""
        tower, c = self.tower, self.part.ensemble
        arranged = tower.arrange(tower.mark(features))
        tiled = jnp.broadcast_to(arranged[None], (c, *arranged.shape)).reshape(-1, *arranged.shape[1:])
        raw, _ = tower.apply(params, (), tiled, jnp.zeros(features.shape[:2], bool))
        return jax.vmap(tower.restore)(raw.reshape(c, -1, *raw.shape[1:]))[..., 0]

    def joint(
        self, params: PyTree, local: Float[Array, "L R N O"], state: Float[Array, "L R S"],
        action: Float[Array, "L R N F"],
    ) -> Float[Array, "C L R M"]:  # fmt: skip
        """The value of joint actions, ``M`` as the critic has it."""
        features = self.part.features(local, state, _as_each(action))
        return self.of(params, features if self.part.each else features[:, :, :1])

    def seen(
        self, params: PyTree, local: Float[Array, "L R N O"], state: Float[Array, "L R S"],
        joint: Float[Array, "L R N N F"],
    ) -> Float[Array, "C L R N"]:  # fmt: skip
        """The value for each agent of what it takes the joint action to be."""
        features = self.part.features(local, state, joint)
        if self.part.each:
            return self.of(params, features)
        length, rows, n = features.shape[:3]
        flat = self.of(params, features.reshape(length, rows * n, 1, -1))
        return flat.reshape(-1, length, rows, n)


def _as_each(action: Float[Array, "*lead N F"]) -> Float[Array, "*lead N N F"]:
    """The same joint action as every agent takes it to be."""
    n = action.shape[-2]
    return jnp.broadcast_to(action[..., None, :, :], (*action.shape[:-2], n, *action.shape[-2:]))
