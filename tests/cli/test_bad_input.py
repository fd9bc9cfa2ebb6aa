"""Bad input: one line that says what and what to do, a status that is not 0, and nothing written is lost."""

import errno
import json
import os
import shutil

import pytest

from coterie.training import record


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "there is no command 'trian': did you mean train?"),
        (["train", "a2p", "particle/spread"], "there is no recipe 'a2p': did you mean a2po?"),
        (["train", "a2po", "particle/spred"], "there is no game 'particle/spred': did you mean particle/spread?"),
        (["train", "a2po"], "the following arguments are required: GAME; see coterie train --help"),
        (["train", "a2po", "probe/joint", "more"], "train has no use for 'more': see coterie train --help"),
        (["train", "a2po", "probe/joint", "--step", "5"], "train has no option --step: did you mean --steps?"),
        (["train", "a2po", "probe/joint", "--gamma", "5"], "train has no option --gamma: did you mean --recipe.gamma?"),
        (["train", "a2po", "probe/joint", "--steps"], "argument --steps: expected one argument; see coterie train"),
        (["train", "a2po", "probe/joint", "--recipe.gamma"], "--recipe.gamma needs a value"),
        (["train", "a2po", "probe/joint", "--steps", "few"], "--steps cannot be 'few': give a whole number"),
        (["train", "a2po", "probe/joint", "--steps", "0"], "a run needs at least 1 step and 1 seed, not 0 steps"),
        (["train", "a2po", "probe/joint", "--seeds", "0"], "a run needs at least 1 step and 1 seed, not "),
        (["train", "a2po", "probe/joint", "--points", "0"], "points is 0: give at least 1"),
        (["train", "a2po", "probe/joint", "--episodes", "0"], "episodes is 0: give at least 1"),
        (["train", "a2po", "probe/joint", "--axis", "pmap"], "--axis cannot be 'pmap': give map or vmap"),
        (["train", "a2po", "probe/joint", "--log", "tensorbord"], "there is no logging backend tensorbord: choose"),
        (["train", "a2po", "probe/joint", "--recipe.gama", "1"], "a2po has no option 'gama': did you mean gamma?"),
        (["train", "a2po", "probe/joint", "--recipe.gamma", "3"], "gamma is 3.0: give a number between 0 and 1"),
        (["train", "a2po", "probe/joint", "--recipe.entropy", "nan"], "entropy cannot be 'nan': give a number"),
        (["train", "a2po", "probe/joint", "--recipe.memory", "x"], "memory cannot be 'x': give a whole number"),
        (["train", "a2po", "probe/joint", "--recipe.order", "x"], "order cannot be 'x': give simultaneous, "),
        (["train", "a2po", "probe/joint", "--game.agents", "0"], "agents must be a whole number of at least 1, not 0"),
        (["train", "a2po", "probe/joint", "--game.agent", "2"], "probe/joint has no option 'agent': did you mean "),
        (["train", "a2po", "probe/joint", "--recipe.sharing", "full"],
         "order semi_greedy cannot move agents one by one while sharing full gives them one set of parameters: choose"),
        (["train", "mappo", "probe/joint", "--recipe.weighting", "preceding"],
         "weighting preceding needs an order in turns, and order simultaneous has one turn: choose"),
        (["explain", "spread"], "there is no recipe or game 'spread': did you mean particle/spread?"),
        (["explain", "probe/joint", "--recipe.gamma", "1"], "probe/joint is a game, so --recipe.gamma says nothing"),
        (["list", "games"], "no name contains 'games': coterie list shows them all"),
        (["demo", "now"], "demo has no use for 'now': see coterie demo --help"),
        (["evaluate", "run", "--recipe.gamma", "1"], "evaluate has no option --recipe.gamma: "),
        (["evaluate", "run", "--episodes", "0"], "--episodes is 0: give at least 1"),
        (["watch", "run", "--format", "mp4"], "--format cannot be 'mp4': give gif or html"),
        (["demo", "--game", "probe/joint"], "greedy_assignment plays particle games only"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_is_typed_wrongly(refused, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert refused(*words).startswith(message)
    assert not list(tmp_path.rglob("run.json"))


def test_no_command_shows_the_menu(call):
    answer = call()
    assert answer.status == 2 and answer.out == "" and answer.err.startswith("usage: coterie")


@pytest.fixture
def run(trained, tmp_path):
    """A copy to damage."""
    return shutil.copytree(trained[0], tmp_path / "run")


READERS = (["evaluate", "--episodes", "1"], ["watch", "--episodes", "1"], ["resume"])


@pytest.mark.parametrize("command", READERS, ids=lambda words: words[0])
def test_a_run_directory_that_is_missing(refused, tmp_path, command):
    name, *rest = command
    assert (
        refused(name, tmp_path / "no", *rest)
        == f"there is no run directory {tmp_path / 'no'}: check the path, or train first"
    )
    assert refused(name, tmp_path, *rest).startswith(f"{tmp_path} holds no run (it has no run.json): check the path")


def test_a_run_record_that_is_cut(refused, run):
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text[: len(text) // 2])
    for name, *rest in READERS:
        assert refused(name, run, *rest).startswith(f"{run}/run.json is damaged or half-written")


def test_a_run_without_a_checkpoint_can_be_resumed_or_begun_anew(refused, run, call, tiny):
    whole = (run / "policies.safetensors").read_bytes()
    for path in run.iterdir():
        if path.name not in ("run.json", ".lock", "metrics.jsonl"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (run / "metrics.jsonl").write_text('{"half')  # of a line
    assert refused("evaluate", run) == f"{run} has no checkpoint yet: train on with coterie resume {run}"
    assert call("resume", run).status == 0
    assert (run / "policies.safetensors").read_bytes() == whole
    shutil.rmtree(run / "checkpoints")
    assert call("train", "mappo", "particle/spread", *tiny, "--steps", 32, "--out", run).status == 0


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=99), "run.json has format 99 and this coterie reads up to 1: upgrade"),
        (lambda d: d.pop("format"), "run.json has format None"),
        (
            lambda d: d["recipe"].update(curiosity=1),
            "run.json: recipe has an unknown field 'curiosity': it was written by",
        ),
        (
            lambda d: d["recipe"].update(estimator={"part": "vtrace"}),
            "run.json: recipe.estimator is 'vtrace', which this",
        ),
        (lambda d: d.pop("recipe"), "run.json is not the record of a run (KeyError('recipe')): restore it"),
        (lambda d: d.update(schedule=[1]), "run.json is not the record of a run ("),
        (lambda d: d.update(game="particle/spread"), "run.json is not the record of a run ("),
        (lambda d: d["game"].update(name="particle/sprawl"), "there is no game 'particle/sprawl': did you mean"),
        (lambda d: d["game"].update(name="probe/joint", options={}), "is a checkpoint of another game or recipe: "),
        (lambda d: d["game"]["options"].update(length=7), "has checkpoints of another game than its run.json says"),
        (lambda d: d["recipe"]["actor"].update(encoder=[9]), "is a checkpoint of another game or recipe: "),
    ],
)
def test_a_run_record_of_something_else(refused, run, change, message):
    edit(run / "run.json", change)
    kept = [path.read_bytes() for path in sorted((run / "checkpoints").iterdir())]
    for name, *rest in READERS:
        assert message in refused(name, run, *rest)
    assert kept == [path.read_bytes() for path in sorted((run / "checkpoints").iterdir())]


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.write_bytes(data)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(run, call, trained):
    last = sorted((run / "checkpoints").iterdir())[-1]
    flip(last)
    answer = call("evaluate", run, "--episodes", 1)
    assert answer.status == 0
    lines = answer.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"coterie: warning: passed over a checkpoint: {last} is damaged")
    assert call("resume", run).status == 0
    for name in ("policies.safetensors", "metrics.jsonl", "evaluation.json", f"checkpoints/{last.name}"):
        assert (run / name).read_bytes() == (trained[0] / name).read_bytes()


