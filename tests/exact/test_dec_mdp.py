"""The solver by hand, and against slow twins: rollouts, finite differences, brute force."""

import itertools

import jax
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.exact.dec_mdp import DecMdp, joint, softmax
from coterie.exact.random_games import random_case
from tests.oracles import dec_mdp as jax_oracle
from tests.oracles import exact as oracle


def climb(gamma=0.5):
    """One state: 8 if both choose the first action, -12 if one does, 0 otherwise."""
    return DecMdp(np.ones((1, 4, 1)), np.array([[8.0, -12.0, -12.0, 0.0]]), np.ones(1), gamma, (2, 2))


def small(seed=0, states=3, actions=(2, 3), gamma=0.9):
    case = random_case(np.random.default_rng(seed), 1, states, actions, gamma)
    game = case.game
    one = DecMdp(game.transition[0], game.reward[0], game.start[0], gamma, actions)
    return one, tuple(p[0] for p in case.old), tuple(p[0] for p in case.new)


def test_one_state_by_hand():
    """Uniform play pays -4 a step, so V = -8; Q = R + V / 2; agent 0's first action is 2 better than the mean."""
    game, uniform = climb(), (np.full((1, 2), 0.5),) * 2
    found = game.solve(joint(uniform))
    np.testing.assert_allclose(found.value, [-8])
    np.testing.assert_allclose(found.quality, [[4, -16, -16, -4]])
    np.testing.assert_allclose(found.advantage, [[12, -8, -8, 4]])
    np.testing.assert_allclose([found.occupancy[0], found.objective], [1, -8])
    np.testing.assert_allclose(game.own(found.quality, uniform, 0), [[-6, -10]])
    np.testing.assert_allclose(game.gradient(uniform)[0], [[2, -2]])  # 1/2 * 2 / (1 - 1/2)
    np.testing.assert_allclose(game.gradient(uniform, slots=(0, 0))[0], [[4, -4]])
    value, choice = game.optimum()
    assert value == [16] and choice == [0] and game.reward_bound() == 12
    assert game.finite_value(joint(uniform), 3) == [-12] and game.finite_optimum(3) == [24]


def test_a_chain_of_two_states_by_hand():
    """One agent: stay (pay 0) or go (pay 1) to a state that pays 2 for ever; gamma 1/2, it goes with chance 1/2.

    V(1) = 4, V(0) = 1/2 (V(0) / 2) + 1/2 (1 + 2), so V(0) = 2; d(0) = 1/2 sum (1/4)^t = 2/3.
    """
    transition = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    game = DecMdp(transition, np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([1.0, 0.0]), 0.5, (2,))
    found = game.solve(np.full((2, 2), 0.5))
    np.testing.assert_allclose(found.value, [2, 4])
    np.testing.assert_allclose(found.quality, [[1, 3], [4, 4]])
    np.testing.assert_allclose(found.occupancy, [2 / 3, 1 / 3])
    np.testing.assert_allclose(game.optimum()[0], [3, 4])
    np.testing.assert_allclose(game.finite_value(np.full((2, 2), 0.5), 2), [1.75, 4])
    np.testing.assert_allclose(game.finite_optimum(2), [3, 4])


@pytest.mark.parametrize(("actions", "gamma"), [((2, 2), 0.5), ((2, 3), 0.9), ((2, 2, 2), 0.99)])
def test_rollouts_agree(actions, gamma):
    game, old, new = small(3, 3, actions, gamma)
    policy = oracle.joint_policy(old)
    np.testing.assert_array_equal(joint(old), policy)
    found = game.solve(policy)
    np.testing.assert_allclose(found.value, oracle.value(game.transition, game.reward, gamma, policy), atol=1e-9)
    seen = oracle.occupancy(game.transition, game.start, gamma, policy)
    np.testing.assert_allclose(found.occupancy, seen, atol=1e-9)
    later = oracle.value(game.transition, game.reward, gamma, oracle.joint_policy(new)) @ game.start
    np.testing.assert_allclose(game.improvement(old, new), later - found.objective, atol=1e-8)


