"""What the report reads: every run's state, curves and costs. A damaged file is told of and costs what stood in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from coterie.campaign.plan import Entry, Plan, game_file
from coterie.campaign.results import Results, collect
from coterie.contracts import CoterieError
from coterie.training import journal
from coterie.training.files import read_json
from coterie.training.record import RUN

State = Literal["done", "failed", "damaged", "under way", "waiting"]
RETURNS = ("episode_return", "sampled_return", "greedy_return")
"""What a learning curve may show, the finest first."""


class Run(NamedTuple):
    """A run as its directory tells it: ``metrics`` holds ``[seeds, points, …]`` by name, ``steps`` ``[points]``."""

    entry: Entry
    state: State
    error: str
    steps: np.ndarray
    metrics: dict[str, np.ndarray]
    rate: float | None
    document: dict[str, Any]

    def curve(self, name: str, largest: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Steps ``[points]`` and a metric ``[seeds, points]`` where it is finite; of agents the mean or the largest."""
        values = self.metrics.get(name)
        if values is None:
            return self.steps[:0], np.zeros((1, 0))
        if values.ndim > 2:
            flat = values.reshape(*values.shape[:2], -1)
            values = flat.max(-1) if largest else flat.mean(-1)
        sound = np.isfinite(values).all(0)
        return self.steps[sound], values[:, sound]

    def returns(self) -> tuple[np.ndarray, np.ndarray]:
        """The learning curve."""
        found = (self.curve(name) for name in RETURNS)
        return next((both for both in found if both[0].size), self.curve(""))


class Material(NamedTuple):
    """A campaign read for the report."""

    plan: Plan
    results: Results
    methods: tuple[str, ...]
    games: tuple[str, ...]
    runs: dict[tuple[str, str], Run]
    notes: dict[str, dict[str, Any]]
    problems: tuple[str, ...]

    def of(self, game: str) -> list[tuple[int, Run]]:
        """The runs on a game, each with its method's number."""
        found = [(i, self.runs.get((method, game))) for i, method in enumerate(self.methods)]
        return [(i, run) for i, run in found if run is not None]


def gather(known: Plan) -> Material:
    """Read all that the report shows."""
    results = collect(known)
    problems = list(results.problems)
    runs = {(entry.method, entry.game): _run(entry, results, problems) for entry in known.entries}
    methods = tuple(dict.fromkeys(entry.method for entry in known.entries))
    games = tuple(results.games)
    notes = {game: _note(game_file(known.directory, game)) for game in games}
    told = tuple(dict.fromkeys(clean(known, problem) for problem in problems))
    return Material(known, results, methods, games, runs, notes, told)


def clean(known: Plan, words: str) -> str:
    """A message without the place of the campaign on this machine."""
    for place in (known.directory.resolve(), known.directory.absolute(), known.directory):
        words = words.replace(f"{place}/", "")
    return words


def _run(entry: Entry, results: Results, problems: list[str]) -> Run:
    points = _read(entry.directory, journal.METRICS, problems)
    timing = _read(entry.directory, journal.TIMING, problems)
    steps, metrics = tabulate(points)
    rates = [point["steps_per_second"] for point in timing if isinstance(point.get("steps_per_second"), int | float)]
    rate = float(np.median(rates)) if len(rates) > 2 else None  # chunks that compiled are few: the median skips them
    state, error = _state(entry, results)
    return Run(entry, state, clean(results.campaign, error), steps, metrics, rate, _document(entry, problems))


def _state(entry: Entry, results: Results) -> tuple[State, str]:
    stage = entry.stage
    if stage == "done":
        whole = (entry.method, entry.game) in results.final
        mine = [problem for problem in results.problems if str(entry.directory) in problem]
        return ("done", "") if whole else ("damaged", mine[0] if mine else "")
    if stage == "failed":
        try:
            return "failed", entry.failure or "no reason was recorded"
        except (CoterieError, AttributeError):
            return "failed", "the reason cannot be read"
    return ("under way" if stage == "begun" else "waiting"), ""


def _read(directory: Path, name: str, problems: list[str]) -> list[dict[str, Any]]:
    """The points of a log; none if it is not there yet or damaged."""
    if not (directory / name).exists():
        return []
    try:
        return [point for point in journal.read(directory, name) if isinstance(point, dict)]
    except CoterieError as error:
        problems.append(str(error))
        return []


def _document(entry: Entry, problems: list[str]) -> dict[str, Any]:
    path = entry.directory / RUN
    try:
        found = read_json(path) if path.exists() else {}
    except CoterieError as error:
        problems.append(str(error))
        found = {}
    return found if isinstance(found, dict) else {}


def _note(path: Path) -> dict[str, Any]:
    """A game's yardsticks; that they cannot be read has been told by ``collect``."""
    try:
        found = read_json(path) if path.exists() else {}
    except CoterieError:
        found = {}
    return found if isinstance(found, dict) else {}


def tabulate(points: Sequence[dict[str, Any]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Log points as steps ``[points]`` and arrays ``[seeds, points, …]``.

    Steps that not all seeds reached are left out, and so is what is no number or changes its shape. Null is NaN.
    """
    by = {(point["step"], point["seed"]): point for point in points if {"step", "seed"} <= point.keys()}
    seeds = sorted({seed for _, seed in by})
    steps = sorted({step for step, _ in by if all((step, seed) in by for seed in seeds)})
    names = {name for point in by.values() for name in point} - {"step", "seed", "iteration"}
    metrics = {}
    for name in sorted(names if steps else ()):
        try:
            metrics[name] = np.array([[by[step, seed].get(name) for step in steps] for seed in seeds], np.float64)
        except (TypeError, ValueError):
            continue
    return np.array(steps, np.float64), metrics
