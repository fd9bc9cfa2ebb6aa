"""The optimal one-to-one matching of agents and places."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from optax.assignment import hungarian_algorithm

ENUMERATED = 6
"""Up to this many agents every permutation is scored: 720 of them, as one small matrix product."""


@cache
def _permutations(n: int) -> np.ndarray:
    return np.array(list(permutations(range(n))), np.int32)


def optimal_matching(cost: Float[Array, "N N"]) -> Int[Array, " N"]:
    """The column given to each row by a matching of least total cost.

    Exact: by enumeration up to ``ENUMERATED`` rows (the first of equally good permutations in lexicographic order
    wins), by the Hungarian algorithm above.
    """
    n = cost.shape[0]
    if n > ENUMERATED:
        rows, columns = hungarian_algorithm(cost)  # the pairs come in any order
        return jnp.zeros(n, jnp.int32).at[rows].set(columns.astype(jnp.int32))
    table = _permutations(n)
    chosen = np.eye(n)[table].reshape(len(table), n * n)
    totals = jnp.dot(jnp.asarray(chosen, cost.dtype), cost.reshape(-1), precision=jax.lax.Precision.HIGHEST)
    return jnp.asarray(table)[jnp.argmin(totals)]
