"""Epochs of minibatch gradient steps, written once: the actors' turns and the critic both call ``fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across

Stats = dict[str, Array]
Batch = dict[str, PyTree]
Loss = Callable[[PyTree, Batch, Array], tuple[Array, Stats]]


class Fitted(NamedTuple):
    """Parameters and optimiser states ``[K, ...]``, and the statistics of the last epoch's steps."""

    params: PyTree
    optimiser: PyTree
    stats: Stats


class Adam(eqx.Module):
    """Adam with a gradient-norm limit, one independent copy per parameter slot.

    A limit on the norm of the stacked gradients would couple the slots; ``vmap`` over the slot axis does not.

    Args:
        rate: The first learning rate.
        limit: On the norm of each slot's gradient.
        epsilon: Keeps small gradients from large steps.
        halving: Gradient steps in which the rate falls to its half; 0 for a rate that stays.
    """

    rate: float = 1e-3
    limit: float = 10.0
    epsilon: float = 1e-5
    halving: int = eqx.field(static=True, default=0)

    def init(self, params: PyTree) -> PyTree:
        """One optimiser state per slot, ``[S, ...]``."""
        return jax.vmap(optax.scale_by_adam().init)(params)

    def step(self, params: PyTree, state: PyTree, gradient: PyTree) -> tuple[PyTree, PyTree, Float[Array, " K"]]:
        """Updated parameters and state, and the norm of each slot's gradient before the limit."""

        def one(params: PyTree, state: PyTree, gradient: PyTree) -> tuple[PyTree, PyTree, Array]:
            norm = optax.tree.norm(gradient)
            scale = jnp.minimum(1.0, self.limit / jnp.maximum(norm, 1e-12))
            gradient = jax.tree.map(lambda g: g * scale, gradient)
            rate: Any = self.rate
            if self.halving:
                rate = rate * jnp.exp2(-state.count.astype(jnp.float32) / self.halving)
            with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer power
                updates, state = optax.scale_by_adam(eps=self.epsilon).update(gradient, state)
            return jax.tree.map(lambda p, u: p - rate * u, params, updates), state, norm

        return jax.vmap(one)(params, state, gradient)


def minibatch_rows(key: PRNGKeyArray, rows: int, epochs: int, minibatches: int) -> Int[Array, "steps rows"]:
    """Row indices of every gradient step: each epoch is a fresh permutation, cut into equal minibatches.

    Rows that do not fill a minibatch sit out that epoch.
    """
    size = rows // minibatches
    # One sort of words whose high bits are random and whose low bits are the row: 8 times faster on a CPU than
    # jax.random.permutation. Rows with equal random bits keep their order, which 4096 rows hardly ever have.
    low = max(rows - 1, 1).bit_length()
    bits = jax.random.bits(key, (epochs, rows), jnp.uint32)
    row = jnp.broadcast_to(jnp.arange(rows, dtype=jnp.uint32), bits.shape)
    if low <= 12:
        mask = jnp.uint32((1 << low) - 1)
        shuffled = (jnp.sort((bits & ~mask) | row, axis=1) & mask).astype(jnp.int32)
    else:
        shuffled = jax.lax.sort((bits, row.astype(jnp.int32)), dimension=1, num_keys=1)[1]
    return shuffled[:, : size * minibatches].reshape(epochs * minibatches, size)


def fit(
    loss: Loss,
    optimiser: Adam,
    params: PyTree,
    state: PyTree,
    data: Batch,
    key: PRNGKeyArray,
    *,
    epochs: int,
    minibatches: int,
    across: Across = HERE,
) -> Fitted:
    """Minimise ``loss(params, batch, count)`` over ``epochs`` passes through ``data``.

    Args:
        loss: Returns a scalar (the sum over slots of each slot's summed loss over ``count[K]``, the batch's weight) and
            statistics.
        optimiser: Steps every slot on its own.
        params: Stacked parameters ``[K, ...]``.
        state: Stacked optimiser states ``[K, ...]``.
        data: Arrays whose axis 2 is the row (sequence) axis, ``[K or 1, L or 1, R, ...]``; ``weight`` is one of them.
        key: Draws the minibatches.
        epochs: Passes through the data.
        minibatches: Gradient steps per pass.
        across: Sums gradients where the data is spread over devices.
    """
    gradient = jax.value_and_grad(loss, has_aux=True)
    each = jnp.sum(data["weight"], axis=[i for i in range(data["weight"].ndim) if i not in (0, 2)])
    if minibatches == 1:
        steps = None
        counts = jnp.broadcast_to(jnp.sum(each, axis=1), (epochs, each.shape[0]))
    else:
        steps = minibatch_rows(across.key(key), each.shape[1], epochs, minibatches)
        counts = jnp.sum(jnp.take(each, steps, axis=1), axis=2).T

    def step(carry: tuple[PyTree, PyTree], now: tuple[Array | None, Array]) -> tuple[tuple[PyTree, PyTree], Stats]:
        params, state = carry
        rows, count = now
        batch = data if rows is None else jax.tree.map(lambda x: jnp.take(x, rows, axis=2), data)
        (value, stats), slope = gradient(params, batch, count)
        value, slope = across.sum((value, slope))
        params, state, norm = optimiser.step(params, state, slope)
        return (params, state), {**stats, "loss": value, "gradient_norm": norm}

    # The weights of every step are summed over devices beforehand: one reduction instead of one a step.
    counts = jnp.maximum(across.sum(counts), 1.0)
    (params, state), stats = jax.lax.scan(step, (params, state), (steps, counts))
    return Fitted(params, state, jax.tree.map(lambda s: s[-minibatches:], stats))


def of_turn(stats: dict[str, Array], shape: tuple[int, ...]) -> dict[str, Float[Array, "K M"]]:
    """Figures of a turn's agents from those of its last steps: ``[U, K, M]``, ``[U, K]`` or ``[U]``."""

    def one(name: str, x: Array) -> Array:
        x = jnp.max(x, 0) if name.endswith("max") else jnp.mean(x, 0)
        return jnp.broadcast_to(x if x.ndim == 2 else x.reshape(-1, 1), shape)

    return {name: one(name, x) for name, x in stats.items()}
