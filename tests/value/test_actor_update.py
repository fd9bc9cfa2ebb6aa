"""Who climbs what: joint actions at which actors follow the critic, and which gradients they feel."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import stop_gradient

from coterie.parts.fit import Adam
from coterie.value.actor_update import Marginal, Sequential, Simultaneous, Situation, arranged, chosen_value
from coterie.value.critic import JointAction
from coterie.value.recipes import haddpg, iddpg, maddpg, omdpg
from tests.value.climbing import climb, opened, plain_observation, stirred, twin
from tests.value.sequences import GRU, batch, spec, step

ENSEMBLE = JointAction(ensemble=3)
KEY = jax.random.key(5)


def pictures(learner, actor, values, seen, key):
    """Live and taken actions, each agent's joint action, and the values that are climbed ``[L, R, N]``."""
    own, part, view = climb(learner), learner.recipe.actor_update, seen.observation
    live = own.actions(learner.agents.unroll(actor, seen, seen.carry)[0], view)
    taken = own.taken(seen)
    joint = part.joint(Situation(live, stop_gradient(live), taken, seen, learner.critic, values, own.discrete), key)
    return live, taken, joint, chosen_value(learner.critic.seen(values, view.local, view.state, joint), part.by)


quickly = jax.jit(pictures)


def looked(learner, learning, seen, key=KEY):
    return [np.asarray(x) for x in quickly(learner, learning.actor, learning.critic["actions"], seen, key)]


def test_everybody_is_live_in_its_own_picture_only():
    live, before, after = (np.full((1, 1, 3, 2), x, "f") for x in (1.0, 2.0, 3.0))
    kinds = np.asarray(arranged(live, before, after, np.array([2, 0, 1])))[0, 0, :, :, 0]
    assert kinds.tolist() == [[1, 2, 2], [3, 1, 3], [3, 2, 1]]  # agent 1 is first, then 2, then 0


@pytest.mark.parametrize("others", ["buffer", "current"])
def test_simultaneous_joint_actions(others):
    learner, learning = opened(maddpg(), actor_update=Simultaneous(others))
    live, taken, joint, _ = looked(learner, learning, batch(learner.spec, 2, 4, 0))
    there = live if others == "current" else taken
    for i in range(3):
        for j in range(3):
            np.testing.assert_array_equal(joint[:, :, i, j], live[:, :, i] if i == j else there[:, :, j])
    assert (live != taken).any()


UPDATES = {
    "maddpg": replace(maddpg(), actor_update=Simultaneous("current")),
    "iddpg": iddpg(),
    "omdpg": replace(omdpg(), sharing="none"),
    "omdpg, all from the actors": replace(omdpg(), sharing="none", actor_update=Marginal("current", "random")),
}


@pytest.mark.parametrize("case", UPDATES)
def test_no_agent_differentiates_through_another(case):
    """The value that agent i climbs has no slope in the parameters of anybody else, but has in its own."""
    learner, learning = opened(UPDATES[case])
    seen = batch(learner.spec, 2, 4, 0)

    @jax.jit
    def slopes(actor):
        values = lambda actor: pictures(learner, actor, learning.critic["actions"], seen, KEY)[3].sum((0, 1))  # noqa: E731
        return jax.jacrev(values)(actor)

    found = np.stack(
        [np.any(np.asarray(x).reshape(3, 3, -1) != 0, -1) for x in jax.tree.leaves(slopes(learning.actor))]
    )
    np.testing.assert_array_equal(found.any(0), np.eye(3, dtype=bool))


TEAMS = {
    "three of three": (3, Marginal()),
    "two of three, after the actors, the first copy": (2, Marginal("current", by="first")),
    "three in random order": (3, Marginal(order="random")),
    "three after the actors in random order": (3, Marginal("current", "random")),
}


