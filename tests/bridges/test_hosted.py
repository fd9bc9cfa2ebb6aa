"""Anybody's environment: what is seen of it, what is refused, what is recovered, and what goes on exactly."""

import dataclasses
import filecmp
import json
import re
import sys
import warnings

import jax
import numpy as np
import pytest
from gymnasium import spaces

import coterie
from coterie.bridges.hosted import hosted
from coterie.bridges.layout import layout
from coterie.bridges.parallel import Padded, View
from coterie.bridges.pettingzoo import parallel_env
from coterie.catalogue import make, recipe
from coterie.cli import main
from coterie.policy.learner import PolicyLearner
from coterie.training.collect import Stage, open_stage, scan
from coterie.training.collect import hosted as collect
from coterie.training.evaluate import host_play
from tests.bridges.stranger import TROUBLES, Stranger

MAKE = "tests.bridges.stranger:make"
SMALL = {"environments": 2, "rollout": 6, "actor.encoder": (4,), "critic.encoder": (4,), "epochs": 1, "minibatches": 1}


def opened(environments=2, **options):
    game = hosted(MAKE, {"workers": 1, **options})
    return game, game.open(environments)


def seeds(count):
    return np.arange(count, dtype=np.uint32)


def joint(game, seen, draw):
    """Random legal actions."""
    return np.argmax(np.where(seen.legal, draw.random(seen.legal.shape), -1.0), -1).astype(np.int32)


def trained(tmp_path, name="run", game=MAKE, iterations=4, line=None, **options):
    line = line or recipe("mappo", SMALL)
    steps = line.environments * line.rollout * iterations
    return coterie.train(line, game, out=tmp_path / name, steps=steps, points=iterations, evaluations=1, episodes=2,
                         game_options=options)  # fmt: skip


# ------------------------------------------------------------------------------------------------ what is seen


@pytest.mark.parametrize("mask", ["", "info", "observation"])
def test_the_spec_says_what_the_environment_is(mask):
    game = hosted(MAKE, {"mask": mask})
    spec = game.spec
    assert (spec.agents, spec.types, spec.observation_sizes) == (("a", "b"), ("a", "b"), (2, 3))
    assert [space.sizes for space in spec.action_spaces] == [(2,), (3,)]
    assert (spec.state_size, spec.horizon, spec.reward, game.seen.mask) == (5, 5, "individual", mask)


def test_a_step_by_hand():
    """Padding, absence, masks in the info, actions that start at 1, rewards, and the clock, over one episode."""
    env = Stranger(mask="info", length=4)
    seen = layout(env)
    view = View(*(np.zeros(*seen.shapes[name]) for name in ("local", "state", "legal", "alive")))
    place, reward, info = Padded(env, seen, metrics=("length",)), np.zeros(2, np.float32), np.zeros(1)
    place.reset(3, view)
    drawn = np.float32(env.drawn)
    np.testing.assert_array_equal(view.local, [[0, drawn, 0], [0, drawn, drawn]])
    np.testing.assert_array_equal(view.legal[:, 0], [[True, True, False], [True, True, True]])
    assert place.step(np.array([1, 2]), view, reward, info) == (False, False)
    np.testing.assert_array_equal(reward, [1, 3])  # b's third choice is called 3
    np.testing.assert_array_equal(view.legal[:, 0], [[False, True, False], [False, True, True]])
    place.step(np.array([1, 1]), view, reward, info)
    place.step(np.array([1, 1]), view, reward, info)
    np.testing.assert_array_equal(view.alive, [True, False])
    np.testing.assert_array_equal(view.local[1], 0)
    np.testing.assert_array_equal(view.legal[1, 0], True)
    assert place.step(np.array([0, 1]), view, reward, info) == (False, True)
    np.testing.assert_array_equal(reward, [0, 0])  # b was away when it would have acted
    np.testing.assert_array_equal(view.alive, [True, False])  # the clock ends the episode of who acted, not the agent


@pytest.mark.parametrize(("kind", "own", "team"), [("individual", (1, 3), None), ("sum", None, 4), ("mean", None, 2)])
def test_whose_rewards(kind, own, team):
    env = Stranger()
    seen = layout(env)
    view = View(*(np.zeros(*seen.shapes[name]) for name in ("local", "state", "legal", "alive")))
    place, reward = Padded(env, seen, kind), np.zeros(2, np.float32)
    place.reset(0, view)
    place.step(np.array([1, 2]), view, reward, np.zeros(0))
    np.testing.assert_array_equal(reward, own or (team, team))


