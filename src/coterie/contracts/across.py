"""Sums over environments that may be spread over several devices.

With an ``axis`` the code runs once per device on that device's environments (``jax.shard_map``), and what must hold
for all of them is reduced here; without one every reduction is the identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, PRNGKeyArray, PyTree


@dataclass(frozen=True)
class Across:
    """Reductions over the devices that share one learner's environments.

    Args:
        axis: Name of the device axis; None if all environments are on one device.
    """

    axis: str | None = None

    @property
    def count(self) -> int:
        """How many devices there are."""
        return 1 if self.axis is None else jax.lax.axis_size(self.axis)

    def sum(self, tree: PyTree) -> PyTree:
        """The sum over devices, as one reduction however many arrays there are."""
        if self.axis is None:
            return tree
        flat, back = ravel_pytree(tree)
        return back(jax.lax.psum(flat, self.axis))

    def mean(self, x: Array) -> Array:
        """The mean over devices."""
        return x if self.axis is None else jax.lax.pmean(x, self.axis)

    def max(self, x: Array) -> Array:
        """The largest over devices."""
        return x if self.axis is None else jax.lax.pmax(x, self.axis)

    def min(self, x: Array) -> Array:
        """The least over devices."""
        return x if self.axis is None else jax.lax.pmin(x, self.axis)

    def gather(self, x: Array, axis: int) -> Array:
        """All devices' parts of ``x``, joined along ``axis``."""
        return x if self.axis is None else jax.lax.all_gather(x, self.axis, axis=axis, tiled=True)

    def key(self, key: PRNGKeyArray) -> PRNGKeyArray:
        """A key of this device's own."""
        return key if self.axis is None else jax.random.fold_in(key, jax.lax.axis_index(self.axis))


HERE = Across()
"""All environments on one device."""
