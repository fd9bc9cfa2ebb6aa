"""Methods that must be one another where their parts say the same."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.nets.networks import Network
from coterie.parts.fit import Adam, fit
from coterie.parts.tower import sequences
from coterie.policy.critic_input import Local
from coterie.policy.learner import PolicyLearner
from coterie.policy.objective import normalise
from coterie.policy.order import Blocks
from coterie.policy.recipes import a2po, coppo, happo, ippo, mappo, optimistic_mappo
from coterie.policy.surrogate import Clip
from coterie.policy.turn import Turns
from coterie.policy.weighting import Others
from tests.policy.rollouts import E, T, learn, rollout, small, spec


def opened(recipe, own=None, **changes):
    learner = PolicyLearner(small(recipe, **changes), own or spec()).checked()
    return learner, learner.init(jax.random.key(0), E)


def updated(recipe, own=None, updates=2, **changes):
    """The training state after updates on rollouts that depend on the first state only."""
    learner, state = opened(recipe, own, **changes)
    first, metrics = state, None
    for seed in range(updates):
        state, metrics = learn(learner, state, rollout(learner, first, seed), jax.random.key(seed))
    return jax.device_get((state, metrics))


def assert_close(a, b, atol=1e-6):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=atol), a, b)


def slot(tree, index):
    return jax.tree.map(lambda x: x[index], tree)


@pytest.mark.parametrize("recipe", [happo(), replace(a2po(), surrogate=Clip())], ids=["happo", "a2po"])
def test_the_first_agent_is_updated_as_by_mappo(recipe):
    """The first turn draws the same minibatches, and nobody moved before it. Later agents differ."""
    ours, metrics = updated(recipe, updates=1)
    base, _ = updated(mappo(), updates=1, sharing="none")
    for agent, turn in enumerate(metrics["turn"].tolist()):
        if turn == 0:
            assert_close(slot(ours.actor, agent), slot(base.actor, agent))
            assert_close(slot(ours.actor_optimiser, agent), slot(base.actor_optimiser, agent))
        else:
            gap = jax.tree.map(lambda x, y: np.abs(x - y).max(), slot(ours.actor, agent), slot(base.actor, agent))
            assert max(jax.tree.leaves(gap)) > 1e-4


def test_happo_leaves_the_critic_as_mappo_does():
    assert_close(updated(happo(), updates=1)[0].critic, updated(mappo(), updates=1, sharing="none")[0].critic)


ONE = replace(spec(1), state_size=4)


@pytest.mark.parametrize(
    "recipe", [happo(), replace(a2po(), surrogate=Clip()), coppo()], ids=["happo", "a2po", "coppo"]
)
def test_a_team_of_one_is_ppo(recipe):
    """There is nobody else's ratio to weigh by or to correct for."""
    assert_close(updated(recipe, ONE)[0], updated(mappo(), ONE)[0])


def test_ppo_by_two_names():
    """With one agent whose observation is the state, ippo and mappo are PPO."""
    learners = [opened(recipe, ONE) for recipe in (mappo(), ippo())]
    seen = rollout(*learners[0], seed=0, dead=0.0)
    same = lambda o: o._replace(state=o.local[..., 0, :])  # noqa: E731
    seen = seen._replace(observation=same(seen.observation), final=same(seen.final))
    assert_close(*(learn(learner, state, seen, jax.random.key(1))[0] for learner, state in learners))


def test_coppo_with_outer_range_0_is_mappo():
    ours, _ = updated(replace(coppo(), weighting=Others(0.0)), sharing="none")
    assert_close(ours, updated(mappo(), sharing="none")[0])


def test_one_block_is_simultaneous():
    ours, _ = updated(replace(mappo(), order=Blocks(1)), sharing="none")
    assert_close(ours, updated(mappo(), sharing="none")[0])


def test_sharing_by_type_is_none_where_types_differ_and_full_where_they_do_not():
    """Actors and critics of equal layouts are equal programs."""
    for recipe in (mappo(), ippo()):
        for types, sharing in ((("a", "b", "c"), "none"), (("a", "a", "a"), "full"), (("a", "b", "a"), (0, 1, 0))):
            found, wanted = (PolicyLearner(replace(recipe, sharing=s), spec(types=types)) for s in ("type", sharing))
            assert (found.actor, found.critic) == (wanted.actor, wanted.critic)


