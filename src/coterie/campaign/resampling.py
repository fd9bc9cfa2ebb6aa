"""Scores by task, and the stratified resamples of their runs that ``campaign/statistics.py`` takes."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import ArrayLike

from coterie.contracts import CoterieError

Scores = np.ndarray | Sequence[ArrayLike] | Mapping[str, ArrayLike]

_CELLS = 2**20  # numbers resampled at once: bounds the memory to some ten megabytes, whatever the repetitions


def by_task(scores: Scores) -> dict[Hashable, np.ndarray]:
    """Scores as one array ``[runs, …]`` for each task, keyed by its name or, where it has none, its number.

    Raises:
        CoterieError: They are no numbers, or an array without an axis for the tasks.
    """
    if isinstance(scores, Mapping):
        return {name: _numbers(task) for name, task in scores.items()}
    if isinstance(scores, Sequence):
        return {number: _numbers(task) for number, task in enumerate(scores)}
    array = _numbers(scores)
    if array.ndim < 2:
        raise CoterieError(f"scores have shape {array.shape}: give [runs, tasks], for one task scores[:, None]")
    return dict(enumerate(np.moveaxis(array, 1, 0)))


def _numbers(values: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise CoterieError("scores must be numbers: give [runs, tasks], or one list of runs for each task") from None


def checked(scores: Scores) -> dict[Hashable, np.ndarray]:
    """``by_task``, of scores that say something.

    Raises:
        CoterieError: There is no task, a task without runs, one with other points than the first, or a score that is
            not finite.
    """
    tasks = by_task(scores)
    if not tasks:
        raise CoterieError("there are no scores: give at least one task with one run")
    rest = next(iter(tasks.values())).shape[1:]
    for name, task in tasks.items():
        if task.ndim == 0 or task.size == 0:
            raise CoterieError(f"task {name!r} has no scores: give at least one run, or leave the task out")
        if task.shape[1:] != rest:
            raise CoterieError(
                f"the runs of task {name!r} have shape {task.shape[1:]} and those of the first task {rest}: "
                "cut curves to the points that all have"
            )
        if not np.isfinite(task).all():
            raise CoterieError(f"task {name!r} has a score that is not finite: leave out the runs that failed")
    return tasks


def source(seed: int) -> SeedSequence:
    """Where resamples come from.

    Raises:
        CoterieError: ``seed`` is no whole number from 0 up.
    """
    try:
        return SeedSequence(operator.index(seed))
    except (TypeError, ValueError):
        raise CoterieError(f"the seed of a bootstrap cannot be {seed!r}: give a whole number from 0 up") from None


def draws(runs: Sequence[int], reps: int, origin: SeedSequence, indices: Any, cells: int) -> Iterator[list[np.ndarray]]:
    """Resamples in blocks that fit in memory: for each task, which of its runs to take, ``[runs, block]``.

    Each task has its own random stream, so neither the block size nor the runs of another task change its resamples.

    Args:
        runs: The number of runs of each task.
        reps: The number of resamples, unless ``indices`` holds them.
        origin: Where they come from, unless ``indices`` holds them.
        indices: None, or the resamples themselves: ``[reps, runs, tasks, …]``, or ``[reps, runs, …]`` for each task.
        cells: The numbers that one resample needs.

    Raises:
        CoterieError: There is nothing to draw, or ``indices`` do not fit the scores.
    """
    given = None if indices is None else _given(runs, indices)
    reps = reps if given is None else given[0].shape[1]
    if reps < 1:
        raise CoterieError(f"a bootstrap cannot have {reps} resamples: give at least 1, and 2000 for an interval")
    generators = [np.random.default_rng(child) for child in origin.spawn(len(runs))]
    block = max(1, _CELLS // cells)
    for start in range(0, reps, block):
        size = min(block, reps - start)
        if given is not None:
            yield [task[:, start : start + size] for task in given]
        else:
            yield [rng.integers(n, size=(size, n)).T for rng, n in zip(generators, runs, strict=True)]


def _given(runs: Sequence[int], indices: Any) -> list[np.ndarray]:
    by_number = indices if isinstance(indices, Sequence) else np.moveaxis(np.asarray(indices), 2, 0)
    tasks = [np.swapaxes(np.asarray(task), 0, 1) for task in by_number]
    if [len(task) for task in tasks] != list(runs) or len({task.shape[1] for task in tasks}) != 1:
        raise CoterieError(f"indices must be [reps, runs] for each task, with {', '.join(map(str, runs))} runs")
    if any(task.min() < 0 or task.max() >= n for task, n in zip(tasks, runs, strict=True)):
        raise CoterieError("indices must be from 0 up and below the number of runs of their task")
    return tasks


def take(task: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Runs ``[runs, …]`` taken by ``[runs, block]``, or point by point by ``[runs, block, …]``, to the latter shape."""
    if chosen.ndim == 2:
        return task[chosen]
    return np.take_along_axis(task[:, None], chosen, axis=0)


def ends(values: Sequence[np.ndarray], confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The percentile interval of blocks ``[block, …]`` of a resampled statistic: its (1 ∓ confidence)/2 quantiles.

    Raises:
        CoterieError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise CoterieError(f"the confidence of an interval cannot be {confidence:g}: give a number between 0 and 1")
    low, high = np.quantile(np.concatenate(values), [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
