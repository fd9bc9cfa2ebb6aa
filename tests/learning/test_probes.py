"""Every probe game is learnt to its exact values, by every method, with and without memory, shared and separate.

A learner with a fault (a wrong bootstrap, a mask left out, a value of the wrong episode) fails one of them at once.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.policy.learner import PolicyLearner
from coterie.training.engine import advance, begin
from coterie.training.train import check, schedule

GAMMA = 0.9
BASE = {
    "environments": 32, "rollout": 8, "minibatches": 1, "epochs": 4, "critic_epochs": 8, "gamma": GAMMA,
    "entropy": 0.0, "actor_fit.rate": 0.02, "critic_fit.rate": 0.02,
}  # fmt: skip
ITERATIONS = 60
NUMBERS = {  # what a game needs besides
    "probe/continuous": {"log_std": -1.0, "gain": 0.1, "actor_fit.rate": 0.005, "iterations": 100},
    "probe/memory": {"rollout": 12, "actor_fit.rate": 0.01, "critic_fit.rate": 0.01, "iterations": 100},
    "probe/mixed": {"iterations": 80},
    "probe/truncation": {"iterations": 150, "value_clip": None},
}


def learnt(recipe, game, **options):
    """Game, learner and training state after a short run."""
    width = options.pop("memory", 0)
    options = {**BASE, **NUMBERS.get(game, {}), **options}
    length = options.pop("iterations", ITERATIONS)
    if width:
        options["memory"] = width
    else:
        options |= {"actor.encoder": (16,), "critic.encoder": (16,)}
    game = catalogue.make(game)
    learner = PolicyLearner(catalogue.recipe(recipe, options), game.spec).checked()
    loops = begin(game, learner, (0,))
    loops, metrics = advance(game, learner, loops, length, "map")
    check(metrics, learner, schedule((0,), 1, 1), 1)
    return game, learner, jax.tree.map(lambda x: x[0], loops.learner)


def episodes(game, learner, state):
    """One greedy episode for each cue: states and observations ``[T, 2, ...]``, and returns."""

    @jax.jit
    def opened():
        keys = jax.vmap(jax.random.key)(jnp.arange(50))
        cues = jax.vmap(game.reset)(keys)[0].cue
        keys = keys[jnp.stack([jnp.argmax(cues == cue) for cue in (-1.0, 1.0)])]
        return keys, *jax.vmap(game.reset)(keys)

    @jax.jit
    def played(learner, state, keys, now, seen):
        team = learner.team(state, greedy=True)

        def body(before, _):
            carry, now, seen = before
            action, carry = team.act(carry, seen, jax.random.key(0))
            after, later, outcome = jax.vmap(game.step)(keys, now, action)
            return (carry, after, later), (now, seen, outcome.reward[:, 0])

        _, (states, observations, reward) = jax.lax.scan(body, (team.carry(2), now, seen), length=game.spec.horizon)
        return states, observations, reward.sum(0)

    states, observations, total = played(learner, state, *opened())
    assert np.asarray(states.cue)[0].tolist() == [-1.0, 1.0]
    return states, np.asarray(total), observations


def values(game, learner, state):
    """Of the critic and exact, ``[T, 2, M]``, M = 1 or N, and the greedy returns ``[2]``."""
    states, total, seen = episodes(game, learner, state)
    with jax.numpy_dtype_promotion("standard"):  # gamma to the power of a whole number of steps
        exact = jax.jit(jax.vmap(jax.vmap(lambda s: game.rule.value(s, GAMMA))))(states)
    return np.asarray(judged(learner, state, seen)), np.asarray(exact)[..., None], total


@jax.jit
def judged(learner, state, seen):
    """What the critic says of two episodes, in the unit of the rewards."""
    reset = jnp.zeros(seen.alive.shape[:2], bool).at[0].set(True)
    memory = jax.tree.map(lambda h: h[:2], state.memory)
    raw, _ = learner.critic.outputs(state.critic, memory, seen, reset)
    return learner.critic.normaliser.denormalise(state.scale, raw)


def assert_learnt(game, learner, state, tolerance=0.05):
    found, exact, total = values(game, learner, state)
    alive = np.ones_like(found, bool)
    if game.spec.types == ("scout", "worker") and found.shape[-1] > 1:
        alive[1:, :, 0] = False  # the scout's value counts while it lives
    np.testing.assert_allclose(*(np.where(alive, x, 0.0) for x in (found, exact)), atol=tolerance)
    best = [0.0, 0.0] if game.spec.optimum is None else game.spec.optimum
    if "Observation" in type(game.rule).__name__:
        best = [-1.0, 1.0]
    np.testing.assert_allclose(total, best, atol=0.02)


@pytest.mark.parametrize("game", ["constant", "observation", "discount"])
def test_values_that_no_action_changes(game):
    assert_learnt(*learnt("mappo", f"probe/{game}"))


def test_a_value_reaches_beyond_the_clock():
    # 1 / (1 - gamma) = 10: a bootstrap left out anywhere would give at most 4.1, the value of five steps.
    assert_learnt(*learnt("mappo", "probe/truncation"), tolerance=0.2)


def test_a_recurrent_value_reaches_beyond_the_clock():
    # It is asked for the value after five steps, but never corrected there: its guess is off by a few per cent.
    assert_learnt(*learnt("ippo", "probe/truncation", memory=8), tolerance=1.0)


@pytest.mark.parametrize(
    ("recipe", "game", "options"),
    [
        ("ippo", "joint", {}),
        ("mappo", "action", {"sharing": "none"}),
        ("mappo", "joint", {}),
        ("coppo", "joint", {}),
        ("happo", "joint", {}),
        ("a2po", "action", {}),
        ("a2po", "joint", {}),
        ("a2po", "joint", {"mode": "shared"}),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value,
)
def test_a_team_finds_the_best_joint_action(recipe, game, options):
    assert_learnt(*learnt(recipe, f"probe/{game}", **options))


@pytest.mark.parametrize("recipe", ["mappo", "a2po"])
def test_memory_answers_what_was_seen_before(recipe):
    assert_learnt(*learnt(recipe, "probe/memory", memory=8))


def test_without_memory_no_team_answers():
    game, learner, state = learnt("mappo", "probe/memory")
    found, _, total = values(game, learner, state)
    assert total.mean() == pytest.approx(0.5, abs=0.01)  # the same answer to both cues
    assert np.abs(found[-1].mean() - 0.5) < 0.1  # and the critic, which sees the state, knows


@pytest.mark.parametrize(("recipe", "options"), [("ippo", {"sharing": "full"}), ("a2po", {})], ids=["ippo", "a2po"])
def test_different_agents_with_illegal_actions_and_a_death(recipe, options):
    assert_learnt(*learnt(recipe, "probe/mixed", **options))


@pytest.mark.parametrize(("recipe", "game"), [("mappo", "continuous"), ("happo", "multi_discrete")])
def test_boxes_and_several_components(recipe, game):
    assert_learnt(*learnt(recipe, f"probe/{game}"))