@pytest.mark.parametrize("case", TEAMS)
def test_marginal_values_equal_enumeration(case):
    """Over every completion that is legal, of those alive: the greatest of the least (or first) copies."""
    agents, part = TEAMS[case]
    learner, learning = opened(omdpg(), agents=agents, critic=ENSEMBLE, actor_update=part, sharing="none")
    learning = learning._replace(critic=stirred(learning.critic, size=0.5))
    loops = twin(learner, learning, update="marginal", prefix=part.prefix, by=part.by)
    seen, higher = batch(learner.spec, 2, 4, 0), 0
    able = seen.observation.legal & seen.observation.alive[..., None]  # some games let the dead do nothing at all
    seen = seen._replace(observation=seen.observation._replace(legal=able))
    live, taken, joint, value = looked(learner, learning, seen)
    rank = np.arange(agents)
    if part.order == "random":
        rank = np.asarray(jax.random.permutation(KEY, agents))
        assert rank.tolist() != list(range(agents)), "another key would do better"
    view = plain_observation(seen.observation)
    assert not view["alive"].all() and not view["legal"].all()
    for t, e, i in np.ndindex(2, 4, agents):
        best = loops.joint(loops.critic, view, t, e, i, live[t, e, i], list(live[t, e]), list(taken[t, e]), rank)
        assert value[t, e, i] == pytest.approx(loops.climbed(loops.critic, view, t, e, i, best), abs=1e-5)
        np.testing.assert_allclose(joint[t, e, i], best, atol=1e-6)
        greedy = [live[t, e, j] if rank[j] >= rank[i] else best[j] for j in range(agents)]
        higher += loops.climbed(loops.critic, view, t, e, i, greedy) < value[t, e, i] - 1e-4
    assert higher, "the best future is not always the actors'"


@pytest.mark.parametrize("case", ["three of three", "two of three, after the actors, the first copy"])
def test_expected_marginals_equal_enumeration_and_their_slope_is_that_of_the_softmax(case):
    """phi_i(a) for every a, as if the agent had chosen it; the loss is minus sum_a pi(a) phi_i(a), phi held still."""
    agents, part = TEAMS[case]
    part = replace(part, gradient="expected")
    learner, learning = opened(omdpg(), agents=agents, critic=ENSEMBLE, actor_update=part, sharing="none")
    loops = twin(learner, learning, update="marginal", prefix=part.prefix, by=part.by)
    seen = batch(learner.spec, 1, 4, 0)
    view, values = plain_observation(seen.observation), learning.critic["actions"]

    @jax.jit
    def look(actor):
        own = climb(learner)
        raw, _ = learner.agents.unroll(actor, seen, ())
        live, held = (own.actions(raw, seen.observation, key) for key in (jax.random.split(KEY)[0], None))
        now = Situation(live, held, own.taken(seen), seen, learner.critic, values, True)
        phi = part.of_choices(now, jax.random.split(KEY)[1])
        return now.held, now.taken, phi, own.chances(raw, seen.observation), own.together(actor, values, seen, KEY)[0]

    held, taken, phi, chances, loss = map(np.asarray, look(learning.actor))
    for t, e, i in np.argwhere(view["alive"]):
        for a in np.flatnonzero(view["legal"][t, e, i]):
            mine, others = np.eye(held.shape[-1])[a], (list(held[t, e]), list(taken[t, e]))
            best = loops.joint(loops.critic, view, t, e, i, mine, *others, np.arange(agents))
            assert phi[t, e, i, a] == pytest.approx(loops.climbed(loops.critic, view, t, e, i, best), abs=1e-5)
    counts = view["alive"].sum((0, 1))
    wanted = -((chances * phi).sum(-1) * view["alive"]).sum((0, 1)) / counts
    assert loss == pytest.approx(wanted.sum(), rel=1e-5)


def test_a_fixed_order_reads_no_key_and_a_random_one_does():
    seen = batch(spec(3), 2, 4, 0)
    for order, changes in (("fixed", False), ("random", True)):
        learner, learning = opened(omdpg(), critic=ENSEMBLE, actor_update=Marginal(order=order))
        found = [looked(learner, learning, seen, jax.random.key(k))[2] for k in range(6)]
        assert any((x != found[0]).any() for x in found) == changes


