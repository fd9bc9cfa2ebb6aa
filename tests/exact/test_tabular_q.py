"""Tabular learners: one update of each by hand, a plain loop, what they become at their ends, and where they settle."""

import itertools

import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.exact.random_games import random_case
from coterie.exact.tabular_q import (
    Boltzmann,
    EpsilonGreedy,
    TabularQ,
    hysteretic_q,
    iql,
    learn,
    lenient_q,
    settled,
    update,
)
from tests.oracles import tabular_q as oracle

CLIMB = np.array([[8.0, -12, -12], [-12, 0, 0], [-12, 0, 0]])
CLIMBING = np.array([[0.0, 6, 5], [-30, 7, 0], [11, -30, 0]])
UNEVEN = np.array([[1.0, -2, 3], [4, 0, -6]])
SWING = np.array([[0.0, 1, 2], [0, 3, 1]])
UNIFORM = [np.full(3, 1 / 3)] * 2


def step(learner, drawn=(0.0, 0.0)):
    """Actions (0, 1) are paid 1 where the tables say 2 and -1; all temperatures are ln 2, so l = 1/2."""
    tables = np.array([[[2.0, 0.0], [4.0, -1.0]]])
    heat = np.full_like(tables, np.log(2) if learner.start else 0.0)
    return update(learner, tables, heat, np.array([[0, 1]]), np.ones(1), np.array([drawn]))


def test_one_update_of_each_by_hand():
    """Errors -1 and 2 at alpha 1/2, beta 1/10."""
    np.testing.assert_allclose(step(iql(0.5))[0], [[[1.5, 0], [4, 0]]])
    np.testing.assert_allclose(step(hysteretic_q(0.5, 0.1))[0], [[[1.9, 0], [4, 0]]])
    lenient = lenient_q(0.5, start=1.0, decay=0.5)
    forgotten, heat = step(lenient, (0.49, 0.49))
    np.testing.assert_allclose(forgotten, [[[2, 0], [4, 0]]])  # a good outcome is never forgotten
    np.testing.assert_allclose(step(lenient, (0.51, 0.49))[0], [[[1.5, 0], [4, 0]]])
    np.testing.assert_allclose(heat, np.log(2) * np.array([[[0.5, 1], [1, 0.5]]]))


@pytest.mark.parametrize("kind", ["epsilon", "boltzmann"])
@pytest.mark.parametrize("learner", [iql(), hysteretic_q(0.2, 0.02), lenient_q(0.2, 2.0, 0.7, 0.9)])
@pytest.mark.parametrize("swing", [None, SWING])
def test_plain_loops_agree(kind, learner, swing):
    explore = EpsilonGreedy() if kind == "epsilon" else Boltzmann()
    found = learn(learner, UNEVEN, (3, 11), 60, explore, swing)
    for row, seed in enumerate((3, 11)):
        told, _ = oracle.learn(
            UNEVEN, seed, 60, kind, learner.rate, learner.down, learner.start, learner.scale, learner.decay, swing
        )
        for agent, own in enumerate(told):
            np.testing.assert_allclose(found.tables[row, agent, : len(own)], own, atol=1e-9)
            assert found.greedy[row, agent] == int(np.argmax(own))
        assert found.payoff[row] == UNEVEN[tuple(found.greedy[row])]
        assert found.optimal[row] == (found.payoff[row] == 4)
    assert not found.tables[:, 0, 2].any()  # an action that the first agent does not have


def test_what_the_learners_become_at_their_ends():
    assert hysteretic_q(0.1, 0.1) == iql(0.1)
    same = [learn(one, CLIMB, range(4), 100).tables for one in (iql(), lenient_q(start=0.0), lenient_q(scale=0.0))]
    np.testing.assert_array_equal(same[0], same[1])
    np.testing.assert_array_equal(same[0], same[2])
    cold = learn(lenient_q(decay=0.0, start=50.0), CLIMB, range(4), 100).tables  # only first visits are forgiven
    assert not np.array_equal(cold, same[0])
    hot = learn(lenient_q(start=1e3), CLIMB, range(4), 100).tables
    np.testing.assert_array_equal(hot, learn(hysteretic_q(down=0.0), CLIMB, range(4), 100).tables)


@pytest.mark.parametrize("leniency", [0.25, 0.5, 0.75])
def test_a_lenient_update_is_hysteretic_in_expectation(leniency):
    """The claim leniency_table (``exact/leniency.py``), of the learner itself: the mean over a grid of numbers."""
    case = random_case(np.random.default_rng(0), 1, 1, (2, 3), 0.5)
    tables = np.broadcast_to(case.table.reshape(1, 2, 3), (64, 2, 3))
    grid = np.stack([(np.arange(64) + 0.5) / 64] * 2, 1)
    action, reward = np.broadcast_to([1, 2], (64, 2)), np.zeros(64)
    heat = np.full(tables.shape, -np.log(1 - leniency))
    mean = update(lenient_q(0.2), tables, heat, action, reward, grid)[0].mean(0)
    told = update(hysteretic_q(0.2, 0.2 * (1 - leniency)), tables, 0 * heat, action, reward, grid)[0][0]
    np.testing.assert_allclose(mean, told, atol=1e-12)


