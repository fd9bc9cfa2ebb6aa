"""Arrays that the main process and its workers share: one anonymous file in memory, cut the same way by both.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np

from coterie.bridges.layout import Layout

VIEW = ("local", "state", "legal", "alive")
"""The arrays of an observation."""
KEPT = ("seed", "episode", "length", "actions")
"""The arrays that say how to come back to where the environments are."""
FINAL = "final_"
"""Before the name of an array: of the observation that the last step led to."""


def shapes(seen: Layout, environments: int, metrics: int) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shape ``[E, ...]`` and dtype of every shared array, by name.

    ``actions`` holds what was done since each episode began, ``length`` how many steps that is: replaying them brings
    a deterministic environment back to where it was.
    """
    own = {name: (shape, np.dtype(kind)) for name, (shape, kind) in seen.shapes.items()}
    row = {name: own[name] for name in VIEW} | {FINAL + name: own[name] for name in VIEW}
    row |= {
        "action": own["action"],
        "reward": ((len(seen.agents),), np.dtype(np.float32)),
        "terminated": ((), np.dtype(np.bool_)),
        "truncated": ((), np.dtype(np.bool_)),
        "info": ((metrics,), np.dtype(np.float32)),
        "seed": ((), np.dtype(np.uint32)),
        "episode": ((), np.dtype(np.int32)),
        "length": ((), np.dtype(np.int32)),
        "busy": ((), np.dtype(np.bool_)),
        "actions": ((seen.horizon, *own["action"][0]), own["action"][1]),
    }
    return {name: ((environments, *shape), kind) for name, (shape, kind) in row.items()}


def memory(size: int) -> int:
    """A descriptor of ``size`` bytes of memory without a name, for ``pass_fds``."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("coterie")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def size(wanted: dict[str, tuple[tuple[int, ...], np.dtype]]) -> int:
    """Bytes that the arrays take, each at a multiple of 64."""
    return sum(_bytes(*each) for each in wanted.values()) or 64


def _bytes(shape: tuple[int, ...], kind: np.dtype) -> int:
    return -(-int(np.prod(shape)) * kind.itemsize // 64) * 64


def arrays(descriptor: int, wanted: dict[str, tuple[tuple[int, ...], np.dtype]]) -> dict[str, np.ndarray]:
    """The arrays in the memory behind ``descriptor``; what one process writes the others read."""
    whole, at, out = mmap.mmap(descriptor, size(wanted)), 0, {}
    for name, (shape, kind) in wanted.items():
        count = int(np.prod(shape))
        out[name] = np.frombuffer(whole, kind, count, at).reshape(shape)
        at += _bytes(shape, kind)
    return out
