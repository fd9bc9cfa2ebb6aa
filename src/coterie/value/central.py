"""A second value of the joint action that makes the targets, where the mixture of utilities alone would not do."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import Observation, Spec
from coterie.value.agents import Agents
from coterie.value.batch import Sequences
from coterie.value.critic import ActionValue
from coterie.value.mixing import GAIN, Free


class Now(NamedTuple):
    """What a central value is trained on: the batch, each agent's best actions now, the mixture and the targets."""

    batch: Sequences
    best: Int[Array, "*action"]
    mixed: Float[Array, "L R M"]
    mixed_best: Float[Array, "L R M"]
    target: Float[Array, "L R M"]


class Judged(NamedTuple):
    """The summed loss of a central value, what is to be added to the mixture's, and the value of the best action.

    ``own`` says whether the mixture still learns from its own temporal difference.
    """

    loss: Float[Array, ""]
    own: bool
    best: Float[Array, "L R 1"] | None


class Nets(NamedTuple):
    """The networks that central values are made of: agents like the playing ones, and a value of joint actions."""

    agents: Agents
    joint: ActionValue
    spec: Spec

    @property
    def actions(self) -> int:
        """Numbers of one agent's action."""
        return self.agents.family.size


class NoCentral(eqx.Module):
    """None: the mixture makes its own targets (VDN, QMIX, QPLEX)."""


class Unrestricted(eqx.Module):
    """Q*(s, a): utilities of its own and a mixing without limits; it makes the targets at the agents' best actions.

    Recurrent ones begin every sequence at zero. Source: WQMIX (Rashid et al. 2020, section 5.1).
    """

    mixing: Free = Free()

    def init(self, key: PRNGKeyArray, nets: Nets) -> PyTree:
        """Parameters of the utilities and of the mixing, a module of slots each."""
        own, mixing = jax.random.split(key)
        return {
            "central_net": nets.agents.tower.init(own),
            "central_mixing": self.mixing.init(mixing, nets.spec, nets.actions),
        }

    def following(self, params: PyTree, nets: Nets, batch: Sequences, action: Array) -> Float[Array, "L R 1"]:
        """Q* of ``action`` after each step."""
        raw, memory = nets.agents.unroll(params["central_net"], batch, _blank(nets, batch))
        later = nets.agents.after(params["central_net"], raw, memory, batch)
        return self.mixing(params["central_mixing"], nets.agents.mixture(later, batch.final, action))

    def judge(self, params: PyTree, nets: Nets, now: Now) -> Judged:
        """(Q* - y)^2, and Q* of the agents' best actions."""
        seen = now.batch.observation
        raw, _ = nets.agents.unroll(params["central_net"], now.batch, _blank(nets, now.batch))
        value = self.mixing(params["central_mixing"], nets.agents.mixture(raw, seen, now.batch.action))
        best = self.mixing(params["central_mixing"], nets.agents.mixture(raw, seen, now.best))
        return Judged(jnp.sum(jnp.square(now.target - value)), True, stop_gradient(best))


class Transformed(eqx.Module):
    """QTRAN-base: a joint value Q(s, a) that nothing limits, and a sum of utilities that is drawn to agree with it.

    L = (Q(s, a) - y)^2 + opt (sum_i Q_i(a*) - sg Q(s, a*) + V(s))^2 + other min(sum_i Q_i(a) - sg Q(s, a) + V(s), 0)^2,
    a* every agent's best action. The joint value reads state and actions where the source reads hidden states of the
    agents. Source: QTRAN (Son et al. 2019, eqs. 5 to 7).

    Args:
        opt: Weight of the agreement at the best actions.
        other: Weight of the bound at all others.
    """

    opt: float = 1.0
    other: float = 0.1

    def init(self, key: PRNGKeyArray, nets: Nets) -> PyTree:
        """Parameters of the joint value and of V, a module of slots each."""
        joint, state = jax.random.split(key)
        value = nets.joint.network.init(state, nets.spec.state_size, 1, GAIN)
        return {"central_joint": nets.joint.init(joint), "central_base": jax.tree.map(lambda leaf: leaf[None], value)}

    def following(self, params: PyTree, nets: Nets, batch: Sequences, action: Array) -> Float[Array, "L R 1"]:
        """Q of ``action`` after each step."""
        return _joint(params, nets, batch.final, action)

    def judge(self, params: PyTree, nets: Nets, now: Now) -> Judged:
        """All three terms; the mixture has no loss beside them."""
        seen, joint = now.batch.observation, nets.joint
        value = _joint(params, nets, seen, now.batch.action)
        best = stop_gradient(_joint(params, nets, seen, now.best))
        own = jax.tree.map(lambda leaf: leaf[0], params["central_base"])
        base, _ = joint.network.apply(own, (), seen.state, jnp.zeros(seen.state.shape[:2], bool))
        agree = jnp.square(now.mixed_best - best + base)
        bound = jnp.square(jnp.minimum(now.mixed - stop_gradient(value) + base, 0.0))
        each = jnp.square(now.target - value) + self.opt * agree + self.other * bound
        return Judged(jnp.sum(each), False, best)


Central = NoCentral | Unrestricted | Transformed


def _blank(nets: Nets, batch: Sequences) -> PyTree:
    network = nets.agents.tower.network
    return network.carry(batch.reset.shape[1], nets.spec.n_agents)


def _joint(params: PyTree, nets: Nets, seen: Observation, action: Array) -> Float[Array, "L R 1"]:
    done = nets.agents.family.seen(action) * seen.alive[..., None].astype(jnp.float32)  # the dead do nothing
    return nets.joint.joint(params["central_joint"], seen.local, seen.state, done)[0]
