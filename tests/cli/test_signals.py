"""Ctrl-C: once, the chunk is finished and saved; twice, the process ends at once. Nothing written is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coterie.training import checkpoint

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT / "src"), "JAX_NUM_CPU_DEVICES": "1",
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".cache" / "jax"),
}  # fmt: skip


def start(directory, tiny, steps):
    """A run of ten chunks of ``steps / 10`` steps, with its first two lines read: two chunks are over."""
    words = ["train", "mappo", "particle/spread", *tiny, "--points", "10", "--steps", str(steps), "--out", directory]
    command = [sys.executable, "-m", "coterie.cli", *map(str, words)]
    child = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert all("steps" in child.stderr.readline() for _ in range(2))
    return child


def rest(child):
    """What it still says until its end. ``communicate`` would drop what ``readline`` has read ahead."""
    err, out = child.stderr.read(), child.stdout.read()
    child.wait()
    return out, err


@pytest.mark.timeout(240)
def test_once_finishes_the_chunk_and_says_how_to_go_on(tmp_path, tiny, call):
    child = start(tmp_path, tiny, 160_000)
    child.send_signal(signal.SIGINT)
    out, err = rest(child)
    assert child.returncode == 130 and out == ""
    lines = [line for line in err.splitlines() if line and "return" not in line]
    assert len(lines) == 2 and lines[0] == "stopping after this chunk (Ctrl-C again to stop at once)"
    assert lines[1].startswith("coterie: stopped at step ")
    assert lines[1].endswith(f" of 160,000, all of it saved: go on with coterie resume {tmp_path}")
    step = int(lines[1].split()[4].replace(",", "").rstrip(","))
    assert int(checkpoint.latest(tmp_path / "checkpoints").stem) * 32 == step < 160_000
    assert call("evaluate", tmp_path, "--episodes", 1).status == 0


@pytest.mark.timeout(240)
def test_twice_stops_at_once_and_keeps_the_last_checkpoint(tmp_path, tiny, call):
    child = start(tmp_path, tiny, 1_600_000)
    child.send_signal(signal.SIGINT)
    assert child.stderr.readline() == "\n" and child.stderr.readline().startswith("stopping after this chunk")
    clock = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = rest(child)
    assert child.returncode == 130 and out == "" and time.monotonic() - clock < 5
    # Should the chunk end between the two, the second finds a process that is leaving already.
    ends = ("stopped at once; the last checkpoint is kept", "coterie: stopped at step ")
    assert err.splitlines()[-1].startswith(ends) and "Traceback" not in err
    assert checkpoint.latest(tmp_path / "checkpoints")
    assert call("evaluate", tmp_path, "--episodes", 1).status == 0
