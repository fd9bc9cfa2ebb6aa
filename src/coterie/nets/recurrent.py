"""The gated recurrent unit over a whole sequence, with a backward pass written by hand.

Automatic differentiation of a scan forms the gradient of the recurrent weights inside the backward loop: a rank-R
update of an ``[H, 3H]`` matrix at every step. Here the loop carries ``dh`` alone; the forward pass saves the gate
activations, and the weight gradient is one matrix product over all ``L R`` rows after the loop. The projections of
the inputs are the caller's, made for the whole sequence at once.

Cho et al. 2014 (arXiv:1406.1078), in the variant of cuDNN, torch and flax, where the reset gate acts on
``h U_n + b``:

    r = sigmoid(x_r + h U_r)      z = sigmoid(x_z + h U_z)
    n = tanh(x_n + r (h U_n + b))     h' = n + z (h - n)
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Tape(NamedTuple):
    """The gate activations of the forward pass, each ``[L, R, H]``; ``recurrent`` is ``h U_n + b``."""

    reset_gate: Array
    update_gate: Array
    candidate: Array
    recurrent: Array


def sigmoid(x: Array) -> Array:
    """The logistic function through tanh: one rational function instead of an exponential and a division."""
    return 0.5 + 0.5 * jnp.tanh(0.5 * x)


def _thirds(x: Float[Array, "*lead 3H"]) -> tuple[Array, Array, Array]:
    size = x.shape[-1] // 3
    return x[..., :size], x[..., size : 2 * size], x[..., 2 * size :]


def _run(
    x: Float[Array, "L R 3H"],
    keep: Float[Array, "L R"],
    h: Float[Array, "R H"],
    weight: Float[Array, "H 3H"],
    bias: Float[Array, " H"],
) -> tuple[Float[Array, "L R H"], Tape]:
    """All memories and what to save of each step; what nobody uses is never computed."""
    bias = jnp.broadcast_to(bias, h.shape)

    def step(h, now):
        (x_r, x_z, x_n), keep = now
        h = h * keep[:, None]
        h_r, h_z, h_n = _thirds(h @ weight)
        r, z, recurrent = sigmoid(x_r + h_r), sigmoid(x_z + h_z), h_n + bias
        n = jnp.tanh(x_n + r * recurrent)
        h = n + z * (h - n)
        return h, (h, Tape(r, z, n, recurrent))

    # Cut before the loop: XLA slices x at every step, and a slice of a slice keeps it from vectorising the gates.
    return jax.lax.scan(step, h, (_thirds(x), keep))[1]


@jax.custom_vjp
def _gru(x: Array, keep: Array, h: Array, weight: Array, bias: Array) -> Array:
    return _run(x, keep, h, weight, bias)[0]


def _forward(x: Array, keep: Array, h: Array, weight: Array, bias: Array):
    memory, tape = _run(x, keep, h, weight, bias)
    return memory, (memory, tape, keep, h, weight)


def _backward(saved, slope: Float[Array, "L R H"]):
    """With d the loss's derivative by ``h'`` of a step, each gate's is d times a factor known before the loop."""
    memory, (r, z, n, recurrent), keep, first, weight = saved
    before = jnp.concatenate([first[None], memory[:-1]]) * keep[:, :, None]
    to_n = (1.0 - z) * (1.0 - n * n)
    to_r = to_n * recurrent * r * (1.0 - r)
    to_z = (before - n) * z * (1.0 - z)
    to_h = to_n * r
    transposed = weight.T

    def step(d, now):
        slope, keep, to_r, to_z, to_h, z = now
        d = d + slope
        through = jnp.concatenate([d * to_r, d * to_z, d * to_h], axis=-1) @ transposed
        return (d * z + through) * keep[:, None], d

    d_first, d = jax.lax.scan(step, jnp.zeros_like(first), (slope, keep, to_r, to_z, to_h, z), reverse=True)
    d_r, d_z, d_h = d * to_r, d * to_z, d * to_h
    size = first.shape[-1]
    d_weight = before.reshape(-1, size).T @ jnp.concatenate([d_r, d_z, d_h], axis=-1).reshape(-1, 3 * size)
    d_x = jnp.concatenate([d_r, d_z, d * to_n], axis=-1)
    return d_x, jnp.zeros_like(keep), d_first, d_weight, jnp.sum(d_h, axis=(0, 1))


_gru.defvjp(_forward, _backward)


def gru(
    x: Float[Array, "L R 3H"],
    reset: Bool[Array, "L R"],
    carry: Float[Array, "R H"],
    weight: Float[Array, "H 3H"],
    bias: Float[Array, " H"],
) -> Float[Array, "L R H"]:
    """The memory after each of ``L`` steps of ``R`` sequences.

    Args:
        x: Projected inputs of the reset gate, the update gate and the candidate, biases included.
        reset: Where true, the memory is zero before that step.
        carry: The memory before the first step.
        weight: Recurrent weights ``[U_r, U_z, U_n]``.
        bias: The bias of ``h U_n``, inside the reset gate.
    """
    return _gru(x, 1.0 - reset.astype(x.dtype), carry, weight, bias)
