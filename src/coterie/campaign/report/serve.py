"""The page live: served to this machine alone, drawn anew when the campaign's files have changed."""

from __future__ import annotations

import errno
import hashlib
import json
import sys
import threading
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from coterie.campaign import plan
from coterie.campaign.plan import CAMPAIGN, FAILURE, FINISHED, GAMES, Plan
from coterie.campaign.report.data import gather
from coterie.campaign.report.markup import text
from coterie.campaign.report.page import render
from coterie.campaign.report.replays import REPLAY
from coterie.contracts import CoterieError
from coterie.training import journal
from coterie.training.record import EVALUATION, RUN

HOST = "127.0.0.1"
_FILES = (RUN, journal.METRICS, journal.TIMING, EVALUATION, FINISHED, FAILURE, REPLAY)


class Watched:
    """A campaign's page, drawn once for each state of its files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._drawn = ("", b"")

    def state(self) -> str:
        """A name for what the files are now: their places, sizes and times."""
        seen = hashlib.sha256()
        try:
            entries = plan.read(self._directory).entries
        except CoterieError as error:
            return hashlib.sha256(str(error).encode()).hexdigest()[:16]
        paths = [self._directory / CAMPAIGN, *sorted((self._directory / GAMES).glob("*.json"))]
        for path in (*paths, *(entry.directory / name for entry in entries for name in _FILES)):
            try:
                found = path.stat()
            except OSError:
                continue
            seen.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
        return seen.hexdigest()[:16]

    def page(self) -> bytes:
        """The page of this moment."""
        with self._lock:  # two windows that ask at once wait for one drawing
            state = self.state()
            if self._drawn[0] != state:
                self._drawn = state, self._draw(state).encode()
            return self._drawn[1]

    def _draw(self, state: str) -> str:
        try:
            return render(gather(plan.read(self._directory)), live=state)
        except CoterieError as error:  # the directory may be whole again in a moment
            head = '<meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Coterie</title>'
            return f'<!doctype html><html lang="en"><head>{head}</head><body>{text(error)}</body></html>'


def server(directory: Path, port: int) -> ThreadingHTTPServer:
    """A server of one campaign on the loopback address; it answers once ``serve_forever`` is called.

    Raises:
        CoterieError: The port is taken, not allowed, or no port.
    """
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, Watched(directory)))
    except OverflowError:
        raise CoterieError(f"--port is {port}: give a number from 0 to 65535") from None
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
        raise CoterieError(f"port {port} {why}: give another with --port, or --port 0 for any free one") from None


def serve(known: Plan, port: int, quiet: bool = False) -> dict[str, Any]:
    """Serve the page until Ctrl-C.

    Args:
        known: The campaign.
        port: Where, on the loopback address; 0 for any free port.
        quiet: Do not say where.

    Raises:
        CoterieError: The port cannot be had.
    """
    with server(known.directory, port) as running:
        url = f"http://{HOST}:{running.server_address[1]}/"
        if not quiet:
            sys.stderr.write(f"{known.name}: {url}   (Ctrl-C ends it)\n")
            sys.stderr.flush()
        with suppress(KeyboardInterrupt):
            running.serve_forever(poll_interval=0.2)
    return {"url": url, "campaign": str(known.directory)}


class _Handler(BaseHTTPRequestHandler):
    """Two answers: the page at ``/``, and at ``/status`` which state of the files it would show."""

    def __init__(self, watched: Watched, *rest: Any) -> None:
        self._watched = watched
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Answer."""
        # Another site's name may be made to point here (DNS rebinding); a browser then sends that name.
        if self.headers.get("Host", "").rpartition(":")[0] not in (HOST, "localhost"):
            self._send(403, b"only for this machine", "text/plain")
        elif self.path.partition("?")[0] == "/":
            self._send(200, self._watched.page(), "text/html; charset=utf-8")
        elif self.path == "/status":
            self._send(200, json.dumps({"state": self._watched.state()}).encode(), "application/json")
        else:
            self._send(404, b"there is only / and /status", "text/plain")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the window was closed meanwhile

    def log_message(self, format: str, *rest: Any) -> None:
        """Say nothing: the terminal is for the campaign."""
