"""Curves through the JSON of marl-eval and back, and what its reader makes of them."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.campaign.exchange import Curve, from_marl_eval, to_marl_eval
from coterie.contracts import CoterieError
from coterie.training.files import read_json, write_json

ONE = Curve("particle", "spread", "a2po", 3, (0, 500), ((-4.0, -2.0), (1.5, 2.5)), (2.0, 3.0, 4.0))
# The sample of marl-eval's documentation, as its logger and its tests write it: other cases, other metrics, clocks.
THEIRS = {
    "env_1": {
        "task_1": {
            "algo_1": {
                "43289": {
                    "STEP_1": {"step_count": 10006, "return": [1, 2, 3, 4], "win_rate": [0.8]},
                    "STEP_2": {"step_count": 20008, "return": [1, 2, 1, 2], "win_rate": [0.5]},
                    "ABSOLUTE_METRICS": {"return": [5, 8], "win_rate": [0.2]},
                },
                "seed_42": {
                    "absolute_metrics": {},
                    "step_10": {"step_count": 900, "elapsed_time": 3.5, "Return": [0.5]},
                    "step_9": {"step_count": 800.0, "elapsed_time": 3.0, "Return": [0.25]},
                },
            }
        }
    }
}


def grid(points=12):
    """Two algorithms on two tasks with three seeds."""
    random = np.random.default_rng(0)
    for task, algorithm, seed in product(("spread", "line"), ("A2PO", "mappo"), range(3)):
        returns = tuple(tuple(row) for row in random.normal(size=(points, 2)).tolist())
        yield Curve("particle", task, algorithm, seed, tuple(range(0, 10 * points, 10)), returns, (returns[-1][0],))


def test_a_curve_by_hand():
    assert to_marl_eval([ONE]) == {
        "particle": {
            "spread": {
                "a2po": {
                    "seed_3": {
                        "step_0": {"step_count": 0, "return": [-4.0, -2.0]},
                        "step_1": {"step_count": 500, "return": [1.5, 2.5]},
                        "absolute_metrics": {"return": [2.0, 3.0, 4.0]},
                    }
                }
            }
        }
    }


def test_their_sample_is_read():
    first, second = from_marl_eval(THEIRS)
    assert first == Curve("env_1", "task_1", "algo_1", 43289, (10006, 20008), ((1, 2, 3, 4), (1, 2, 1, 2)), (5, 8))
    assert second == Curve("env_1", "task_1", "algo_1", 42, (800, 900), ((0.25,), (0.5,)), ())
    finished = {"env_1": {"task_1": {"algo_1": {"43289": THEIRS["env_1"]["task_1"]["algo_1"]["43289"]}}}}
    assert from_marl_eval(finished, "win_rate")[0].returns == ((0.8,), (0.5,))


def _as_marl_eval_reads(document, metric="return"):
    """Final scores ``[runs, tasks]`` and curves ``[runs, tasks, points]`` of each algorithm, as marl-eval finds them.

    Written after the description of its reader: keys in lower case; the algorithms of the first task, the runs of its
    first algorithm and the steps of its first run, looked up everywhere; the mean of each list.
    """

    def lower(value):
        return {key.lower(): lower(item) for key, item in value.items()} if isinstance(value, dict) else value

    (tasks,) = lower(document).values()
    algorithms = list(next(iter(tasks.values())))
    runs = list(next(iter(tasks.values()))[algorithms[0]])
    steps = list(next(iter(tasks.values()))[algorithms[0]][runs[0]])
    (last,) = (step for step in steps if "absolute" in step)
    steps.remove(last)
    counts = [tasks[t][a][r][s]["step_count"] for t in tasks for a in algorithms for r in runs for s in steps]
    assert all(type(count) is int for count in counts)

    def value(algorithm, run, task, step):
        return np.mean(tasks[task][algorithm][run][step][metric])

    finals = {a: np.array([[value(a, r, t, last) for t in tasks] for r in runs]) for a in algorithms}
    curves = {a: np.array([[[value(a, r, t, s) for s in steps] for t in tasks] for r in runs]) for a in algorithms}
    return finals, curves


@pytest.mark.parametrize("ordered", [True, False])
def test_marl_eval_finds_each_number_where_it_belongs(tmp_path, ordered):
    given_curves = list(grid())
    document = json.loads(json.dumps(to_marl_eval(given_curves)))
    if not ordered:
        write_json(tmp_path / "out.json", document)  # sorts the keys
        document = read_json(tmp_path / "out.json")
    else:
        runs = document["particle"]["spread"]["A2PO"]
        assert [*runs["seed_0"]][-1] == "absolute_metrics"  # where its older readers look
    finals, curves = _as_marl_eval_reads(document)
    tasks = list(document["particle"])
    for curve in given_curves:
        place = curve.algorithm.lower(), curve.seed, tasks.index(curve.task)
        assert finals[place[0]][place[1:]] == curve.final[0]
        np.testing.assert_allclose(curves[place[0]][place[1:]], np.mean(curve.returns, axis=1))


def test_marl_eval_itself_reads_it(capsys):
    """Where it is installed: pip install --no-deps --target DIR id-marl-eval==0.0.4 colorama, and DIR in PYTHONPATH."""
    reader = pytest.importorskip("marl_eval.utils.data_processing_utils")
    diagnosis = pytest.importorskip("marl_eval.utils.diagnose_data_errors")
    document = json.loads(json.dumps(to_marl_eval(grid())))
    assert all(all(found.values()) for found in diagnosis.DiagnoseData(document).check_data().values())
    processed = reader.data_process_pipeline(document, metrics_to_normalize=[])
    finals, curves = reader.create_matrices_for_rliable(processed, "particle", metrics_to_normalize=[])
    extra = curves.pop("extra")
    assert (extra["number_of_runs"], extra["number_of_steps"]) == (3, 12)
    assert extra["algorithm_list"] == ["a2po", "mappo"]
    expected_finals, expected_curves = _as_marl_eval_reads(document)
    for algorithm in ("a2po", "mappo"):
        np.testing.assert_allclose(finals["mean_return"][algorithm], expected_finals[algorithm])
        np.testing.assert_allclose(curves["mean_return"][algorithm], expected_curves[algorithm])
    scaled = reader.data_process_pipeline(document, metrics_to_normalize=["return"])
    finals, _ = reader.create_matrices_for_rliable(scaled, "particle", metrics_to_normalize=["return"])
    assert all(table.min() >= 0 and table.max() <= 1 for table in finals["mean_norm_return"].values())
    assert "issue" not in capsys.readouterr().out


numbers = st.floats(-1e6, 1e6)
points = st.lists(st.tuples(st.integers(0, 10**9), st.lists(numbers, min_size=1, max_size=3).map(tuple)), min_size=1,
                  max_size=12, unique_by=lambda point: point[0]).map(sorted)  # fmt: skip
runs = st.builds(
    lambda seed, rows, final: Curve("e", "t", "a", seed, *map(tuple, zip(*rows, strict=True)), final),
    st.integers(0, 10**9), points, st.lists(numbers, min_size=1, max_size=3).map(tuple),
)  # fmt: skip


@given(runs, st.sampled_from(["return", "win_rate"]))
def test_there_and_back(curve, metric):
    assert from_marl_eval(json.loads(json.dumps(to_marl_eval([curve], metric))), metric) == [curve]


def test_many_there_and_back():
    assert from_marl_eval(to_marl_eval(grid())) == list(grid())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"algorithm": "a2po, shared"}, "particle/spread/a2po, shared/seed_3: .* no algorithm have a comma"),
        ({"task": ""}, "none may be empty"),
        ({"environment": "Extra"}, "no environment be called extra"),
        ({"seed": -1}, "no seed be negative"),
        ({"steps": (0,)}, "seed_3 has 1 steps and 2 evaluations"),
        ({"steps": (), "returns": ()}, "seed_3 has 0 steps and 0 evaluations"),
        ({"steps": (500, 500)}, "must count up from 0, each once: 500, 500"),
        ({"steps": (-1, 500)}, "must count up from 0"),
        ({"returns": ((1.0,), ())}, "particle/spread/a2po/seed_3 has no finite return at 500"),
        ({"returns": ((1.0,), (2.0, float("nan")))}, "no finite return at 500"),
        ({"final": ()}, "no finite return at the end"),
    ],
)
def test_a_curve_that_marl_eval_could_not_read_is_refused(changes, words):
    with pytest.raises(CoterieError, match=words) as caught:
        to_marl_eval([ONE._replace(**changes)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (ONE, "two curves of particle/spread/a2po/seed_3"),
        (ONE._replace(algorithm="A2PO"), "cannot tell 'A2PO' of particle/spread/A2PO/seed_3 from 'a2po'"),
        (ONE._replace(task="line", algorithm="mappo"), "same algorithms in each task of particle: a2po is not both"),
        (
            ONE._replace(algorithm="mappo", seed=4),
            "seeds in all of particle: seed_3 is not both in spread and spread/map",
        ),
        (ONE._replace(seed=4, steps=(0,), returns=((1.0,),)), "evaluations in each run of particle, found 1 to 2"),
    ],
)
def test_unlike_runs_are_refused(other, words):
    with pytest.raises(CoterieError, match=words):
        to_marl_eval([ONE, other])


def test_environments_may_differ_and_the_metric_keeps_its_name():
    assert len(to_marl_eval([ONE, ONE._replace(environment="matrix", task="climb", seed=8)])) == 2
    with pytest.raises(CoterieError, match="cannot be called 'step_count'"):
        to_marl_eval([ONE], "step_count")


def _document(**changes):
    run = to_marl_eval([ONE])["particle"]["spread"]["a2po"]["seed_3"]
    return {"particle": {"spread": {"a2po": {"seed_3": run | changes}}}}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "^the document is empty: expected environment/task/algorithm/run/step"),
        ("text", "^the document is 'text'"),
        ({"e": {"t": [1]}}, r"^e/t is \[1\]: expected"),
        ({"e": {"t": {"a": {}}}}, "^e/t/a is empty"),
        ({"e": {"t": {"a": {"best": {}}}}}, "^e/t/a/best is no name of a run: expected run_3, seed_3 or 3$"),
        ({"e": {"t": {"a": {"run_1": {"absolute_metrics": {"return": [1]}}}}}}, "^e/t/a/run_1 has no evaluation"),
        (_document(step_1={"return": [1.0]}), "seed_3/step_1/step_count is None: expected a finite number"),
        (_document(step_1={"step_count": 1.5, "return": [1.0]}), "step_count is 1.5: expected a whole number"),
        (_document(step_1={"step_count": True, "return": [1.0]}), "step_count is True: expected a finite number"),
        (_document(step_1={"step_count": 0, "return": [1.0]}), "seed_3 must count up from 0, each once: 0, 0"),
        (_document(step_1={"step_count": 7, "retrun": [1.0]}), "step_1 has no metric 'return': did you mean retrun?"),
        (_document(step_1={"step_count": 7}), "step_1 has no metric 'return': it has none"),
        (_document(step_1={"step_count": 7, "return": 1.0}), "step_1/return is 1.0: expected a list"),
        (_document(step_1={"step_count": 7, "return": []}), r"step_1/return is \[\]: expected a list"),
        (_document(step_1={"step_count": 7, "return": [None]}), "step_1/return is None: expected a finite number"),
        (_document(step_1={"step_count": 7, "return": [float("inf")]}), "step_1/return is inf"),
        (_document(step_1={"step_count": 7, "return": [10**400]}), "step_1/return is 1000"),
        (_document(step_1=[7]), r"particle/spread/a2po/seed_3/step_1 is \[7\]"),
        (_document(absolute_metrics={"win_rate": [1.0]}), "metrics has no metric 'return': choose from win_rate"),
        ({"e": {"t": {"a": dict.fromkeys(("run_1", "1"), _document()["particle"]["spread"]["a2po"]["seed_3"])}}},
         "^two runs of e/t/a have the same number"),
    ],
)  # fmt: skip
def test_a_damaged_document_is_refused_with_the_place(document, words):
    with pytest.raises(CoterieError, match=words) as caught:
        from_marl_eval(document)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200
