"""Curves with their bands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.frame import LETTER, Frame, apart, drawing, horizontal, label, line, size, vertical
from coterie.campaign.report.markup import EMPTY, Markup, join, tag, tenth, text


class Series(NamedTuple):
    """One method's curve: x, the middle, and the ends of the band (NaN for none), each ``[points]``."""

    method: int
    name: str
    x: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Axes(NamedTuple):
    """What the axes say: titles, how x is written, and the ends of y where data do not decide."""

    x: str = "environment steps"
    y: str = ""
    write: Callable[[float], str] | None = numbers.short
    unit: str = "steps"
    range: tuple[float, float] | None = None


def chart(
    key: str,
    title: str,
    about: str,
    series: Sequence[Series],
    axes: Axes,
    references: Mapping[str, float] | None = None,
    beside: int = 3,
) -> Markup:
    """Curves in a frame that can be probed with a pointer or the arrow keys; names stand at their right ends.

    ``beside`` is how many such charts share a row.
    """
    references = references or {}
    width, height = size(beside)
    names = [_cut(s.name) for s in series] if len(series) <= 7 else []
    longest = max([len(name) for name in names] + [0.75 * len(name) for name in references], default=0)
    x = min(s.x[0] for s in series), max(s.x[-1] for s in series)
    y = axes.range or extent(series, references)
    right = 12 + LETTER * longest if longest else 14.0
    frame = Frame(x, y, left=40 + 16 * bool(axes.y), right=right, width=width, height=height)
    room = {"x": frame.left, "y": frame.top, "width": frame.width - frame.left - right,
            "height": frame.height - frame.top - frame.bottom}  # fmt: skip
    clip = tag("clipPath", tag("rect", **room), id=f"{key}-room")
    drawn = tag("g", *(_curve(s, frame) for s in series), clip_path=f"url(#{key}-room)")
    rules = [line(frame.left, frame.up(v), frame.width - right, frame.up(v), "rule") for v in references.values()]
    inside = (clip, vertical(frame, axes.y), horizontal(frame, axes.x, axes.write), *rules, drawn,
              _ends(series if names else (), references, frame))  # fmt: skip
    svg = drawing(key, title, about, frame, *inside)
    return tag("div", svg, class_="probe", data_title=title, data_chart=_data(series, frame, axes.unit))


def extent(series: Sequence[Series], references: Mapping[str, float]) -> tuple[float, float]:
    """The ends of y: all middles and references, and bands as far as they do not flatten these."""
    firm = np.concatenate([*(s.middle for s in series), np.array(list(references.values()))])
    low, high = float(firm.min()), float(firm.max())
    reach = 0.3 * ((high - low) or abs(high) or 1.0)
    soft = np.concatenate([np.r_[s.low, s.high] for s in series])
    soft = soft[np.isfinite(soft)]
    if soft.size:
        low, high = min(low, max(float(soft.min()), low - reach)), max(high, min(float(soft.max()), high + reach))
    margin = 0.04 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _curve(series: Series, frame: Frame) -> Markup:
    """A band, a line, and a few markers."""
    xs = [frame.across(x) for x in series.x]
    middle = [frame.up(y) for y in series.middle]
    band = EMPTY
    sound = np.isfinite(series.low) & np.isfinite(series.high)
    if sound.any():
        edge = [(x, frame.up(y)) for x, y, ok in zip(xs, series.high, sound, strict=True) if ok]
        back = [(x, frame.up(y)) for x, y, ok in zip(xs, series.low, sound, strict=True) if ok]
        band = tag("path", d=_path([*edge, *reversed(back)]) + "Z", class_=f"band {looks.color(series.method)}")
    stroke = tag("path", d=_path(list(zip(xs, middle, strict=True))), class_=f"line {looks.color(series.method)}",
                 stroke_dasharray=looks.dash(series.method))  # fmt: skip
    every = max(1, len(xs) // 6)
    shift = (series.method * every // 3) % every if every > 1 else 0  # markers of curves that run together
    marks = [looks.marker(series.method, xs[i], middle[i]) for i in range(shift, len(xs), every)]
    return tag("g", band, stroke, *marks, data_m=str(series.method))


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{tenth(x)} {tenth(y)}" for x, y in points)


def _ends(series: Sequence[Series], references: Mapping[str, float], frame: Frame) -> Markup:
    """Names beside the right ends of curves and reference lines."""
    top, bottom = frame.top, frame.height - frame.bottom
    heights = [frame.up(float(s.middle[-1])) for s in series] + [frame.up(v) for v in references.values()]
    places = apart([min(max(h, top), bottom) for h in heights], 13.0, top + 2, bottom)
    x = frame.width - frame.right + 7
    named = [
        tag("text", text(_cut(s.name)), x=x, y=place + 4, class_=f"name {looks.color(s.method)}", data_m=str(s.method))
        for s, place in zip(series, places, strict=False)
    ]
    rest = zip(references, places[len(series) :], strict=True)
    return join([*named, *(label(name, x, place + 4, "start", "tick") for name, place in rest)])


def _cut(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def _data(series: Sequence[Series], frame: Frame, unit: str) -> str:
    """What the page's script needs to read values off."""

    def rounded(values: np.ndarray) -> list[float | None]:
        return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values]

    return json.dumps(
        {
            "left": frame.left / frame.width, "right": 1 - frame.right / frame.width,
            "top": frame.top / frame.height, "bottom": 1 - frame.bottom / frame.height,
            "x": frame.x, "y": [float(f"{v:.6g}") for v in frame.y], "unit": unit,
            "series": [{"m": s.method, "name": s.name, "x": rounded(s.x), "y": rounded(s.middle), "low": rounded(s.low),
                        "high": rounded(s.high)} for s in series],
        }, separators=(",", ":"),
    )  # fmt: skip
