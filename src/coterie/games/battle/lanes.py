"""Environments as the innermost axis.

Battles have few units and many environments. A compiled loop over three units cannot use vector registers, one over
256 environments can, so the loops of a battle take arrays ``[..., L]`` and ``jax.vmap`` over them only adds to ``L``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree


def laned(function: Callable[..., PyTree]) -> Callable[..., PyTree]:
    """``function`` of arrays ``[...]``, which is given ``[..., L]`` and returns such; vmapping it makes ``L`` longer.

    Args:
        function: Of positional pytrees of arrays whose last axis is ``L``, elementwise along it.
    """

    @jax.custom_batching.custom_vmap
    def run(*given: PyTree) -> PyTree:
        return function(*given)

    @run.def_vmap
    def _(size: int, batched: Any, *given: PyTree) -> tuple[PyTree, PyTree]:
        def merged(value: Array, has: bool) -> Array:
            whole = value if has else jnp.broadcast_to(value[None], (size, *value.shape))
            return jnp.moveaxis(whole, 0, -2).reshape(*whole.shape[1:-1], -1)

        def split(value: Array) -> Array:
            return jnp.moveaxis(value.reshape(*value.shape[:-1], size, -1), -2, 0)

        result = jax.tree.map(split, run(*jax.tree.map(merged, given, tuple(batched))))
        return result, jax.tree.map(lambda _: True, result)

    def single(*given: PyTree) -> PyTree:
        result = run(*jax.tree.map(lambda value: jnp.asarray(value)[..., None], given))
        return jax.tree.map(lambda value: value[..., 0], result)

    return single
