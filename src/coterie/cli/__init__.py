"""The command line. Progress goes to stderr; with ``--json`` stdout holds one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence

from coterie.contracts import CoterieError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0, 1 if a check did not pass, 2 for bad input (one line on stderr), 130 if interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            return _run(given)
    except CoterieError as error:
        stopped = type(error).__name__ == "Interrupted"
        if stopped and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is saved and the process is leaving
        print(f"coterie: {error}", file=sys.stderr)
        return 130 if stopped else 2
    except KeyboardInterrupt:
        print("coterie: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains once more when it flushes at its end
        return 1


def _run(given: Sequence[str]) -> int:
    from coterie.cli.commands import COMMANDS
    from coterie.cli.parser import read
    from coterie.compiled import cache

    command = read(COMMANDS, given)
    cache()
    result = command.run()
    if command.json:
        from coterie.training.files import plain

        print(json.dumps(plain(result), sort_keys=True))
    sys.stdout.flush()
    return 1 if isinstance(result, Mapping) and result.get("passed") is False else 0


def _warn(message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: object) -> None:
    """A warning in one line, without the place in the source that raised it."""
    del category, filename, lineno, rest
    print(f"coterie: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
