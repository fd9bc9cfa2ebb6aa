"""The journal of a run: what was measured, in an order and in bytes that a killed and resumed run reproduces.

``metrics.jsonl`` holds one JSON object per log point, with sorted keys and numbers as ``files.plain`` writes them (NaN
and infinities as null). Nothing in it depends on the clock; ``timing.jsonl`` holds what does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from coterie.contracts import CoterieError
from coterie.training.backends import BACKENDS, Backend
from coterie.training.files import DamagedFile, cannot_write, plain, sync_directory

METRICS, TIMING = "metrics.jsonl", "timing.jsonl"


class Journal:
    """Append-only logs of one run directory.

    Args:
        directory: The run directory, made if absent.
        backends: Names of further places to log to, ``tensorboard`` or ``wandb`` (extra ``logging``).

    Raises:
        CoterieError: An unknown or uninstalled backend, or a place that cannot be written.
    """

    def __init__(self, directory: Path | str, backends: Iterable[str] = ()) -> None:
        self._directory = Path(directory)
        self._backends = [_backend(name) for name in backends]
        self._opened: list[Backend] | None = None
        self._metrics = _open(self._directory / METRICS)
        self._timing = _open(self._directory / TIMING)

    def log(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append one point: ``step`` and named numbers, arrays (as lists), strings, or mappings of these.

        Backends get the numbers, each under its own name; those of a point with a metric ``seed`` under ``seed_<k>/``.

        Raises:
            CoterieError: The disk is full, or a metric is called ``step`` or is no JSON data.
        """
        if "step" in metrics:
            raise CoterieError("a metric cannot be called step: rename it")
        record = plain({**metrics, "step": step})
        if self._opened is None:  # here, where it is known after which step the journal goes on
            self._opened = [backend(self._directory, step) for backend in self._backends]
        self._append(self._metrics, record)
        for backend in self._opened:
            backend.write(step, dict(_scalars(record, f"seed_{record['seed']}" if "seed" in record else "")))

    def time(self, step: int, figures: Mapping[str, Any]) -> None:
        """Append wall-clock figures (seconds, steps per second) to ``timing.jsonl``."""
        self._append(self._timing, plain({**figures, "step": step}))

    def position(self) -> int:
        """Bytes of ``metrics.jsonl`` that are on the disk for good: what a checkpoint has to remember."""
        try:
            os.fsync(self._metrics.fileno())
        except OSError as error:
            raise cannot_write(self._directory / METRICS, error) from error
        return self._metrics.seek(0, os.SEEK_END)

    def truncate(self, position: int) -> None:
        """Forget what was logged after ``position``, so that a resumed run writes it again.

        Raises:
            CoterieError: The file is shorter than that.
        """
        size = self.position()
        if size < position:
            raise CoterieError(
                f"{self._directory / METRICS} has {size} bytes and the checkpoint was saved at {position}: "
                "the file was cut or replaced; restore it, or train in another directory"
            )
        self._metrics.truncate(position)

    def close(self) -> None:
        """Close all files and backends; a closed journal cannot be written."""
        for backend in self._opened or ():
            backend.close()
        self._metrics.close()
        self._timing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _append(self, file: BinaryIO, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            file.write(line.encode())
            file.flush()
        except OSError as error:
            raise cannot_write(Path(file.name), error) from error


def read(directory: Path | str, name: str = METRICS) -> list[dict[str, Any]]:
    """All points of the log ``name`` in ``directory``; a last line that is still being written is left out.

    Raises:
        CoterieError: There is no such file; ``DamagedFile`` if a line before the last is not JSON.
    """
    path = Path(directory) / name
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise CoterieError(f"cannot read {path}: {error.strerror}; expected a run directory") from error
    points = []
    for number, line in enumerate(lines, 1):
        try:
            points.append(json.loads(line))
        except ValueError as error:
            raise DamagedFile(f"{path} is damaged at line {number} ({error}): restore it or train anew") from error
    return points


def _backend(name: str) -> type[Backend]:
    if name not in BACKENDS:
        raise CoterieError(f"there is no logging backend {name}: choose from {', '.join(BACKENDS)}")
    BACKENDS[name].check()
    return BACKENDS[name]


def _open(path: Path) -> BinaryIO:
    """``path`` for appending, without the half line that a crash may have left at its end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        sync_directory(path.parent)
        return open(path, "ab")
    except OSError as error:
        raise cannot_write(path, error) from error


def _scalars(record: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a record, those of lists and mappings under ``name/index`` and ``name/key``."""
    if isinstance(record, Mapping):
        items = [(key, item) for key, item in record.items() if key not in ("step", "seed")]
    elif isinstance(record, list):
        items = list(enumerate(record))
    else:
        if isinstance(record, int | float):
            yield name, float(record)
        return
    for key, item in items:
        yield from _scalars(item, f"{name}/{key}" if name else str(key))
