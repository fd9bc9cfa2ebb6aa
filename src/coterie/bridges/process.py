"""One worker process as the main process sees it: started, asked, waited for, ended."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any, NamedTuple

from coterie.bridges.source import Source
from coterie.extras import require


class Failure(NamedTuple):
    """Why a worker gave no answer: a ``fault`` (a broken promise), an ``error`` (raised), it ``died`` or ``hung``."""

    kind: str
    text: str
    place: dict[str, int]


class Process:
    """A worker process.

    Args:
        source: Makes its environments.
        task: What it has to know, as JSON data.
        memory: Descriptor of the shared arrays.
    """

    def __init__(self, source: Source, task: dict[str, Any], memory: int) -> None:
        self.pipe, theirs = Pipe()
        named = isinstance(source.factory, str)
        environment = {"OMP_NUM_THREADS": "1", "PYGAME_HIDE_SUPPORT_PROMPT": "1", **os.environ,
                       "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "coterie.bridges.worker", str(theirs.fileno()), str(memory)],
            pass_fds=(theirs.fileno(), memory), stdin=subprocess.DEVNULL, stdout=sys.__stderr__, env=environment,
        )  # fmt: skip
        theirs.close()
        self._ready = select.poll()
        self._ready.register(self.pipe.fileno(), select.POLLIN)
        factory = source.factory
        code = factory.encode() if isinstance(factory, str) else require("cloudpickle", "games").dumps(factory)
        self.ask(json.dumps({**task, "named": named, "options": dict(source.options)}).encode())
        self.ask(code)

    def ask(self, message: bytes) -> None:
        """Send a message; whether it arrives shows when the answer is read."""
        with suppress(OSError):
            self.pipe.send_bytes(message)

    def answer(self, seconds: float | None) -> Failure | None:
        """Wait for an answer: None if all is well."""
        try:
            if not self._ready.poll(None if seconds is None else 1000 * seconds):
                return Failure("hung", f"did not answer within {seconds:g} seconds", {})
            message = self.pipe.recv_bytes()
        except (EOFError, OSError):
            code = self.process.wait()
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            return Failure("died", f"ended its process ({how})", {})
        if not message:
            return None
        said = json.loads(message)
        place = {name: said[name] for name in ("row", "step", "episode") if name in said}
        return Failure(said["kind"], said["text"], place)

    def end(self, seconds: float = 0.0) -> None:
        """Hang up, which ends an idle worker, and kill it if it has not gone after ``seconds``."""
        self.pipe.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
