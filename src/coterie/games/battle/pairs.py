"""Everybody with everybody, without arrays of pairs.

A loop over one unit of each pair, with the other one and the environments in vector registers: XLA's reductions over
arrays of pairs are scalar code on CPUs, and take several times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

UNROLLED = 6
"""Up to so many units the loop is written out."""
Sums = TypeVar("Sums")


def fold(step: Callable[[Sums, Any], Sums], start: Sums, rows: PyTree) -> Sums:
    """``step(sums, row)`` for each row of ``rows``, arrays ``[n, L]``; a row has shape ``[1, L]``."""
    rows = jax.tree.map(jnp.asarray, rows)
    count = len(jax.tree.leaves(rows)[0])

    def body(sums: Sums, row: PyTree) -> tuple[Sums, None]:
        return step(sums, jax.tree.map(lambda value: value[None], row)), None

    if count > UNROLLED:
        return jax.lax.scan(body, start, rows)[0]
    for i in range(count):
        start, _ = body(start, jax.tree.map(lambda value: value[i], rows))  # noqa: B023
    return start


def pick(column: Array, place: Int[Array, "A L"]) -> Array:
    """``column[place]`` for a column ``[B, L]``, or ``[B, 1]`` that holds for all environments; -1 picks the first."""
    whole = jnp.broadcast_to(column, (column.shape[0], place.shape[1]))
    return jnp.take_along_axis(whole, jnp.maximum(place, 0), 0, mode="promise_in_bounds")
