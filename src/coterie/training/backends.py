"""Where a journal may also log to: TensorBoard and Weights & Biases, both of the extra ``logging``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from coterie.extras import require
from coterie.training.files import read_json, write_json


class Backend(Protocol):
    """A place that takes named numbers, made when the first point of a (resumed) run is at hand."""

    def __init__(self, directory: Path, step: int) -> None: ...

    @staticmethod
    def check() -> None:
        """Raise ``CoterieError`` if its package is not installed."""
        ...

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log ``scalars`` at ``step``."""
        ...

    def close(self) -> None:
        """Send what is waiting."""
        ...


class TensorBoard:
    """Event files in ``tensorboard/`` of the run directory; points of a killed run from ``step`` on are hidden."""

    def __init__(self, directory: Path, step: int) -> None:
        writer = require("tensorboardX", "logging").SummaryWriter
        self._writer = writer(str(directory / "tensorboard"), purge_step=step)

    @staticmethod
    def check() -> None:
        """Raise ``CoterieError`` if tensorboardX is not installed."""
        require("tensorboardX", "logging")

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log ``scalars`` at ``step``."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush the event file."""
        self._writer.close()


class WeightsAndBiases:
    """A Weights & Biases run, the same one when the training is resumed: ``wandb.json`` remembers its name."""

    def __init__(self, directory: Path, step: int) -> None:
        path = directory / "wandb.json"
        if not path.exists():
            write_json(path, {"id": uuid.uuid4().hex})
        config = read_json(directory / "run.json") if (directory / "run.json").exists() else {}
        self._run = require("wandb", "logging").init(
            project="coterie", dir=str(directory), id=read_json(path)["id"], resume="allow", config=config
        )

    @staticmethod
    def check() -> None:
        """Raise ``CoterieError`` if wandb is not installed."""
        require("wandb", "logging")

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Log ``scalars`` at ``step``."""
        self._run.log(dict(scalars), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


BACKENDS: dict[str, type[Backend]] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}
