"""Running normalisation of value targets.

The critic regresses on ``(target - mean) / std`` with running statistics; its outputs are read through the inverse.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Moments(NamedTuple):
    """Running statistics, debiased; ``weight`` is what the average has given out, 0 before any update, 1 at last."""

    mean: Float[Array, ""]
    variance: Float[Array, ""]
    weight: Float[Array, ""]


class ValueNorm(eqx.Module):
    """Exponential moving averages of mean and variance, debiased: MAPPO's value normalisation (arXiv:2103.01955).

    With batch mean m and variance v, w' = beta w + (1 - beta) and a = (1 - beta) / w':

        mean' = mean + a (m - mean)      variance' = (1 - a) variance + a v + a (1 - a) (m - mean)^2

    which equals the official mean and mean square, each divided by the average of ones, but does not lose the
    variance to rounding when the mean is large. Before the first update it is the identity.

    Args:
        beta: Share of the old average that an update keeps.
        variance_floor: The least variance to divide by.
    """

    beta: float = 0.99999
    variance_floor: float = 1e-2

    def init(self) -> Moments:
        """No data yet: mean 0, variance 1."""
        return Moments(jnp.zeros((), jnp.float32), jnp.ones((), jnp.float32), jnp.zeros((), jnp.float32))

    def update(self, state: Moments, targets: Float[Array, "*shape"], weights: Float[Array, "*shape"]) -> Moments:
        """Take in one batch of targets; those of weight 0 do not count, and if none counts nothing changes."""
        total = jnp.sum(weights)
        some = total > 0
        share = weights / jnp.where(some, total, 1.0)
        batch_mean = jnp.sum(share * targets)
        deviation = targets - batch_mean.reshape((1,) * targets.ndim)
        batch_variance = jnp.sum(share * deviation * deviation)
        weight = state.weight + (1.0 - self.beta) * (1.0 - state.weight)
        rate = jnp.where(some, (1.0 - self.beta) / weight, 0.0)
        gap = batch_mean - state.mean
        variance = (1.0 - rate) * state.variance + rate * (batch_variance + (1.0 - rate) * gap * gap)
        return Moments(state.mean + rate * gap, variance, jnp.where(some, weight, state.weight))

    def normalise(self, state: Moments, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """``(x - mean) / std``."""
        mean, std = self._scale(state, x)
        return (x - mean) / std

    def denormalise(self, state: Moments, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """``x std + mean``, the inverse of ``normalise``."""
        mean, std = self._scale(state, x)
        return x * std + mean

    def _scale(self, state: Moments, x: Array) -> tuple[Array, Array]:
        std = jnp.sqrt(jnp.maximum(state.variance, self.variance_floor))
        return jnp.broadcast_to(state.mean, x.shape), jnp.broadcast_to(std, x.shape)


class NoNorm(eqx.Module):
    """Values as they are: the same methods, each the identity."""

    def init(self) -> tuple[()]:
        """No statistics."""
        return ()

    def update(self, state: tuple[()], targets: Float[Array, "*shape"], weights: Float[Array, "*shape"]) -> tuple[()]:
        """Nothing to learn."""
        del targets, weights
        return state

    def normalise(self, state: tuple[()], x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """``x``."""
        del state
        return x

    def denormalise(self, state: tuple[()], x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """``x``."""
        del state
        return x