def test_our_own_horizon_cuts_an_episode():
    _game, simulators = opened(horizon=3)
    simulators.reset(seeds(2))
    ends = []
    for _ in range(4):
        simulators.send(0, np.zeros((2, 2), np.int32))
        turn = simulators.receive(0)
        ends.append((bool(turn.terminated[0]), bool(turn.truncated[0])))
    simulators.close()
    assert ends == [(False, False), (False, False), (False, True), (False, False)]
    np.testing.assert_array_equal(turn.following.local[0, 0, 0], 1)


def test_workers_and_groups_change_nothing():
    """Four environments in one worker or two give what four loops in Python give, in two groups."""
    draw, found = np.random.default_rng(0), []
    actions = draw.integers(0, 2, (12, 4, 2)).astype(np.int32)
    for workers in (1, 2):
        _game, simulators = opened(4, workers=workers, length=4)
        assert simulators.groups == (slice(0, 2), slice(2, 4))
        turns, first = [], simulators.reset(seeds(4))
        for t in range(12):
            for g, rows in enumerate(simulators.groups):
                simulators.send(g, actions[t, rows])
            parts = [simulators.receive(g) for g in range(2)]
            turns.append(jax.tree.map(lambda *x: np.concatenate(x), *parts))
        simulators.close()
        found.append((first, turns))
    jax.tree.map(np.testing.assert_array_equal, *found)
    for row in range(4):
        env = Stranger(length=4)
        seen = layout(env)
        view = View(*(np.zeros(*seen.shapes[name]) for name in ("local", "state", "legal", "alive")))
        place, reward, episode = Padded(env, seen), np.zeros(2, np.float32), 0
        seed = lambda e: int(np.random.SeedSequence((row, e)).generate_state(1)[0]) & 0x7FFFFFFF  # noqa: B023, E731
        place.reset(seed(0), view)
        np.testing.assert_array_equal(found[0][0].local[row], view.local)
        for t in range(12):
            ends = place.step(actions[t, row], view, reward, np.zeros(0))
            turn = found[0][1][t]
            np.testing.assert_array_equal(turn.final.local[row], view.local)
            np.testing.assert_array_equal(turn.final.state[row], np.concatenate([view.local[0, :2], view.local[1]]))
            np.testing.assert_array_equal((turn.terminated[row], turn.truncated[row]), ends)
            np.testing.assert_array_equal(turn.reward[row], reward)
            if any(ends):
                episode += 1
                place.reset(seed(episode), view)
            np.testing.assert_array_equal(turn.following.local[row], view.local)


def test_the_hosted_loop_is_the_compiled_loop():
    """A game without chance gives the same rollout, to the bit of what was done, stepped on the host."""
    inside = make("matrix/climb", agents=2)
    outside = hosted(lambda: parallel_env(make("matrix/climb", agents=2)), {"reward": "team", "workers": 1})
    learner = PolicyLearner(recipe("mappo", {**SMALL, "environments": 1, "memory": 4, "chunk": 3}), inside.spec)
    state, key = learner.init(jax.random.key(0), 1), jax.random.key(5)
    _, wanted, episodes = jax.jit(lambda s, k: scan(inside, learner, s, open_stage(inside, learner, k, 1), k))(
        state, key
    )
    simulators = outside.open(1)
    stage = Stage((), simulators.reset(seeds(1)), learner.carry(1), np.ones(1, bool), np.zeros(1, np.float32))
    _, found, ended = collect(outside, simulators, learner, state, stage, key)
    simulators.close()
    assert wanted.terminated.any()  # where nothing follows, the bridge says so with zeros
    wanted = wanted._replace(final=found.final)
    for name in wanted._fields:
        both = (getattr(each, name) for each in (wanted, found))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *both)
    assert (float(ended["episodes"]), float(ended["returns"])) == pytest.approx(
        (float(episodes["episodes"]), float(episodes["returns"]))
    )


def test_an_evaluation_plays_whole_episodes():
    game, simulators = opened(2, length=4, away=False, metrics=("length",))

    class Always:
        def carry(self, environments):
            return ()

        def act(self, carry, seen, key):
            return jax.numpy.ones((len(seen.alive), 2), int), carry

    found = host_play(game, simulators, Always(), jax.random.key(0), 5)
    simulators.close()
    np.testing.assert_array_equal(found.returns, [4 * (1 + 2)] * 5)
    np.testing.assert_array_equal(found.lengths, [4] * 5)
    np.testing.assert_array_equal(found.info["length"], [4] * 5)


