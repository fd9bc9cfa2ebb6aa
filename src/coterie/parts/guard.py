"""The guard against numbers that are not finite."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree


def first_bad(*watched: PyTree) -> Int[Array, ""]:
    """Index of the first tree with a number that is not finite; how many trees there are if all are sound."""
    sound = jnp.stack([_finite(tree) for tree in watched])
    return jnp.where(jnp.all(sound), len(watched), jnp.argmin(sound)).astype(jnp.int32)


def _finite(tree: PyTree) -> Array:
    return jnp.all(jnp.stack([jnp.bool_(True), *(jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves(tree))]))
