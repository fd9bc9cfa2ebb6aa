"""Recurrent learners: what was acted and what is learnt from are the same numbers, whatever the chunks and resets."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.games.probe_teams import memory, mixed
from coterie.nets.networks import Network
from coterie.parts.tower import sequences
from coterie.policy.critic_input import AgentSpecific, GlobalState, Local
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import happo, ippo, mappo
from coterie.policy.turn import Turns
from coterie.training.collect import open_stage, scan
from tests.policy.rollouts import learn, small

T, E = 12, 3
GRU = Network(encoder=(5,), memory=6)


@partial(jax.jit, static_argnums=0)
def played(game, learner, state, key):
    """Two rollouts one after the other without learning; the second may open in the middle of episodes."""
    stage = open_stage(game, learner, key, E)
    stage, first, _ = scan(game, learner, state, stage, jax.random.fold_in(key, 1))
    return first, scan(game, learner, state, stage, jax.random.fold_in(key, 2))[1]


def opened(game, recipe, chunk, **changes):
    recipe = small(recipe, actor=GRU, critic=GRU, rollout=T, environments=E, chunk=chunk, minibatches=1, **changes)
    learner = PolicyLearner(recipe, game.spec).checked()
    return learner, learner.init(jax.random.key(0), E)


@jax.jit
def recomputed(learner, state, rollout):
    """Log-probabilities as learning sees them, those stored, and the same with resets left out."""
    values = learner.critic.values(state.critic, state.scale, state.memory, rollout)
    returns = learner.returns(rollout, values)
    turns = Turns(learner.recipe, learner.actor, learner.family, learner.critic, returns, rollout, values)
    batch = turns.data() | {"reset": sequences(rollout.reset, turns.length)[None]}
    again = turns.objective.log_prob(state.actor, batch)[0]
    deaf = turns.objective.log_prob(state.actor, batch | {"reset": jnp.zeros_like(batch["reset"])})[0]
    return again, batch["log_prob"], deaf


@pytest.mark.parametrize(
    ("recipe", "chunk", "delay"),
    [(mappo(), 0, 4), (happo(), 4, 4), (mappo(), 4, 2), (happo(), 3, 2)],
    ids=["whole, across rollouts", "within, across rollouts", "within and at borders", "at borders alone"],
)
def test_learning_sees_the_log_probs_of_acting(recipe, chunk, delay):
    """Episodes of 3 or 5 steps: resets fall inside chunks and on their borders, and rollouts open mid-episode."""
    game = memory(delay=delay)
    learner, state = opened(game, recipe, chunk)
    first, second = played(game, learner, state, jax.random.key(1))
    assert first.reset[0].all() and bool(second.reset[0].any()) == (T % (delay + 1) == 0)
    for rollout in (first, second):
        again, stored, deaf = recomputed(learner, state, rollout)
        np.testing.assert_allclose(np.exp(again - stored), np.ones(stored.shape), atol=1e-6)
        aligned = chunk == delay + 1
        assert (np.abs(deaf - stored).max() < 1e-6) == aligned, "where resets fall within, leaving them out shows"


def test_agents_that_die_keep_their_log_probs():
    game = mixed()
    learner, state = opened(game, happo(), 4)
    for rollout in played(game, learner, state, jax.random.key(1)):
        again, stored, _ = recomputed(learner, state, rollout)
        np.testing.assert_allclose(np.exp(again - stored), np.ones(stored.shape), atol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "critic_input"),
    [(ippo(), Local()), (happo(), Local()), (mappo(), GlobalState()), (mappo(), AgentSpecific())],
    ids=["local, shared", "local, separate", "state", "state and local"],
)
def test_values_equal_stepping_the_critic(recipe, critic_input):
    game = memory(delay=4)
    learner, state = opened(game, recipe, 4, critic_input=critic_input)
    _, rollout = played(game, learner, state, jax.random.key(2))
    critic = learner.critic
    noise = np.random.default_rng(0).normal(size=state.memory.shape)
    carry = start = noise.astype(np.float32)
    found = jax.jit(lambda c, *args: c.values(*args))(critic, state.critic, state.scale, start, rollout)
    found, rollout = jax.device_get((found, rollout))
    step = jax.jit(lambda c, params, carry, seen: c.outputs(params, carry, seen, jnp.zeros((1, E), bool)))
    at = lambda seen, t: jax.tree.map(lambda x: x[t : t + 1], seen)  # noqa: E731
    for t in range(T):
        carry = np.where(rollout.reset[t][:, None, None], np.float32(0), carry)
        value, after = jax.device_get(step(critic, state.critic, carry, at(rollout.observation, t)))
        ahead, _ = jax.device_get(step(critic, state.critic, after[0], at(rollout.final, t)))
        np.testing.assert_allclose(found.value[t], value[0], atol=1e-5)
        goes_on = ~rollout.terminated[t][:, None]  # nothing follows a terminated step: its next value means nothing
        np.testing.assert_allclose(
            np.where(goes_on, found.next_value[t], 0.0), np.where(goes_on, ahead[0], 0.0), atol=1e-5
        )
        carry = after[0]
        np.testing.assert_allclose(found.memory[t + 1], carry, atol=1e-5)
    np.testing.assert_array_equal(found.memory[0], start)
    assert bool(rollout.terminated.any())


def test_the_critic_is_fitted_from_the_memories_it_had():
    """Chunks restarted from the stored memories give the rollout's own values; learning hands the last memory on."""
    game = memory(delay=4)
    learner, state = opened(game, mappo(), 4)
    first, second = played(game, learner, state, jax.random.key(3))
    critic, memories = learner.critic, state.memory

    @jax.jit
    def outputs(critic, state, start, rollout):
        values = critic.values(state.critic, state.scale, start, rollout)
        one = jnp.ones_like(values.value)
        data = critic._data(rollout, values, values.value, one, 4)
        carry = jax.tree.map(lambda h: h[:, 0], data["carry"])
        return values, critic.tower.apply(state.critic, carry, data["x"], data["reset"][0])[0], data["old"]

    for rollout in (first, second):
        values, again, old = outputs(critic, state, memories, rollout)
        np.testing.assert_allclose(again, old, atol=1e-6)
        done, _ = learn(learner, state._replace(memory=memories), rollout, jax.random.key(0))
        np.testing.assert_allclose(done.memory, values.memory[-1], atol=1e-6)
        memories = values.memory[-1]
