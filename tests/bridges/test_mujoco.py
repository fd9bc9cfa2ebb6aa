"""MuJoCo teams: agents see what MaMuJoCo shows them, EnvPool's robots move as Gymnasium's, episodes end rightly."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import ks_2samp

from coterie.bridges import mujoco
from coterie.bridges.mamujoco import mamujoco
from coterie.bridges.mujoco import GAMES, TEAMS, Mujoco
from coterie.bridges.mujoco_columns import columns, spec_of
from coterie.bridges.mujoco_robots import ROBOTS
from coterie.contracts import CoterieError, HostGame

SHORT = [(robot, cut) for robot, cut in TEAMS if not ROBOTS[robot].segments]
SEEDS = np.arange(3, 7, dtype=np.uint32)
FIRST = dict(reversed(SHORT))
NEAR = {"ant": 5e-3, "humanoid": 1e-3}


def uncut(env):
    """The joint observation with its velocities uncut."""
    robot, seen = env.single_agent_env.unwrapped, env.state().copy()
    begin = robot.observation_structure["qpos"]
    seen[begin : begin + robot.model.nv] = robot.data.qvel
    return np.clip(seen, -10, 10) if "Hopper" in type(robot).__name__ else seen


def put(env, joint):
    """Set the robot to a joint observation; where it stands on the plane does not matter."""
    robot = env.single_agent_env.unwrapped
    begin = robot.observation_structure["qpos"]
    hidden = np.zeros(robot.model.nq - begin)
    robot.set_state(np.concatenate([hidden, joint[:begin]]), joint[begin : begin + robot.model.nv])


def chosen(env, action):
    """``[N, D]`` as MaMuJoCo's dictionary."""
    return {name: action[i, : env.action_space(name).shape[0]] for i, name in enumerate(env.possible_agents)}