def test_the_oracle_of_the_surrogates_agrees():
    """The same game in JAX, for tests that differentiate."""
    with jax.enable_x64(True):
        twin = jax_oracle.DecMdp(4)
        logits = twin.logits(0)
        game = DecMdp(np.asarray(twin.transition), np.asarray(twin.reward), np.asarray(twin.start), 0.8, (3, 3))
        policies = tuple(softmax(np.asarray(own)) for own in logits)
        found = game.solve(joint(policies))
        np.testing.assert_allclose(found.advantage, twin.advantage(logits), atol=1e-12)
        np.testing.assert_allclose(found.occupancy, twin.occupancy(logits), atol=1e-12)
        np.testing.assert_allclose(game.gradient(policies), jax.grad(twin.objective)(logits), atol=1e-12)


@pytest.mark.parametrize("shared", [False, True])
def test_gradients_equal_finite_differences(shared):
    game, _, _ = small(5, 2, (2, 2), 0.9)
    logits = [np.random.default_rng(i if not shared else 0).normal(size=(2, 2)) for i in range(2)]
    found = game.gradient(tuple(map(softmax, logits)), slots=(0, 0) if shared else None)
    for slot, (s, a) in itertools.product(range(1 if shared else 2), np.ndindex(2, 2)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = [own.copy() for own in logits]
            for agent in range(2) if shared else (slot,):
                moved[agent][s, a] += step
            ends.append(game.solve(joint(tuple(map(softmax, moved)))).objective)
        np.testing.assert_allclose(found[slot][s, a], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_the_best_of_all_deterministic_policies(seed):
    game, _, _ = small(seed, 3, (2, 2), 0.9)
    values = [game.solve(game.deterministic(np.array(c))).value for c in itertools.product(range(4), repeat=3)]
    value, choice = game.optimum()
    np.testing.assert_allclose(value, np.max(values, axis=0), atol=1e-9)
    np.testing.assert_allclose(game.solve(game.deterministic(choice)).value, value, atol=1e-9)


def test_the_finite_optimum_is_the_best_of_all_plans():
    game, _, _ = small(1, 2, (2, 2))
    best = np.full(2, -np.inf)
    for plan in itertools.product(itertools.product(range(4), repeat=2), repeat=2):
        value = np.zeros(2)
        for rule in reversed(plan):
            value = np.array([game.reward[s, rule[s]] + game.transition[s, rule[s]] @ value for s in range(2)])
        best = np.maximum(best, value)
    np.testing.assert_allclose(game.finite_optimum(2), best)


def test_marginals_are_sums_over_the_others():
    game, old, _ = small(2, 2, (2, 3, 2))
    table = np.random.default_rng(0).normal(size=game.reward.shape)
    full = table.reshape(2, 2, 3, 2)
    for s, a, c in itertools.product(range(2), range(2), range(2)):
        by_hand = sum(old[1][s, b] * full[s, a, b, c] for b in range(3))
        np.testing.assert_allclose(game.marginal(table, old, (0, 2))[s, a, 0, c], by_hand)
    np.testing.assert_allclose(game.marginal(table, old, ()).reshape(2), (joint(old) * table).sum(-1))


def test_games_side_by_side_are_solved_as_if_alone():
    case = random_case(np.random.default_rng(0), 5, 3, (2, 2), 0.9)
    many, best = case.game.solve(joint(case.old)), case.game.optimum()[0]
    for index in range(5):
        one = case.one(index)
        alone = one.game.solve(joint(one.old))
        for a, b in zip(many, alone, strict=True):
            np.testing.assert_allclose(a[index], b[0], atol=1e-12)
        np.testing.assert_allclose(best[index], one.game.optimum()[0][0], atol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reward": np.zeros((1, 3))}, "do not fit"),
        ({"actions": (2, 3)}, "make 6 joint actions, not 4"),
        ({"gamma": 1.0}, "gamma is 1.0: give a number of at least 0 and below 1"),
        ({"start": np.full(1, 0.5)}, "start is no distribution"),
        ({"transition": np.full((1, 4, 1), -1.0)}, "transition is no distribution"),
    ],
)
def test_what_is_no_game_is_refused(change, words):
    game = climb()
    fields = {
        "transition": game.transition,
        "reward": game.reward,
        "start": game.start,
        "gamma": 0.5,
        "actions": (2, 2),
    }
    with pytest.raises(CoterieError, match=words):
        DecMdp(**{**fields, **change})
