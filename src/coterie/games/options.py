"""Checks of the options with which a game is opened: each failure is one line with what is wrong and what to give."""

from __future__ import annotations

from collections.abc import Sequence

from coterie.contracts import CoterieError


def whole_at_least(name: str, value: object, least: int) -> None:
    """Raise CoterieError unless ``value`` is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CoterieError(f"{name} must be a whole number of at least {least}, not {value!r}")


def number_within(name: str, value: object, low: float, high: float) -> None:
    """Raise CoterieError unless ``value`` is a number between ``low`` and ``high``, bounds included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CoterieError(f"{name} must be a number between {low:g} and {high:g}, not {value!r}")


def one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise CoterieError unless ``value`` is one of the ``allowed`` words."""
    if value not in allowed:
        raise CoterieError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
