"""Target networks: how parameters that make targets follow those that learn."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree


class Hard(eqx.Module):
    """A copy of the parameters every ``every`` gradient steps, of actors if there are any (Mnih et al. 2015)."""

    every: int = eqx.field(static=True, default=200)

    def __call__(self, target: PyTree, online: PyTree, count: Int[Array, ""]) -> PyTree:
        """Target parameters after gradient step ``count`` (counted from 1)."""
        due = count % self.every == 0
        return jax.tree.map(lambda old, new: jnp.where(due, new, old), target, online)


class Soft(eqx.Module):
    """target + rate (online - target) after every gradient step (Lillicrap et al. 2016)."""

    rate: float = 0.005

    def __call__(self, target: PyTree, online: PyTree, count: Int[Array, ""]) -> PyTree:
        """Target parameters after a gradient step."""
        del count
        return jax.tree.map(lambda old, new: old + self.rate * (new - old), target, online)


Target = Hard | Soft