class Spy:
    """Columns that remember the joint observations that they were shown."""

    def __init__(self, inner):
        self.inner, self.shown = inner, None

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def observe(self, joint):
        self.shown = np.array(joint)
        return self.inner.observe(joint)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """MuJoCo writes a log into the working directory when a simulation becomes unstable, and these are made to."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def opened():
    """Opens simulators and closes them in the end."""
    every = []

    def start(game, environments):
        every.append(game.open(environments))
        return every[-1]

    yield start
    for each in every:
        each.close()


def draws(game, environments, seed=0):
    rng, spec = np.random.default_rng(seed), game.spec
    top = spec.action_spaces[0].high[0]
    while True:
        yield (top * rng.uniform(-1, 1, (environments, spec.n_agents, spec.components))).astype(np.float32)


@pytest.mark.parametrize(("robot", "cut"), SHORT)
def test_columns_are_what_mamujoco_shows(robot, cut):
    rng = np.random.default_rng(0)
    for obsk in (0, 1, 2, 4):
        for body in (("qpos", "qvel"), ()) if obsk == 1 else (("qpos", "qvel"),):
            env = mamujoco(robot, cut, obsk, "v5", body)
            env.reset(seed=0)
            sees, spec = columns(env), spec_of(env, 1000)
            start = env.single_agent_env.unwrapped.data.qpos.copy()
            for step in range(6):
                env.single_agent_env.unwrapped.set_state(
                    start + 0.3 * rng.standard_normal(start.size), 8 * rng.standard_normal(env_velocities(env))
                )
                if step % 2:
                    action = rng.uniform(-0.4, 0.4, (spec.n_agents, spec.components))
                    shown = env.step(chosen(env, action))[0]
                else:
                    shown = env._get_obs()
                ours = sees.observe(uncut(env)[None])
                np.testing.assert_array_equal(ours.state[0], env.state().astype(np.float32))
                for i, (name, size) in enumerate(zip(env.possible_agents, spec.observation_sizes, strict=True)):
                    np.testing.assert_array_equal(ours.local[0, i, :size], shown[name].astype(np.float32))
                    assert not ours.local[0, i, size:].any() and shown[name].shape == (size,)
            env.close()


def env_velocities(env):
    return env.single_agent_env.unwrapped.model.nv


@pytest.mark.parametrize(("robot", "cut"), SHORT)
def test_actions_reach_the_joints_that_mamujoco_gives_them(robot, cut):
    env = mamujoco(robot, cut)
    sees, spec = columns(env), spec_of(env, 1000)
    action = np.random.default_rng(1).uniform(-0.4, 0.4, (1, spec.n_agents, spec.components))
    whole = env.map_local_actions_to_global_action(chosen(env, action[0]))
    np.testing.assert_allclose(sees.joint(action)[0], np.clip(whole, sees.low, sees.high), rtol=1e-6)
    assert (sees.joint(9.0 * np.ones_like(action)) == sees.high).all()
    np.testing.assert_array_equal(sees.legal, spec.legal)
    env.close()


@pytest.mark.parametrize("robot", FIRST)
def test_envpool_moves_as_gymnasium_does(robot, opened):
    """One step at a time from the same state: local observations, state, reward and fall."""
    game = Mujoco(robot, FIRST[robot], path="envpool")
    sim, env, near = opened(game, 1), mamujoco(robot, FIRST[robot]), NEAR.get(robot, 1e-5)
    sim.columns = spy = Spy(sim.columns)
    sim.reset(SEEDS[:1])
    env.reset(seed=0)
    touch, kinds = [], env.single_agent_env.unwrapped.observation_structure
    forces = sum(kinds.values()) - kinds["skipped_qpos"] - kinds.get("cfrc_ext", 0)
    for _, action in zip(range(40), draws(game, 1), strict=False):
        put(env, spy.shown[0])
        shown, reward, fell, _, _ = env.step(chosen(env, action[0]))
        sim.send(0, action)
        turn = sim.receive(0)
        state = env.state()
        np.testing.assert_allclose(turn.final.state[0, :forces], state[:forces], atol=near, rtol=near)
        touch.append(np.abs(turn.final.state[0, forces:] - state[forces:]).max(initial=0.0))
        if robot not in NEAR:
            for i, name in enumerate(env.possible_agents):
                own = turn.final.local[0, i, : len(shown[name])]
                np.testing.assert_allclose(own, shown[name], atol=near, rtol=near)
        assert abs(turn.reward[0, 0] - reward["agent_0"]) < max(near * 10, 1e-5)
        assert turn.terminated[0] == fell["agent_0"]
        if fell["agent_0"]:
            env.reset(seed=0)
    assert np.median(touch) < 0.02  # forces of a contact jump with the last digit of the state
    env.close()


@pytest.mark.parametrize("robot", ["hopper", "halfcheetah", "ant", "walker2d", "swimmer", "humanoid"])
def test_envpool_starts_where_gymnasium_does(robot, opened):
    """The same distribution of first observations, column by column (Kolmogorov and Smirnov)."""
    cut, rows = FIRST[robot], 64
    sim, env = opened(Mujoco(robot, cut, path="envpool"), rows), mamujoco(robot, cut)
    ours = sim.reset(np.arange(rows, dtype=np.uint32)).state
    theirs = []
    for seed in range(rows):
        env.reset(seed=seed)
        theirs.append(env.state())
    theirs = np.asarray(theirs, np.float32)
    moving = np.flatnonzero(theirs.std(0) > 1e-6)
    p = [ks_2samp(ours[:, i], theirs[:, i]).pvalue for i in moving]
    assert min(p) > 0.01 / len(p)
    still = np.delete(np.arange(ours.shape[1]), moving)
    np.testing.assert_allclose(ours[:, still], theirs[:, still], atol=1e-5)
    env.close()


def test_time_is_up_and_the_next_step_opens_an_episode(opened):
    game = Mujoco("halfcheetah", "2x3", length=3, path="envpool")
    sim = opened(game, 4)
    first = sim.reset(SEEDS)
    assert [(g.start, g.stop) for g in sim.groups] == [(0, 2), (2, 4)]
    assert first.local.shape == (4, 2, 12) and first.local.dtype == first.state.dtype == np.float32
    seen = first.state[:2]
    for step, action in zip(range(1, 8), draws(game, 2), strict=False):
        sim.send(0, action)
        turn = sim.receive(0)
        late = step % 3 == 0
        assert (turn.truncated == late).all() and not turn.terminated.any() and not turn.lost.any()
        assert (turn.final.state != seen).any(1).all() and turn.reward.all() and turn.reward.shape == (2, 2)
        assert (turn.final.state == turn.following.state).all() != late
        if late:  # a new start: HalfCheetah's positions are within 0.1 of zero
            assert np.abs(turn.following.state[:, :8]).max() < 0.1 + 1e-6
        seen = turn.following.state
        assert list(turn.info) == ["x_position"] and turn.info["x_position"].shape == (2,)
    assert sim.state().episodes.tolist() == [3, 3, 1, 1]


def test_a_fall_in_the_last_step_is_a_fall(opened):
    long = Mujoco("hopper", "3x1", path="envpool")
    fell = 1 + next(t for t, turn in enumerate(played(opened(long, 1), long, 200)) if turn.terminated[0])
    short = Mujoco("hopper", "3x1", path="envpool", length=fell)
    ends = [(bool(t.terminated[0]), bool(t.truncated[0])) for t in played(opened(short, 1), short, fell)]
    assert ends[-1] == (True, False) and not any(a or b for a, b in ends[:-1])


def played(sim, game, steps, group=0, seeds=SEEDS):
    sim.reset(seeds[: sim.groups[-1].stop])
    for _, action in zip(range(steps), draws(game, sim.groups[group].stop - sim.groups[group].start), strict=False):
        sim.send(group, action)
        yield sim.receive(group)


def test_rows_depend_on_their_seeds_alone(opened):
    """Not on threads, on other rows, or on which group they are in: also through resets."""
    game, again = (Mujoco("hopper", "3x1", path="envpool", workers=w) for w in (1, 3))
    one = list(played(opened(game, 4), game, 150))
    two = list(played(opened(again, 4), again, 150, group=1, seeds=SEEDS[[2, 3, 0, 1]]))
    assert sum(int(turn.terminated.sum()) for turn in one) > 1
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.final.local, b.final.local)
        np.testing.assert_array_equal(a.following.state, b.following.state)
        np.testing.assert_array_equal(a.reward, b.reward)
    assert (one[0].final.state[0] != one[0].final.state[1]).any()


def test_restoring_begins_new_episodes_that_the_saved_state_decides(opened):
    game = Mujoco("hopper", "3x1", path="envpool")
    sim, other = opened(game, 4), opened(game, 4)
    first = sim.reset(SEEDS)
    shapes = [(x.shape, x.dtype) for x in game.blank(4)]
    assert shapes == [(x.shape, x.dtype) for x in sim.state()]
    saved = sim.state()
    seen, anew = sim.restore(saved, first)
    assert anew.all() and (seen.state != first.state).any(1).all()
    np.testing.assert_array_equal(seen.state, other.restore(saved, first)[0].state)


def test_a_number_that_is_not_finite_is_named(opened):
    game = Mujoco("swimmer", "2x1", path="envpool")
    sim, action = opened(game, 4), next(draws(game, 2))
    sim.reset(SEEDS)
    sim.send(1, action)
    sim.receive(1)
    action[1] = np.nan
    sim.send(1, action)
    with pytest.raises(CoterieError, match=r"Swimmer-v5 .*not finite in environment 3, step 2 of episode 1"):
        sim.receive(1)


@pytest.mark.parametrize("options", [{}, {"path": "envpool"}])
def test_both_paths_open_the_same_game(options, opened):
    game = Mujoco("halfcheetah", "2x3", length=2, workers=1, **options)
    assert isinstance(game, HostGame) and game.spec == Mujoco("halfcheetah", "2x3", length=2).spec
    sim = opened(game, 2)
    sim.reset(SEEDS[:2])
    for late, action in zip((False, True), draws(game, 2), strict=False):
        sim.send(0, action)
        turn = sim.receive(0)
        assert (turn.truncated == late).all() and turn.reward[0, 0] == turn.reward[0, 1]
    assert turn.info["x_position"].shape == (2,)


def test_mamujoco_comes_back_to_where_it_was(opened):
    game = Mujoco("hopper", "3x1", workers=1)
    sim, action = opened(game, 1), draws(game, 1)
    seen = sim.reset(SEEDS[:1])
    for _ in range(30):
        sim.send(0, next(action))
        seen = sim.receive(0).following
    last, other = next(action), opened(game, 1)
    there, anew = other.restore(sim.state(), seen)
    assert not anew.any() and (there.local == seen.local).all()
    ends = []
    for each in (sim, other):
        each.send(0, last)
        ends.append(each.receive(0))
    np.testing.assert_array_equal(ends[0].final.state, ends[1].final.state)


@pytest.mark.parametrize(("robot", "cut"), [("manyagent-swimmer", "3x2"), ("manyagent-ant", "2x1"), ("hopper", "3x1")])
def test_robots_of_any_length_and_of_the_older_version(robot, cut):
    env = mamujoco(robot, cut, version="v4" if robot == "hopper" else "v5")
    seen, _ = env.reset(seed=0)
    rewards = env.step({name: env.action_space(name).sample() for name in env.possible_agents})[1]
    assert len(seen) == int(cut[0]) and len(set(rewards.values())) == 1
    env.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partition": "2x3"}, "hopper has no partition '2x3': choose from 3x1"),
        ({"robot": "ant"}, "ant has no partition '3x1': choose from 2x4, 2x4d, 4x2, 8x1"),
        ({"robot": "hoper"}, "there is no robot 'hoper': did you mean hopper?"),
        ({"robot": "manyagent-ant", "partition": "2"}, "manyagent-ant has no partition '2': give agents x segments"),
        ({"robot": "manyagent-ant", "partition": "9x9"}, "manyagent-ant has no partition '9x9': give agents"),
        ({"robot": "manyagent-swimmer", "partition": "4x2", "path": "envpool"}, "EnvPool has no robot of any number"),
        ({"version": "v4", "path": "envpool"}, "which columns agents see of a v4 robot is not known: set version v5"),
        ({"version": "v3"}, "version must be one of v4, v5, not 'v3'"),
        ({"path": "gym"}, "path must be one of mamujoco, envpool, not 'gym'"),
        ({"obsk": -1}, "obsk must be a whole number of at least 0, not -1"),
        ({"global_categories": ("qpos", "force")}, "global_categories are ('qpos', 'force'): give any of qpos, qvel"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, message):
    with pytest.raises(CoterieError) as caught:
        Mujoco(**options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("package", "extra"), [("envpool", "envpool"), ("mujoco", "mujoco")])
def test_an_extra_that_is_not_installed_is_named(package, extra, monkeypatch):
    mujoco._pooled.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CoterieError, match=rf"package {package} is not installed: pip install 'coterie\[{extra}\]'"):
        _ = Mujoco(path="envpool").spec


def test_names_cost_nothing_and_workers_need_no_jax():
    assert GAMES["mujoco/humanoid-9-8"]().partition == "9|8" and "mujoco/ant-4x2" in GAMES
    code = (
        "import sys, coterie.bridges.mamujoco; assert 'jax' not in sys.modules; import coterie.bridges.mujoco; "
        "assert not {'mujoco', 'gymnasium', 'envpool'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
