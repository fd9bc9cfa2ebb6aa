"""Football's bridge with a stand-in for gfootball in a process of its own, and with gfootball where it is installed."""

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from coterie.bridges import football_server
from coterie.bridges.football import GAMES, SCENARIOS, Football
from coterie.bridges.football_env import VARIABLE, FootballEnv
from coterie.contracts import CoterieError, HostGame

LEFT, RIGHT, CRASH, HANG, RAISE, SLIDE = 1, 5, 9, 10, 11, 16
FAKE = Path(__file__).parent / "football"
REAL = os.environ.get(VARIABLE, "")


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python that finds the stand-in; a variable of this process would not get there."""
    path = tmp_path_factory.mktemp("football") / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{FAKE}" exec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def env(python, monkeypatch):
    """Opens environments and closes them afterwards."""
    monkeypatch.setenv("FOOTBALL_WRECKS", "1")
    opened = []

    def open_one(scenario="academy_3_vs_1_with_keeper", agents=3, **options):
        opened.append(FootballEnv(scenario, agents, python=python, **options))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def play(env, *joint):
    """Joint actions one after another: everything of the last step."""
    given = None
    for actions in joint:
        given = env.step(dict(zip(env.possible_agents, actions, strict=True)))
    return given


def test_passes_pettingzoos_tests(python):
    env = FootballEnv("5_vs_5", 4, python=python)
    parallel_api_test(env, num_cycles=30)
    env.close()
    parallel_seed_test(lambda: FootballEnv("5_vs_5", 4, python=python), num_cycles=10)


def test_a_goal_by_hand(env):
    """Three agents move the ball by 0.25 each: 0.75 after the first step, over the line after the second."""
    env = env()
    seen, infos = env.reset(seed=4)
    assert infos == {agent: {} for agent in env.agents} and list(seen) == ["player_0", "player_1", "player_2"]
    assert all(each.shape == (115,) and each.dtype == np.float32 for each in seen.values())
    assert seen["player_1"][10:14].tolist() == [0, 1, 0, -1] and env.state()[10:14].tolist() == [1, 1, 1, -1]
    seen, rewards, terminated, truncated, infos = play(env, (RIGHT, RIGHT, RIGHT))
    assert seen["player_2"][0] == 0.75 and env.state()[0] == 0.75
    assert rewards == dict.fromkeys(env.possible_agents, pytest.approx(0.1))
    assert not any([*terminated.values(), *truncated.values()])
    assert infos["player_0"] == {"won": 0.0, "scored": 0.0, "score_difference": 0.0}
    _, rewards, terminated, truncated, infos = play(env, (RIGHT, RIGHT, 0))
    assert rewards == {"player_0": pytest.approx(1.1), "player_1": pytest.approx(1.1), "player_2": pytest.approx(1.0)}
    assert all(terminated.values()) and not any(truncated.values()) and env.agents == []
    assert infos["player_2"] == {"won": 1.0, "scored": 1.0, "score_difference": 1.0}
    with pytest.raises(CoterieError, match="call reset"):
        env.step({})
    env.reset()
    with pytest.raises(CoterieError, match="no action for player_1"):
        env.step({"player_0": 0, "player_2": 0})


def test_a_conceded_goal_and_scoring_alone(env):
    env = env(checkpoints=False)
    env.reset()
    assert set(play(env, (RIGHT, 0, 0))[1].values()) == {0.0}
    _, rewards, terminated, _, infos = play(env, *[(LEFT, LEFT, LEFT)] * 2)
    assert set(rewards.values()) == {-1.0} and all(terminated.values())
    assert infos["player_0"] == {"won": 0.0, "scored": 0.0, "score_difference": -1.0}


def test_time_truncates_and_nothing_else_does(env):
    """A duration of 8 is 9 steps: gfootball does not count the first one."""
    academy = env()
    assert academy.horizon == 9
    for last, late in (((0, 0, 0), True), ((RIGHT, RIGHT, 0), False)):  # a goal in the last step decides
        academy.reset()
        play(academy, (RIGHT, RIGHT, 0), *[(0, 0, 0)] * 7)
        assert academy.agents
        _, _, terminated, truncated, infos = play(academy, last)
        assert set(terminated.values()) == {not late} and set(truncated.values()) == {late} and not academy.agents
        assert infos["player_0"]["won"] == float(not late)
    academy.reset()
    _, _, terminated, truncated, _ = play(academy, (SLIDE, 0, 0))  # the ball is lost
    assert all(terminated.values()) and not any(truncated.values())


def test_a_match_goes_on_after_a_goal(env):
    env = env("5_vs_5", 4)
    env.reset()
    _, rewards, terminated, _, infos = play(env, (RIGHT,) * 4)
    assert rewards == dict.fromkeys(env.agents, pytest.approx(1.1)) and not any(terminated.values())
    _, rewards, _, _, infos = play(env, *[(LEFT,) * 4] * 2)
    assert set(rewards.values()) == {-1.0} and infos["player_0"]["score_difference"] == -1.0
    _, _, terminated, truncated, infos = play(env, *[(0,) * 4] * 5, (RIGHT,) * 4)
    assert not any(terminated.values()) and all(truncated.values())
    assert infos["player_3"] == {"won": 0.0, "scored": 2.0, "score_difference": 0.0}


def test_one_agent(env):
    env = env("academy_3_vs_1_with_keeper", 1)
    seen, _ = env.reset()
    assert seen["player_0"].shape == (115,) and env.action_space("player_0").n == 19
    assert play(env, (RIGHT,))[1] == {"player_0": pytest.approx(0.1)}


def test_an_episode_depends_on_its_seed_only(env):
    one, other = env(), env()
    other.reset(seed=1)
    play(other, (RIGHT, 0, 0))
    noises = [(one.reset(seed=seed)[0]["player_0"][1], other.reset(seed=seed)[0]["player_0"][1]) for seed in range(4)]
    assert all(a == b for a, b in noises) and len(set(noises)) == 4
    assert one.reset()[0]["player_0"][1] != one.reset()[0]["player_0"][1]


@pytest.mark.parametrize(("action", "said"), [
    (CRASH, r"process ended \(signal 6\): the engine is on fire"), (HANG, "did not answer in time and was killed"),
    (RAISE, "^ValueError: no such move$"),
])  # fmt: skip
def test_a_wrecked_game_is_an_exception(env, action, said):
    env = env(patience=0.5)
    env.reset()
    with pytest.raises(RuntimeError, match=said):
        play(env, (0, action, 0))
    assert env.server.process.wait(5) is not None
    with pytest.raises(RuntimeError, match="process ended"):
        env.reset()


def test_a_killed_game_is_an_exception(env):
    env = env()
    env.reset()
    os.kill(env.server.process.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match=r"process ended \(signal 9\): it said nothing"):  # but greetings
        play(env, (0, 0, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the parent's death")
def test_a_hung_game_dies_with_its_worker(python):
    """A supervisor kills the worker; the game that hangs must not stay behind."""
    code = (
        "import sys; from coterie.bridges.football_env import FootballEnv\n"
        f"env = FootballEnv('5_vs_5', 1, python={python!r})\n"
        "print(env.server.process.pid, flush=True); env.reset(); env.step({'player_0': 10})"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"FOOTBALL_WRECKS": "1"})  # fmt: skip
    assert worker.stdout is not None
    game = int(worker.stdout.readline())
    time.sleep(0.2)
    worker.kill()
    worker.wait()
    until = time.monotonic() + 5
    while _runs(game) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(game)


def _runs(process):
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_is_absent_is_said_in_one_line(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    said = {}
    for python in ("", "/no/such/python", sys.executable):
        with pytest.raises(CoterieError) as error:
            assert GAMES["football/5_vs_5"](python=python).spec
        said[python] = str(error.value)
        assert "\n" not in said[python] and "docs/football.md" in said[python]
    assert VARIABLE in said[""] and "no program" in said["/no/such/python"]
    assert f"{sys.executable} cannot import gfootball (ModuleNotFoundError" in said[sys.executable]
    monkeypatch.setenv(VARIABLE, "false")
    with pytest.raises(CoterieError, match=r"does not start: .*exit status 1.*docs/football.md"):
        assert GAMES["football/corner"]().spec


@pytest.mark.parametrize(("options", "said"), [
    ({"scenario": "3_vs_1_with_keper"}, "did you mean 3_vs_1_with_keeper"), ({"agents": 5}, "at most 4 players"),
    ({"agents": -1}, "agents must be a whole number"), ({"reward": "team"}, "reward must be one of"),
    ({"patience": 0.0}, "patience must be a number"),
])  # fmt: skip
def test_bad_options_are_told_before_anything_is_opened(options, said):
    with pytest.raises(CoterieError, match=said):
        Football(**options)


def test_hosted_in_workers(python, monkeypatch):
    """Spec, rewards as the team's mean, what an episode came to; and a crash costs an episode, not the run."""
    monkeypatch.setenv("FOOTBALL_WRECKS", "1")
    game = GAMES["football/3_vs_1_with_keeper"](python=python, workers=1)
    assert isinstance(game, HostGame)
    spec = game.spec
    assert spec.types == ("player",) * 3 and spec.reward == "team" and spec.choices == 19
    assert (spec.horizon, spec.observation_size, spec.state_size) == (9, 115, 115)
    simulators = game.open(2)
    try:
        seen = simulators.reset(np.arange(2, dtype=np.uint32))
        assert seen.legal.all() and seen.alive.all()
        simulators.send(0, np.array([[RIGHT, RIGHT, 0], [RIGHT, RIGHT, RIGHT]]))
        assert simulators.receive(0).reward == pytest.approx(np.array([[0.2 / 3] * 3, [0.1] * 3]))
        simulators.send(0, np.array([[RIGHT, RIGHT, 0]] * 2))
        turn = simulators.receive(0)
        assert turn.terminated.all() and not turn.truncated.any() and turn.info["won"].tolist() == [1.0, 1.0]
        assert turn.reward[0] == pytest.approx([1 + 0.2 / 3] * 3)
        simulators.send(0, np.array([[CRASH, 0, 0], [0, 0, 0]]))
        with pytest.warns(UserWarning, match="the engine is on fire"):
            turn = simulators.receive(0)
        assert turn.lost.all() and turn.truncated.all()
        simulators.send(0, np.array([[0, 0, 0], [0, 0, 0]]))
        assert not simulators.receive(0).lost.any()
    finally:
        simulators.close()


