"""The local engine: runs in processes of their own, as many beside each other as cores and memory carry."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from coterie import cores
from coterie.campaign.job import record_failure
from coterie.campaign.plan import Entry, Plan
from coterie.contracts import CoterieError

RETRIES = 2
"""A run that the system killed goes on from its checkpoint this many times before it counts as failed."""
MEMORY = 1_500_000_000
"""Bytes that one run may need; the compiler is the largest part."""
POLL = 0.2
Watcher = Callable[[Sequence[Entry], Sequence[Entry]], None]
"""Told of the runs that are under way, and of all."""


class Stopped(CoterieError):
    """Ctrl-C: every run has saved what it had."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"stopped; everything up to the last checkpoints is saved: go on with coterie campaign resume {directory}"
        )


class Result(NamedTuple):
    """What became of the runs that an engine was given."""

    done: int
    failed: tuple[Entry, ...]
    seconds: float


class _Child(NamedTuple):
    entry: Entry
    process: subprocess.Popen
    attempt: int
    log: Path


def command(directory: Path, entry: Entry, count: int) -> list[str]:
    """How to run one job in a process of its own."""
    return [sys.executable, "-m", "coterie.campaign.job", str(directory), entry.method, entry.game, str(count)]


def carried(count: int) -> int:
    """How many runs of ``count`` cores this machine carries beside each other: by its cores, and by its memory."""
    free = cores.memory()
    by_memory = free // MEMORY if free else len(cores.available())
    return max(1, min(len(cores.available()) // count, by_memory))


def local(campaign: Plan, watcher: Watcher, workers: int = 0, count: int = 1) -> Result:
    """Run what is not done yet.

    Args:
        campaign: The campaign; its directory must be locked by the caller.
        watcher: Told what is under way, several times a second.
        workers: Processes at most; 0 for as many as cores and memory carry.
        count: Cores of each.

    Raises:
        Stopped: Ctrl-C; every run has saved what it had.
    """
    started = time.monotonic()
    todo = [entry for entry in campaign.entries if entry.stage != "done"]
    waiting, running = [(entry, 0) for entry in todo], list[_Child]()
    room = workers or carried(count)
    try:
        while waiting or running:
            while waiting and len(running) < room:
                entry, attempt = waiting.pop(0)
                running.append(_start(campaign.directory, entry, count, attempt))
            watcher([child.entry for child in running], campaign.entries)
            time.sleep(POLL)
            for child in [c for c in running if c.process.poll() is not None]:
                running.remove(child)
                if _again(campaign.directory, child):
                    waiting.insert(0, (child.entry, child.attempt + 1))
    except KeyboardInterrupt:
        _stop(running)
        raise Stopped(campaign.directory) from None
    finally:
        for child in running:
            child.process.kill()
    watcher([], campaign.entries)
    failed = tuple(entry for entry in todo if entry.stage != "done")
    return Result(len(todo) - len(failed), failed, time.monotonic() - started)


def _start(directory: Path, entry: Entry, count: int, attempt: int) -> _Child:
    entry.directory.mkdir(parents=True, exist_ok=True)
    log = entry.directory / "log.txt"
    with log.open("ab") as out:
        process = subprocess.Popen(  # its own session: a Ctrl-C in the terminal reaches the engine alone
            command(directory, entry, count), stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
        )
    return _Child(entry, process, attempt, log)


def _again(directory: Path, child: _Child) -> bool:
    """Whether a process that ended is to be started again; a failure is recorded."""
    status = child.process.returncode
    if status == 0 or child.entry.stage == "done":
        return False
    if status < 0 and child.attempt < RETRIES:
        return True
    if status != 3:
        record_failure(directory, child.entry.method, child.entry.game, reason(status, child.log))
    return False


def reason(status: int, log: Path) -> str:
    """Why a process ended, in one line."""
    if status == -signal.SIGKILL:
        return f"killed by the system {RETRIES + 1} times, most likely for memory: try fewer --workers"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}; its last words are in {log}"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return f"{lines[-1] if lines else 'no word'} (exit status {status}; more in {log})"


def _stop(running: Sequence[_Child]) -> None:
    """Ask every run to finish its chunk and save; those that take long are left to their last checkpoint."""
    for child in running:
        child.process.send_signal(signal.SIGINT)
    end = time.monotonic() + 10
    for child in running:
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            child.process.wait(max(0.0, end - time.monotonic()))
