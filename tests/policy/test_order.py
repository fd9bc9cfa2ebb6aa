"""Orders: who moves in which turn, and that the metric ``turn`` says so."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.nets.sharing import Layout
from coterie.policy.learner import PolicyLearner
from coterie.policy.order import (
    Blocks,
    Greedy,
    RandomSequence,
    SemiGreedy,
    Simultaneous,
    choose,
    plan,
    unit_scores,
)
from coterie.policy.recipes import a2po, happo
from tests.policy.rollouts import learn, rollout, small, spec

ORDERS = [Simultaneous(), RandomSequence(), Greedy(), SemiGreedy(), SemiGreedy(start="random"), SemiGreedy(blocks=2),
          Blocks(2), Blocks(3)]  # fmt: skip


@partial(jax.jit, static_argnums=0)
def _lap(order, scores, key):
    remaining, choices = jnp.ones(scores.shape, bool), []
    turns = order.turns(len(scores))
    for turn in range(turns):
        priority = order.priority(jax.random.fold_in(key, turn), jnp.asarray(turn), scores)
        choice, remaining = choose(priority, remaining, -(-len(scores) // turns))
        choices.append(choice)
    return choices, remaining


def lap(order, scores, seed):
    """The units of each turn of one lap."""
    choices, remaining = _lap(order, jnp.asarray(scores, jnp.float32), jax.random.key(seed))
    assert not remaining.any()
    return [np.asarray(choice.units)[np.asarray(choice.valid)].tolist() for choice in choices]


@pytest.mark.parametrize("order", ORDERS, ids=repr)
@given(scores=st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=5, max_size=5), seed=st.integers(0, 100))
def test_every_unit_moves_exactly_once_a_lap(order, scores, seed):
    turns = lap(order, scores, seed)
    assert sorted(unit for turn in turns for unit in turn) == list(range(5))
    assert max(map(len, turns)) == -(-5 // order.turns(5))


def test_greedy_goes_down_the_scores():
    assert lap(Greedy(), [0.3, 2.0, 0.1, 1.0], 0) == [[1], [3], [0], [2]]


@pytest.mark.parametrize(("start", "greedy"), [("greedy", 0), ("random", 1)])
def test_semi_greedy_alternates(start, greedy):
    """Greedy turns take the highest score that is left; the others take any."""
    scores, others = [0.3, 2.0, 0.1, 1.0], set()
    for seed in range(60):
        left = {0, 1, 2, 3}
        for turn, (unit,) in enumerate(lap(SemiGreedy(start=start), scores, seed)):
            if turn % 2 == greedy:
                assert unit == max(left, key=scores.__getitem__)
            else:
                others.add((turn, unit))
            left.remove(unit)
    assert len({unit for turn, unit in others if turn == 1 - greedy}) >= 3


@pytest.mark.parametrize("order", [Greedy(), SemiGreedy(), RandomSequence(), Blocks(4)], ids=repr)
def test_ties_and_random_turns_are_uniform(order):
    """Of four equal units each comes first in a quarter of 400 draws, give or take 5 standard deviations."""
    keys = jax.random.split(jax.random.key(0), 400)
    priorities = jax.vmap(lambda key: order.priority(key, jnp.asarray(0), jnp.ones(4)))(keys)
    first = jax.vmap(lambda priority: choose(priority, jnp.ones(4, bool), 1)[0].units[0])(priorities)
    assert np.all(np.abs(np.bincount(first, minlength=4) - 100) < 5 * np.sqrt(400 * 0.25 * 0.75))


def test_greedy_blocks_take_the_best_together():
    assert [sorted(block) for block in lap(SemiGreedy(blocks=2), [0.3, 2.0, 0.1, 1.0], 0)] == [[1, 3], [0, 2]]


def test_the_cut_into_turns():
    separate, shared = Layout((0, 1, 2, 3)), Layout((0, 0, 0, 0))
    assert plan(Simultaneous(), separate, 5)[:4] == (1, 4, 1, 5)
    assert plan(Simultaneous(), shared, 5)[:4] == (1, 1, 1, 5)
    assert plan(RandomSequence(), separate, 5)[:4] == (4, 1, 4, 5)
    assert plan(Blocks(2), separate, 5)[:4] == (2, 2, 2, 5)
    # Shared blocks: ceil(5 / 2) laps of 2 turns, one epoch each.
    assert plan(SemiGreedy(blocks=2), shared, 5)[:4] == (6, 2, 2, 1)
    assert plan(SemiGreedy(blocks=3), shared, 5)[:4] == (6, 2, 3, 1)


def test_scores_by_hand():
    """E|A| over living agents, averaged over the agents of a slot; or the mean of |normalised A / V|."""
    advantage = jnp.asarray([[[1.0, -2.0, 3.0]], [[-3.0, 4.0, 50.0]]])
    alive = jnp.asarray([[[True, True, True]], [[True, True, False]]])
    args = advantage, 2 * advantage, jnp.asarray([[[2.0]], [[-4.0]]]), alive
    each = [2.0, 3.0, 3.0]
    np.testing.assert_allclose(unit_scores(Greedy(), *args, Layout((0, 1, 2))), each)
    np.testing.assert_allclose(unit_scores(SemiGreedy(), *args, Layout((0, 0, 0))), each)
    np.testing.assert_allclose(unit_scores(Greedy(), *args, Layout((0, 1, 0))), [2.5, 3.0])
    ratio = unit_scores(Greedy(score="ratio"), *args, Layout((0, 1, 2)))
    np.testing.assert_allclose(ratio, [(1 + 1.5) / 2, (2 + 2) / 2, 3.0])


def changed(before, after):
    """Whether each slot's parameters moved."""
    before, after = jax.device_get((before, after))
    gap = jax.tree.map(lambda a, b: np.any(a != b, axis=tuple(range(1, a.ndim))), before, after)
    return np.any(np.stack(jax.tree.leaves(gap)), axis=0)


@pytest.mark.parametrize("recipe", [happo(), replace(a2po(), order=Greedy())], ids=["random", "greedy"])
def test_the_turn_metric_is_an_order_of_everybody(recipe):
    learner = PolicyLearner(small(recipe, minibatches=1, epochs=1), spec(4)).checked()
    state = learner.init(jax.random.key(0), 3)
    orders = set()
    for seed in range(6):
        after, metrics = learn(learner, state, rollout(learner, state, seed), jax.random.key(seed))
        assert sorted(metrics["turn"].tolist()) == [0, 1, 2, 3]
        assert changed(state.actor, after.actor).all()
        assert set(np.asarray(after.actor_optimiser.count).tolist()) == {1}, "no slot's Adam steps in others' turns"
        orders.add(tuple(metrics["turn"].tolist()))
    assert len(orders) > 1


def test_shared_blocks_grow():
    """Two blocks of four agents: the first turn trains two agents, the second all; each lap draws new blocks."""
    learner = PolicyLearner(small(a2po("shared"), minibatches=1, epochs=2), spec(4)).checked()
    state = learner.init(jax.random.key(0), 3)
    seen = rollout(learner, state, 0, dead=0.0)
    draws = set()
    for seed in range(6):
        _, metrics = learn(learner, state, seen, jax.random.key(seed))
        assert sorted(metrics["turn"].tolist()) == [0, 0, 1, 1]
        draws.add(tuple(metrics["turn"].tolist()))
    assert len(draws) > 1, "one team advantage ties all scores, so blocks are drawn"
