"""Cores of this machine, lent to one run at a time, so that runs beside each other do not share one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path


def available() -> list[int]:
    """The cores that this process may use, which a container or a batch system may have cut."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def memory() -> int:
    """Bytes of memory that are free for new processes; 0 where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 0
    room = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):  # a container may have less
        free = min(free, int((room / "memory.max").read_text()) - int((room / "memory.current").read_text()))
    return free


def pin(count: int) -> tuple[int, ...]:
    """Keep this process to ``count`` cores that no other run of this user holds; fewer threads, and the same numbers.

    XLA makes one thread for each core that the process may use when it starts, and how a product is cut over threads
    shows in its last digits. So call this before JAX is imported. The locks last as long as the process. Where too
    few cores are free, or the system has no such thing, it returns the empty tuple and pins to the first ones.
    """
    if not hasattr(os, "sched_setaffinity"):
        return ()
    mine: list[int] = []
    for core in available():
        if len(mine) < count and _take(core):
            mine.append(core)
    held = tuple(mine) if len(mine) == count else ()
    os.sched_setaffinity(0, held or available()[:count])
    return held


def _take(core: int) -> bool:
    path = Path(tempfile.gettempdir()) / f"coterie-{os.getuid()}-core-{core}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
