"""Numbers as a reader wants them: a true minus sign, and no more places than the interval carries."""

from __future__ import annotations

import math
from collections.abc import Iterable

MINUS = "−"


def figure(value: float | None, places: int = 1) -> str:
    """A number to so many places; a dash for one that is not there."""
    if value is None or not math.isfinite(value):
        return "–"
    shown = f"{value:,.{places}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown.replace("-", MINUS)


def interval(low: float, high: float, places: int = 1) -> str:
    """The ends of an interval, or nothing where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{figure(low, places)}, {figure(high, places)}]"


def places(values: Iterable[float | None]) -> int:
    """Places that suit numbers of this size."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=1.0)
    return next((digits for limit, digits in ((1000, 0), (20, 1), (1, 2)) if largest >= limit), 3)


def short(count: float) -> str:
    """A count of steps: 320k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{letter}".replace("-", MINUS)
    return f"{count:.3g}".replace("-", MINUS)


def percent(share: float) -> str:
    """A share."""
    return f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers in a range, about ``count`` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * number for number in range(first, last + 1)]


def label(value: float, step: float) -> str:
    """A tick's number with the places that its step needs."""
    if abs(value) >= 10_000:
        return short(value)
    return figure(value, max(0, -math.floor(math.log10(step) + 1e-9) + (f"{step:e}"[:3] == "2.5")) if step < 10 else 0)
