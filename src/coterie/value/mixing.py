"""How the agents' utilities make the team's value: apart, summed, monotone, duelling twice, or without any limit.

A mixing reads ``Mixture``s and gives ``[L, R, M]``: one value for each agent (``Apart``) or one for the team.
Networks of the state that give weights are ``nets`` networks with one hidden layer. Parameters have a leading axis of
one slot, as an optimiser of slots wants them.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from coterie.contracts import Spec
from coterie.nets.networks import Network

GAIN = 0.1
"""Scale of last layers at the start: from 1, mixtures of large states run away with their own overestimates."""


class Mixture(NamedTuple):
    """What is mixed: each agent's utility of what it did and of the best that it could do, 0 for the dead."""

    chosen: Float[Array, "L R N"]
    best: Float[Array, "L R N"]
    state: Float[Array, "L R S"]
    action: Float[Array, "L R NF"]


def _hidden(width: int) -> Network:
    return Network((width,), activation="relu")


def _read(state: Float[Array, "L R S"], norm: bool) -> Float[Array, "L R S"]:
    """The state, brought to mean 0 and variance 1 over its numbers where ``norm`` says so."""
    return jax.nn.standardize(state, -1) if norm else state


def _of(network: Network, params: PyTree, x: Float[Array, "L R F"]) -> Float[Array, "L R out"]:
    """A feed-forward network of one slot."""
    own = jax.tree.map(lambda leaf: leaf[0], params)
    return network.apply(own, (), x, jnp.zeros(x.shape[:2], bool))[0]


def _beside(networks: dict[str, Network], params: PyTree, x: Float[Array, "L R F"]) -> dict[str, Float[Array, "B out"]]:
    """Outputs of networks of one hidden layer, or none, whose first layers are one product: a third faster on a CPU."""
    flat = x.reshape(-1, x.shape[-1])
    first = {name: params[name]["encoder_0" if net.encoder else "output"] for name, net in networks.items()}
    weight, bias = (jnp.concatenate([layer[part][0] for layer in first.values()], -1) for part in ("weight", "bias"))
    ends = np.cumsum([layer["bias"].shape[-1] for layer in first.values()])[:-1]
    parts = jnp.split(flat @ weight + jnp.broadcast_to(bias, (flat.shape[0], bias.shape[0])), ends, -1)
    out = {}
    for (name, net), part in zip(networks.items(), parts, strict=True):
        last = params[name]["output"]
        out[name] = part
        if net.encoder:
            out[name] = jax.nn.relu(part) @ last["weight"][0] + jnp.broadcast_to(
                last["bias"][0], (flat.shape[0], last["bias"].shape[-1])
            )
    return out


def _init(key: PRNGKeyArray, network: Network, inputs: int, outputs: dict[str, int]) -> dict[str, PyTree]:
    """One slot of each named network."""
    keys = jax.random.split(key, len(outputs))
    made = {name: network.init(k, inputs, size, GAIN) for k, (name, size) in zip(keys, outputs.items(), strict=True)}
    return jax.tree.map(lambda leaf: leaf[None], made)


class Apart(eqx.Module):
    """No mixing: every agent learns a value of its own action (independent Q-learning: Tan 1993)."""

    @property
    def team(self) -> bool:
        """Whether there is one value for the team."""
        return False

    def init(self, key: PRNGKeyArray, spec: Spec, actions: int) -> PyTree:
        """Nothing to learn."""
        del key, spec, actions
        return {}

    def __call__(self, params: PyTree, mixture: Mixture) -> Float[Array, "L R N"]:
        """Q_i."""
        del params
        return mixture.chosen


class Total(eqx.Module):
    """Q_tot(s, a) = sum_i Q_i(o_i, a_i) (VDN: Sunehag et al. 2018, eq. 1)."""

    @property
    def team(self) -> bool:
        """Whether there is one value for the team."""
        return True

    def init(self, key: PRNGKeyArray, spec: Spec, actions: int) -> PyTree:
        """Nothing to learn."""
        del key, spec, actions
        return {}

    def __call__(self, params: PyTree, mixture: Mixture) -> Float[Array, "L R 1"]:
        """The sum over agents."""
        del params
        return jnp.sum(mixture.chosen, -1, keepdims=True)


