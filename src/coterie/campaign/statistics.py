"""Aggregate scores over games and seeds, with stratified bootstrap intervals.

The estimators of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS),
and the figures of its authors' library for the same resamples.

Scores are an array ``[runs, tasks, …]``, or, where tasks have unequal numbers of runs, one array ``[runs, …]`` for each
task: a mapping from the names of the tasks, or a list. Axes after the first two (points of a curve, say) are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coterie.campaign.resampling import Scores, by_task, checked, draws, ends, source, take
from coterie.contracts import CoterieError

Statistic = Callable[[list[np.ndarray]], np.ndarray]


class Estimate(NamedTuple):
    """A statistic and the ends of its interval, of one shape; the ends are NaN where each task has a single run."""

    point: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Matrix(NamedTuple):
    """Probability that the method of the row improves on that of the column, ``[methods, methods]``, with intervals."""

    methods: tuple[str, ...]
    point: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mean(scores: Scores) -> np.ndarray:
    """Mean over tasks of the mean over runs: ``[runs, tasks, …]`` to ``[…]``."""
    return np.mean([task.mean(axis=0) for task in by_task(scores).values()], axis=0)


def median(scores: Scores) -> np.ndarray:
    """Median over tasks of the mean over runs: ``[runs, tasks, …]`` to ``[…]``."""
    return np.median([task.mean(axis=0) for task in by_task(scores).values()], axis=0)


def iqm(scores: Scores) -> np.ndarray:
    """Interquartile mean, ``[runs, tasks, …]`` to ``[…]``: the mean without the ⌊n/4⌋ lowest and ⌊n/4⌋ highest scores.

    The n scores of all runs and tasks are sorted together, so a task with more runs than another weighs more
    (Agarwal et al. 2021, section 4.3).
    """
    pooled = np.sort(np.concatenate(list(by_task(scores).values())), axis=0)
    cut = len(pooled) // 4
    return pooled[cut : len(pooled) - cut].mean(axis=0)


def optimality_gap(scores: Scores, gamma: float = 1.0) -> np.ndarray:
    """How far scores fall short of γ, γ − mean(min(x, γ)): ``[runs, tasks, …]`` to ``[…]``; less is better.

    More than γ counts as γ (Agarwal et al. 2021, section 4.3). Each task weighs the same.
    """
    return gamma - mean([np.minimum(task, gamma) for task in by_task(scores).values()])


def stratified_bootstrap(
    scores: Scores,
    statistic: Statistic,
    reps: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    indices: Any = None,
) -> Estimate:
    """``statistic`` of ``[runs, tasks, …]`` with its percentile interval over resamples of the runs within each task.

    A resample takes as many runs of each task as there are, with replacement and independently of the other tasks
    (Agarwal et al. 2021, section 4.1); the interval ends at the (1 ± confidence)/2 quantiles of the statistic. The
    interval says what other seeds would give on the same tasks, and is too narrow for a handful of runs.

    Args:
        scores: The scores of one method.
        statistic: From a list of tasks ``[runs, …]`` to ``[…]``, as ``iqm`` does; called once with the scores and then
            with blocks of resamples ``[runs, block, …]``.
        reps: The number of resamples.
        confidence: Coverage of the interval.
        seed: The same seed gives the same resamples.
        indices: The resamples themselves in place of ``reps`` and ``seed``: which runs to take, whole numbers
            ``[reps, runs, tasks]``, with further axes where those resample on their own, or ``[reps, runs]`` per task.
    """
    tasks = list(checked(scores).values())
    point = statistic(tasks)
    if all(len(task) == 1 for task in tasks):
        return Estimate(point, point * np.nan, point * np.nan)
    blocks = draws([len(task) for task in tasks], reps, source(seed), indices, sum(task.size for task in tasks))
    return Estimate(point, *ends([statistic(list(map(take, tasks, block))) for block in blocks], confidence))


def performance_profile(
    scores: Scores,
    taus: ArrayLike,
    reps: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    indices: Any = None,
) -> Estimate:
    """Share of runs that score above each threshold τ, mean over tasks, with a pointwise band: three arrays ``[taus]``.

    F(τ) = 1/M Σ_m 1/N_m Σ_n 1[x_mn > τ] (Agarwal et al. 2021, section 4.2, the run-score distribution). Where one
    method's profile lies above another's throughout, its scores dominate stochastically.
    """
    thresholds = np.asarray(taus, np.float64)
    above = [task[..., None] > thresholds for task in checked(scores).values()]
    return stratified_bootstrap(above, mean, reps, confidence, seed, indices=indices)


def sample_efficiency(
    curves: Scores,
    reps: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    indices: Any = None,
) -> Estimate:
    """Interquartile mean at each point of learning curves ``[runs, tasks, points]``, with its band: ``[points]``.

    A resample takes whole curves, and the band is pointwise (Agarwal et al. 2021, section 4.3).
    """
    return stratified_bootstrap(curves, iqm, reps, confidence, seed, indices=indices)


def probability_of_improvement(
    x: Scores,
    y: Scores,
    reps: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    indices: tuple[Any, Any] | None = None,
) -> Estimate:
    """How likely a run of method x beats one of y on a task drawn at random: scores ``[runs, tasks]`` to a number.

    P(X > Y) = 1/M Σ_m U_m / (n_m k_m), with U_m the Mann–Whitney statistic of task m: the pairs of one of the n runs of
    x and one of the k runs of y in which x scores higher, ties counted half (Agarwal et al. 2021, section 4.3). The
    methods are resampled independently of one another. Of scores by name of task, the tasks in common count.
    """
    first, second = checked(x), checked(y)
    named = isinstance(x, Mapping) and isinstance(y, Mapping)
    common = [name for name in first if name in second]
    if not common or not (named or first.keys() == second.keys()):
        raise CoterieError(
            f"methods with {len(first)} and {len(second)} tasks, {len(common)} in common, cannot be compared: "
            "give scores of the same tasks, or mappings from the names of tasks"
        )
    if any(first[name].ndim > 1 or second[name].ndim > 1 for name in common):
        raise CoterieError("the probability of improvement needs one score for each run: choose a point of the curves")
    wins = [_wins(first[name], second[name]) for name in common]
    point = np.mean([table.mean() for table in wins], axis=0)
    if all(table.size == 1 for table in wins):
        return Estimate(point, point * np.nan, point * np.nan)
    sources, given = source(seed).spawn(2), indices or (None, None)
    cells = sum(table.size for table in wins)
    rows = draws([len(first[name]) for name in common], reps, sources[0], given[0], cells)
    columns = draws([len(second[name]) for name in common], reps, sources[1], given[1], cells)
    values = [
        np.mean([table[i[:, None], j].mean((0, 1)) for table, i, j in zip(wins, *pair, strict=True)], axis=0)
        for pair in zip(rows, columns, strict=True)
    ]
    return Estimate(point, *ends(values, confidence))


def _wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each run of x and of y ``[n, k]``: 1 if x scores higher, ½ if they tie."""
    return (x[:, None] > y) + 0.5 * (x[:, None] == y)