# ------------------------------------------------------------------------------------------------ what is detected

SAID = {
    "nan": "gave an observation that is not finite",
    "infinite reward": "gave a reward that is not finite",
    "shape": r"gave an observation of shape \(4,\) where its space says \(2,\) \(agent a\)",
    "dtype": "gave an observation of dtype <U3 where its space says float64",
    "out of space": r"gave a 10 as number 1 of its observation, out of its space \(-9.001 to 9.001\)",
    "reward shape": r"gave a a reward of shape \(2,\)",
    "no reward": "gave no reward for a",
    "stranger": "has an agent c that is not in its possible_agents",
    "no observation": "gave no observation for a",
    "no choice": "has no legal action left in its action mask",
    "mask size": "has an action mask of 7 entries where its actions have 2",
    "no info": "gave no action_mask in its info, where it stood at the first reset",
    "different rewards": r"gave its agents different rewards \(0 to 1\), and reward is team",
    "no step": "has a step that does not give observations, rewards",
}
FATAL = [trouble for trouble in TROUBLES if trouble in SAID]


def test_every_trouble_is_either_fatal_or_recovered():
    assert {*SAID, "exit", "raise", "hang"} == {*TROUBLES}


@pytest.mark.parametrize("trouble", FATAL)
def test_a_broken_promise_is_named(trouble):
    mask = "info" if trouble == "no info" else "observation" if trouble in ("no choice", "mask size") else ""
    reward = "team" if trouble == "different rewards" else "sum"
    game, simulators = opened(2, trouble=trouble, episode=3, mask=mask, reward=reward)
    where = f"^environment 0 of {MAKE}, step 2 of its episode 2, {SAID[trouble]}"
    if trouble == "different rewards":  # a's first choice pays 0, b's 1: at once
        where = where.replace("step 2 of its episode 2", "step 1 of its episode 1")
    draw, seen = np.random.default_rng(0), simulators.reset(seeds(2))
    with pytest.raises(coterie.CoterieError, match=where):
        for _ in range(12):
            simulators.send(0, joint(game, seen, draw) if mask else np.zeros((2, 2), np.int32))
            seen = simulators.receive(0).following
    simulators.close()


@pytest.mark.parametrize("trouble", ["exit", "raise", "hang"])
def test_a_failure_is_recovered(tmp_path, trouble):
    """The worker's rows of both groups are lost for a step, their episodes cut; the other worker's are not."""
    _game, simulators = opened(4, trouble=trouble, episode=1, once=str(tmp_path / "once"), workers=2, limit=2.0)
    first = simulators.reset(seeds(4))
    lost = []
    with pytest.warns(
        UserWarning, match=rf"^environment \d of {MAKE}, step 2 of its episode 1, .*: begun anew$"
    ) as told:
        for t in range(3):
            for g in range(2):
                simulators.send(g, np.zeros((2, 2), np.int32))
            turns = [simulators.receive(g) for g in range(2)]
            lost.append([turn.lost.tolist() for turn in turns])
            if t == 1:
                at = [(g, row) for g in range(2) for row in range(2) if turns[g].lost[row]]
                for g, row in at:
                    turn = turns[g]
                    assert turn.truncated[row] and not turn.terminated[row] and not turn.reward[row].any()
                    assert turn.final.local[row, 0, 0] == 1 and turn.following.local[row, 0, 0] == 0
                    assert turn.following.local[row, 0, 1] != first.local[2 * g + row, 0, 1]
    simulators.close()
    assert len(told) == 1
    assert lost[0] == lost[2] == [[False, False]] * 2
    assert lost[1] in ([[True, False]] * 2, [[False, True]] * 2)
    said = {"exit": "ended its process (exit status 7)", "raise": "raised RuntimeError: the simulator lost its mind",
            "hang": "did not answer within 2 seconds"}  # fmt: skip
    assert said[trouble] in str(told[0].message)


def test_one_that_always_fails_is_given_up(tmp_path):
    _game, simulators = opened(2, trouble="raise", episode=1, restarts=1)
    simulators.reset(seeds(2))
    with (
        pytest.warns(UserWarning, match="begun anew"),
        pytest.raises(coterie.CoterieError, match="lost its mind; that was failure 2 in a row: mend it"),
    ):
        for _ in range(5):
            simulators.send(0, np.zeros((2, 2), np.int32))
            simulators.receive(0)
    simulators.close()


