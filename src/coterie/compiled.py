"""Compiled programs are kept between calls; every command and every run of a campaign starts with this."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from coterie.cores import available
from coterie.cores import memory as memory_of_this_machine


def cache() -> None:
    """Keep compiled programs between calls, and make a device of every core for the seeds to spread over."""
    import jax

    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR") and jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(Path(home) / "coterie" / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    if not os.environ.get("JAX_NUM_CPU_DEVICES"):
        with suppress(RuntimeError):  # too late where JAX has run already, as in a notebook
            jax.config.update("jax_num_cpu_devices", min(len(available()), 8))


def memory() -> int:
    """Bytes that are free where compiled code runs: on the accelerator, else on this machine; 0 if nobody tells."""
    import jax

    device = jax.local_devices()[0]
    stats = (device.memory_stats() or {}) if device.platform != "cpu" else {}
    if "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    return memory_of_this_machine()
