"""Aggregates by hand, and every figure of rliable for the same scores and the same resamples."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.campaign import resampling
from coterie.campaign.statistics import (
    improvement_matrix,
    iqm,
    mean,
    median,
    normalise,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    sample_efficiency,
    stratified_bootstrap,
)
from coterie.contracts import CoterieError
from tests.campaign.make_rliable import CASES, TAUS, choices, curves, scores

RLIABLE = json.loads(Path(__file__).with_name("rliable.json").read_text())
AGGREGATES = (iqm, median, mean, optimality_gap, partial(optimality_gap, gamma=0.5))
SCORES = np.array([[0.0, 4.0], [1.0, 5.0], [2.0, 6.0], [3.0, 8.0]])  # 4 runs of 2 tasks
RAGGED = {"spread": [0.0, 1.0, 2.0], "line": [3.0], "circle": [5.0, 7.0]}


def agree(found, expected):
    for name in ("point", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), np.squeeze(expected[name]), rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_aggregates_are_those_of_rliable(case):
    data, expected = scores(case), RLIABLE["aggregates"][case]
    indices = choices(CASES[case], [data.shape])[0]
    for number, statistic in enumerate(AGGREGATES):
        wanted = {name: expected[name][number] for name in expected}
        agree(stratified_bootstrap(data, statistic, indices=indices), wanted)
        assert statistic(data) == pytest.approx(wanted["point"], abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_profiles_are_those_of_rliable(case):
    data = scores(case)
    indices = choices(100 + CASES[case], [data.shape])[0]
    agree(performance_profile(data, TAUS, indices=indices), RLIABLE["profiles"][case])


@pytest.mark.parametrize(("number", "pair"), list(enumerate(RLIABLE["improvement"])))
def test_probability_of_improvement_is_that_of_rliable(number, pair):
    x, y = map(scores, pair.split(","))
    indices = tuple(choices(200 + number, [x.shape, y.shape]))
    agree(probability_of_improvement(x, y, indices=indices), RLIABLE["improvement"][pair])


def test_sample_efficiency_is_that_of_rliable():
    # rliable resamples each point on its own, so its resamples have an axis more.
    indices = choices(300, [curves().shape])[0]
    agree(sample_efficiency(curves(), indices=indices), RLIABLE["efficiency"])


def test_aggregates_by_hand():
    # Means of the tasks 1.5 and 5.75. Of 0 1 2 3 4 5 6 8 the middle four are 2 3 4 5.
    assert mean(SCORES) == median(SCORES) == 3.625
    assert iqm(SCORES) == 3.5
    assert optimality_gap(SCORES, 4.0) == 4 - (1.5 + 4) / 2
    assert optimality_gap(SCORES) == 1 - (0 + 1 + 1 + 1 + 4) / 8


def test_the_interquartile_mean_cuts_whole_scores():
    assert iqm([[1.0, 2.0, 9.0]]) == 4.0  # ⌊3/4⌋ = 0: nothing
    assert iqm([[100.0, 1.0, 2.0, 3.0, -50.0]]) == 2.0  # ⌊5/4⌋ = 1 at each end


def test_the_median_is_of_tasks_not_of_runs():
    assert median(np.array([[0.0, 1.0, 10.0], [0.0, 3.0, 30.0]])) == 2.0


def test_tasks_with_unequal_runs_by_hand():
    # Means of the tasks 1, 3 and 6. Of 0 1 2 3 5 7 the middle four are 1 2 3 5.
    assert mean(RAGGED) == pytest.approx(10 / 3)
    assert median(RAGGED) == 3.0
    assert iqm(RAGGED) == 2.75
    assert optimality_gap(RAGGED, 2.0) == pytest.approx(2 - (1 + 2 + 2) / 3)
    assert stratified_bootstrap(RAGGED, iqm) == stratified_bootstrap(list(RAGGED.values()), iqm)
    assert performance_profile(RAGGED, [1.0, 4.0]).point == pytest.approx([(1 / 3 + 2) / 3, 1 / 3])


def test_a_bootstrap_by_hand():
    # One task with runs 0 and 1, resampled to 00, 01, 10, 11: means 0, ½, ½, 1. The quartiles lie at ranks ¾ and 2¼.
    indices = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[..., None]
    found = stratified_bootstrap(np.array([[0.0], [1.0]]), mean, confidence=0.5, indices=indices)
    assert found == pytest.approx((0.5, 0.375, 0.625))


def test_runs_are_resampled_within_their_task():
    low, high = np.full((6, 1), 1.0), np.full((6, 1), 9.0)
    assert stratified_bootstrap(np.hstack([low, high]), mean) == (5.0, 5.0, 5.0)


def test_one_seed_one_interval(monkeypatch):
    data = scores("normal")
    found = stratified_bootstrap(data, iqm, seed=3)
    assert found.low < found.point < found.high
    assert stratified_bootstrap(data, iqm, seed=3) == found
    assert stratified_bootstrap(data, iqm, seed=4) != found
    monkeypatch.setattr(resampling, "_CELLS", 1000)  # smaller blocks of the same resamples
    assert stratified_bootstrap(data, iqm, seed=3) == found
    wide = stratified_bootstrap(data, iqm, confidence=0.99, seed=3)
    assert wide.low < found.low and wide.high > found.high


def test_a_single_run_has_no_interval():
    point, low, high = stratified_bootstrap(SCORES[:1], iqm)
    assert point == 2.0 and np.isnan(low) and np.isnan(high)
    point, low, high = probability_of_improvement(SCORES[:1], SCORES[1:2])
    assert point == 0.0 and np.isnan(low) and np.isnan(high)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    random, hits = np.random.default_rng(0), 0
    for _ in range(300):
        found = stratified_bootstrap(random.normal(1.0, 2.0, (10, 8)), mean, reps=400)
        hits += found.low <= 1.0 <= found.high
    assert 0.89 < hits / 300 < 0.98


def test_profile_by_hand():
    found = performance_profile(SCORES, [-1.0, 1.0, 4.5, 8.0])
    assert found.point.tolist() == [1.0, 0.75, 0.375, 0.0]
    assert found.low[0] == found.high[0] == 1.0 and found.low[3] == found.high[3] == 0.0
    assert (found.low <= found.point).all() and (found.point <= found.high).all()


def test_sample_efficiency_by_hand():
    grown = np.stack([SCORES, SCORES + 1, SCORES * 2], axis=-1)
    found = sample_efficiency(grown, seed=5)
    assert found.point.tolist() == [3.5, 4.5, 7.0]
    # Whole curves are resampled, so the band moves with them.
    assert found.low == pytest.approx(found.low[0] * np.array([1, 1, 2]) + [0, 1, 0])
    assert tuple(np.array(found)[:, 0]) == stratified_bootstrap(SCORES, iqm, seed=5)


def test_probability_of_improvement_by_hand():
    # Task 1: 2 beats 1, ties 2, loses to 3; 3 beats two and ties one: (1.5 + 2.5) / 6. Task 2: all lose.
    x, y = [[2.0, 3.0], [0.0]], [[1.0, 2.0, 3.0], [1.0, 1.0]]
    assert probability_of_improvement(x, y).point == pytest.approx((4 / 6 + 0) / 2)
    assert probability_of_improvement(SCORES, SCORES).point == 0.5
    assert probability_of_improvement(SCORES + 9, SCORES) == (1.0, 1.0, 1.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_one_improves_as_much_as_the_other_does_not(x, y):
    there, back = (probability_of_improvement([a], [b], reps=1).point for a, b in ((x, y), (y, x)))
    assert there + back == pytest.approx(1.0)


def test_methods_are_compared_on_the_tasks_they_share():
    ours, theirs = {"a": [1.0, 1.0], "b": [0.0], "c": [5.0]}, {"d": [9.0], "b": [1.0, -1.0], "a": [0.0]}
    assert probability_of_improvement(ours, theirs).point == (1.0 + 0.5) / 2


def test_the_matrix_of_methods():
    methods = {"high": {"a": [3.0, 4.0]}, "low": {"a": [1.0, 2.0, 3.5]}, "elsewhere": {"b": [1.0, 2.0]}}
    names, point, low, high = improvement_matrix(methods, seed=2)
    assert names == ("high", "low", "elsewhere")
    assert point[:2, :2] == pytest.approx(np.array([[0.5, 5 / 6], [1 / 6, 0.5]]))
    assert (point[0, 1], low[0, 1], high[0, 1]) == probability_of_improvement(*list(methods.values())[:2], seed=2)
    assert (low[1, 0], high[1, 0]) == (1 - high[0, 1], 1 - low[0, 1])
    assert np.isnan(point[2, :2]).all() and np.isnan(point[:2, 2]).all() and point[2, 2] == 0.5


def test_normalising_by_hand():
    assert normalise(SCORES, 2.0, 4.0)[0].tolist() == [-1.0, 1.0]
    assert normalise(SCORES, [0.0, 4.0], [1.0, 8.0])[3].tolist() == [3.0, 1.0]
    assert normalise(np.stack([SCORES, SCORES + 1], -1), [0, 4], [1, 8])[0].tolist() == [[0.0, 1.0], [0.0, 0.25]]
    named = normalise(RAGGED, {"spread": 0, "line": 1, "circle": 4, "unused": 7}, {"spread": 2, "line": 5, "circle": 8})
    assert {name: task.tolist() for name, task in named.items()} == {
        "spread": [0.0, 0.5, 1.0], "line": [0.5], "circle": [0.25, 0.75]
    }  # fmt: skip
    assert [task.tolist() for task in normalise([[1, 2], [3]], 1, 2)] == [[0.0, 1.0], [2.0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: normalise(RAGGED, 0.0, {"spread": 1, "line": 0, "circle": 1}),
            r"task 'line' from 0 to 0: the reference",
        ),
        (lambda: normalise(SCORES, 1.0, np.nan), "task 0 from 1 to nan"),
        (
            lambda: normalise(RAGGED, {"spread": 0}, 1.0),
            "no bound for task 'line': give one number, one for each of the 3",
        ),
        (lambda: normalise(SCORES, [0, 0, 0], 1.0), "no bound for task 0"),
        (lambda: stratified_bootstrap(np.ones(3), iqm), r"scores have shape \(3,\): give \[runs, tasks\]"),
        (lambda: stratified_bootstrap({}, iqm), "there are no scores"),
        (lambda: stratified_bootstrap({"a": [1.0], "b": []}, iqm), "task 'b' has no scores"),
        (lambda: stratified_bootstrap({"a": [1.0, np.nan]}, iqm), "task 'a' has a score that is not finite"),
        (lambda: stratified_bootstrap({"a": ["high"]}, iqm), "scores must be numbers"),
        (
            lambda: sample_efficiency([np.ones((2, 3)), np.ones((2, 4))]),
            r"task 1 have shape \(4,\) .*first task \(3,\)",
        ),
        (lambda: stratified_bootstrap(SCORES, iqm, reps=0), "cannot have 0 resamples"),
        (lambda: stratified_bootstrap(SCORES, iqm, confidence=95), "cannot be 95: give a number between 0 and 1"),
        (lambda: stratified_bootstrap(SCORES, iqm, seed=-1), "seed of a bootstrap cannot be -1"),
        (lambda: stratified_bootstrap(SCORES, iqm, indices=np.zeros((5, 3, 2), int)), "each task, with 4, 4 runs"),
        (lambda: stratified_bootstrap(SCORES, iqm, indices=np.full((5, 4, 2), 4)), "below the number of runs"),
        (lambda: probability_of_improvement(SCORES, SCORES[:, :1]), "2 and 1 tasks, 1 in common"),
        (lambda: probability_of_improvement({"a": [1.0]}, {"b": [1.0]}), "1 and 1 tasks, 0 in common"),
        (lambda: probability_of_improvement(curves(), curves()), "choose a point of the curves"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, words):
    with pytest.raises(CoterieError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
