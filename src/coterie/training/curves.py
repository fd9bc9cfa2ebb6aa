"""Learning curves as a picture: means over seeds with their intervals, beside reference lines."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coterie.contracts import CoterieError
from coterie.training.files import write_bytes
from coterie.training.statistics import band

# Paul Tol's "bright" scheme, distinct for colour-blind readers too; line styles tell curves apart beyond seven.
PALETTE = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB")
_STYLES = ("-", "--", ":")
_INK, _FAINT, _REFERENCE = "#333333", "#DDDDDD", "#666666"


def write_curves(
    path: Path | str,
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    title: str,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    xlabel: str = "environment steps",
) -> None:
    """Draw ``curves`` into a PNG (atomically; the picture is 1120 × 640 pixels, made for a README).

    Args:
        path: Where the picture goes.
        curves: For each name the x values ``[points]`` and the y values ``[seeds, points]``.
        title: What the picture shows.
        ylabel: What y is, with its unit.
        references: Names and heights of dashed lines, such as a random team's return.
        xlabel: What x is.

    Raises:
        CoterieError: A curve's arrays do not fit together, or the place cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.0), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _dress(axes, title, xlabel, ylabel)
    labels = []
    seeds = set()
    for index, (name, (x, y)) in enumerate(curves.items()):
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if x.ndim != 1 or y.ndim != 2 or y.shape[1:] != x.shape or not y.size:
            raise CoterieError(f"curve {name} has x {x.shape} and y {y.shape}: expected [points] and [seeds, points]")
        color, style = PALETTE[index % len(PALETTE)], _STYLES[index // len(PALETTE) % len(_STYLES)]
        mean, low, high = band(y)
        axes.plot(x, mean, color=color, linestyle=style, linewidth=2.0)
        axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
        labels.append((float(mean[-1]), name, color))
        seeds.add(y.shape[0])
    for name, height in (references or {}).items():
        axes.axhline(height, color=_REFERENCE, linestyle=(0, (5, 4)), linewidth=1.2, zorder=1)
        labels.append((height, name, _REFERENCE))
    _label(axes, labels)
    _caption(figure, seeds)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_bytes(Path(path), buffer.getvalue())


def _dress(axes: Any, title: str, xlabel: str, ylabel: str) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_title(title, loc="left", fontsize=12, color=_INK, fontweight="bold")
    axes.set_xlabel(xlabel, color=_INK)
    axes.set_ylabel(ylabel, color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(colors=_INK, length=0)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _label(axes: Any, labels: Sequence[tuple[float, str, str]]) -> None:
    """Names at the right end of the lines, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    places = _apart([height for height, _, _ in labels], 0.058 * (high - low), low, high)
    for place, (_, name, color) in zip(places, labels, strict=True):
        axes.annotate(
            name,
            xy=(1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            color=color,
            fontsize=10,
            fontweight="normal" if color == _REFERENCE else "bold",
            verticalalignment="center",
            annotation_clip=False,
        )


def _apart(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights at least ``gap`` apart, in the same order and near the given ones: groups that touch share a middle."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[tuple[float, list[int]]] = []
    for index in order:
        middle, members = min(max(heights[index], low), high), [index]
        while groups and middle - groups[-1][0] < gap * (len(members) + len(groups[-1][1])) / 2:
            other, others = groups.pop()
            middle = (middle * len(members) + other * len(others)) / (len(members) + len(others))
            members = others + members
        groups.append((middle, members))
    places = [0.0] * len(heights)
    for middle, members in groups:
        for rank, index in enumerate(members):
            places[index] = middle + gap * (rank - (len(members) - 1) / 2)
    return places


def _caption(figure: Any, seeds: set[int]) -> None:
    if not seeds:
        return
    count = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    text = "one seed" if seeds == {1} else f"mean of {count} seeds, band: 95 % t-interval of the mean"
    figure.supxlabel(text, x=0.99, horizontalalignment="right", fontsize=8, color=_REFERENCE)
