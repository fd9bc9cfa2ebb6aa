"""The command line called in this process, as a function."""

import contextlib
import io
from typing import NamedTuple

import pytest

from coterie.cli import main

TINY = [
    "--points", "3", "--episodes", "2", "--recipe.environments", "4", "--recipe.rollout", "8",
    "--recipe.minibatches", "1", "--recipe.epochs", "1", "--recipe.critic_epochs", "1",
    "--recipe.actor.encoder", "8", "--recipe.critic.encoder", "8", "--game.length", "6",
]  # fmt: skip


class Answer(NamedTuple):
    status: int
    out: str
    err: str


def call(*words) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(word) for word in words])
    return Answer(status, out.getvalue(), err.getvalue())


def refused(*words) -> str:
    """The one line with which a command refuses."""
    answer = call(*words)
    assert answer.status == 2 and answer.out == ""
    lines = [line for line in answer.err.splitlines() if line.startswith("coterie: ") and "warning" not in line]
    assert len(lines) == 1 and "Traceback" not in answer.err
    assert answer.err.endswith(lines[0] + "\n")
    return lines[0].removeprefix("coterie: ")


@pytest.fixture(autouse=True)
def _one_device(monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")  # what the other tests of this process have


@pytest.fixture(name="call")
def _call():
    return call


@pytest.fixture(name="refused")
def _refused():
    return refused


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A finished run of two seeds on particle/spread, and what its training printed."""
    directory = tmp_path_factory.mktemp("cli") / "run"
    answer = call("train", "mappo", "particle/spread", *TINY, "--seeds", 2, "--steps", 96, "--out", directory, "--json")
    return directory, answer
