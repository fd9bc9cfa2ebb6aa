"""The local engine: every run once, whatever dies. In most tests a script writes what a run would write."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coterie.campaign import engine, plan
from coterie.cli import main
from coterie.contracts import CoterieError
from coterie.training.lock import locked

SCRIPT = """
import json, os, pathlib, signal, sys, time
run, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
(run / "begun.txt").open("a").write("x")
count = len((run / "begun.txt").read_text())
if kind == "mortal" and count < 3 or kind == "doomed":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "broken":
    sys.exit("no module named nonsense")
if kind == "slow":
    signal.signal(signal.SIGINT, lambda *_: ((run / "saved.txt").write_text("x"), sys.exit(130)))
    (run / "ready.txt").write_text("x")
    time.sleep(60)
(run / "evaluation.json").write_text(json.dumps({"greedy": {"returns": [1.0, 2.0]}}))
(run / "finished.json").write_text("{}")
"""


@pytest.fixture
def scripted(monkeypatch):
    """Runs are scripts of a kind: ``scripted(climb="mortal")`` for all methods on climb."""

    def choose(**kinds):
        def command(directory, entry, count):
            return [sys.executable, "-c", SCRIPT, str(entry.directory), kinds.get(entry.game, "good")]

        monkeypatch.setattr(engine, "command", command)
        monkeypatch.setattr(engine, "POLL", 0.01)

    return choose


def begun(entry):
    return len((entry.directory / "begun.txt").read_text())


def test_every_run_is_done_once(scripted, campaign):
    scripted()
    seen = []
    result = engine.local(campaign, lambda running, entries: seen.append(len(running)), workers=3)
    assert result.done == 4 and result.failed == () and 1 <= max(seen) <= 3
    again = engine.local(campaign, lambda running, entries: None, workers=3)
    assert again.done == 0 and [begun(entry) for entry in campaign.entries] == [1] * 4


def test_a_killed_run_goes_on_and_a_doomed_one_is_recorded(scripted, campaign):
    scripted(climb="mortal", penalty="doomed")
    result = engine.local(campaign, lambda running, entries: None, workers=2)
    assert result.done == 2 and [entry.game for entry in result.failed] == ["penalty"] * 2
    assert [begun(entry) for entry in campaign.entries] == [3] * 4
    assert result.failed[0].failure == "killed by the system 3 times, most likely for memory: try fewer --workers"
    scripted()
    assert engine.local(campaign, lambda running, entries: None).done == 2
    assert {entry.stage for entry in campaign.entries} == {"done"}


def test_a_run_that_cannot_start_says_its_last_words(scripted, campaign):
    scripted(penalty="broken")
    result = engine.local(campaign, lambda running, entries: None, workers=2)
    assert result.done == 2
    failure = result.failed[0].failure
    assert failure.startswith("no module named nonsense (exit status 1; more in ") and "\n" not in failure


def test_ctrl_c_lets_the_runs_save(scripted, campaign):
    scripted(climb="slow", penalty="slow")

    def interrupt(running, entries):
        if sum((entry.directory / "ready.txt").exists() for entry in running) == 2:
            raise KeyboardInterrupt

    with pytest.raises(CoterieError, match=f"go on with coterie campaign resume {campaign.directory}$"):
        engine.local(campaign, interrupt, workers=2)
    assert [(entry.directory / "saved.txt").exists() for entry in campaign.entries] == [True, True, False, False]


def test_a_machine_carries_as_many_runs_as_cores_and_memory(monkeypatch):
    monkeypatch.setattr(engine.cores, "available", lambda: list(range(8)))
    for free, count, carried in ((64e9, 1, 8), (64e9, 4, 2), (64e9, 16, 1), (3.2e9, 1, 2), (1e8, 1, 1), (0, 1, 8)):
        monkeypatch.setattr(engine.cores, "memory", lambda free=free: int(free))
        assert engine.carried(count) == carried


def test_two_campaigns_in_one_directory_are_kept_apart(campaign):
    with (
        locked(campaign.directory, "running a campaign"),
        pytest.raises(CoterieError, match="another process is running a campaign in"),
        locked(campaign.directory, "running a campaign"),
    ):
        pass


ROOT = Path(__file__).resolve().parents[2]
SUITE = """
from coterie.campaign.claims import Claim, Attains
from coterie.campaign.suite import Arena, Method, Suite
TINY = {"environments": 4, "rollout": 8, "minibatches": 1, "epochs": 1, "critic_epochs": 1}
suite = Suite(
    "real", "One good run and one that cannot be.",
    {"good": Method("mappo"), "bad": Method("mappo", {"actor_fit.rate": 1e38})},
    {"climb": Arena("matrix/climb", 3200, 3200, recipe=TINY)}, laptop_seeds=2, points=50, episodes=2,
    claims=(Claim("finite", "Payoffs are finite.", "arithmetic", Attains("good", "climb", -12.0, low=1.0)),),
)
"""


def words(*given):
    return ["campaign", *map(str, given), "--json"]


@pytest.mark.timeout(300)
def test_a_killed_campaign_goes_on_and_ends_as_one_never_killed(tmp_path, monkeypatch, capsys):
    """Real runs, each a process of its own. The first campaign is never killed; a run that cannot be stops no other.

    Only the campaign that is killed needs a process of its own, too.
    """
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
    monkeypatch.delenv("JAX_NUM_CPU_DEVICES", raising=False)
    (tmp_path / "real.py").write_text(SUITE)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(words("run", tmp_path / "real.py", "--out", whole)) == 2
    err = capsys.readouterr().err
    assert "failed: bad on climb: " in err
    assert not [path for path in whole.rglob("log.txt") if "Fatal" in path.read_text()]
    assert err.splitlines()[-1].startswith("coterie: 1 of 2 runs failed, bad on climb first (")
    command = [sys.executable, "-m", "coterie.cli", *words("run", tmp_path / "real.py", "--out", killed)]
    child = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list(killed.glob("runs/good/climb/checkpoints/*.safetensors")):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert main(words("resume", killed)) == 2
    same = "metrics.jsonl", "evaluation.json", "policies.safetensors", "run.json", "finished.json", "replay.html"
    for name in same:
        one, two = (directory / "runs" / "good" / "climb" / name for directory in (whole, killed))
        assert one.read_bytes() == two.read_bytes(), name
        assert len(list(one.parent.glob("checkpoints/*.safetensors"))) == 1
    note = json.loads((whole / "games" / "climb.json").read_text())
    assert note["payoff"] == [[8, -12, -12], [-12, 0, 0], [-12, 0, 0]] and note["optimum"] == 8
    known = plan.read(killed)
    assert [entry.stage for entry in known.entries] == ["done", "failed"] and known.entries[0].progress() == 1.0
