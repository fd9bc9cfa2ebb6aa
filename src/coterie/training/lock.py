"""One process at a time in a run directory. The system frees the lock when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coterie.contracts import CoterieError
from coterie.training.files import cannot_write


@contextmanager
def locked(directory: Path | str, doing: str = "training") -> Iterator[None]:
    """Hold ``directory`` (made if absent) for this process, which is ``doing`` something there.

    Raises:
        CoterieError: Another process holds it, or it cannot be written.
    """
    path = Path(directory) / ".lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        _take(descriptor, path, doing)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, doing: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CoterieError(
            f"another process is {doing} in {path.parent}: wait for it, stop it, or choose another directory"
        ) from None
    except OSError as error:
        warnings.warn(
            f"{path.parent} cannot be locked ({error.strerror}): see that no other process writes there",
            stacklevel=4,
        )
