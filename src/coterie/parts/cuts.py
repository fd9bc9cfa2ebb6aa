"""What a network says of the observation that a step led to, evaluated only where the next row does not say it."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PyTree

from coterie.contracts import Observation


def at_cuts(
    there: Callable[[PyTree, Observation], PyTree], blank: PyTree, memory: PyTree, final: Observation,
    cut: Bool[Array, "T E"],
) -> PyTree:  # fmt: skip
    """Outputs at final observations where a sequence is cut; their numbers mean nothing elsewhere.

    Args:
        there: The outputs of one step ``[E, ...]`` from its memory and observation.
        blank: Outputs of one step that stand where none are needed.
        memory: The memory after every step ``[T, E, ...]``, or empty.
        final: What every step led to.
        cut: Where it is needed; steps where no row needs it cost nothing.
    """

    def look(_: None, now: tuple[PyTree, Observation, Array]) -> tuple[None, PyTree]:
        carry, final, needed = now
        return None, jax.lax.cond(jnp.any(needed), lambda: there(carry, final), lambda: blank)

    def several() -> PyTree:
        return jax.lax.scan(look, None, (memory, final, cut))[1]

    def last() -> PyTree:
        only = there(*jax.tree.map(lambda x: x[-1], (memory, final)))
        return jax.tree.map(lambda x, old: jnp.broadcast_to(x, (len(cut), *old.shape)), only, blank)

    return jax.lax.cond(jnp.any(cut[:-1]), several, last)  # whole episodes are cut at their last step alone
