"""Every command does its job; with --json stdout holds one object and nothing else."""

import json
import shutil

import pytest

from coterie.cli import main
from coterie.cli.commands import COMMANDS
from coterie.fields import part_name


def only_object(answer):
    assert answer.status == 0 and answer.out.count("\n") == 1
    return json.loads(answer.out)


def test_train(trained):
    directory, answer = trained
    found = only_object(answer)
    assert found["run"] == str(directory) and found["evaluation"]["seeds"] == [0, 1]
    assert found["evaluation"] == json.loads((directory / "evaluation.json").read_text())
    assert (directory / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert answer.err.splitlines()[-1].startswith("mappo on particle/spread: 96/96 steps   return -")
    points = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    assert [(p["step"], p["seed"]) for p in points] == [(s, k) for s in (32, 64, 96) for k in (0, 1)]


def test_train_resume_goes_on_with_the_same_run_only(trained, tiny, call, refused, tmp_path):
    directory = shutil.copytree(trained[0], tmp_path / "run")
    words = ["train", "mappo", "particle/spread", *tiny, "--seeds", 2, "--out", directory]
    assert "holds a run already: go on with it (coterie resume" in refused(*words, "--steps", 96)
    before = (directory / "metrics.jsonl").read_bytes()
    document = json.loads((directory / "run.json").read_text())
    del document["recipe"]["actor_fit"]["halving"]  # as a version wrote it that had no such field
    (directory / "run.json").write_text(json.dumps(document))
    only_object(call(*words, "--steps", 96, "--resume", "--json"))
    assert (directory / "metrics.jsonl").read_bytes() == before
    halved = refused(*words, "--steps", 96, "--resume", "--recipe.actor_fit.halving", "9")
    assert "(its recipe differs)" in halved
    assert "holds another run (its schedule differs)" in refused(*words, "--steps", 960, "--resume")
    assert "(its recipe differs)" in refused(*words, "--steps", 96, "--resume", "--recipe.gamma", "0.5")
    assert "(its game differs)" in refused(*words, "--steps", 96, "--resume", "--game.agents", "4")
    assert "(its axis differs)" in refused(*words, "--steps", 96, "--resume", "--axis", "vmap")
    assert (directory / "metrics.jsonl").read_bytes() == before


def test_resume(trained, call):
    assert only_object(call("resume", trained[0], "--json"))["evaluation"]["episodes"] == 2


def test_evaluate(trained, call):
    found = only_object(call("evaluate", trained[0], "--episodes", 3, "--json"))
    assert found["episodes"] == 3 and {"greedy", "sampled", "random team"} <= found.keys()
    assert len(found["greedy"]["returns"]) == 2 and found["greedy"]["low"] <= found["greedy"]["mean"]
    shown = call("evaluate", trained[0], "--episodes", 3)
    assert shown.status == 0 and f"{found['greedy']['mean']:.2f}" in shown.out and "random team" in shown.out


@pytest.mark.parametrize(("form", "start"), [("gif", b"GIF89a"), ("html", b"<!")])
def test_watch(trained, call, tmp_path, form, start):
    path = tmp_path / "deep" / f"film.{form}"
    found = only_object(call("watch", trained[0], "--format", form, "--episodes", 1, "--out", path, "--json"))
    assert found["replay"] == str(path) and found["returns"].keys() == {"mappo", "random"}
    assert path.read_bytes().startswith(start)


def test_list(call):
    found = only_object(call("list", "--json"))
    assert {"a2po", "mappo"} <= found["recipes"].keys() and {"particle/spread", "probe/memory"} <= found["games"].keys()
    assert all(found["games"].values()) and all(found["recipes"].values())
    assert "particle/spread" in call("list").out


def test_explain(call):
    found = only_object(call("explain", "a2po", "--json", "--recipe.estimator.trace", "0.5"))
    assert found["parts"]["estimator"] == {
        "part": "preceding_trace", "settings": found["parts"]["estimator"]["settings"],
        "text": found["parts"]["estimator"]["text"],
    }  # fmt: skip
    assert found["parts"]["estimator"]["settings"]["trace"] == 0.5 and "eq. 4" in found["parts"]["estimator"]["text"]
    assert found["numbers"]["gamma"] > 0 and "[bold]" not in found["text"]
    found = only_object(call("explain", "particle/spread", "--game.agents=5", "--json"))
    assert len(found["spec"]["agents"]) == 5 and "local_ratio" in found["text"]
    assert "--recipe.mode" in call("explain", "a2po").out


def test_demo(call, tmp_path, monkeypatch):
    monkeypatch.setattr("coterie.cli.demo.EPISODES", 4)
    monkeypatch.setattr("coterie.cli.demo.METHODS", ("mappo",))
    found = only_object(call("demo", "--out", tmp_path, "--steps", 100, "--seeds", 1, "--json"))
    assert found["teams"].keys() == {"mappo", "random team", "greedy assignment"}
    assert json.loads((tmp_path / "demo.json").read_text()) == found
    for name, start in (("curves.png", b"\x89PNG"), ("replay.gif", b"GIF89a"), ("replay.html", b"<!")):
        assert (tmp_path / name).read_bytes().startswith(start)


def test_demo_leaves_the_runs_of_others_alone(trained, refused, tmp_path):
    shutil.copytree(trained[0], tmp_path / "mappo")
    assert refused("demo", "--out", tmp_path).startswith(f"{tmp_path}/mappo holds a run that no demo made: ")
    assert (tmp_path / "mappo" / "run.json").exists()


@pytest.mark.parametrize("command", ["", *map(part_name, COMMANDS)])
def test_help(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command.split(), "--help"])
    shown = capsys.readouterr()
    assert caught.value.code == 0 and shown.out.startswith("usage: coterie") and not shown.err


def test_version(call):
    from coterie import __version__

    assert call("--version") == (0, f"coterie {__version__}\n", "")


def test_options_may_stand_anywhere(call):
    front = call("explain", "--game.agents", "4", "particle/spread", "--json")
    assert front == call("explain", "particle/spread", "--json", "--game.agents=4")
    assert call("explain", "a2po", "--recipe.log_std", "-1.5", "--json").out.count('"log_std": -1.5') == 1