def test_all_checkpoints_damaged(run, refused):
    for path in (run / "checkpoints").iterdir():
        flip(path)
    for name, *rest in READERS:
        assert refused(name, run, *rest).startswith(f"all 2 checkpoints in {run}/checkpoints are damaged: restore one")


def test_places_that_cannot_be_written(refused, run, tmp_path, tiny):
    (tmp_path / "file").write_text("mine")
    words = ["train", "mappo", "particle/spread", *tiny, "--steps", "32", "--out", tmp_path / "file" / "run"]
    assert refused(*words).startswith(f"cannot write {tmp_path}/file/run/.lock: Not a directory; choose a place")
    for form in ("gif", "html"):
        place = tmp_path / "file" / f"film.{form}"
        assert refused("watch", run, "--episodes", 1, "--format", form, "--out", place).startswith(
            f"cannot write {place}"
        )
    assert refused("watch", run, "--seed", 2) == "the run has seeds numbered 0 to 1, not 2"
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_loses_nothing_that_was_written(refused, call, tmp_path, tiny, trained, monkeypatch):
    words = ["train", "mappo", "particle/spread", *tiny, "--seeds", "2", "--steps", "96", "--out", tmp_path / "run"]
    calls, true = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 12:  # in the midst of the second point
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        true(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert refused(*words).startswith("the disk is full, cannot write ")
    assert (tmp_path / "run" / "checkpoints" / "000000000001.safetensors").exists()
    assert not (tmp_path / "run" / record.POLICIES).exists()
    assert call("evaluate", tmp_path / "run", "--episodes", 1).status == 0
    assert call("resume", tmp_path / "run").status == 0
    for name in ("policies.safetensors", "metrics.jsonl", "evaluation.json"):
        assert (tmp_path / "run" / name).read_bytes() == (trained[0] / name).read_bytes()


def test_two_processes_in_one_directory(refused, run):
    from coterie.training.lock import locked

    with locked(run):
        assert refused("resume", run).startswith(f"another process is training in {run}: wait for it")
