"""OMDPG's marginals beside loops over completions; its readings and its turns by hand, on the climb game and others."""

import itertools

import numpy as np
import pytest

from coterie.exact import drift, omdpg, omdpg_turns
from coterie.exact.dec_mdp import joint
from coterie.exact.random_games import random_case
from tests.exact.test_claims import one_state
from tests.oracles import omdpg as oracle


def drawn(seed=0, actions=(2, 3, 2), states=2, count=3):
    case = random_case(np.random.default_rng(seed), count, states, actions, 0.9)
    return case, omdpg.rows(case.game, case.game.solve(joint(case.old)).quality), omdpg.greedy(case)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_marginals_are_the_best_completions(order):
    case, quality, team = drawn()
    for place, agent in enumerate(order):
        kept = order[: place + 1]
        for row, table in enumerate(quality):
            acts = [int(a[row]) for a in team]
            for optimal in (True, False):
                found = omdpg.phi(quality, kept, None if optimal else team)
                for actions in itertools.product(*(range(case.game.actions[j]) for j in kept)):
                    known = dict(zip(kept, actions, strict=True))
                    place_of = tuple(known.get(j, 0) for j in range(3))
                    assert found[(row, *place_of)] == oracle.phi(table, known, None if optimal else acts)
                seen = omdpg.own(found, agent, team)[row]
                prefix = {j: acts[j] for j in order[:place]}
                told = [
                    oracle.phi(table, {**prefix, agent: a}, None if optimal else acts)
                    for a in range(case.game.actions[agent])
                ]
                np.testing.assert_array_equal(seen, told)
    for table in quality:
        assert table[oracle.greedy_sequence(table, order)] == table.max()


def test_marginals_fall_along_a_joint_action_only_if_the_future_is_optimal():
    """Climb from (second, second): phi(first) is -12 with the current future and 8 once the second agent follows."""
    case = one_state([8, -12, -12, 0], [[0.1, 0.9]] * 2)
    assert omdpg.monotone(case).printed < 1e-12 and omdpg.any_order(case).printed == 0
    quality, team = np.array([[[8.0, -12], [-12, 0]]]), omdpg.greedy(case)
    np.testing.assert_array_equal(omdpg.phi(quality, (0,))[0, :, 0], [8, 0])
    np.testing.assert_array_equal(omdpg.phi(quality, (0,), team)[0, :, 0], [-12, 0])


def test_coordinate_ascent_stays_where_nobody_gains_alone():
    """8 below 0 of a range of 20; also from (first, second), where the first agent leaves."""
    for old in ([[0.1, 0.9]] * 2, [[0.9, 0.1], [0.1, 0.9]]):
        found = omdpg.ascent(one_state([8, -12, -12, 0], old))
        np.testing.assert_allclose(found.printed, 8 / 20)
        np.testing.assert_array_equal(found.figures["states missed"], 1)
    assert omdpg.ascent(one_state([8, -12, -12, 0], [[0.9, 0.1]] * 2)).printed == 0


@pytest.mark.parametrize(("chance", "gap"), [(0.3, 1.0), (0.4, 0.0)])
def test_a_prefix_from_the_buffer_has_the_basin_of_the_climb_game(chance, gap):
    """Agent 0 picks the first action, whose best completion is 8; agent 1 follows only if p > 3/8 in the buffer."""
    case = one_state([8, -12, -12, 0], [[chance, 1 - chance]] * 2)
    np.testing.assert_allclose(omdpg.buffer_greedy(case).printed, gap)


def test_the_order_matters_only_with_a_prefix_from_the_buffer():
    """The team plays (second, second), worth 0; with the first action in the buffer the later agent sees -12."""
    case = one_state([8, -12, -12, 0], [[0.1, 0.9]] * 2)
    assert omdpg.current_prefix(case).printed == 0
    value = case.game.solve(joint(case.old)).value[0, 0]
    largest = np.abs(np.array([8, -12, -12, 0]) + 0.5 * value).max()
    np.testing.assert_allclose(omdpg.buffer_prefix(case).printed, 12 / largest)


def test_shared_turns_undo_one_another_by_hand():
    """Both play the second action, worth -0.7. (Second, first) is best, 0.6: the first agent stays, the second moves.

    With one table both then play the first action, worth -1: J falls by 0.3 / (1 - gamma), of r_max = 1.
    """
    case = one_state([-1, -0.6, 0.6, -0.7], [[0.3, 0.7]] * 2)
    found = omdpg_turns.improves_shared(case)
    np.testing.assert_allclose([found.printed, found.figures["worse"], found.figures["fall"]], [[1], [1], [0.3]])
    assert omdpg_turns.improves(case).printed == 0


def test_optimal_marginals_stand_still_while_the_team_moves():
    """In teams of three whose outer agents share, the middle one's future may move; in teams of two nobody's does."""
    two, three = (random_case(np.random.default_rng(0), 200, 2, actions, 0.9) for actions in ((2, 2), (2, 2, 2)))
    for case, drifts in ((two, False), (three, True)):
        found = omdpg_turns.still(case)
        assert not found.printed.any() and found.figures["own action moved"].max() > 0
        assert (found.figures["with current future actions"].max() > 0) == drifts


def test_drift_by_types():
    """Agents 0 and 1 of three share: only agent 1 finds its policy moved, by as much as if all shared."""
    assert [drift.types(own) for own in ((2, 2), (2, 3), (2, 2, 2))] == [(0, 0), (0, 1), (0, 0, 1)]
    case = random_case(np.random.default_rng(0), 50, 2, (2, 2, 2), 0.9)
    found = drift.start_by_type(case)
    assert not found.figures["first of its type"].any() and (found.figures["later one"] > 0).all()
    np.testing.assert_array_equal(found.printed, found.figures["later one"])
    assert (drift.start_shared(case).printed >= found.printed).all()
    assert not drift.start_blocks(case).printed.any()
    apart = drift.start_by_type(random_case(np.random.default_rng(0), 5, 2, (2, 3), 0.9))
    assert not apart.printed.any() and np.isnan(apart.figures["later one"]).all()
