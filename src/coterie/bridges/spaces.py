"""Gymnasium's spaces as flat numbers and back: what an agent sees, which choices it has, what it does.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from coterie.errors import CoterieError

LARGEST = 100_000
"""Numbers in one observation beyond which something else than a flat vector is needed."""
MASK = "action_mask"
"""The key under which PettingZoo's environments say what is legal, in the observation or in the info."""


class Fault(Exception):
    """An environment broke a promise of its own: a defect, not a failure, so that trying again would not help."""


class Seen(NamedTuple):
    """How to read an agent's observation: its ``size`` in numbers, its bounds, and what stands beside a mask in it.

    ``box`` is the shape and the kind of dtype of an array, None for other spaces.
    """

    space: Any
    beside: tuple[str, ...]
    size: int
    low: np.ndarray
    high: np.ndarray
    box: tuple[tuple[int, ...], str] | None

    def numbers(self, observation: Any) -> np.ndarray:
        """The observation without its mask as a flat array.

        Raises:
            Fault: Another shape, or something that is no number.
        """
        if self.beside:
            if not isinstance(observation, Mapping) or not {MASK, *self.beside} <= set(observation):
                raise Fault(
                    f"gave {_short(observation)} where its space says a dictionary with {self.beside} and {MASK}"
                )
            rest = {name: observation[name] for name in self.beside}
            observation = rest if len(rest) > 1 else rest[self.beside[0]]
        if self.box:
            array, (shape, kind) = np.asarray(observation), self.box
            if array.dtype.kind not in "fiub" or (array.dtype.kind == "f" and kind != "f"):
                raise Fault(f"gave an observation of dtype {array.dtype} where its space says {self.space.dtype}")
            if array.shape != shape:
                raise Fault(f"gave an observation of shape {array.shape} where its space says {shape}")
            return array.ravel()
        try:
            flat = np.asarray(_flatten(self.space, observation), np.float32)
        except Exception as error:
            raise Fault(f"gave {_short(observation)}, which is not in {_short(self.space)} ({error!r})") from error
        if flat.shape != (self.size,):
            raise Fault(f"gave {_short(observation)}, which is not in {_short(self.space)}")
        return flat


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 80 else text[:77] + "..."


def _is_box(space: Any) -> bool:
    return type(space).__name__ == "Box"


def _flatten(space: Any, value: Any) -> Any:
    from gymnasium.spaces import flatten

    return flatten(space, value)


def seen(agent: str, space: Any) -> Seen:
    """How to read what ``agent`` sees.

    Raises:
        CoterieError: The space cannot be a flat vector of a fixed size; says why.
    """
    from gymnasium.spaces import Dict, flatten_space

    names = tuple(space.spaces) if isinstance(space, Dict) else ()
    beside = tuple(name for name in names if name != MASK) if MASK in names else ()
    own: Any = (
        Dict({name: space[name] for name in beside}) if len(beside) > 1 else space[beside[0]] if beside else space
    )
    if _is_box(own) and own.dtype == np.uint8 and np.ndim(own.low) == 3:
        raise CoterieError(
            f"{agent} sees pictures of shape {own.shape}, and the networks here read flat vectors: wrap the "
            "environment so that it gives features"
        )
    try:
        flat: Any = flatten_space(own)
        low, high = np.ravel(flat.low), np.ravel(flat.high)
    except (NotImplementedError, AttributeError) as error:
        raise CoterieError(
            f"the observation space of {agent} has no fixed size as a vector ({_short(own)}): give Box, Discrete, "
            "MultiDiscrete, MultiBinary, or a Dict or Tuple of those"
        ) from error
    if not 0 < low.size <= LARGEST:
        raise CoterieError(f"{agent} sees {low.size:,} numbers, and 1 to {LARGEST:,} can be batched: give features")
    box = (own.shape, own.dtype.kind) if _is_box(own) else None
    return Seen(own, beside, low.size, low.astype(np.float32), high.astype(np.float32), box)


@dataclass(frozen=True)
class Acts:
    """How an agent acts: the kind of its space, its sizes or bounds, and how numbers become its action."""

    kind: Literal["discrete", "multi_discrete", "continuous"]
    sizes: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    action: Callable[[np.ndarray], Any]

    @cached_property
    def components(self) -> int:
        """Numbers in one action."""
        return max(len(self.sizes), len(self.low))

    def mask(self, given: Any) -> np.ndarray:
        """The environment's mask as Bool[D, A], one row of choices for each component.

        Raises:
            Fault: Another size, or no choice is left.
        """
        rows = given if isinstance(given, tuple | list) and len(given) == len(self.sizes) else None
        flat = np.concatenate([np.ravel(row) for row in rows]) if rows is not None else np.ravel(given)
        if flat.size != sum(self.sizes) or flat.dtype.kind not in "iufb":
            raise Fault(f"has an action mask of {flat.size} entries where its actions have {sum(self.sizes)}")
        out, at = np.zeros((len(self.sizes), max(self.sizes)), bool), 0
        for row, size in enumerate(self.sizes):
            out[row, :size] = flat[at : at + size] > 0
            at += size
        if not out.any(1).all():
            raise Fault("has no legal action left in its action mask")
        return out


def acts(agent: str, space: Any) -> Acts:
    """How ``agent`` acts.

    Raises:
        CoterieError: The space is none of those that the policies know; says why.
    """
    kind, shape, dtype = type(space).__name__, getattr(space, "shape", ()), getattr(space, "dtype", None)
    if kind == "Discrete":
        start = int(space.start)
        return Acts("discrete", (int(space.n),), (), (), lambda x: int(x) + start)
    if kind in ("MultiDiscrete", "MultiBinary"):
        sizes = np.ravel(space.nvec if kind == "MultiDiscrete" else np.full(shape, 2))
        first = np.broadcast_to(getattr(space, "start", 0), shape)
        chosen = lambda x: (x.reshape(shape) + first).astype(dtype)  # noqa: E731
        return Acts("multi_discrete", tuple(map(int, sizes)), (), (), chosen)
    if kind == "Box" and np.issubdtype(dtype, np.floating):
        low, high = np.ravel(space.low), np.ravel(space.high)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise CoterieError(
                f"the actions of {agent} are a box without finite bounds: wrap the environment to clip its actions"
            )
        within = lambda x: x.reshape(shape).astype(dtype)  # noqa: E731
        return Acts("continuous", (), tuple(map(float, low)), tuple(map(float, high)), within)
    raise CoterieError(
        f"{agent} acts in {_short(space)}, and policies here choose from Discrete, MultiDiscrete, MultiBinary or a Box "
        "of floats: wrap the environment to one of these"
    )