def test_independent_learners_stay_independent():
    """With separate parameters, local values and norms per agent, one agent's reward reaches nobody else's policy.

    Norms over the team couple them.
    """
    own, reached = spec(reward="individual"), {}
    for over in ("agent", "team"):
        learner, state = opened(ippo(), own, sharing="none", advantage_norm=over)
        seen = rollout(learner, state, 0)
        other = seen._replace(reward=seen.reward.at[..., 0].multiply(5.0))
        a, b = (jax.device_get(learn(learner, state, ro, jax.random.key(0))[0].actor) for ro in (seen, other))
        gaps = [jax.tree.map(lambda x, y: np.abs(x - y).max(), slot(a, i), slot(b, i)) for i in range(3)]
        reached[over] = [max(jax.tree.leaves(gap)) > 0 for gap in gaps]
    assert reached == {"agent": [True, False, False], "team": [True, True, True]}


def test_norms_by_hand():
    advantage = jnp.asarray([[[1.0, 10.0]], [[3.0, 99.0]], [[5.0, 30.0]]])
    alive = jnp.asarray([[[True, True]], [[True, False]], [[True, True]]])
    each = normalise(advantage, alive, "agent")
    np.testing.assert_allclose(each[:, 0, 0], np.array([-2, 0, 2]) / (np.sqrt(8 / 3) + 1e-5), rtol=1e-6)
    np.testing.assert_allclose(each[::2, 0, 1], np.array([-10, 10]) / (10 + 1e-5), rtol=1e-6)
    team = normalise(advantage, alive, "team")
    there = np.array([1.0, 3.0, 5.0, 10.0, 30.0])
    np.testing.assert_allclose(team[:, 0, 0], (there[:3] - there.mean()) / (there.std() + 1e-5), rtol=1e-6)
    np.testing.assert_array_equal(normalise(advantage, alive, "none"), advantage)
    shared = normalise(advantage[..., :1], jnp.ones((3, 1, 2), bool), "team")
    np.testing.assert_allclose(shared, normalise(advantage[..., :1], jnp.ones((3, 1, 2), bool), "agent"), rtol=1e-6)


def test_an_agent_that_died_expects_no_reward_of_its_own():
    """The episode goes on without it: what the critic says of where it was is not added to its last reward."""
    for reward, counts in (("individual", False), ("team", True)):
        learner, state = opened(replace(ippo(), sharing="none"), spec(reward=reward))
        seen = rollout(learner, state, 0, end=0.0)
        values = learner.critic.values(state.critic, state.scale, state.memory, seen)
        dies = seen._replace(final=seen.final._replace(alive=jnp.ones((T, E, 3), bool).at[1, :, 0].set(False)))
        found = np.asarray(learner.returns(dies, values).next_value)
        expected = np.array(jnp.broadcast_to(values.next_value, found.shape))
        expected[1, :, 0] *= counts
        np.testing.assert_array_equal(found, expected)


def test_dead_agents_teach_nothing():
    """Whatever a dead agent is said to have done, seen or earned changes nothing."""
    learner, state = opened(replace(ippo(), sharing="none"), spec(reward="individual"))
    seen = rollout(learner, state, 0, end=0.0)
    alive = seen.observation.alive.at[..., 1].set(False)
    local = seen.observation.local
    seen = seen._replace(observation=seen.observation._replace(alive=alive))
    other = seen._replace(
        observation=seen.observation._replace(local=local.at[..., 1, :].multiply(-3.0)),
        log_prob=seen.log_prob.at[..., 1].add(2.0),
        reward=seen.reward.at[..., 1].set(100.0),
    )
    a, b = (learn(learner, state, ro, jax.random.key(0))[0] for ro in (seen, other))
    assert_close((a.actor, a.critic, a.scale), (b.actor, b.critic, b.scale), 0)


def turns(learner, state, seen):
    values = learner.critic.values(state.critic, state.scale, state.memory, seen)
    found = learner.returns(seen, values)
    return Turns(learner.recipe, learner.actor, learner.family, learner.critic, found, seen, values)


def prepared(learner, state, seen, advantage):
    """A simultaneous turn's batch and objective."""
    whole = turns(learner, state, seen)
    batch = whole.data()
    still = jnp.zeros_like(batch["log_prob"])
    batch |= {"weight": batch["present"], "carried": still, "rest": still[:1, ..., :1],
              "reset": sequences(seen.reset, 1)[None],
              "advantage": whole.tower.arrange(sequences(advantage, 1))}  # fmt: skip
    return whole.objective, batch


