"""The Ray engine gives the local engine's numbers, and a killed run costs nothing but time."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from coterie.campaign import plan
from coterie.campaign.engine import local
from coterie.campaign.ray_engine import on_ray
from coterie.contracts import CoterieError
from coterie.training.files import read_json


def job(directory):
    """The process of a run under way there."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"coterie.campaign.job" in words and str(directory).encode() in words:
            return int(path.parent.name)
    return None


@pytest.mark.timeout(300)
def test_the_same_numbers_and_a_killed_run_goes_on(tmp_path, suite, monkeypatch):
    source, cache = Path(__file__).resolve().parents[2] / "src", Path(__file__).resolve().parents[2] / ".cache" / "jax"
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(cache))
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    first = {name: dict(list(getattr(suite(), name).items())[:1]) for name in ("methods", "games")}
    small = suite(**first, claims=())
    document = plan.describe(small, "laptop")
    ours, rays = (plan.claim_directory(tmp_path / name, document) for name in ("local", "ray"))
    assert local(ours, lambda running, entries: None, workers=1).failed == ()
    killed = []

    def kill():
        while not killed:
            if process := job(rays.directory):
                killed.append(process)
                os.kill(process, signal.SIGKILL)
            time.sleep(0.05)

    threading.Thread(target=kill, daemon=True).start()
    result = on_ray(rays, lambda running, entries: None, workers=2)
    assert result.failed == () and result.done == 1 and killed
    for one, two in zip(ours.entries, rays.entries, strict=True):
        for name in ("metrics.jsonl", "evaluation.json", "policies.safetensors"):
            assert (one.directory / name).read_bytes() == (two.directory / name).read_bytes()
    assert read_json(rays.directory / "games" / "climb.json") == read_json(ours.directory / "games" / "climb.json")


def test_an_address_that_does_not_answer(campaign):
    with pytest.raises(
        CoterieError, match="^the Ray cluster at 127.0.0.1:9 does not answer .*: check --address"
    ) as caught:
        on_ray(campaign, lambda running, entries: None, "127.0.0.1:9")
    assert "\n" not in str(caught.value)
