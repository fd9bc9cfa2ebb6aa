"""Environments stepped in worker processes: shared memory, restarts, and the way back into an episode."""

from __future__ import annotations

import os
import warnings
import weakref
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from jaxtyping import PyTree

from coterie.bridges import shared
from coterie.bridges.layout import Layout
from coterie.bridges.parallel import Reward
from coterie.bridges.process import Failure, Process
from coterie.bridges.source import Source
from coterie.bridges.worker import EVERY, REPLAY, RESET, STEP
from coterie.contracts import CoterieError, Observation, Turn
from coterie.cores import available


@dataclass(frozen=True)
class Hosting:
    """How environments are hosted.

    Args:
        reward: ``individual`` (each agent its own), ``team`` (the same for all, which is checked), or the agents'
            ``sum`` or ``mean`` as the team's.
        horizon: Steps after which an episode is cut; 0 for what the environment says, else 1,000.
        metrics: Names of numbers in the infos whose last value is reported for each episode.
        workers: Processes; 0 for one on every core. The results do not depend on it.
        limit: Seconds that a step may take before its worker counts as hung.
        start_limit: Seconds that a worker may take to make its environments.
        restarts: Failures of a worker in a row, without a finished episode between, before the run gives up.
        bounds: Refuse observations out of their space.
    """

    reward: Reward = "individual"
    horizon: int = 0
    metrics: tuple[str, ...] = ()
    workers: int = 0
    limit: float = 60.0
    start_limit: float = 300.0
    restarts: int = 3
    bounds: bool = True

    def __post_init__(self) -> None:
        for name, least in (("horizon", 0), ("workers", 0), ("restarts", 0)):
            if getattr(self, name) < least:
                raise CoterieError(f"{name} is {getattr(self, name)}: give at least {least}")
        for name in ("limit", "start_limit"):
            if getattr(self, name) <= 0:
                raise CoterieError(f"{name} is {getattr(self, name)} seconds: give more than 0")


