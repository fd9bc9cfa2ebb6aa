"""A gated recurrent unit one step at a time, in jax.numpy for its automatic derivative and in NumPy loops."""

import jax
import jax.numpy as jnp
import numpy as np


def gru(x, reset, carry, weight, bias):
    """The equations of torch's GRU as they stand, all of them inside one scan."""
    size = carry.shape[-1]
    u_r, u_z, u_n = weight[:, :size], weight[:, size : 2 * size], weight[:, 2 * size :]

    def step(h, now):
        x, reset = now
        h = jnp.where(reset[:, None], jnp.zeros_like(h), h)
        r = jax.nn.sigmoid(x[:, :size] + h @ u_r)
        z = jax.nn.sigmoid(x[:, size : 2 * size] + h @ u_z)
        n = jnp.tanh(x[:, 2 * size :] + r * (h @ u_n + jnp.broadcast_to(bias, h.shape)))
        h = (1.0 - z) * n + z * h
        return h, h

    return jax.lax.scan(step, carry, (x, reset))[1]


def network(net, params, carry, x, reset):
    """A network on one sequence ``[L, F]``, row by row in NumPy; returns outputs and memories."""
    p = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    act = np.tanh if net.activation == "tanh" else (lambda v: np.maximum(v, 0.0))
    sigmoid = lambda v: 1.0 / (1.0 + np.exp(-v))  # noqa: E731
    h, outputs, memories = carry, [], []
    for row, fresh in zip(np.asarray(x, np.float64), reset, strict=True):
        if net.norm:
            row = (row - row.mean()) / np.sqrt(row.var() + 1e-5) * p["norm"]["scale"] + p["norm"]["bias"]
        for i in range(len(net.encoder)):
            row = act(row @ p[f"encoder_{i}"]["weight"] + p[f"encoder_{i}"]["bias"])
        if net.memory:
            size, q = net.memory, p["memory"]
            h = np.zeros(size) if fresh else h
            i_r, i_z, i_n = np.split(row @ q["weight"] + q["bias"], 3)
            u_r, u_z, u_n = np.split(h @ q["recurrent_weight"], 3)
            r, z = sigmoid(i_r + u_r), sigmoid(i_z + u_z)
            h = (1 - z) * np.tanh(i_n + r * (u_n + q["recurrent_bias"])) + z * h
            row = h
            memories.append(h)
        for i in range(len(net.head)):
            row = act(row @ p[f"head_{i}"]["weight"] + p[f"head_{i}"]["bias"])
        outputs.append(row @ p["output"]["weight"] + p["output"]["bias"])
    return np.stack(outputs), np.stack(memories) if memories else ()
