"""What a person sees: live progress on stderr, tables on stdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from coterie.training import session

_OUT = Console(highlight=False)
if not _OUT.is_terminal:
    _OUT.width = 120  # a log or a pipe has no width of its own, and 80 columns cut tables


def say(thing: Any) -> None:
    """Print to stdout."""
    _OUT.print(thing)


def note(text: str) -> None:
    """Print a line of progress to stderr."""
    Console(stderr=True, highlight=False).print(text)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A small table; columns after the first are right-aligned where they hold numbers."""
    out = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        numeric = index > 0 and all(_number(row[index]) for row in rows)
        out.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        out.add_row(*row)
    return out


def _number(text: str) -> bool:
    return text[:1].lstrip("-−[").isdigit() or text[:1] in "-−["


def spread(low: float | None, high: float | None) -> str:
    """An interval in words; a single seed has none."""
    if low is None or high is None or low != low:
        return "- (one seed)"
    return f"[{low:.2f}, {high:.2f}]"


def evaluation_table(rows: Mapping[str, Mapping[str, Any]], episodes: int) -> Table:
    """Mean returns with their intervals over seeds."""
    cells = [
        [name, f"{row['mean']:.2f}", spread(row["low"], row["high"]), str(len(row["returns"]))]
        for name, row in rows.items()
    ]
    return table(f"return over {episodes} episodes a seed", ["team", "mean", "95 % interval", "seeds"], cells)


class Bars:
    """Progress bars on stderr, drawn only in a terminal; elsewhere their user prints lines with ``line``."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn("{task.description}"), BarColumn(bar_width=None), TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[figures]}"), TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._bar = Progress(*columns, console=self._console)
        self.drawn = self._console.is_terminal

    def __enter__(self) -> Self:
        if self.drawn:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.drawn:
            self._bar.stop()

    def add(self, title: str, total: float | None = None, figures: str = "") -> TaskID:
        """A new bar."""
        return self._bar.add_task(title, total=total, figures=figures)

    def set(self, bar: TaskID, completed: float, **fields: Any) -> None:
        """How far it is, and what stands behind it."""
        self._bar.update(bar, completed=completed, **fields)

    def remove(self, bar: TaskID) -> None:
        """Take it away."""
        self._bar.remove_task(bar)

    def line(self, text: str) -> None:
        """A line above the bars, never broken: whoever reads a log breaks it as they like."""
        self._console.print(text, soft_wrap=True)


class Live:
    """The progress of one training run, fed by the session's observer; plain lines where stderr is no terminal."""

    def __init__(self, title: str, bars: Bars) -> None:
        self._bars, self._title = bars, title
        self._task = bars.add(f"[bold]{title}[/bold]", figures="compiling")
        self._warm, self._steps, self._seconds = False, 0.0, 0.0
        self.rate = 0.0

    def update(self, progress: session.Progress) -> None:
        """Show one point; the rate leaves the chunk out that was compiled first, unless there is no other."""
        if self._warm and not progress.compiled:
            self._steps, self._seconds = 0.0, 0.0
        self._warm = progress.compiled
        self._steps += progress.steps_per_second * progress.seconds
        self._seconds += progress.seconds
        self.rate = self._steps / self._seconds
        known = progress.returns[np.isfinite(progress.returns)]
        figures = f"return {known.mean():.2f}" if known.size else "no episode ended"
        figures += f"   {self.rate:,.0f} steps/s"
        self._bars.set(self._task, progress.steps, total=progress.total, figures=figures)
        if not self._bars.drawn:
            self._bars.line(f"{self._title}: {progress.steps:,}/{progress.total:,} steps   {figures}")
