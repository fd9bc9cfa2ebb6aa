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
    """What the backward pass needs of the forward pass, each ``[L, R, H]``."""

    reset_gate: Array
    update_gate: Array
    candidate: Array
    recurrent: Array


def sigmoid(x: Array) -> Array:
    """The logistic function through tanh, which costs one transcendental and no division."""
    return 0.5 + 0.5 * jnp.tanh(0.5 * x)


def _step(
    weight: Float[Array, "H 3H"], bias: Float[Array, " H"], h: Float[Array, "R H"], x: Float[Array, "R 3H"]
) -> tuple[Float[Array, "R H"], Tape]:
    """One step: the next memory and what to save of it."""
    size = h.shape[-1]
    projected = h @ weight
    gates = sigmoid(x[:, : 2 * size] + projected[:, : 2 * size])
    r, z = gates[:, :size], gates[:, size:]
    recurrent = projected[:, 2 * size :] + jnp.broadcast_to(bias, h.shape)
    n = jnp.tanh(x[:, 2 * size :] + r * recurrent)
    return n + z * (h - n), Tape(r, z, n, recurrent)


def _run(
    x: Float[Array, "L R 3H"],
    keep: Float[Array, "L R"],
    h: Float[Array, "R H"],
    weight: Float[Array, "H 3H"],
    bias: Float[Array, " H"],
) -> tuple[Float[Array, "L R H"], Tape]:
    def step(h, now):
        x, keep = now
        h, tape = _step(weight, bias, h * keep[:, None], x)
        return h, (h, tape)

    return jax.lax.scan(step, h, (x, keep))[1]


@jax.custom_vjp
def _gru(x: Array, keep: Array, h: Array, weight: Array, bias: Array) -> Array:
    return _run(x, keep, h, weight, bias)[0]


def _forward(x: Array, keep: Array, h: Array, weight: Array, bias: Array):
    memory, tape = _run(x, keep, h, weight, bias)
    return memory, (memory, tape, keep, h, weight)


def _backward(saved, slope: Float[Array, "L R H"]):
    memory, (r, z, n, recurrent), keep, first, weight = saved
    before = jnp.concatenate([first[None], memory[:-1]]) * keep[:, :, None]
    to_n = (1.0 - z) * (1.0 - n * n)
    to_z = (before - n) * z * (1.0 - z)
    to_r = recurrent * r * (1.0 - r)

    def step(dh, now):
        slope, keep, to_n, to_z, to_r, z, r = now
        dh = dh + slope
        dn = dh * to_n
        gates = jnp.concatenate([dn * to_r, dh * to_z, dn * r], axis=-1)
        back = dh * z + gates @ weight.T
        return back * keep[:, None], (gates, dn)

    final = jnp.zeros_like(first)
    dh, (gates, dn) = jax.lax.scan(step, final, (slope, keep, to_n, to_z, to_r, z, r), reverse=True)
    size = first.shape[-1]
    dx = jnp.concatenate([gates[..., : 2 * size], dn], axis=-1)
    d_weight = before.reshape(-1, size).T @ gates.reshape(-1, 3 * size)
    return dx, jnp.zeros_like(keep), dh, d_weight, jnp.sum(gates[..., 2 * size :], axis=(0, 1))


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
