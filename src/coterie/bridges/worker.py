"""A worker process: it steps some environments and answers the main process. Run by ``bridges.workers``.

``python -m coterie.bridges.worker PIPE MEMORY`` with two inherited descriptors. Nothing here imports JAX: a worker
starts fast, is small, and can be killed at any moment.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from coterie.bridges import shared
from coterie.bridges.layout import layout
from coterie.bridges.parallel import Padded, View
from coterie.bridges.source import Source
from coterie.bridges.spaces import Fault
from coterie.errors import CoterieError

RESET, STEP, REPLAY = 0, 1, 2
"""The first byte of a command; the second is the group, ``EVERY`` for all."""
EVERY = 255


class Worker:
    """The environments of one worker, by their rows in the shared arrays.

    Args:
        task: What the main process said: first and last row of each group, number of environments, options.
        source: Makes an environment.
        descriptor: Of the shared memory.
    """

    def __init__(self, task: dict[str, Any], source: Source, descriptor: int) -> None:
        self.groups = [slice(*ends) for ends in task["groups"]]
        rows = [row for group in self.groups for row in range(group.start, group.stop)]
        envs = [source.make() for _ in rows]
        self.seen, metrics = layout(envs[0], 0, task["horizon"]), tuple(task["metrics"])
        wanted = shared.shapes(self.seen, task["environments"], len(metrics))
        if shared.size(wanted) != task["size"]:
            raise CoterieError(f"{source.name} makes another environment in a worker than it did at first")
        self.arrays = shared.arrays(descriptor, wanted)
        self.envs = {row: Padded(env, self.seen, task["reward"], metrics) for row, env in zip(rows, envs, strict=True)}
        self.now, self.final = ({row: View(*(self.arrays[each + name][row] for name in shared.VIEW)) for row in rows}
                                for each in ("", shared.FINAL))  # fmt: skip
        low, high = self.seen.bounds
        self.within = (low - 1e-4 * (1 + abs(low)), high + 1e-4 * (1 + abs(high))) if task["bounds"] else None
        self.row = rows[0]
        self.own = {row: tuple(self.arrays[name][row, ...] for name in ("action", "reward", "info")) for row in rows}
        for group in self.groups:
            self.arrays["legal"][group] = self.arrays[shared.FINAL + "legal"][group] = self.seen.legal

    def obey(self, command: int, group: int) -> None:
        """Do what the main process asks, for one group or all of them."""
        for rows in self.groups if group == EVERY else [self.groups[group]]:
            if command == STEP:
                self._step(rows)
                continue
            for row in range(rows.start, rows.stop):
                self._begin(row)
                if command == REPLAY:
                    self._replay(row)
            self._check(rows, "")

    def _replay(self, row: int) -> None:
        """Do again what was done since the episode began; one that ends before was not the same episode."""
        for t in range(int(self.arrays["length"][row])):
            ended = any(self._move(row, self.arrays["actions"][row, t]))
            for now, final in zip(self.now[row], self.final[row], strict=True):
                now[...] = final
            if ended:
                return

    def _begin(self, row: int) -> None:
        """The first observation of the row's current episode."""
        self._at(row)
        words = (int(self.arrays["seed"][row]), int(self.arrays["episode"][row]))
        seed = int(np.random.SeedSequence(words).generate_state(1)[0]) & 0x7FFFFFFF
        self.envs[row].reset(seed, self.now[row])

    def _move(self, row: int, action: np.ndarray) -> tuple[bool, bool]:
        self._at(row)
        _, reward, info = self.own[row]
        return self.envs[row].step(action, self.final[row], reward, info)

    def _at(self, row: int) -> None:
        """Note which environment is at work, for the main process to read if this one dies."""
        busy = self.arrays["busy"]
        busy[self.row], busy[row], self.row = False, True, row

    def _step(self, rows: slice) -> None:
        arrays, ends = self.arrays, []
        for row in range(rows.start, rows.stop):
            ends.append(self._move(row, self.own[row][0]))
        arrays["terminated"][rows], arrays["truncated"][rows] = zip(*ends, strict=True)
        ended = [rows.start + at for at, either in enumerate(ends) if any(either)]
        self._check(rows, shared.FINAL)
        for name in shared.VIEW:
            arrays[name][rows] = arrays[shared.FINAL + name][rows]
        every = np.arange(rows.start, rows.stop)
        arrays["actions"][every, arrays["length"][rows]] = arrays["action"][rows]
        arrays["length"][rows] += 1
        for row in ended:
            arrays["length"][row] = 0
            arrays["episode"][row] += 1
            self._begin(row)
            self._check(slice(row, row + 1), "")

    def _check(self, rows: slice, which: str) -> None:
        """Sound numbers in what was seen and earned; the state where the observations make it up.

        Raises:
            Fault: A number is not finite, or out of its space.
        """
        local, state, reward = (self.arrays[name][rows] for name in (which + "local", which + "state", "reward"))
        if not self.seen.own_state:
            at = 0
            for i, each in enumerate(self.seen.sees):
                state[:, at : at + each.size] = local[:, i, : each.size]
                at += each.size
        for name, values in (("an observation", local), ("a state", state), ("a reward", reward)):
            if not np.isfinite(values.sum()) and (bad := np.argwhere(~np.isfinite(values))).size:
                self.row = rows.start + int(bad[0][0])
                raise Fault(f"gave {name} that is not finite")
        if self.within is None:
            return
        low, high = self.within
        out = ((local < low) | (local > high)) & self.arrays[which + "alive"][rows][..., None]
        if out.any():
            at, agent, number = np.argwhere(out)[0]
            self.row = rows.start + int(at)
            raise Fault(
                f"gave {self.seen.agents[agent]} {local[at, agent, number]:g} as number {number} of its observation, "
                f"out of its space ({low[agent, number]:g} to {high[agent, number]:g}): mend the space, or allow it "
                "with bounds false"
            )

    def where(self) -> dict[str, int]:
        """Which environment was being stepped, and at which step of which episode."""
        length, episode = self.arrays["length"][self.row], self.arrays["episode"][self.row]
        return {"row": self.row, "step": int(length) + 1, "episode": int(episode) + 1}


def report(error: BaseException, place: dict[str, int] | None) -> bytes:
    """A failure as the main process reads it."""
    kind = "fault" if isinstance(error, Fault | CoterieError) else "error"
    said = " ".join(str(error).split())
    text = said if kind == "fault" else f"raised {type(error).__name__}: {said}"
    return json.dumps({"kind": kind, "text": text, "trace": traceback.format_exc(), **(place or {})}).encode()


def main(pipe: int, descriptor: int) -> None:
    """Answer until the main process hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    connection = Connection(pipe)
    worker = None
    try:
        task = json.loads(connection.recv_bytes())
        factory = connection.recv_bytes()
        made = factory.decode() if task["named"] else importlib.import_module("cloudpickle").loads(factory)
        source = Source(made, tuple(task["options"].items()))
        worker = Worker(task, source, descriptor)
        connection.send_bytes(b"")
        while True:
            command = connection.recv_bytes()
            worker.obey(*command)
            connection.send_bytes(b"")
    except EOFError:
        return
    except Exception as error:
        connection.send_bytes(report(error, worker.where() if worker else None))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
    os._exit(0)  # a simulator's threads and exit handlers cannot keep it