def test_a_seed_learns_the_same_alone_and_beside_others():
    beside = learn(lenient_q(), CLIMBING, (5, 9, 2), 200)
    for row, seed in enumerate((5, 9, 2)):
        for a, b in zip(learn(lenient_q(), CLIMBING, (seed,), 200), beside, strict=True):
            np.testing.assert_array_equal(a[0], b[row])
    assert not np.array_equal(beside.tables[0], beside.tables[1])


def test_chances_by_hand():
    tables, legal = np.array([[[1.0, 1.0, 0.0], [2.0, 0.0, 9.0]]]), np.array([[True] * 3, [True, True, False]])
    found = EpsilonGreedy(0.6, 0.2).chances(tables, legal, 0.5)  # epsilon 0.4; ties by lot; the 9 is no action
    np.testing.assert_allclose(found, [[[0.3 + 0.4 / 3, 0.3 + 0.4 / 3, 0.4 / 3], [0.8, 0.2, 0]]])
    found = Boltzmann(4.0, 1.0).chances(tables, legal, 0.5)  # tau 2
    top, odds = np.exp(0.5), np.exp(1.0)
    np.testing.assert_allclose(found[0, 0], np.array([top, top, 1]) / (2 * top + 1))
    np.testing.assert_allclose(found[0, 1], np.array([odds, 1, 0]) / (odds + 1))


def test_where_tables_settle_by_hand():
    """Climb, uniform play: (8 - 24 w) / (1 + 2 w) for the first action, -12 w / (2 + w) for the others: w* = 4/7."""
    for w in (1.0, 0.5, 4 / 7, 0.01):
        first, other = (8 - 24 * w) / (1 + 2 * w), -12 * w / (2 + w)
        for table in settled(CLIMB, UNIFORM, w):
            np.testing.assert_allclose(table, [first, other, other])
    np.testing.assert_allclose(settled(CLIMBING, UNIFORM)[0], CLIMBING.mean(1))
    np.testing.assert_allclose(settled(CLIMBING, UNIFORM, 0.0)[1], CLIMBING.max(0))
    greedy = [np.array([0.0, 1, 0]), np.array([0.0, 1, 0])]
    np.testing.assert_allclose(settled(CLIMBING, greedy, 0.3)[0], CLIMBING[:, 1])  # what is never met counts nothing


@pytest.mark.parametrize("ratio", [1.0, 0.3, 0.01])
def test_settled_tables_do_not_move_in_expectation(ratio):
    """Every joint action with its chance, through the update itself; and bisection finds the same tables."""
    draw = np.random.default_rng(1)
    others = [draw.dirichlet(np.ones(own)) for own in UNEVEN.shape]
    tables = settled(UNEVEN, others, ratio, SWING)
    padded = np.stack([np.pad(table, (0, 3 - len(table))) for table in tables])
    moved = [np.zeros(own) for own in UNEVEN.shape]
    for joint, sign in itertools.product(np.ndindex(2, 3), (1, -1)):
        reward = np.array([UNEVEN[joint] + sign * SWING[joint]])
        before = padded[None]
        after, _ = update(
            hysteretic_q(0.1, 0.1 * ratio), before, 0 * before, np.array([joint]), reward, np.ones((1, 2))
        )
        for agent, action in enumerate(joint):
            chance = others[1 - agent][joint[1 - agent]] / 2
            moved[agent][action] += chance * (after - before)[0, agent, action]
    for agent, table in enumerate(tables):
        np.testing.assert_allclose(moved[agent], 0, atol=1e-9)
        told = [oracle.expectile(UNEVEN, others, agent, action, ratio, SWING) for action in range(len(table))]
        np.testing.assert_allclose(table, told, atol=1e-6)


def test_optimism_climbs_where_the_mean_does_not_and_is_fooled_by_luck():
    """With payoffs of 14 or 0 in the middle, of the same mean, the optimist goes there."""
    lucky = np.zeros((3, 3))
    lucky[1, 1] = 7
    optimist = hysteretic_q(0.1, 0.001)
    assert learn(optimist, CLIMBING, range(20), 2000).optimal.mean() >= 0.9
    assert learn(iql(), CLIMBING, range(20), 2000).optimal.mean() <= 0.1
    fooled = learn(optimist, CLIMBING, range(20), 2000, swing=lucky)
    assert fooled.optimal.mean() <= 0.1 and (fooled.greedy == 1).all(1).mean() >= 0.9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: iql(0.0), "give alpha above 0"),
        (lambda: hysteretic_q(0.1, 1.5), "beta from 0 to 1"),
        (lambda: hysteretic_q(0.1, 0.5), "0.5 is more than the rate of 0.1"),
        (lambda: TabularQ(0.1, 0.1, start=-1.0), "neither of the first two below 0"),
        (lambda: lenient_q(decay=1.1), "a decay from 0 to 1"),
        (lambda: learn(iql(), CLIMB, ()), "give a seed"),
        (lambda: learn(iql(), CLIMB, (0,), 0), "a step"),
        (lambda: learn(iql(), CLIMB, (0,), 5, swing=np.zeros((2, 2))), "two arrays of one shape"),
    ],
)
def test_bad_numbers_are_refused_in_one_line(call, words):
    with pytest.raises(CoterieError, match=words):
        call()
