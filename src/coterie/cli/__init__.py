"""The command line. Progress goes to stderr; with ``--json`` stdout holds one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from coterie.contracts import CoterieError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for bad input (one line on stderr), 130 if interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from coterie.cli.commands import COMMANDS
        from coterie.cli.parser import read

        command = read(COMMANDS, given)
        cache()
        result = command.run()
        if command.json:
            from coterie.training.files import plain

            print(json.dumps(plain(result), sort_keys=True))
        return 0
    except CoterieError as error:
        print(f"coterie: {error}", file=sys.stderr)
        return 130 if type(error).__name__ == "Interrupted" else 2
    except KeyboardInterrupt:
        print("coterie: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1


def cache() -> None:
    """Keep compiled programs between calls: the second call of a command starts in seconds."""
    import jax

    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = os.environ.get("JAX_COMPILATION_CACHE_DIR") or str(Path(home) / "coterie" / "jax")
    jax.config.update("jax_compilation_cache_dir", place)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    if not os.environ.get("JAX_NUM_CPU_DEVICES"):
        jax.config.update("jax_num_cpu_devices", min(os.cpu_count() or 1, 8))


if __name__ == "__main__":
    sys.exit(main())