def test_shared_equals_separate_where_the_tables_are_disjoint():
    """Linear policies whose observations are id (x) table: the shared rows of agent i are i's own parameters.

    The shared loss is the mean over agents, the separate one their sum: gradients differ by N, Adam's steps do not.
    """
    linear, agents, table = Network(encoder=()), 3, 4
    draw, size = np.random.default_rng(0), agents * table
    base = spec(agents)
    wide = replace(base, observation_sizes=(size,) * agents, action_spaces=base.action_spaces[:1] * agents)
    learners = [opened(coppo(), wide, actor=linear, sharing=sharing) for sharing in ("full", "none")]
    rows = draw.integers(table, size=(T, E, agents)) + table * np.arange(agents)[None, None]
    local = jnp.asarray(np.eye(size)[rows], jnp.float32)
    whole = jnp.asarray(draw.normal(size=(size, 3)), jnp.float32)
    seen = rollout(*learners[1], seed=0, dead=0.0)
    seen = seen._replace(observation=seen.observation._replace(local=local))
    advantage = jnp.asarray(draw.normal(size=(T, E, agents)), jnp.float32)
    results = []
    for learner, state in learners:
        shared = learner.actor.layout.slots == 1
        tags = jnp.zeros((agents if shared else 0, 3))
        weight = jnp.stack([jnp.concatenate([whole, tags])] * learner.actor.layout.slots)
        objective, batch = prepared(learner, state, seen, advantage)
        clip = jnp.full((weight.shape[0], 1, 1, batch["weight"].shape[-1]), 0.2)

        def loss(params, batch, total, objective=objective, clip=clip):
            # Only the tables are trained: tags and biases are what parameters would share.
            kept = params["weight"].at[:, size:].set(0.0)
            layer = {"weight": kept, "bias": jnp.zeros((kept.shape[0], 3))}
            return objective({"net": {"output": layer}}, batch, total, clip, ())

        total = jnp.sum(batch["weight"], (1, 2, 3))
        gradient = jax.grad(lambda w, loss=loss, args=(batch, total): loss({"weight": w}, *args)[0])(weight)
        adam, params, key = Adam(1e-2, limit=1e9, epsilon=1e-12), {"weight": weight}, jax.random.key(0)
        steps = jax.jit(partial(fit, loss, adam, epochs=3, minibatches=2))
        fitted = steps(params, adam.init(params), batch, key)
        own = lambda w, i: w[0 if shared else i, i * table : (i + 1) * table]  # noqa: B023, E731
        results.append([jnp.stack([own(w, i) for i in range(agents)]) for w in (gradient, fitted.params["weight"])])
    np.testing.assert_allclose(agents * results[0][0], results[1][0], atol=1e-6)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-5)
    assert np.abs(results[1][1] - whole.reshape(agents, table, 3)).max() > 1e-2


def test_no_agent_differentiates_through_another():
    """CoPPO's weights read the others' fresh ratios; an agent's loss has no slope in the others' parameters."""
    learner, state = opened(coppo(), sharing="none")
    seen = rollout(learner, state, 0)
    objective, batch = prepared(learner, state, seen, normalise(seen.reward, seen.observation.alive, "team"))
    clip = jnp.full((3, 1, 1, 1), 0.2)
    slope = jax.jit(jax.grad(lambda params, batch: objective(params, batch, jnp.ones(3), clip, ())[0]))
    for i in range(3):
        only = batch | {"weight": batch["weight"].at[jnp.asarray([j for j in range(3) if j != i])].set(0.0)}
        found = slope(state.actor, only)
        assert [any(x[j].any() for x in jax.tree.leaves(found)) for j in range(3)] == [j == i for j in range(3)]


def test_two_values_of_one_team():
    """IPPO's values are one per agent, MAPPO's one for the team unless rewards are individual."""
    local = replace(mappo(), critic_input=Local())
    cases = (mappo(), "team", 1), (mappo(), "individual", 3), (local, "team", 3)
    for recipe, reward, width in cases:
        own = spec(reward=reward)
        learner, state = opened(recipe, own)
        values = learner.critic.values(state.critic, state.scale, state.memory, rollout(learner, state, 0))
        assert values.value.shape == values.next_value.shape == (T, E, width)


@pytest.mark.parametrize("norm", ["before", "after"])
def test_optimism_of_one_is_mappo(norm):
    assert_close(updated(mappo())[0].actor, updated(optimistic_mappo(1.0, norm))[0].actor, atol=1e-7)