class Workers:
    """``E`` environments of a hosted game, divided among worker processes (``contracts.Simulators``).

    Each worker holds some rows of both groups. What an environment does depends on its row, its seed and its actions,
    never on the number of workers.

    Args:
        source: Makes an environment.
        seen: What it looks like.
        hosting: How it is hosted.
        environments: How many.

    Raises:
        CoterieError: A worker could not make its environments.
    """

    def __init__(self, source: Source, seen: Layout, hosting: Hosting, environments: int) -> None:
        self.source, self.seen, self.hosting, self.environments = source, seen, hosting, environments
        half = environments // 2 if environments % 2 == 0 and environments >= 4 else environments
        self.groups = tuple(slice(start, start + half) for start in range(0, environments, half))
        wanted = shared.shapes(seen, environments, len(self.hosting.metrics))
        self._size = shared.size(wanted)
        self._memory = shared.memory(self._size)
        self.arrays = shared.arrays(self._memory, wanted)
        count = min(self.hosting.workers or len(available()), half)
        cuts = np.linspace(0, half, count + 1).astype(int)
        self._rows = [[(g.start + int(a), g.start + int(b)) for g in self.groups]
                      for a, b in pairwise(cuts)]  # fmt: skip
        self._shown = [self._observation("", group) for group in self.groups]
        self._box = seen.box
        self._lost: list[set[int]] = [set() for _ in range(count)]
        self._failures = [0] * count
        self._workers: list[Process] = []
        self._closer = weakref.finalize(self, _close, self._workers, self._memory)
        self._workers += [self._start(w) for w in range(count)]
        for w in range(count):
            self._need(w, self.hosting.start_limit)

    def _start(self, w: int) -> Process:
        hosting = self.hosting
        task = {"groups": self._rows[w], "environments": self.environments, "size": self._size,
                "horizon": self.seen.horizon, "reward": hosting.reward, "metrics": hosting.metrics,
                "bounds": hosting.bounds}  # fmt: skip
        return Process(self.source, task, self._memory)

    def _need(self, w: int, seconds: float | None) -> None:
        """Wait for an answer without which nothing can go on."""
        if failure := self._workers[w].answer(seconds):
            raise CoterieError(self._said(w, failure))

    def reset(self, seeds: np.ndarray) -> Observation:
        """New episodes everywhere."""
        self.arrays["seed"][:], self.arrays["episode"][:], self.arrays["length"][:] = seeds, 0, 0
        self._all(RESET)
        return self._observation("", slice(0, self.environments))

    def _all(self, command: int, seconds: float | None = None) -> None:
        """One command for every environment; a worker that fails is replaced."""
        for worker in self._workers:
            worker.ask(bytes([command, EVERY]))
        for w, worker in enumerate(self._workers):
            if failure := worker.answer(seconds or self.hosting.limit * len(self._rows[w])):
                self._replace(w, failure)
                self._lost[w].clear()
        self._shown = [self._observation("", group) for group in self.groups]

    def send(self, group: int, action: np.ndarray) -> None:
        """Start a step of a group."""
        self.arrays["action"][self.groups[group]] = np.clip(action, *self._box) if self._box else action
        for w, worker in enumerate(self._workers):
            if group not in self._lost[w]:
                worker.ask(bytes([STEP, group]))

    def receive(self, group: int) -> Turn:
        """Wait for the step sent last; failed workers are replaced, and their rows marked lost."""
        limit = self.hosting.limit
        for w, worker in enumerate(self._workers):
            if group not in self._lost[w] and (failure := worker.answer(limit)):
                self._replace(w, failure)
        rows, arrays = self.groups[group], self.arrays
        lost = np.zeros(self.environments, bool)
        for w, which in enumerate(self._lost):
            if group in which:
                which.remove(group)
                lost[slice(*self._rows[w][group])] = True
            elif (arrays["truncated"] | arrays["terminated"])[slice(*self._rows[w][group])].any():
                self._failures[w] = 0
        lost = lost[rows]
        final, before = self._observation(shared.FINAL, rows), self._shown[group]
        self._shown[group] = self._observation("", rows)
        for now, then in zip(final, before, strict=True):
            now[lost] = then[lost]
        reward, terminated, truncated = (arrays[name][rows].copy() for name in ("reward", "terminated", "truncated"))
        reward[lost], terminated[lost], truncated[lost] = 0.0, False, True
        names = self.hosting.metrics
        info = {name: np.where(lost, 0.0, arrays["info"][rows, i]) for i, name in enumerate(names)}
        return Turn(final, self._shown[group], reward, terminated, truncated, lost, info)

    def _observation(self, which: str, rows: slice) -> Observation:
        """A copy of what stands in the shared arrays, as the spec has it."""
        local, state, legal, alive = (cast(Any, self.arrays[which + name][rows].copy()) for name in shared.VIEW)
        kind = self.seen.acts[0].kind
        legal = legal[:, :, 0] if kind == "discrete" else legal[..., 0] if kind == "continuous" else legal
        return Observation(local, state, legal, alive)

    def _replace(self, w: int, failure: Failure | None) -> None:
        """A new process for worker ``w``: its environments begin new episodes, their steps under way are lost.

        Raises:
            CoterieError: A promise was broken, or it failed too often without finishing an episode.
        """
        rows = [row for ends in self._rows[w] for row in range(*ends)]
        while failure:
            self._failures[w] += 1
            said = self._said(w, failure)
            if failure.kind == "fault":
                raise CoterieError(said)
            if self._failures[w] > self.hosting.restarts:
                raise CoterieError(
                    f"{said}; that was failure {self._failures[w]} in a row: mend it, or allow more (restarts)"
                )
            warnings.warn(f"{said}: begun anew", stacklevel=3)
            self._workers[w].end()
            self.arrays["busy"][rows] = False
            self.arrays["episode"][rows] += 1
            self.arrays["length"][rows] = 0
            self._workers[w] = self._start(w)
            failure = self._workers[w].answer(self.hosting.start_limit)
            if failure is None:
                self._workers[w].ask(bytes([RESET, EVERY]))
                failure = self._workers[w].answer(self.hosting.limit * len(rows))
        self._lost[w] = set(range(len(self.groups)))

    def _said(self, w: int, failure: Failure) -> str:
        """Which environment did what, at which step."""
        rows = [row for ends in self._rows[w] for row in range(*ends)]
        busy = [row for row in rows if self.arrays["busy"][row]] or rows
        row = failure.place.get("row", busy[0])
        step = failure.place.get("step", int(self.arrays["length"][row]) + 1)
        episode = failure.place.get("episode", int(self.arrays["episode"][row]) + 1)
        return f"environment {row} of {self.source.name}, step {step} of its episode {episode}, {failure.text}"

    def state(self) -> PyTree:
        """Seeds, episodes, and what was done in them: replayed, they lead back to the same place."""
        return {name: self.arrays[name].copy() for name in shared.KEPT}

    def restore(self, state: PyTree, observation: Observation) -> tuple[Observation, np.ndarray]:
        """Replay the episodes under way; those that come out differently are begun anew."""
        for name in shared.KEPT:
            self.arrays[name][:] = state[name]
        longest = int(self.arrays["length"].max()) + 1
        self._all(REPLAY, self.hosting.limit * longest)
        every = slice(0, self.environments)
        there = self._observation("", every)
        differs = np.zeros(self.environments, bool)
        for now, then in zip(there, observation, strict=True):
            differs |= (now != np.asarray(then)).reshape(self.environments, -1).any(1)
        if differs.any():
            self.arrays["episode"][differs] += 1
            self.arrays["length"][differs] = 0
            self._all(REPLAY, self.hosting.limit * longest)
        return self._observation("", every), differs

    def close(self) -> None:
        """End every worker."""
        self._closer()


def _close(workers: list[Process], memory: int) -> None:
    for worker in workers:
        worker.pipe.close()
    for worker in workers:
        worker.end(1.0)
    os.close(memory)
