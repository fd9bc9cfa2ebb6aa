"""Numbers that every recipe must have right, refused in one line."""

from __future__ import annotations

import math
from collections.abc import Mapping

from coterie.contracts import CoterieError
from coterie.parts.fit import Adam


def positive(numbers: Mapping[str, float]) -> None:
    """Raise CoterieError unless all of them, by the names that users give, are finite and above 0."""
    for name, value in numbers.items():
        if not value > 0 or not math.isfinite(value):
            raise CoterieError(f"{name} is {value}: give a number above 0")


def shares(numbers: Mapping[str, float]) -> None:
    """Raise CoterieError unless all of them lie between 0 and 1."""
    for name, value in numbers.items():
        if not 0.0 <= value <= 1.0:
            raise CoterieError(f"{name} is {value}: give a number between 0 and 1")


def fits(parts: Mapping[str, Adam]) -> None:
    """Raise CoterieError unless the optimisers, by the names that users give, can take steps."""
    positive({f"{name}.{field}": getattr(part, field) for field in ("rate", "limit") for name, part in parts.items()})
    for name, part in parts.items():
        if part.halving < 0:
            raise CoterieError(
                f"{name}.halving is {part.halving}: give the gradient steps in which the rate halves, or 0 for never"
            )


def chunk(length: int, rollout: int) -> None:
    """Raise CoterieError unless sequences of that length fill a rollout; 0 stands for the recipe's own choice."""
    if length < 0 or (length and rollout % length):
        raise CoterieError(f"chunk {length} does not divide the rollout of {rollout} steps: give a divisor")
