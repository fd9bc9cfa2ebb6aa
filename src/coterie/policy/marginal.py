"""Values of a state and the other agents' actions, and their mean over the others' policies (PERLA)."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.nets.distributions import Categorical, Choices, Gaussian
from coterie.parts.tower import Tower


def width(family: Categorical | Gaussian, agents: int) -> int:
    """Inputs beside: the actions of all agents as the critic sees them (zeros for its own), and whose value it is."""
    return agents * (family.size + 1)


class Others(NamedTuple):
    """What a critic that reads the others' actions needs beside a rollout.

    ``final`` are the behaviour policies at ``rollout.final``, right where ``rollout.cut``; ``key`` draws from them and
    from ``rollout.behaviour``.
    """

    final: PyTree
    key: PRNGKeyArray


class Marginal(eqx.Module):
    """V(s, a^-i) of every agent i by one tower whose head reads the actions.

    Where the tower's features are the team's (one row) it gives the values of all N agents, else each slot gives those
    of its own agents. ``P`` stands for the agents of a slot.

    Args:
        tower: The network, with the actions coming in beside.
        family: How actions are drawn and seen.
        agents: N.
        samples: K, draws from the others' policies.
        enumerated: Enumerate up to this many joint actions of the others instead.
    """

    tower: Tower
    family: Categorical | Gaussian
    agents: int = eqx.field(static=True)
    samples: int = eqx.field(static=True)
    enumerated: int = eqx.field(static=True)

    @property
    def owners(self) -> Int[np.ndarray, "K P"]:
        """The agents whose values each slot gives."""
        one = len(self.tower.layout.slot_of) == 1
        return np.arange(self.agents)[None] if one else self.tower.layout.agents

    @property
    def exact(self) -> bool:
        """Whether the others' joint actions are few enough to be enumerated."""
        if not isinstance(self.family, Categorical) or len(self.family.legal_shape) > 1:
            return False
        return self.family.size ** (self.agents - 1) <= self.enumerated

    def enter(
        self, params: PyTree, carry: PyTree, x: Float[Array, "K L R M F"], reset: Bool[Array, "L R"]
    ) -> tuple[Float[Array, "K L R P H"], PyTree]:
        """The head's first layer before the actions come in, and the memory; ``x`` is marked already."""
        pre, memory = self.tower.apply(params, carry, x, reset, "enter")
        owners = self.owners
        shape = (*pre.shape[:3], owners.shape[1], pre.shape[4])
        name = jnp.take_along_axis(self._weights(params)[1], jnp.asarray(owners)[:, :, None], axis=1)
        return jnp.broadcast_to(pre, shape) + jnp.broadcast_to(name[:, None, None], shape), memory

    def _weights(self, params: PyTree) -> tuple[Float[Array, "K N f H"], Float[Array, "K N H"]]:
        """Weights of the actions and of the owner's name."""
        count = width(self.family, self.agents)
        both = jax.vmap(lambda p: self.tower.network.besides(p, count))(params)
        acts, name = jnp.split(both, [self.agents * self.family.size], axis=1)
        return acts.reshape(acts.shape[0], self.agents, self.family.size, acts.shape[2]), name

    def _leave(self, params: PyTree, pre: Float[Array, "K *rows P H"]) -> Float[Array, "K *rows P"]:
        return jax.vmap(self.tower.network.leave)(params, pre)[..., 0]

    def at(self, params: PyTree, pre: Float[Array, "K L R P H"], latent: Array) -> Float[Array, "K L R P"]:
        """Values at the actions ``latent``, ``[L, R, N, ...]``, of which each agent's value ignores its own."""
        rows = pre.reshape(pre.shape[0], -1, *pre.shape[3:])
        return self._at(params, rows, latent.reshape(rows.shape[1], *latent.shape[2:])).reshape(pre.shape[:-1])

    def _at(self, params: PyTree, pre: Float[Array, "K R P H"], latent: Array) -> Float[Array, "K R P"]:
        """The same for rows without a time axis: the sum over all agents as one product, less each agent's own part."""
        weights, _ = self._weights(params)
        seen = self.family.seen(latent)

        def others(weight: Float[Array, "N f H"], owners: Int[Array, " P"]) -> Float[Array, "R P H"]:
            flat = weight.reshape(-1, weight.shape[2])
            whole = seen.reshape(seen.shape[0], -1) @ flat
            if isinstance(self.family, Categorical) and len(self.family.legal_shape) == 1:
                place = latent[:, owners] + jnp.broadcast_to(owners * self.family.size, (len(latent), len(owners)))
                own = jnp.take(flat, place, axis=0)
            else:
                own = jnp.einsum("rpf,pfh->rph", seen[:, owners], weight[owners])
            return whole[:, None] - own

        return self._leave(params, pre + jax.vmap(others)(weights, jnp.asarray(self.owners)))

    def mean(
        self, params: PyTree, pre: Float[Array, "K L R P H"], dist: PyTree, key: PRNGKeyArray
    ) -> Float[Array, "K L R P"]:
        """Values in the mean over the others' actions, drawn from (or weighted by) ``dist``, ``[L, R, N, ...]``."""
        return self._enumerate(params, pre, dist) if self.exact else self._draw(params, pre, dist, key)

    def _draw(self, params: PyTree, pre: Array, dist: PyTree, key: PRNGKeyArray) -> Array:
        """One joint action of all agents a draw; every agent leaves out its own.

        Step by step of the rollout, then draw by draw: what is added up stays in the cache.
        """

        def step(_: None, now: tuple[Array, PyTree, PRNGKeyArray]) -> tuple[None, Array]:
            pre, dist, key = now

            def add(total: Array, key: PRNGKeyArray) -> tuple[Array, None]:
                return total + self._at(params, pre, self.family.sample(key, dist)), None

            total, _ = jax.lax.scan(add, jnp.zeros(pre.shape[:-1], pre.dtype), jax.random.split(key, self.samples))
            return None, total / self.samples

        steps = jnp.moveaxis(pre, 1, 0)
        _, mean = jax.lax.scan(step, None, (steps, dist, jax.random.split(key, steps.shape[0])))
        return jnp.moveaxis(mean, 0, 1)

    def _enumerate(self, params: PyTree, pre: Array, dist: Choices) -> Array:
        """Every joint action of the others, weighted with its probability."""
        weights, _ = self._weights(params)
        n, owners = self.agents, self.owners
        joint = np.array(list(product(range(self.family.size), repeat=n - 1)), np.int32).reshape(-1, n - 1)
        rest = np.array([[j for j in range(n) if j != i] for i in range(n)], np.int32).reshape(n, n - 1)[owners]
        p = jnp.exp(dist.log_p)

        def add(total: Array, choice: Int[Array, " N-1"]) -> tuple[Array, None]:
            each = jax.vmap(lambda w, other: jnp.sum(w[other, choice[None, :]], 1))(weights, rest)  # [K, P, H]
            chance = jnp.moveaxis(jnp.prod(p[:, :, rest, choice[None, None, :]], -1), 2, 0)  # [K, L, R, P]
            return total + chance * self._leave(params, pre + jnp.broadcast_to(each[:, None, None], pre.shape)), None

        total, _ = jax.lax.scan(add, jnp.zeros(pre.shape[:-1], pre.dtype), jnp.asarray(joint))
        return total

    def team(self, y: Float[Array, "K L R P"]) -> Float[Array, "L R N"]:
        """The values in agent order."""
        return y[0] if len(self.tower.layout.slot_of) == 1 else self.tower.restore(y)
