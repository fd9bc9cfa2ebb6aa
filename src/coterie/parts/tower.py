"""A network per parameter slot, applied to the agents that share it.

Data stands slot first: ``[K, L, R, M, F]`` for ``K`` slots, ``L`` steps of ``R`` sequences, ``M`` agents of each
slot. Feed-forward data has ``L = 1`` and every sample as a sequence of its own.
"""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.nets.networks import Network
from coterie.nets.sharing import Layout


def sequences(x: Array, length: int) -> Array:
    """``[T, E, ...] -> [L, R, ...]`` with ``L = length`` steps, ``R = (T / L) E`` sequences."""
    t, e = x.shape[:2]
    if length == t:
        return x
    cut = x.reshape(t // length, length, e, *x.shape[2:])
    return jnp.swapaxes(cut, 0, 1).reshape(length, (t // length) * e, *x.shape[2:])


def unsequences(x: Array, steps: int) -> Array:
    """``[L, R, ...] -> [T, E, ...]``, the inverse of ``sequences``."""
    length, rows = x.shape[:2]
    if length == steps:
        return x
    cut = x.reshape(length, steps // length, rows * length // steps, *x.shape[2:])
    return jnp.swapaxes(cut, 0, 1).reshape(steps, -1, *x.shape[2:])


class Tower(eqx.Module):
    """One network in ``layout.slots`` copies; where agents share a copy, each sees its own index as a one-hot."""

    network: Network = eqx.field(static=True)
    layout: Layout = eqx.field(static=True)
    inputs: int = eqx.field(static=True)
    outputs: int = eqx.field(static=True)
    gain: float = eqx.field(static=True)
    beside: int = eqx.field(static=True, default=0)

    @property
    def marked(self) -> bool:
        """Whether the agent's index is part of the input."""
        return self.layout.members > 1

    def init(self, key: PRNGKeyArray) -> PyTree:
        """Stacked parameters ``[S, ...]``; on the host, slot by slot."""
        size = self.inputs + (len(self.layout.slot_of) if self.marked else 0)
        slots = [self.network.init(k, size, self.outputs, self.gain, self.beside)
                 for k in jax.random.split(key, self.layout.slots)]  # fmt: skip
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *slots)

    def mark(self, x: Float[Array, "*lead N F"]) -> Float[Array, "*lead N F"]:
        """Append each agent's one-hot index where agents share parameters."""
        if not self.marked:
            return x
        n = x.shape[-2]
        return jnp.concatenate([x, jnp.broadcast_to(jnp.eye(n, dtype=x.dtype), (*x.shape[:-1], n))], axis=-1)

    def arrange(self, x: Array) -> Array:
        """``[L, R, N, ...] -> [S, L, R, M, ...]``."""
        return jnp.moveaxis(self.layout.arrange(x, 2), 2, 0)

    def restore(self, x: Array) -> Array:
        """``[S, L, R, M, ...] -> [L, R, N, ...]``."""
        return self.layout.restore(jnp.moveaxis(x, 0, 2), 2)

    def apply(
        self,
        params: PyTree,
        carry: PyTree,
        x: Float[Array, "K L R M F"],
        reset: Bool[Array, "L R"],
        part: Literal["apply", "enter", "below"] = "apply",
    ) -> tuple[Float[Array, "K L R M out"], PyTree]:
        """Outputs and the memory after each observation, ``[K, L, R, M, H]`` or empty.

        ``carry`` is ``[K, R, M, H]`` or empty, ``x`` is marked already. ``part`` names the method
        of the network whose outputs are wanted.
        """
        run = getattr(self.network, part)
        k, length, rows, members, size = x.shape
        flat = x.reshape(k, length, rows * members, size)
        carry = jax.tree.map(lambda h: h.reshape(k, rows * members, h.shape[-1]), carry)
        wide = jnp.repeat(reset, members, axis=1) if members > 1 else reset
        if k == 1:
            params, carry = jax.tree.map(lambda p: p[0], (params, carry))
            y, memory = jax.tree.map(lambda a: a[None], run(params, carry, flat[0], wide))
        else:
            y, memory = jax.vmap(run, in_axes=(0, 0, 0, None))(params, carry, flat, wide)
        unfold = lambda a: a.reshape(k, length, rows, members, a.shape[-1])  # noqa: E731
        return unfold(y), jax.tree.map(unfold, memory)

    def play(
        self, params: PyTree, carry: PyTree, x: Float[Array, "L R N F"], reset: Bool[Array, "L R"],
        part: Literal["apply", "below"] = "apply",
    ) -> tuple[Float[Array, "L R N out"], PyTree]:  # fmt: skip
        """All agents at once, in agent order: outputs ``[L, R, N, out]`` and memory ``[L, R, N, H]`` or empty.

        ``carry`` is ``[R, N, H]`` or empty.
        """
        arranged = self.arrange(self.mark(x))
        y, memory = self.apply(params, self.arrange_carry(carry), arranged, reset, part)
        return self.restore(y), jax.tree.map(self.restore, memory)

    def arrange_carry(self, carry: PyTree) -> PyTree:
        """``[R, N, H] -> [S, R, M, H]``, or empty."""
        return jax.tree.map(lambda h: jnp.moveaxis(self.layout.arrange(h, 1), 1, 0), carry)
