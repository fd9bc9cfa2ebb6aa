"""The network of actors and critics: dense layers, a memory, dense layers, one linear output.

A ``Network`` is configuration only. Its parameters are a plain dictionary, one entry per layer, so that they stack
over parameter slots and seeds, and save under readable names.
"""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import CoterieError
from coterie.nets.recurrent import gru

_ACTIVATIONS = {"tanh": (jnp.tanh, 5.0 / 3.0), "relu": (jax.nn.relu, math.sqrt(2.0))}
_EPSILON = 1e-5


def on_host(key: PRNGKeyArray) -> np.random.Generator:
    """Random numbers of the host, from ``key``."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def orthogonal(generator: np.random.Generator, rows: int, columns: int, gain: float) -> Float[np.ndarray, "rows cols"]:
    """A random matrix with orthonormal rows or columns (the fewer), times ``gain``.

    Saxe et al. 2014 (arXiv:1312.6120). On the host: batched QR decompositions in a compiled program can hang.
    """
    normal = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q = q * np.sign(np.diagonal(r))
    return gain * (q if rows >= columns else q.T)


def _dense(generator: np.random.Generator, inputs: int, outputs: int, gain: float) -> dict[str, np.ndarray]:
    return {"weight": orthogonal(generator, inputs, outputs, gain), "bias": np.zeros(outputs)}


def _memory(generator: np.random.Generator, inputs: int, size: int) -> dict[str, np.ndarray]:
    """Orthogonal blocks of gain 1, one for each gate."""
    return {
        "weight": np.concatenate([orthogonal(generator, inputs, size, 1.0) for _ in range(3)], axis=1),
        "bias": np.zeros(3 * size),
        "recurrent_weight": np.concatenate([orthogonal(generator, size, size, 1.0) for _ in range(3)], axis=1),
        "recurrent_bias": np.zeros(size),
    }


def _affine(layer: dict[str, Array], x: Float[Array, "rows inputs"]) -> Float[Array, "rows outputs"]:
    y = x @ layer["weight"]
    return y + jnp.broadcast_to(layer["bias"], y.shape)


def _layer_norm(layer: dict[str, Array], x: Float[Array, "rows inputs"]) -> Float[Array, "rows inputs"]:
    """Ba et al. 2016 (arXiv:1607.06450)."""
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    scale = jax.lax.rsqrt(jnp.mean(centred * centred, axis=-1, keepdims=True) + _EPSILON)
    return centred * scale * jnp.broadcast_to(layer["scale"], x.shape) + jnp.broadcast_to(layer["bias"], x.shape)


class Network(eqx.Module):
    """Dense layers, an optional recurrent memory, dense layers, a linear output. Hashable: all of it is static.

    Args:
        encoder: Widths of the dense layers before the memory, each followed by the activation.
        memory: Width of the gated recurrent unit, 0 for a feed-forward network.
        head: Widths of the dense layers after the memory, each followed by the activation.
        activation: ``tanh`` or ``relu``.
        norm: Normalise each input vector to mean 0 and variance 1, with a learnt scale and shift ("feature norm").
    """

    encoder: tuple[int, ...] = eqx.field(static=True, default=(64, 64), converter=tuple)
    memory: int = eqx.field(static=True, default=0)
    head: tuple[int, ...] = eqx.field(static=True, default=(), converter=tuple)
    activation: str = eqx.field(static=True, default="tanh")
    norm: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        if self.activation not in _ACTIVATIONS:
            raise CoterieError(f"activation {self.activation!r} is unknown: choose {' or '.join(_ACTIVATIONS)}")
        if self.memory < 0 or any(width < 1 for width in self.encoder + self.head):
            raise CoterieError(f"layer widths must be positive, and memory at least 0: {self}")

    def init(
        self, key: PRNGKeyArray, inputs: int, outputs: int, gain: float, beside: int = 0
    ) -> dict[str, dict[str, Array]]:
        """Parameters of one slot, float32: orthogonal weights, zero biases; runs on the host, never in compiled code.

        Hidden layers have gain 5/3 (tanh) or sqrt 2 (relu), the memory 1, the output ``gain``. The first layer of the
        head has ``beside`` more inputs, see ``enter``.

        Raises:
            CoterieError: The key is traced.
        """
        if isinstance(key, Tracer):
            raise CoterieError("networks are initialised outside compiled code: move init out of jit and vmap")
        generator = on_host(key)
        hidden = _ACTIVATIONS[self.activation][1]
        params, width = {}, inputs
        if self.norm:
            params["norm"] = {"scale": np.ones(inputs), "bias": np.zeros(inputs)}
        for i, size in enumerate(self.encoder):
            params[f"encoder_{i}"], width = _dense(generator, width, size, hidden), size
        if self.memory:
            params["memory"], width = _memory(generator, width, self.memory), self.memory
        for i, size in enumerate(self.head):
            params[f"head_{i}"], width = _dense(generator, width + beside * (i == 0), size, hidden), size
        params["output"] = _dense(generator, width, outputs, gain)
        return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)

    def carry(self, *lead: int) -> PyTree:
        """The memory at the start of an episode: zeros ``[*lead, memory]``, or ``()`` if feed-forward."""
        return jnp.zeros((*lead, self.memory), jnp.float32) if self.memory else ()

    def apply(
        self, params: PyTree, carry: PyTree, x: Float[Array, "L R F"], reset: Bool[Array, "L R"]
    ) -> tuple[Float[Array, "L R out"], PyTree]:
        """Outputs for ``L`` steps of ``R`` sequences, and the memory after each step, ``[L, R, H]`` or ``()``.

        ``carry`` ``[R, H]`` is the memory before the first step; where ``reset[t]``, it is zero before step ``t``.
        A feed-forward network ignores both.
        """
        y, memory = self._trunk(params, carry, x, reset)
        y = self._dense(params, "head", self.head, y)
        return _affine(params["output"], y).reshape(*x.shape[:2], -1), memory

    def below(
        self, params: PyTree, carry: PyTree, x: Float[Array, "L R F"], reset: Bool[Array, "L R"]
    ) -> tuple[Float[Array, "L R W"], PyTree]:
        """What the head (or the output, if there is none) reads, and the memory."""
        y, memory = self._trunk(params, carry, x, reset)
        return y.reshape(*x.shape[:2], -1), memory

    def enter(
        self, params: PyTree, carry: PyTree, x: Float[Array, "L R F"], reset: Bool[Array, "L R"]
    ) -> tuple[Float[Array, "L R H"], PyTree]:
        """The first layer of the head before its activation, without the inputs that come in beside; the memory.

        That layer is linear in what comes from below and in what comes beside, so that a network is evaluated for many
        inputs beside (``besides``) at the price of the layers above it: ``leave(enter(x) + beside @ besides)``.
        """
        y, memory = self._trunk(params, carry, x, reset)
        layer = params["head_0"]
        pre = _affine({"weight": layer["weight"][: y.shape[1]], "bias": layer["bias"]}, y)
        return pre.reshape(*x.shape[:2], -1), memory

    def besides(self, params: PyTree, count: int) -> Float[Array, "count H"]:
        """The weights of the ``count`` inputs that come in beside."""
        return params["head_0"]["weight"][-count:]

    def leave(self, params: PyTree, pre: Float[Array, "*lead H"]) -> Float[Array, "*lead out"]:
        """The outputs from the first layer of the head before its activation."""
        activate = _ACTIVATIONS[self.activation][0]
        y = activate(pre.reshape(-1, pre.shape[-1]))
        y = self._dense(params, "head", self.head, y, 1)
        return _affine(params["output"], y).reshape(*pre.shape[:-1], -1)

    def _trunk(self, params: PyTree, carry: PyTree, x: Array, reset: Array) -> tuple[Float[Array, "rows W"], PyTree]:
        """Everything below the head."""
        length, rows = x.shape[:2]
        y = x.reshape(length * rows, x.shape[2])
        if self.norm:
            y = _layer_norm(params["norm"], y)
        y = self._dense(params, "encoder", self.encoder, y)
        memory = ()
        if self.memory:
            layer = params["memory"]
            projected = _affine(layer, y).reshape(length, rows, 3 * self.memory)
            memory = gru(projected, reset, carry, layer["recurrent_weight"], layer["recurrent_bias"])
            y = memory.reshape(length * rows, self.memory)
        return y, memory

    def _dense(self, params: PyTree, name: str, widths: tuple[int, ...], x: Array, first: int = 0) -> Array:
        activate = _ACTIVATIONS[self.activation][0]
        for i in range(first, len(widths)):
            x = activate(_affine(params[f"{name}_{i}"], x))
        return x
