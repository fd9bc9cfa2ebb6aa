"""The public face in Python, used as a stranger would."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import coterie
from coterie.contracts import ActionSpace, Observation, Outcome, Spec
from coterie.policy.learner import PolicyLearner

TINY = {"environments": 4, "rollout": 8, "minibatches": 1, "epochs": 1, "critic_epochs": 1}
NETS = {"actor": coterie.recipes.Network((8,)), "critic": coterie.recipes.Network((8,))}


def tiny(recipe, **changes):
    return dataclasses.replace(recipe, **{**TINY, **NETS, **changes})


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    return coterie.train(tiny(coterie.recipes.a2po()), "particle/spread", seeds=2, steps=96, points=3, episodes=4,
                         out=tmp_path_factory.mktemp("runs") / "spread", game_options={"length": 6})  # fmt: skip


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory):
    line = coterie.recipes.recurrent(dataclasses.replace(coterie.recipes.mappo(), **TINY), 4)
    return coterie.train(line, "probe/mixed", steps=32, points=1, episodes=2,
                         out=tmp_path_factory.mktemp("runs") / "mixed")  # fmt: skip


def test_the_example_of_the_readme(spread):
    found = spread.evaluate(episodes=5)
    assert found.low <= found.mean <= found.high and found.returns.shape == (2,)
    assert found.mean == pytest.approx(found.returns.mean())
    assert int(spread.policies[0](np.zeros(18))) in range(5) and len(spread.policies) == 3
    assert spread.seeds == (0, 1) and spread.document["game"] == {"name": "particle/spread", "options": {"length": 6}}
    assert sorted(path.name for path in spread.directory.iterdir()) == [
        ".lock", "checkpoints", "evaluation.json", "metrics.jsonl", "policies.safetensors", "run.json", "timing.jsonl",
    ]  # fmt: skip


def test_a_loaded_run_is_the_run(spread):
    again = coterie.load(str(spread.directory))
    assert again.seeds == spread.seeds and again.game == spread.game
    one, two = spread.evaluate(episodes=5, greedy=False), again.evaluate(episodes=5, greedy=False)
    assert one.mean == two.mean and np.array_equal(one.returns, two.returns)
    for a, b in zip(spread.policies, again.policies, strict=True):
        observation = np.random.default_rng(a.agent).normal(size=18)
        assert a(observation) == b(observation)


def test_policies_are_the_teams_own_actions_whatever_the_others_see(spread):
    game, learner = spread.game, spread.learner
    _, seen = jax.vmap(game.reset)(jax.random.split(jax.random.key(5), 6))
    actions, _ = learner.team(spread.state(), greedy=True).act((), seen, jax.random.key(0))
    for i, policy in enumerate(spread.policies):
        alone = [int(policy(local)) for local in np.asarray(seen.local[:, i])]
        np.testing.assert_array_equal(alone, actions[:, i])


def test_a_policy_samples_with_a_key(spread):
    policy, seen = spread.policies[1], np.zeros(18)
    draws = [int(policy(seen, key=jax.random.key(k))) for k in range(40)]
    assert len(set(draws)) > 1 and draws[3] == int(policy(seen, key=jax.random.key(3)))
    assert {int(policy(seen, legal=[0, 0, 1, 0, 0], key=jax.random.key(k))) for k in range(9)} == {2}


def test_recurrent_policies_carry_their_own_memory(recurrent):
    game, learner = recurrent.game, recurrent.learner
    team = learner.team(recurrent.state(), greedy=True)
    state, seen = game.reset(jax.random.key(1))
    carry, memories = team.carry(1), [policy.start() for policy in recurrent.policies]
    for _ in range(game.spec.horizon):
        actions, carry = team.act(carry, jax.tree.map(lambda x: x[None], seen), jax.random.key(0))
        for i, policy in enumerate(recurrent.policies):
            size, choices = game.spec.observation_sizes[i], game.spec.action_spaces[i].sizes[0]
            action, memories[i] = policy(seen.local[i, :size], memories[i], legal=seen.legal[i, :choices])
            assert action == actions[0, i]
            np.testing.assert_array_equal(memories[i], carry[0, i])
        state, seen, _ = game.step(jax.random.key(2), state, actions[0])
    assert not np.allclose(memories[1], 0)


def test_policies_refuse_what_does_not_fit(spread, recurrent):
    with pytest.raises(coterie.CoterieError, match=r"^observation of agent_0 has shape \(3,\): give \(18,\)"):
        spread.policies[0](np.zeros(3))
    with pytest.raises(coterie.CoterieError, match="^this policy is recurrent: give memory=policy.start"):
        recurrent.policies[0](np.zeros(2))
    with pytest.raises(coterie.CoterieError, match=r"^legal of scout has shape \(3,\): give \(2,\), or \(4,\)"):
        recurrent.policies[0](np.zeros(2), recurrent.policies[0].start(), legal=[1, 1, 0])


@pytest.mark.parametrize("game", ["probe/continuous", "probe/multi_discrete"])
def test_an_action_has_its_agents_own_components(game):
    spec = coterie.make(game).spec
    learner = PolicyLearner(tiny(coterie.recipes.ippo()), spec)
    params = learner.policy(learner.init(jax.random.key(0), 1))
    for agent, space in enumerate(spec.action_spaces):
        policy = coterie.Policy(learner, params, agent)
        assert policy(np.zeros(1)).shape == policy(np.zeros(1), key=jax.random.key(0)).shape == (space.components,)


def test_training_is_not_changed_by_the_number_of_evaluations(tmp_path):
    def train(name, **options):
        run = coterie.train(tiny(coterie.recipes.mappo()), "probe/joint", steps=128, points=4, out=tmp_path / name,
                            **options)  # fmt: skip
        return (run.directory / "policies.safetensors").read_bytes()

    assert train("often", evaluations=4, episodes=3) == train("seldom", evaluations=1, episodes=7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "a2po"}, "'a2po' is no recipe: give one such as coterie.recipes.a2po"),
        ({"game": 3}, "3 is no game: give a name such as particle/spread, a function that makes environments, or an "),
        ({"game": "probe/jiont"}, "there is no game 'probe/jiont': did you mean probe/joint"),
        ({"game_options": {"agent": 3}}, "probe/joint has no option 'agent': did you mean agents"),
        ({"seeds": 0}, "a run needs at least 1 step and 1 seed, not 32 steps and 0 seeds"),
        ({"seeds": (1, 1)}, r"seeds are \[1, 1\]: give different whole numbers from 0"),
        ({"seeds": (-1,)}, r"seeds are \[-1\]: "),
        ({"steps": 0}, "a run needs at least 1 step"),
        ({"points": 0}, "points is 0: give at least 1"),
        ({"episodes": 0}, "episodes is 0: give at least 1"),
        ({"evaluations": -1}, "evaluations is -1: give at least 0"),
        ({"axis": "batch"}, "axis cannot be 'batch': give map or vmap"),
        ({"backends": ("tensorbord",)}, "there is no logging backend tensorbord"),
        ({"recipe": dataclasses.replace(coterie.recipes.a2po(), sharing="full")}, "order semi_greedy cannot move"),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_directory_free(tmp_path, changes, message):
    given = {"recipe": tiny(coterie.recipes.mappo()), "game": "probe/joint", "steps": 32, "out": tmp_path / "run"}
    with pytest.raises(coterie.CoterieError, match=f"^{message}") as caught:
        coterie.train(**{**given, **changes})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "checkpoints").exists()


class Clock(NamedTuple):
    time: jax.Array


@dataclasses.dataclass(frozen=True)
class Duet:
    """A stranger's own game: two agents see the clock and are paid for naming it; it may break at a given step."""

    breaks: int = 99
    where: str = "reward"

    @property
    def spec(self):
        return Spec(("a", "b"), ("x", "x"), (1, 1), (ActionSpace.discrete(3),) * 2, state_size=1, horizon=6)

    def _seen(self, time):
        x = time.astype(jnp.float32)[None]
        x = jnp.where((time >= self.breaks) & (self.where == "observation"), jnp.nan, x)
        return Observation(jnp.tile(x, (2, 1)), x, jnp.asarray(self.spec.legal), jnp.ones(2, bool))

    def reset(self, key):
        return Clock(jnp.zeros((), jnp.int32)), self._seen(jnp.zeros((), jnp.int32))

    def step(self, key, state, action):
        pay = (action == state.time % 3).astype(jnp.float32).mean()
        pay = jnp.where((state.time >= self.breaks) & (self.where == "reward"), jnp.nan, pay)
        after = Clock(state.time + 1)
        over = after.time >= 6
        return after, self._seen(after.time), Outcome(jnp.full(2, pay), over, jnp.zeros((), bool), {})


