"""A run directory: what was asked, what was measured, where to go on, and the trained policies.

``run.json`` · ``metrics.jsonl`` · ``timing.jsonl`` · ``checkpoints/`` · ``evaluation.json`` · ``policies.safetensors``.
A run killed at any moment and resumed ends with the same bytes as one never killed (``timing.jsonl`` apart).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import jax
import numpy as np

from coterie.contracts import CoterieError, Game, HostGame, Learner
from coterie.training import checkpoint
from coterie.training.engine import Engine, Loop, SeedAxis
from coterie.training.evaluate import Episodes
from coterie.training.files import plain, save_arrays, write_json
from coterie.training.journal import Journal
from coterie.training.lock import locked
from coterie.training.record import CHECKPOINTS, EVALUATION, POLICIES, claim, go_on, restored
from coterie.training.statistics import interval
from coterie.training.train import Point, Schedule, engine, evaluation_keys, train

Observer = Callable[["Progress"], None]


class Progress(NamedTuple):
    """What an observer is told after each chunk. ``seconds`` covers the chunk, ``compiled`` that it was the first."""

    steps: int
    total: int
    returns: np.ndarray
    seconds: float
    steps_per_second: float
    compiled: bool


class Interrupted(CoterieError):
    """The user stopped the run; it can be resumed."""


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """The event is set by the first Ctrl-C, which lets the chunk finish; the second ends the process at once."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            sys.stderr.write("\nstopped at once; the last checkpoint is kept\n")
            sys.stderr.flush()
            os._exit(130)
        stop.set()
        sys.stderr.write("\nstopping after this chunk (Ctrl-C again to stop at once)\n")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def run(
    directory: Path,
    document: Mapping[str, Any],
    game: Game | HostGame,
    learner: Learner,
    plan: Schedule,
    *,
    observer: Observer | None = None,
    backends: tuple[str, ...] = (),
    axis: SeedAxis = "map",
    resume: bool = False,
) -> Loop:
    """Train in ``directory``, from the start or from its last checkpoint.

    Args:
        directory: The run directory, made if absent.
        document: What goes into ``run.json``: enough to make the game, the learner and the plan again.
        game: The game.
        learner: The method.
        plan: Seeds, iterations, chunks.
        observer: Told after every chunk.
        backends: Further logging backends.
        axis: How seeds share the program.
        resume: Go on with the run that is there; without it a directory that holds a run is refused.

    Raises:
        CoterieError: The directory holds another run, is in use, damaged or cannot be written; a NaN appeared.
        Interrupted: Ctrl-C; the checkpoint is saved.
    """
    document = plain(document)
    with (
        locked(directory),
        interrupts() as stop,
        Journal(directory, backends) as journal,
        closing(engine(game, learner, plan, axis)) as at_work,
    ):
        claim(directory, document, resume)
        loops, start = _starting(directory, document, at_work, journal, resume)
        sizes = learner.sizes
        per_iteration = sizes.environments * sizes.rollout
        points = train(at_work, learner, plan, loops, start)
        while (point := _aside(next, points, None)) is not None:
            _record(journal, point, plan, per_iteration)
            meta = {"position": journal.position(), "game": document["game"], "devices": at_work.devices}
            checkpoint.save(directory / CHECKPOINTS, point.iteration, point.loops, meta)
            loops = point.loops
            if observer:
                observer(_progress(point, plan, per_iteration, start))
            if stop.is_set() and point.iteration < plan.iterations:
                raise Interrupted(
                    f"stopped at step {point.iteration * per_iteration:,} of {plan.iterations * per_iteration:,}, "
                    f"all of it saved: go on with {go_on(directory, document)}"
                )
        _aside(_finish, directory, at_work, learner, plan, loops)
        return loops


def _starting(
    directory: Path, document: Mapping[str, Any], at_work: Engine, journal: Journal, resume: bool
) -> tuple[Loop, int]:
    """Fresh loops, or those of the last checkpoint with the iterations done; the journal is cut to match."""
    loops = at_work.place(at_work.begin())
    if not (resume and checkpoint.latest(directory / CHECKPOINTS)):
        journal.truncate(0)
        return loops, 0
    loops, meta = restored(directory, document, loops)
    _compare_devices(meta["devices"], at_work.devices)
    journal.truncate(meta["position"])
    return at_work.place(loops), meta["step"]


def _aside(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call in another thread, so that the main one can answer signals while compiled code runs."""
    with ThreadPoolExecutor(1) as worker:
        return worker.submit(function, *arguments).result()


def _compare_devices(before: int, now: int) -> None:
    """Warn where a program for another number of devices goes on, which rounds differently."""
    if before != now:
        warnings.warn(
            f"the run was trained on {before} device{'s' * (before > 1)} and goes on with {now}: its last digits may "
            f"differ from an uninterrupted run's; for the same bytes set JAX_NUM_CPU_DEVICES={before}",
            stacklevel=3,
        )


def _record(journal: Journal, point: Point, plan: Schedule, per_iteration: int) -> None:
    """One object per seed: the chunk's metrics and, where it was evaluated, means of returns and the game's figures."""
    metrics = jax.device_get(point.metrics)
    evaluations = jax.device_get(point.evaluations)
    steps = point.iteration * per_iteration
    for index, seed in enumerate(plan.seeds):
        record: dict[str, Any] = {name: value[index] for name, value in metrics.items()}
        for name, episodes in evaluations.items():
            record |= {f"{name}_{key}": np.mean(value[index]) for key, value in episodes.info.items()}
            record[f"{name}_return"] = np.mean(episodes.returns[index])
        journal.log(steps, {"seed": seed, "iteration": point.iteration, **record})
    rate = plan.chunk * per_iteration * len(plan.seeds) / point.seconds
    journal.time(steps, {"seconds": point.seconds, "steps_per_second": rate})


def _progress(point: Point, plan: Schedule, per_iteration: int, start: int) -> Progress:
    steps = plan.chunk * per_iteration * len(plan.seeds)
    return Progress(
        steps=point.iteration * per_iteration,
        total=plan.iterations * per_iteration,
        returns=np.asarray(point.metrics["episode_return"]),
        seconds=point.seconds,
        steps_per_second=steps / point.seconds,
        compiled=point.iteration == start + plan.chunk,
    )


def assessment(run: Engine, states: Any, seeds: tuple[int, ...], episodes: int, moment: int) -> dict[str, Any]:
    """Evaluate every seed's team greedily and by sampling: means per seed, and their mean with a 95 % interval."""
    keys, out = evaluation_keys(seeds, moment), {}
    for name, greedy in (("greedy", True), ("sampled", False)):
        results: Episodes = jax.device_get(run.assess(states, keys, episodes, greedy))
        means = results.returns.mean(1)
        mean, low, high = interval(means)
        info = {key: value.mean(1) for key, value in results.info.items()}
        out[name] = {"returns": means, "mean": mean, "low": low, "high": high, "length": results.lengths.mean(),
                     "info": info}  # fmt: skip
    return {"episodes": episodes, "seeds": list(seeds), **out}


def _finish(directory: Path, at_work: Engine, learner: Learner, plan: Schedule, loops: Loop) -> None:
    states = loops.learner
    write_json(directory / EVALUATION, assessment(at_work, states, plan.seeds, plan.episodes, 0))
    leaves = jax.tree_util.tree_flatten_with_path(learner.policy(states))[0]
    arrays = {jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf) for path, leaf in leaves}
    save_arrays(directory / POLICIES, arrays, {"seeds": list(plan.seeds)})
