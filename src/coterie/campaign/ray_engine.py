"""The Ray engine: one task for each run. Scheduling, failure detection and scaling are Ray's.

Every node must see the campaign's directory under the same path, and have Coterie installed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coterie.campaign import plan
from coterie.campaign.engine import MEMORY, RETRIES, Result, Watcher, command, reason
from coterie.campaign.job import record_failure
from coterie.campaign.plan import Plan
from coterie.contracts import CoterieError
from coterie.extras import require

POLL = 0.5
KNOCK = 5.0
"""Seconds to wait for an address."""


class Killed(RuntimeError):
    """The process of a run was killed: Ray starts the task again, and the run goes on from its checkpoint."""


def work(directory: str, method: str, game: str, count: int) -> None:
    """One task: a run in a process of its own, as in the local engine, so that both give the same numbers.

    Raises:
        Killed: The system killed the process.
    """
    entry = plan.read(Path(directory)).entry(method, game)
    if entry.stage == "done":
        return
    entry.directory.mkdir(parents=True, exist_ok=True)
    log = entry.directory / "log.txt"
    with log.open("ab") as out:
        # The pipe on its standard input closes when this worker dies, and the run ends with it.
        process = subprocess.Popen(
            command(Path(directory), entry, count), stdin=subprocess.PIPE, stdout=out, stderr=out
        )
        status = process.wait()
    if status < 0:
        raise Killed(reason(status, log))
    if status not in (0, 3):
        record_failure(Path(directory), method, game, reason(status, log))


def on_ray(campaign: Plan, watcher: Watcher, address: str = "", workers: int = 0, count: int = 1) -> Result:
    """Run what is not done yet on a Ray cluster.

    Args:
        campaign: The campaign; its directory must be locked by the caller, and seen by every node.
        watcher: Told what is under way.
        address: A running cluster, such as ``auto`` or ``ray://host:10001``; a new local one if empty.
        workers: Runs beside each other at most, on a new local cluster; a running cluster has its own size.
        count: Cores that each run declares and uses.

    Raises:
        CoterieError: Ray is not installed, or the address does not answer.
    """
    ray = require("ray", "ray")
    started = time.monotonic()
    todo = [entry for entry in campaign.entries if entry.stage != "done"]
    with cluster(ray, address, workers * count):
        task = ray.remote(num_cpus=count, memory=MEMORY if address else 0, max_retries=RETRIES,
                          retry_exceptions=[Killed])(work)  # fmt: skip
        place = str(campaign.directory.resolve())
        waiting = {task.remote(place, entry.method, entry.game, count): entry for entry in todo}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=POLL)
            for reference in ready:
                entry = waiting.pop(reference)
                try:
                    ray.get(reference)
                except Exception as error:  # Ray gives up: its own words say what happened to the worker
                    words = str(error).strip().splitlines() or [type(error).__name__]
                    record_failure(campaign.directory, entry.method, entry.game, f"Ray gave up: {words[-1].strip()}")
            watcher([entry for entry in waiting.values() if entry.stage == "begun"], campaign.entries)
    failed = tuple(entry for entry in todo if entry.stage != "done")
    return Result(len(todo) - len(failed), failed, time.monotonic() - started)


def _knock(address: str) -> None:
    """Refuse an address where nothing listens: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), KNOCK).close()
    except OSError as error:
        raise CoterieError(
            f"the Ray cluster at {address} does not answer ({error}): check --address, or leave it out"
        ) from None


@contextmanager
def cluster(ray: Any, address: str, cores: int) -> Iterator[None]:
    """Join the cluster at ``address``, or open one on this machine, and leave it.

    Raises:
        CoterieError: The address does not answer.
    """
    _knock(address)
    own = {} if address else {"num_cpus": cores or None, "include_dashboard": False}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="error", **own)
    except Exception as error:
        where = f"the Ray cluster at {address}" if address else "a local Ray cluster"
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CoterieError(f"{where} does not answer ({first}): check --address, or leave it out") from None
    try:
        with _stdout_to_stderr():
            yield
    finally:
        ray.shutdown()


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Ray tells of dead workers on stdout, where the command's own answer goes."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
