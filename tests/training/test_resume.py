"""The same seed gives the same bytes: twice, killed and resumed, alone or beside other seeds, on one device or two."""

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import coterie
from coterie.training.files import load_arrays

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"environments": 4, "rollout": 6, "minibatches": 2, "epochs": 2, "critic_epochs": 2}
# Compiled programs are read from the cache that this process filled: a child starts in seconds.
ENVIRONMENT = {
    **os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT / "src"),
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".cache" / "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1", "JAX_NUM_CPU_DEVICES": str(len(jax.devices())),
}  # fmt: skip
TOLERANCE = 2e-4
CHILD = """
import sys
import coterie
coterie.resume(sys.argv[1], observer=lambda progress: print(progress.steps, flush=True))
"""


def recipe(memory=0, **changes):
    line = dataclasses.replace(coterie.recipes.a2po(), **{**SMALL, **changes})
    if memory:
        return coterie.recipes.recurrent(line, memory, chunk=3)
    net = coterie.recipes.Network((8,))
    return dataclasses.replace(line, actor=net, critic=net)


def train(out, line=None, seeds=2, points=40, chunks=40, game="particle/spread", **options):
    plan = {"steps": 24 * chunks, "points": points, "evaluations": 4, "episodes": 2, "game_options": {"length": 5}}
    return coterie.train(line or recipe(), game, seeds, out=out, **{**plan, **options})


def contents(directory):
    """Every file of a run that does not hold the clock."""
    found = sorted(p for p in Path(directory).rglob("*") if p.is_file() and p.name not in ("timing.jsonl", ".lock"))
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def assert_same_bytes(one, two):
    one, two = contents(one), contents(two)
    assert one.keys() == two.keys() and "policies.safetensors" in one and len(one) == 6
    assert [name for name in one if one[name] != two[name]] == []


def test_the_same_seed_twice_gives_the_same_bytes(tmp_path):
    train(tmp_path / "one", chunks=4)
    train(tmp_path / "two", chunks=4)
    assert_same_bytes(tmp_path / "one", tmp_path / "two")
    assert {path.name for path in (tmp_path / "one").iterdir()} == {
        ".lock", "run.json", "metrics.jsonl", "timing.jsonl", "checkpoints", "evaluation.json", "policies.safetensors",
    }  # fmt: skip


def kill_after(directory, steps, wait):
    """Resume in a process of its own, and kill it a moment after that many log points; how many it told of."""
    with subprocess.Popen([sys.executable, "-c", CHILD, str(directory)], env=ENVIRONMENT, text=True,
                          stdout=subprocess.PIPE) as child:  # fmt: skip
        told = [line for line, _ in zip(child.stdout, range(steps), strict=False)]
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    return len(told)


@pytest.mark.timeout(300)
def test_killed_at_random_moments_and_resumed_equals_never_killed(tmp_path):
    """Recurrent: all that a feed-forward run carries, and memories. benchmarks/kill_and_resume.py kills 20 times."""
    line, moments = recipe(memory=4), random.Random(4)
    train(tmp_path / "whole", line, chunks=160, points=80)
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "run.json").write_bytes((tmp_path / "whole" / "run.json").read_bytes())  # begun, nothing done yet
    for _ in range(2):
        assert kill_after(killed, moments.randrange(1, 20), moments.uniform(0.0, 0.03))
        assert not (killed / "evaluation.json").exists()
    coterie.resume(killed)
    assert_same_bytes(tmp_path / "whole", killed)


def test_stopped_at_every_point_equals_never_stopped(tmp_path):
    train(tmp_path / "whole", chunks=5)
    train(tmp_path / "cut", chunks=5)

    def stop(progress):
        os.kill(os.getpid(), signal.SIGINT)

    for path in (tmp_path / "cut").rglob("*"):
        if path.is_file() and path.name != "run.json":
            path.unlink()
    for count in range(1, 5):
        with pytest.raises(coterie.CoterieError, match=f"^stopped at step {24 * count} of 120, all of it saved: "):
            coterie.resume(tmp_path / "cut", observer=stop)
    coterie.resume(tmp_path / "cut")
    assert_same_bytes(tmp_path / "whole", tmp_path / "cut")


def learnt(directory, index):
    """What one seed of a run learnt: its actor, critic, optimisers and normalisers, by name."""
    arrays, _ = load_arrays(sorted((directory / "checkpoints").iterdir())[-1])
    return {name: array[index] for name, array in arrays.items() if name.startswith("learner.")}


ONE_DEVICE = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("resume", sys.argv[1])
test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(test)
room = pathlib.Path(sys.argv[2])
test.train(room / "together", seeds=4, chunks=4, points=2)
test.train(room / "alone", seeds=(2,), chunks=4, points=2)
"""


@pytest.fixture(scope="module")
def one_device(tmp_path_factory):
    """Four seeds together, and one of them alone, in a process that has one device."""
    room = tmp_path_factory.mktemp("one_device")
    environment = {**ENVIRONMENT, "JAX_NUM_CPU_DEVICES": "1"}
    subprocess.run([sys.executable, "-c", ONE_DEVICE, __file__, str(room)], env=environment, check=True)
    return room


def test_a_seed_alone_equals_the_same_seed_beside_others(one_device):
    one, two = learnt(one_device / "alone", 0), learnt(one_device / "together", 2)
    assert len(one) > 20 and all(np.array_equal(one[name], two[name]) for name in one)
    lines = (one_device / "together" / "metrics.jsonl").read_bytes().splitlines()
    assert (one_device / "alone" / "metrics.jsonl").read_bytes().splitlines() == lines[2::4]


@pytest.mark.parametrize("axis", ["map", "vmap"])
def test_devices_and_batching_change_no_more_than_the_last_digits(one_device, tmp_path, axis):
    """Programs for two devices, and for seeds as a batch, round differently; Adam's first steps make that 1e-5."""
    assert len(jax.devices()) == 2
    train(tmp_path / axis, seeds=4, chunks=4, points=2, axis=axis)
    one, two = learnt(one_device / "alone", 0), learnt(tmp_path / axis, 2)
    for name, array in one.items():
        if np.issubdtype(array.dtype, np.floating):
            np.testing.assert_allclose(array, two[name], rtol=1e-3, atol=TOLERANCE, err_msg=name)


def test_other_devices_than_before_are_told(one_device, tmp_path):
    moved = shutil.copytree(one_device / "together", tmp_path / "moved")
    with pytest.warns(UserWarning, match="^the run was trained on 1 device and goes on with 2: its last digits may"):
        coterie.resume(moved)


def test_a_run_record_says_enough_to_run_it_again(tmp_path):
    train(tmp_path / "run", chunks=4)
    document = json.loads((tmp_path / "run" / "run.json").read_text())
    assert document.keys() == {"format", "recipe", "game", "seeds", "schedule", "axis", "versions"}
    assert document["versions"].keys() == {"coterie", "jax", "numpy", "equinox", "optax"}
    for path in (tmp_path / "run").rglob("*"):
        assert not path.is_file() or b"pickle" not in path.read_bytes()