class Monotone(eqx.Module):
    """Q_tot = |W_2(s)| elu(|W_1(s)| Q + b_1(s)) + b_2(s): rising in every Q_i (QMIX: Rashid et al. 2018, section 4.1).

    All four are networks of the state; b_1 is linear in it.

    Args:
        embed: Width of the mixing network.
        hidden: Hidden width of the networks that give its weights.
        norm: Whether each state is brought to mean 0 and variance 1 first: states of large numbers make large weights,
            and such mixtures run away with their own overestimates.
    """

    embed: int = eqx.field(static=True, default=32)
    hidden: int = eqx.field(static=True, default=64)
    norm: bool = eqx.field(static=True, default=False)

    @property
    def team(self) -> bool:
        """Whether there is one value for the team."""
        return True

    def init(self, key: PRNGKeyArray, spec: Spec, actions: int) -> PyTree:
        """One slot of the four networks."""
        del actions
        deep, linear, last = jax.random.split(key, 3)
        weights = {"weight_1": spec.n_agents * self.embed, "weight_2": self.embed}
        params = _init(deep, _hidden(self.hidden), spec.state_size, weights)
        params |= _init(linear, Network(()), spec.state_size, {"bias_1": self.embed})
        return params | _init(last, _hidden(self.embed), spec.state_size, {"bias_2": 1})

    def __call__(self, params: PyTree, mixture: Mixture) -> Float[Array, "L R 1"]:
        """The monotone mixture."""
        made = _beside(self._networks, params, _read(mixture.state, self.norm))
        chosen = mixture.chosen.reshape(-1, mixture.chosen.shape[-1])
        first, inner = jnp.abs(made["weight_1"]), made["bias_1"]
        for i in range(chosen.shape[-1]):  # sums over a few agents, and over the width, are slow as XLA's reductions
            inner = inner + chosen[:, i : i + 1] * first[:, i * self.embed : (i + 1) * self.embed]
        outer = (jax.nn.elu(inner) * jnp.abs(made["weight_2"])) @ jnp.ones((self.embed, 1)) + made["bias_2"]
        return outer.reshape(*mixture.chosen.shape[:-1], 1)

    @property
    def _networks(self) -> dict[str, Network]:
        deep = _hidden(self.hidden)
        return {"weight_1": deep, "weight_2": deep, "bias_2": _hidden(self.embed), "bias_1": Network(())}


class Duplex(eqx.Module):
    """Q_tot = sum_i Q'_i + sum_i (lambda_i(s, a) - 1) sg(Q'_i - V'_i), Q'_i = w_i(s) Q_i + b_i(s), V'_i its best.

    w and lambda are positive, so that the best joint action is every agent's best action, and lambda may depend on the
    joint action, so that any value with that property can be learnt (QPLEX: Wang et al. 2021, eqs. 9 to 11, in the form
    of its code: no gradient through advantages, one taken off every lambda). lambda_i = sum_k |key_k(s)|
    sigmoid(agents_k(s))_i sigmoid(actions_k(s, a))_i.

    Args:
        kernels: Terms of lambda.
        hidden: Hidden width of all networks.
        norm: Whether each state is brought to mean 0 and variance 1 first: states of large numbers make large weights,
            and such mixtures run away with their own overestimates.
    """

    kernels: int = eqx.field(static=True, default=10)
    hidden: int = eqx.field(static=True, default=64)
    norm: bool = eqx.field(static=True, default=False)

    @property
    def team(self) -> bool:
        """Whether there is one value for the team."""
        return True

    def init(self, key: PRNGKeyArray, spec: Spec, actions: int) -> PyTree:
        """One slot of the five networks."""
        of_state, of_both = jax.random.split(key)
        n, size, net = spec.n_agents, spec.state_size, _hidden(self.hidden)
        sizes = {"weight": n, "bias": n, "key": self.kernels, "agents": self.kernels * n}
        params = _init(of_state, net, size, sizes)
        return params | _init(of_both, net, size + n * actions, {"actions": self.kernels * n})

    def __call__(self, params: PyTree, mixture: Mixture) -> Float[Array, "L R 1"]:
        """The duelling mixture."""
        state, net = _read(mixture.state, self.norm), _hidden(self.hidden)
        weight, bias = jnp.abs(_of(net, params["weight"], state)) + 1e-10, _of(net, params["bias"], state)
        value, best = weight * mixture.chosen + bias, weight * mixture.best + bias
        both = jnp.concatenate([state, mixture.action], -1)
        lead = (*state.shape[:2], self.kernels, mixture.chosen.shape[-1])
        keys = jnp.abs(_of(net, params["key"], state))[..., None] + 1e-10
        each = keys * jax.nn.sigmoid(_of(net, params["agents"], state)).reshape(lead)
        share = jnp.sum(each * jax.nn.sigmoid(_of(net, params["actions"], both)).reshape(lead), 2)
        advantage = jax.lax.stop_gradient(value - best)
        return jnp.sum(value + (share - 1.0) * advantage, -1, keepdims=True)


class Free(eqx.Module):
    """Q* = network(s, Q_1, ..., Q_N), with no limit on its form (the central mixer of WQMIX: Rashid et al. 2020).

    Args:
        hidden: Widths of its hidden layers.
        norm: Whether each state is brought to mean 0 and variance 1 first: states of large numbers make large weights,
            and such mixtures run away with their own overestimates.
    """

    hidden: tuple[int, ...] = eqx.field(static=True, default=(256, 256))
    norm: bool = eqx.field(static=True, default=False)

    @property
    def team(self) -> bool:
        """Whether there is one value for the team."""
        return True

    @property
    def _network(self) -> Network:
        return Network(self.hidden, activation="relu")

    def init(self, key: PRNGKeyArray, spec: Spec, actions: int) -> PyTree:
        """One slot."""
        del actions
        return _init(key, self._network, spec.state_size + spec.n_agents, {"network": 1})

    def __call__(self, params: PyTree, mixture: Mixture) -> Float[Array, "L R 1"]:
        """The network's output."""
        return _of(
            self._network, params["network"], jnp.concatenate([_read(mixture.state, self.norm), mixture.chosen], -1)
        )


Mixing = Apart | Total | Monotone | Duplex