# ------------------------------------------------------------------------------------------------ training


def test_training_survives_failures_and_counts_them(tmp_path):
    with pytest.warns(UserWarning, match="begun anew"):
        trained(tmp_path, trouble="exit", episode=3, once=str(tmp_path / "once"), workers=1)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert sum(row["lost"] for row in rows) == 2
    assert (tmp_path / "run" / "evaluation.json").exists()


def test_a_broken_promise_ends_training_with_all_that_was_saved(tmp_path):
    with pytest.raises(coterie.CoterieError, match="not finite"):
        trained(tmp_path, trouble="nan", episode=4, workers=1)
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 1
    assert coterie.load(tmp_path / "run").policies[0](np.zeros(2)) in (0, 1)


def stopped_and_resumed(tmp_path, after, **options):
    """One run in one go, and one that is left after some chunks and resumed."""

    class Leave(Exception):
        pass

    def leave(progress):
        if progress.steps >= after * line.environments * line.rollout:
            raise Leave

    line = recipe("mappo", {**SMALL, "environments": 4, "memory": 3})
    given = {"steps": 4 * 24, "points": 4, "evaluations": 2, "episodes": 3, "seeds": 2, "game_options": options}
    coterie.train(line, MAKE, out=tmp_path / "whole", **given)
    with pytest.raises(Leave):
        coterie.train(line, MAKE, out=tmp_path / "cut", observer=leave, **given)
    return coterie.resume(tmp_path / "cut")


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path):
    """Episodes of 5 and 7 steps are under way when it stops: they are replayed."""
    stopped_and_resumed(tmp_path, 2, length=7, mask="info", workers=2)
    last = sorted((tmp_path / "whole" / "checkpoints").iterdir())[-1].name
    for name in ("metrics.jsonl", "evaluation.json", "policies.safetensors", f"checkpoints/{last}"):
        assert filecmp.cmp(tmp_path / "whole" / name, tmp_path / "cut" / name, shallow=False), name


def test_what_cannot_be_replayed_begins_anew(tmp_path, monkeypatch):
    game, simulators = opened(2, length=9)
    seen = simulators.reset(seeds(2))
    for _ in range(3):
        simulators.send(0, np.ones((2, 2), np.int32))
        seen = simulators.receive(0).following
    state, other = simulators.state(), game.open(2)
    there, anew = other.restore(state, seen)
    assert not anew.any() and (there.local == seen.local).all()
    local = seen.local.copy()
    local[1] += 1.0
    there, anew = other.restore(state, seen._replace(local=local))
    np.testing.assert_array_equal(anew, [False, True])
    np.testing.assert_array_equal(there.local[0], seen.local[0])
    assert there.local[1, 0, 0] == 0 and other.state()["episode"].tolist() == [0, 1]
    simulators.close()
    other.close()


def test_functions_and_objects_train_too(tmp_path):
    """A closure, a game's own bridge; a run made on one is loaded by giving it again."""
    length = 3
    run = trained(tmp_path, game=lambda: Stranger(length=length), iterations=1, workers=1)
    assert run.game.spec.horizon == 3
    with pytest.raises(coterie.CoterieError, match="a game of your own: give it"):
        coterie.load(tmp_path / "run")
    again = coterie.load(tmp_path / "run", game=lambda: Stranger(length=length))
    assert again.evaluate(2).returns.shape == (1,)


def test_it_is_refused_to_batch_or_spread_hosted_seeds(tmp_path):
    for given in ({"axis": "vmap"}, {"devices": 2}):
        with pytest.raises(coterie.CoterieError, match="stepped on the host: leave it out"):
            coterie.train(recipe("mappo", SMALL), MAKE, out=tmp_path / "run", steps=12, **given)


# ------------------------------------------------------------------------------------------------ bad input


class Other(Stranger):
    def __init__(self, **changes):
        super().__init__()
        for name, value in changes.items():
            setattr(self, name, value)


def with_space(**changes):
    env = Stranger()
    env.spaces = {**env.spaces, **{k: v for k, v in changes.items() if k in env.spaces}}
    env.acts = {**env.acts, **{k[4:]: v for k, v in changes.items() if k.startswith("act_")}}
    return env


class Endless(spaces.Space):
    pass