def test_the_server_is_plain_python_3_7():
    """Football's Python may be older than ours."""
    source = Path(football_server.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    imports = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not [name for name in imports if name.startswith("coterie")] and "pickle" not in imports
    options = json.dumps({"scenario": "5_vs_5", "agents": 1, "rewards": "scoring"})
    done = subprocess.run([sys.executable, "-I", football_server.__file__, options], input=b"", capture_output=True)
    assert b"No module named 'gfootball'" in done.stdout and done.returncode == 0


def test_the_table():
    assert {name: scenario.agents for name, scenario in SCENARIOS.items() if scenario.agents in (2, 3, 4)} == {
        "pass_and_shoot_with_keeper": 2, "run_pass_and_shoot_with_keeper": 2, "3_vs_1_with_keeper": 3,
        "counterattack_easy": 4, "counterattack_hard": 4, "5_vs_5": 4,
    }  # fmt: skip
    assert all(1 <= scenario.agents <= scenario.most <= 11 for scenario in SCENARIOS.values())
    assert GAMES["football/corner"]().scenario == "corner" and len(GAMES) == len(SCENARIOS)


@pytest.mark.skipif(not REAL, reason=f"needs gfootball: set {VARIABLE}")
@pytest.mark.parametrize("name", ["3_vs_1_with_keeper", "5_vs_5"])
def test_gfootball_itself(name):
    """The same seed gives the same episode, whatever was played before; the game says how long it lasts."""
    scenario = SCENARIOS[name]
    one, other = (FootballEnv(scenario.level, scenario.agents) for _ in range(2))
    other.reset(seed=9)
    assert one.horizon == (3001 if name == "5_vs_5" else 401)
    seen, again = one.reset(seed=3)[0], other.reset(seed=3)[0]
    draw = np.random.default_rng(0)
    for _ in range(60):
        for agent in one.agents:
            np.testing.assert_array_equal(seen[agent], again[agent])
        assert seen["player_0"].shape == (115,) and one.state().shape == (115,)
        actions = {agent: int(draw.integers(19)) for agent in one.agents}
        (seen, *given), (again, *same) = one.step(actions), other.step(actions)
        assert given == same
        if not one.agents:
            seen, again = one.reset(seed=4)[0], other.reset(seed=4)[0]
    for each in (one, other):
        each.close()


@pytest.mark.skipif(not REAL, reason=f"needs gfootball: set {VARIABLE}")
def test_gfootballs_scenarios_are_those_of_the_table():
    """Each is there under its name, and lets one control as many players as the table says."""
    code = "import json, sys; from gfootball.env import config\n" \
           "level = lambda name: config.Config({'level': name}).ScenarioConfig().controllable_left_players\n" \
           "print(json.dumps([level(name) for name in json.loads(sys.argv[1])]))"  # fmt: skip
    levels = [scenario.level for scenario in SCENARIOS.values()]
    done = subprocess.run([REAL, "-c", code, json.dumps(levels)], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [scenario.most for scenario in SCENARIOS.values()]
