"""Returns over several steps, scanned or shifted backwards in time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def n_step(
    reward: Float[Array, "T E M"], following: Float[Array, "T E M"], ends: Bool[Array, "T E"],
    gamma: Float[Array, ""] | float, steps: int,
) -> Float[Array, "T E M"]:  # fmt: skip
    """G_t = sum_{k<n} gamma^k r_{t+k} + gamma^(n-1) following_{t+n-1}, cut where an episode or the data ends.

    Args:
        reward: ``r_t``.
        following: What step ``t`` is worth after its reward: gamma times the next value, 0 where the task ended.
        ends: Where an episode ends.
        gamma: Discount.
        steps: The n, at least 1.
    """
    target = reward + following
    for _ in range(steps - 1):
        last = jnp.zeros_like(ends).at[-1].set(True)
        later = jnp.concatenate([target[1:], target[-1:]])
        target = reward + jnp.where((ends | last)[..., None], following, gamma * later)
    return target


def lambda_return(
    reward: Float[Array, "T E M"], following: Float[Array, "T E M"], ends: Bool[Array, "T E"],
    gamma: Float[Array, ""] | float, trace: Float[Array, ""] | float,
) -> Float[Array, "T E M"]:  # fmt: skip
    """G_t = r_t + (1 - lambda) following_t + lambda gamma G_{t+1}; at ends, and at the last row, r_t + following_t.

    Arguments as in ``n_step``. Source: Sutton and Barto 2018, eq. 12.18; with the greatest next value as ``following``
    it is Peng's Q(lambda).
    """

    def back(later: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        reward, following, end = now
        carried = (1.0 - trace) * following + trace * gamma * later
        value = reward + jnp.where(end[:, None], following, carried)
        return value, value

    last = ends.at[-1].set(True)
    _, value = jax.lax.scan(back, jnp.zeros_like(reward[0]), (reward, following, last), reverse=True)
    return value