BAD = {
    "no environment": (lambda: 3, "makes a int, which is neither"),
    "raises": (lambda: 1 / 0, "raised ZeroDivisionError: division by zero"),
    "no possible agents": (lambda: Other(possible_agents=[]), "has no possible_agents"),
    "pictures": (lambda: with_space(a=spaces.Box(0, 255, (8, 8, 3), np.uint8)), "a sees pictures"),
    "graph": (lambda: with_space(a=spaces.Graph(spaces.Box(0, 1, (2,)), None)), "has no fixed size"),
    "sequence": (lambda: with_space(a=spaces.Sequence(spaces.Discrete(2))), "has no fixed size"),
    "tuple action": (lambda: with_space(act_a=spaces.Tuple((spaces.Discrete(2),))), "a acts in Tuple"),
    "unbounded": (lambda: with_space(act_a=spaces.Box(-np.inf, np.inf, (2,))), "box without finite bounds"),
    "two kinds": (lambda: with_space(act_a=spaces.Box(-1, 1, (2,))), "some agents have continuous and others discrete"),
    "continuous mask": (
        lambda: with_space(act_a=spaces.Box(-1, 1, (2,)), act_b=spaces.Box(-1, 1, (2,)),
                           a=spaces.Dict({"x": spaces.Discrete(2), "action_mask": spaces.Discrete(2)})),
        "action masks for continuous actions"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_trained_on_is_refused_before_a_worker_starts(case, monkeypatch):
    factory, message = BAD[case]
    monkeypatch.setattr("coterie.bridges.workers.Process", None)
    with pytest.raises(coterie.CoterieError, match=re.escape(message)) as caught:
        hosted(factory)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("tests.bridges.nowhere:make", "there is no module 'tests.bridges.nowhere': looked in"),
        ("tests.bridges.stranger:maek", "has no 'maek': did you mean make?"),
        ("tests.bridges.stranger:TROUBLES", "is a tuple, not a function"),
        ("json:dumps", "json:dumps raised TypeError"),
        (f"{MAKE} --game.lenght 3", "has no option 'lenght': did you mean length?"),
        (f"{MAKE} --game.length three", "length cannot be 'three': give a whole number"),
        (f"{MAKE} --game.limit 0", "limit is 0.0 seconds: give more than 0"),
        (f"{MAKE} --game.reward everything", "reward cannot be 'everything': give individual, team, sum or mean"),
    ],
)
def test_the_command_line_refuses_in_one_line(words, message, tmp_path, capsys):
    assert main(["train", "mappo", *words.split(), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out
    assert not (tmp_path / "run").exists()


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(
        coterie.CoterieError, match=r"the package gymnasium is not installed: pip install 'coterie\[games\]'"
    ):
        hosted(MAKE)


# ------------------------------------------------------------------------------------------------ check


def test_check_prints_what_training_would_see(capsys):
    assert (
        main(
            [
                "check",
                MAKE,
                "--steps",
                "60",
                "--json",
                "--game.length",
                "4",
                "--game.mask",
                "info",
                "--game.away",
                "false",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] and found["seen"]["agents"]["b"] == {"type": "b", "observation": 3, "action": "3 choices"}
    play = found["random_play"]
    assert (play["episodes"], play["truncated"], play["lengths"], play["rewards"]) == (15, 15, [4, 4], [0.0, 3.0])
    assert play["choices"] == [1, 3] and play["steps_with_absent_agents"] == 0
    assert found["questions"]["an episode follows from its seed and actions"]["passed"]


def test_check_fails_where_a_promise_is_broken(capsys):
    assert main(["check", MAKE, "--steps", "30", "--game.trouble", "nan"]) == 1
    assert "not finite" in " ".join(capsys.readouterr().out.split())


def test_advice():
    """Rewards that are the same for all, and episodes that terminate with the clock."""
    from coterie.bridges.examine import _advice

    game = hosted(MAKE, {})
    figures = {"rewards": [0.0, 1.0], "rewards_are_the_same": True, "episodes": 2, "lengths": [5, 5], "truncated": 0}
    assert [each.name for each in _advice(game, figures)] == ["whose rewards", "how episodes end"]
    silent = dataclasses.replace(game, seen=game.seen._replace(said=False))
    other = {**figures, "rewards_are_the_same": False, "episodes": 0, "lengths": []}
    assert [each.name for each in _advice(silent, other)] == ["how long an episode lasts"]


def test_nothing_is_said_where_nothing_is_wrong(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        trained(tmp_path, iterations=2)