def test_prefixes_of_the_actors_with_their_own_future_are_one_number():
    """Then every agent climbs Q(s, mu(o)), all together the joint deterministic gradient; not so from the replay."""
    seen = batch(spec(3), 2, 4, 0, dead=0.0)
    for prefix, degenerate in (("current", True), ("buffer", False)):
        part = Marginal(prefix, enumerated=0)
        learner, learning = opened(omdpg(), critic=ENSEMBLE, actor_update=part, sharing="none")
        view, values = seen.observation, learning.critic["actions"]

        @jax.jit
        def both(actor):
            own = climb(learner)  # noqa: B023

            def joint(actor):
                action = own.actions(learner.agents.unroll(actor, seen, ())[0], view)  # noqa: B023
                return -jnp.mean(jnp.min(learner.critic.joint(values, view.local, view.state, action), 0))  # noqa: B023

            def phi(actor):
                return -jnp.mean(jnp.sum(pictures(learner, actor, values, seen, KEY)[3], -1))  # noqa: B023

            return jax.grad(joint)(actor), jax.grad(phi)(actor)

        _, _, _, value = looked(learner, learning, seen)
        assert np.allclose(value, value[..., :1], atol=1e-6) == degenerate
        whole, each = both(learning.actor)
        same = jax.tree.map(lambda a, b: np.allclose(a, b, atol=1e-6), whole, each)
        assert all(jax.tree.leaves(same)) == degenerate
        last = jax.tree.map(lambda x: x[0], (whole, each))  # nobody comes before the first agent, whatever the prefix
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *last)


def test_more_joint_actions_than_are_tried_and_boxes_take_the_actors_future():
    for own, part in ((spec(3), Marginal(enumerated=26)), (spec(3, "continuous"), Marginal())):
        learner, learning = opened(omdpg(), own=own, critic=ENSEMBLE, actor_update=part)
        live, taken, joint, _ = looked(learner, learning, batch(own, 2, 4, 0))
        for i in range(3):
            np.testing.assert_array_equal(joint[:, :, i, :i], taken[:, :, :i])
            np.testing.assert_array_equal(joint[:, :, i, i:], live[:, :, i:])


def test_a_team_of_one_is_ddpg():
    """There is nobody to wait for, or to take from the replay."""
    own, found = spec(1, "continuous"), []
    for recipe in (maddpg(), haddpg()):
        learner, learning = opened(recipe, own=own)
        seen = batch(own, 2, 4, 0, dead=0.0)
        found.append(step(learner, learning, seen, jnp.float32(1.0), jax.random.key(0))[0])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *found)


def test_the_first_to_move_moves_as_if_all_moved_at_once():
    """With memory, too. Those after it see it moved."""
    own, found, key = spec(3, "continuous"), [], jax.random.key(0)
    for update in (Sequential(), Simultaneous("current")):
        learner, learning = opened(haddpg(), own=own, actor=GRU, actor_update=update, actor_fit=Adam(0.1))
        seen = batch(own, 3, 4, 0, memory=4)
        after = step(learner, learning, seen, jnp.float32(1.0), key)[0]
        found.append(jax.tree.leaves((after.actor, after.actor_optimiser.mu)))
    order = np.asarray(jax.random.permutation(jax.random.split(jax.random.split(key)[1])[0], 3))
    gaps = [np.abs(np.asarray(a - b)).reshape(3, -1).max(1) for a, b in zip(*found, strict=True)]
    gap = np.max(gaps, 0)[order]
    assert gap[0] < 1e-6 and gap[1:].min() > 1e-5


@pytest.mark.parametrize("sharing", ["none", "full"])
def test_turns_come_in_every_order(sharing):
    """In a team of two, the one that moves second sees the other moved: over some keys both do.

    Agents of one slot each take a step of Adam on it, the second from where the first has left it.
    """
    own = spec(2, "continuous")
    learner, learning = opened(haddpg(), own=own, sharing=sharing, actor_fit=Adam(0.1))
    seen, orders = batch(own, 2, 4, 0), {}
    for seed in range(6):
        key = jax.random.key(seed)
        after, stats = step(learner, learning, seen, jnp.float32(1.0), key)
        first = int(jax.random.permutation(jax.random.split(jax.random.split(key)[1])[0], 2)[0])
        orders.setdefault(first, []).append((after.actor, stats["gradient_norm"]))
    assert after.actor_optimiser.count.tolist() == ([2] if sharing == "full" else [1, 1])
    for same in orders.values():
        for other in same[1:]:
            jax.tree.map(np.testing.assert_array_equal, other, same[0])
    (zero, early), (one, late) = orders[0][0], orders[1][0]
    if sharing == "none":  # agent 0 moves on the same gradient either first or, agent 1 having moved, on another
        gap = jax.tree.map(lambda a, b: np.abs(a - b).max((*range(1, a.ndim),)), zero, one)
        assert min(np.max(jax.tree.leaves(gap), 0)) > 1e-6
    assert np.abs(early - late).min() > 1e-4
