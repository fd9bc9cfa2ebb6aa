"""An exported policy at play, over NumPy or ``jax.numpy``: the meaning of its document in one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def forward(
    xp: Any, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray], inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """One step of a batch.

    Args:
        xp: ``numpy`` or ``jax.numpy``.
        document: What ``describe`` says of the policy.
        arrays: The arrays that its layers name.
        inputs: ``observation`` ``[B, O]``; ``legal`` ``[B, A]`` or ``[B, D, A]`` unless actions are continuous;
            ``memory`` ``[B, H]`` of a recurrent policy, zeros at the start of an episode; where actions are sampled
            ``noise`` ``[B]`` or ``[B, D]``, uniform in [0, 1) for choices, standard normal for boxes.

    Returns:
        ``logits`` like ``legal``, the log-probabilities of the choices; or ``mean`` and ``log_std`` ``[B, D]``, before
        squashing. ``action`` ``[B]`` or ``[B, D]``, for boxes in the game's units; and ``next_memory`` ``[B, H]``.
    """
    x, outputs = inputs["observation"], {}
    for layer in document["layers"]:
        name, kind = layer.get("name"), layer["kind"]
        if kind == "append":
            values = np.asarray(layer["values"], np.float32)
            x = xp.concatenate([x, xp.broadcast_to(values, (x.shape[0], len(values)))], axis=-1)
        elif kind == "norm":
            x = _norm(xp, arrays, name, layer["epsilon"], x)
        elif kind == "memory":
            x = outputs["next_memory"] = _gru(xp, arrays, name, x, inputs["memory"])
        else:
            x = _activate(xp, layer["activation"], _affine(arrays, name, x))
    draw = _normal if document["distribution"]["kind"] == "normal" else _choices
    return {**draw(xp, document["distribution"], arrays, x, inputs), **outputs}


def _affine(arrays: Mapping[str, np.ndarray], name: str, x: Any) -> Any:
    return x @ arrays[f"{name}.weight"] + arrays[f"{name}.bias"][None]


def _activate(xp: Any, activation: str, x: Any) -> Any:
    if activation == "none":
        return x
    return xp.tanh(x) if activation == "tanh" else xp.maximum(x, np.float32(0.0))


def _norm(xp: Any, arrays: Mapping[str, np.ndarray], name: str, epsilon: float, x: Any) -> Any:
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    unit = centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + np.float32(epsilon))
    return unit * arrays[f"{name}.scale"][None] + arrays[f"{name}.bias"][None]


def _gru(xp: Any, arrays: Mapping[str, np.ndarray], name: str, x: Any, h: Any) -> Any:
    """The equations of ``coterie.nets.recurrent``, one step."""
    size = h.shape[-1]
    own, past = _affine(arrays, name, x), h @ arrays[f"{name}.recurrent_weight"]
    half = np.float32(0.5)
    gates = half + half * xp.tanh(half * (own[:, : 2 * size] + past[:, : 2 * size]))
    reset, update = gates[:, :size], gates[:, size:]
    recurrent = past[:, 2 * size :] + arrays[f"{name}.recurrent_bias"][None]
    candidate = xp.tanh(own[:, 2 * size :] + reset * recurrent)
    return candidate + update * (h - candidate)


def _choices(xp: Any, how: Mapping[str, Any], arrays: Any, raw: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Masked, normalised logits, and the most probable choice or one drawn by inversion."""
    del arrays
    sizes, padded, legal = how["sizes"], how["padded"], inputs["legal"]
    if len(padded) == 1:
        raw = raw[:, : sizes[0]]
    else:
        raw = raw.reshape((-1, *padded))[:, : len(sizes), : max(sizes)]
        real = np.arange(max(sizes))[None, None] < np.asarray(sizes)[None, :, None]
        legal = xp.logical_and(legal, real)
    illegal = np.float32(how["illegal"])
    logits = xp.where(legal, raw, illegal)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(shifted), axis=-1, keepdims=True)
    logits = xp.where(legal, shifted - xp.log(total), illegal)
    score = logits
    if "noise" in inputs:
        p = xp.exp(logits)
        below = xp.where(p > 0, xp.cumsum(p, axis=-1), np.float32(-1.0))
        # Of the legal choices the greatest sum exceeds the level, however the sums were rounded.
        level = inputs["noise"][..., None] * xp.max(below, axis=-1, keepdims=True)
        score = (below > level).astype(np.float32)
    return {"logits": logits, "action": xp.argmax(score, axis=-1).astype(np.int32)}


def _normal(xp: Any, how: Mapping[str, Any], arrays: Any, raw: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Mean and spread in latent coordinates, and the squashed action in the units of the box."""
    low, high = (np.asarray(how[bound], np.float32)[None] for bound in ("low", "high"))
    mean = raw[:, : low.shape[1]]
    log_std = xp.broadcast_to(arrays["log_std"][: low.shape[1]], mean.shape)
    latent = mean + xp.exp(log_std) * inputs["noise"] if "noise" in inputs else mean
    one = np.float32(1.0)
    unit = xp.tanh(latent) if how["squash"] == "tanh" else xp.minimum(xp.maximum(latent, -one), one)
    half = np.float32(0.5)
    action = half * (low + high) + half * (high - low) * unit
    return {"mean": mean, "log_std": log_std, "action": action}