class Unhashable(Duet):
    __hash__ = None


def test_a_game_of_ones_own(tmp_path):
    run = coterie.train(tiny(coterie.recipes.mappo()), Duet(), steps=96, points=3, episodes=2, out=tmp_path)
    assert run.document["game"] == {"name": "Duet", "options": {}, "own": True}
    with pytest.raises(coterie.CoterieError, match=r"was made on a game of your own: .*game=Duet\(") as caught:
        coterie.load(tmp_path)
    assert "\n" not in str(caught.value)
    again = coterie.load(tmp_path, game=Duet())
    assert again.evaluate(episodes=2).mean == run.evaluate(episodes=2).mean
    assert coterie.resume(tmp_path, game=Duet()).directory == tmp_path
    with pytest.raises(coterie.CoterieError, match="was made on the game Duet, not on ProbeGame"):
        coterie.load(tmp_path, game=coterie.make("probe/joint"))
    with pytest.raises(coterie.CoterieError, match="game_options are for a game given by name"):
        coterie.train(tiny(coterie.recipes.mappo()), Duet(), game_options={"agents": 3}, out=tmp_path / "x")


def test_a_game_that_cannot_be_a_constant(tmp_path):
    game = Unhashable()
    with pytest.raises(coterie.CoterieError, match="^a Unhashable cannot be a constant .*frozen dataclass"):
        coterie.train(tiny(coterie.recipes.mappo()), game, out=tmp_path)


@pytest.mark.parametrize(("where", "name"), [("reward", "rewards"), ("observation", "observations")])
def test_a_number_that_is_none_stops_training_by_name(tmp_path, where, name):
    # Iterations of three steps: the clock shows 4 first in the second one.
    line = tiny(coterie.recipes.mappo(), rollout=3)
    with pytest.raises(coterie.CoterieError) as caught:
        coterie.train(line, Duet(4, where), steps=96, points=99, episodes=2, out=tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{name} stopped being finite at iteration 2 of seed 0: the game gave them")
    assert "\n" not in text
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000000001.safetensors"]
    assert coterie.load(tmp_path, game=Duet()).learner.spec == Duet().spec
