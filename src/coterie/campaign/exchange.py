"""Learning curves to and from the JSON of marl-eval.

The format of Gorsane et al. 2022, "Towards a Standardised Performance Evaluation Protocol for Cooperative MARL"
(NeurIPS):

    {environment: {task: {algorithm: {run: {
        "step_0": {"step_count": 0, metric: [one number for each episode, or their mean]}, …,
        "absolute_metrics": {metric: [the same for the final evaluation]}}}}}}
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from coterie.contracts import CoterieError
from coterie.fields import nearest

FINAL = "absolute_metrics"
COUNT = "step_count"


class Curve(NamedTuple):
    """The evaluations of one run.

    ``returns[i]`` are those of the episodes played after ``steps[i]`` steps, or their mean alone; ``final`` those of
    the evaluation after training (the protocol's absolute metric: of the best team, in ten times as many episodes).
    """

    environment: str
    task: str
    algorithm: str
    seed: int
    steps: tuple[int, ...]
    returns: tuple[tuple[float, ...], ...]
    final: tuple[float, ...] = ()


def to_marl_eval(curves: Iterable[Curve], metric: str = "return") -> dict[str, Any]:
    """The document of marl-eval that says what ``curves`` say.

    Names of steps have leading zeros (``step_07``): marl-eval takes steps in the order of the file, and so a writer
    that sorts keys leaves them in order.

    Raises:
        CoterieError: Something that marl-eval would not read: a comma in the name of an algorithm, names that differ
            only in case, a run without final returns, or unlike runs in one environment (each task needs the same
            algorithms, each algorithm the same seeds, each run the same number of evaluations).
    """
    document: dict[str, Any] = {}
    for curve in curves:
        place = f"{curve.environment}/{curve.task}/{curve.algorithm}/seed_{curve.seed}"
        _check(curve, metric, place)
        runs: dict[str, Any] = document
        for name in curve[:3]:
            runs = runs.setdefault(_fresh(name, runs, place), {})
        if f"seed_{curve.seed}" in runs:
            raise CoterieError(f"there are two curves of {place}: give one for each run")
        width = len(str(len(curve.steps) - 1))
        runs[f"seed_{curve.seed}"] = {
            f"step_{i:0{width}}": {COUNT: int(step), metric: [float(x) for x in returns]}
            for i, (step, returns) in enumerate(zip(curve.steps, curve.returns, strict=True))
        } | {FINAL: {metric: [float(x) for x in curve.final]}}
    for environment, tasks in document.items():
        _check_alike(environment, tasks)
    return document


def _check(curve: Curve, metric: str, place: str) -> None:
    if metric.lower() == COUNT:
        raise CoterieError(f"the metric cannot be called {metric!r}, which counts steps: say return")
    if not all(curve[:3]) or "," in curve.algorithm or curve.environment.lower() == "extra" or curve.seed < 0:
        raise CoterieError(
            f"marl-eval cannot read the names in {place}: none may be empty, no algorithm have a comma, no environment "
            "be called extra, no seed be negative"
        )
    if len(curve.steps) != len(curve.returns) or not curve.steps:
        raise CoterieError(
            f"{place} has {len(curve.steps)} steps and {len(curve.returns)} evaluations: give one step for each of them"
        )
    _check_order(curve.steps, place)
    for name, values in (*zip(curve.steps, curve.returns, strict=True), ("the end", curve.final)):
        if not values or not all(math.isfinite(value) for value in values):
            raise CoterieError(
                f"{place} has no finite return at {name}: give at least one number, or leave the run out"
            )


def _check_order(steps: tuple[int, ...], place: str) -> None:
    if steps[0] < 0 or any(later <= earlier for earlier, later in pairwise(steps)):
        raise CoterieError(f"the steps of {place} must count up from 0, each once: {', '.join(map(str, steps))[:60]}")


def _fresh(name: str, siblings: Mapping[str, Any], place: str) -> str:
    """The name, unless marl-eval, which reads all in lower case, would take it for another."""
    for other in siblings:
        if other != name and other.lower() == name.lower():
            raise CoterieError(
                f"marl-eval cannot tell {name!r} of {place} from {other!r}: let case not be all that differs"
            )
    return name


def _check_alike(environment: str, tasks: Mapping[str, Any]) -> None:
    """Whether all runs have one shape: marl-eval looks for the names that it finds in the first task everywhere."""
    first = next(iter(tasks))
    seeds = set(next(iter(tasks[first].values())))
    points = {
        len(steps) - 1 for algorithms in tasks.values() for runs in algorithms.values() for steps in runs.values()
    }
    for task, algorithms in tasks.items():
        if algorithms.keys() != tasks[first].keys():
            odd = min(algorithms.keys() ^ tasks[first].keys())
            raise CoterieError(
                f"marl-eval needs the same algorithms in each task of {environment}: "
                f"{odd} is not both in {first} and {task}"
            )
        for algorithm, runs in algorithms.items():
            if runs.keys() != seeds:
                raise CoterieError(
                    f"marl-eval needs the same seeds in all of {environment}: "
                    f"{min(runs.keys() ^ seeds)} is not both in {first} and {task}/{algorithm}"
                )
    if len(points) > 1:
        raise CoterieError(
            f"marl-eval needs the same number of evaluations in each run of {environment}, found {min(points)} to "
            f"{max(points)}: cut the curves to the points that all have"
        )


def from_marl_eval(document: Any, metric: str = "return") -> list[Curve]:
    """The curves in a document of marl-eval, in its order; other metrics are left out.

    Runs may be unlike one another. A run is called ``run_3``, ``seed_3`` or ``3``; one whose ``absolute_metrics`` are
    missing or empty, as before its end, has no final returns. Case does not count in ``STEP_1`` and names of metrics.

    Raises:
        CoterieError: The document has another form; the message names the place.
    """
    curves = []
    for environment, tasks in _entries(document, ""):
        for task, algorithms in _entries(tasks, environment):
            for algorithm, runs in _entries(algorithms, f"{environment}/{task}"):
                place = f"{environment}/{task}/{algorithm}"
                found = [
                    _curve((environment, task, algorithm), run, steps, metric) for run, steps in _entries(runs, place)
                ]
                if len({curve.seed for curve in found}) < len(found):
                    raise CoterieError(f"two runs of {place} have the same number: call them run_1, run_2 and so on")
                curves += found
    return curves


def _curve(names: tuple[str, str, str], run: str, steps: Any, metric: str) -> Curve:
    place = "/".join((*names, run))
    number = re.fullmatch(r"(?:.*_)?(\d+)", run)
    if number is None:
        raise CoterieError(f"{place} is no name of a run: expected run_3, seed_3 or 3")
    points, final = [], ()
    for name, entry in _entries(steps, place):
        inside = f"{place}/{name}"
        if "absolute" in name.lower():
            final = _returns(entry, metric, inside) if entry != {} else ()
        else:
            count = _number(dict(_entries(entry, inside)).get(COUNT), f"{inside}/{COUNT}")
            if not count.is_integer():
                raise CoterieError(f"{inside}/{COUNT} is {count}: expected a whole number of steps")
            points.append((int(count), _returns(entry, metric, inside)))
    if not points:
        raise CoterieError(f"{place} has no evaluation: expected step_0 and so on")
    points.sort(key=lambda point: point[0])
    counts = tuple(count for count, _ in points)
    _check_order(counts, place)
    return Curve(*names, int(number[1]), counts, tuple(returns for _, returns in points), final)


def _entries(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The entries of an object, which must have some."""
    if not isinstance(value, Mapping) or not value:
        where = f"{place} is" if place else "the document is"
        kind = "empty" if isinstance(value, Mapping | list) and not value else f"{value!r:.40}"
        raise CoterieError(f"{where} {kind}: expected environment/task/algorithm/run/step, each an object with entries")
    yield from value.items()


def _returns(entry: Any, metric: str, place: str) -> tuple[float, ...]:
    metrics = {str(name).lower(): values for name, values in _entries(entry, place)}
    values = metrics.get(metric.lower())
    if values is None:
        others = [name for name in metrics if name != COUNT]
        raise CoterieError(f"{place} has no metric {metric!r}: {nearest(metric, others) if others else 'it has none'}")
    if not isinstance(values, list) or not values:
        raise CoterieError(f"{place}/{metric} is {values!r:.40}: expected a list with at least one number")
    return tuple(_number(value, f"{place}/{metric}") for value in values)


def _number(value: Any, place: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            if math.isfinite(value):
                return float(value)
        except OverflowError:
            pass
    raise CoterieError(f"{place} is {value!r:.40}: expected a finite number")