def improvement_matrix(
    methods: Mapping[str, Scores], reps: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Matrix:
    """``probability_of_improvement`` of each method on each other; NaN for a pair that has no task in common."""
    names = tuple(methods)
    out = np.full((3, len(names), len(names)), np.nan)
    for row, x in enumerate(names):
        out[:, row, row] = 0.5
        for column, y in list(enumerate(names))[row + 1 :]:
            ours, theirs = methods[x], methods[y]
            if isinstance(ours, Mapping) and isinstance(theirs, Mapping) and not ours.keys() & theirs.keys():
                continue
            point, low, high = probability_of_improvement(ours, theirs, reps, confidence, seed)
            out[:, row, column] = point, low, high
            out[:, column, row] = 1 - point, 1 - high, 1 - low
    return Matrix(names, *out)


def normalise(scores: Scores, low: Any, high: Any) -> Any:
    """(score − low) / (high − low) task by task, in the form that ``scores`` have.

    With the return of a random team as ``low`` and a reference or the known optimum as ``high``, 0 is as good as random
    and 1 as good as the reference. Each of the two is one number, an array ``[tasks]`` or a mapping from tasks.

    Raises:
        CoterieError: The ``high`` of a task is not above its ``low``, or a bound is missing.
    """
    tasks = checked(scores)
    out = {}
    for number, (name, task) in enumerate(tasks.items()):
        bottom, top = _bound(low, name, number, len(tasks)), _bound(high, name, number, len(tasks))
        if not (top > bottom and np.isfinite(top - bottom)):
            raise CoterieError(
                f"cannot normalise task {name!r} from {bottom:g} to {top:g}: "
                "the reference must be above the random return"
            )
        out[name] = (task - bottom) / (top - bottom)
    if isinstance(scores, Mapping):
        return out
    return list(out.values()) if isinstance(scores, list | tuple) else np.stack(list(out.values()), axis=1)


def _bound(bound: Any, task: Hashable, number: int, tasks: int) -> float:
    """The bound of one task."""
    try:
        if isinstance(bound, Mapping):
            return float(bound[task])
        values = np.asarray(bound, np.float64)
        return float(np.broadcast_to(values, (tasks,))[number])
    except (KeyError, TypeError, ValueError):
        raise CoterieError(
            f"there is no bound for task {task!r}: give one number, one for each of the {tasks} tasks, or a mapping"
        ) from None
