"""The journal: the same bytes with and without a crash."""

import errno
import io
import json
import sys
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.training.files import DamagedFile
from coterie.training.journal import Journal, read


def point(step):
    kl = jnp.array([0.1 * step, 0.3], jnp.float32)
    return {"kl": kl, "return": np.float32(-step / 3), "order": [2, 0], "ratio": jnp.float32(jnp.inf)}


def test_bytes_by_hand(tmp_path):
    with Journal(tmp_path / "run") as journal:
        journal.log(3, {"b": np.float32(0.1), "a": [1, float("nan")], "c": {"d": True}})
    expected = b'{"a": [1, null], "b": 0.1, "c": {"d": true}, "step": 3}\n'
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == expected
    assert read(tmp_path / "run") == [json.loads(expected)]


def test_a_resumed_run_has_the_bytes_of_one_never_killed(tmp_path):
    with Journal(tmp_path / "whole") as journal:
        for step in range(6):
            journal.log(step, point(step))
    with Journal(tmp_path / "killed") as journal:
        for step in range(3):
            journal.log(step, point(step))
        position = journal.position()
        journal.log(3, point(3))
    with open(tmp_path / "killed" / "metrics.jsonl", "ab") as file:
        file.write(b'{"kl": [0.4')
    with Journal(tmp_path / "killed") as journal:
        journal.truncate(position)
        assert journal.position() == position
        for step in range(3, 6):
            journal.log(step, point(step))
    whole, killed = ((tmp_path / name / "metrics.jsonl").read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_the_clock_stays_out_of_the_metrics(tmp_path):
    with Journal(tmp_path) as journal:
        journal.time(1, {"seconds": 0.25})
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""
    assert (tmp_path / "timing.jsonl").read_text() == '{"seconds": 0.25, "step": 1}\n'


def test_a_half_written_last_line_is_left_out_and_then_overwritten(tmp_path):
    with Journal(tmp_path) as journal:
        journal.log(1, {})
    with open(tmp_path / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 2')
    assert read(tmp_path) == [{"step": 1}]
    with Journal(tmp_path) as journal:
        journal.log(2, {})
    assert read(tmp_path) == [{"step": 1}, {"step": 2}]


def test_damage_and_absence_are_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(DamagedFile, match="line 2"):
        read(tmp_path)
    with pytest.raises(CoterieError, match="expected a run directory"):
        read(tmp_path / "missing")
    with Journal(tmp_path) as journal, pytest.raises(CoterieError, match="was cut or replaced"):
        journal.truncate(1000)


def test_what_cannot_be_logged_leaves_no_trace(tmp_path):
    with Journal(tmp_path) as journal:
        with pytest.raises(CoterieError, match="called step"):
            journal.log(1, {"step": 2})
        with pytest.raises(CoterieError, match="cannot write a object as JSON"):
            journal.log(1, {"good": 1, "bad": object()})
        assert journal.position() == 0


def test_a_full_disk_is_one_line(tmp_path):
    class Full(io.BytesIO):
        name = "metrics.jsonl"

        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path) as journal:
        journal._metrics = Full()
        with pytest.raises(CoterieError, match=r"the disk is full, cannot write metrics\.jsonl"):
            journal.log(1, {})
        journal._metrics = io.BytesIO()


def test_unknown_and_uninstalled_backends(tmp_path, monkeypatch):
    with pytest.raises(CoterieError, match="no logging backend cloud: choose from tensorboard, wandb"):
        Journal(tmp_path, ["cloud"])
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(CoterieError, match=r"pip install 'coterie\[logging\]'"):
        Journal(tmp_path, ["wandb"])


def test_tensorboard_gets_every_number(tmp_path, monkeypatch):
    import tensorboardX

    written = []
    monkeypatch.setattr(tensorboardX.SummaryWriter, "add_scalar", lambda _, *scalar: written.append(scalar))
    with Journal(tmp_path, ["tensorboard"]) as journal:
        journal.log(1, {**point(1), "critic": {"loss": 2}})
    assert {name: value for name, value, _ in written} == {
        "kl/0": 0.1, "kl/1": 0.3, "return": -0.33333334, "order/0": 2, "order/1": 0, "critic/loss": 2
    }  # fmt: skip
    assert {step for *_, step in written} == {1}
    assert list((tmp_path / "tensorboard").iterdir())


def test_seeds_of_one_step_stay_apart(tmp_path, monkeypatch):
    import tensorboardX

    written = []
    monkeypatch.setattr(tensorboardX.SummaryWriter, "add_scalar", lambda _, *scalar: written.append(scalar))
    with Journal(tmp_path, ["tensorboard"]) as journal:
        for seed in (0, 1):
            journal.log(10, {"seed": seed, "kl": 0.5})
    assert written == [("seed_0/kl", 0.5, 10), ("seed_1/kl", 0.5, 10)]


def test_wandb_resumes_the_same_run(tmp_path, monkeypatch):
    calls = []
    run = SimpleNamespace(
        log=lambda scalars, step: calls.append((scalars, step)), finish=lambda: calls.append("finished")
    )

    def init(**options):
        calls.append(options)
        return run

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    (tmp_path / "run.json").write_text('{"recipe": "a2po"}')
    for step in (1, 2):
        with Journal(tmp_path, ["wandb"]) as journal:
            journal.log(step, {"kl": 0.5})
    assert calls[0] == calls[3] and calls[0]["config"] == {"recipe": "a2po"} and calls[0]["resume"] == "allow"
    assert calls[1:3] == [({"kl": 0.5}, 1), "finished"] and calls[4] == ({"kl": 0.5}, 2)
