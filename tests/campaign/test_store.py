"""SQL over runs: the figures of the files, and nothing but reading."""

import json

import pytest

from coterie.campaign import plan
from coterie.campaign.exchange import from_marl_eval, to_marl_eval
from coterie.campaign.results import collect, evaluations
from coterie.campaign.store import STORE, ask
from coterie.contracts import CoterieError
from coterie.training.files import write_json


def finish(entry, returns, kl=(0.1, 0.2)):
    """What a run leaves, written by hand."""
    entry.directory.mkdir(parents=True)
    write_json(entry.directory / "run.json", {"recipe": entry.recipe, "game": {"options": entry.options}})
    greedy, sampled = {"returns": list(returns)}, {"returns": [x - 1 for x in returns]}
    write_json(entry.directory / "evaluation.json", {"seeds": entry.seeds, "greedy": greedy, "sampled": sampled})
    points = [
        {"step": step, "seed": seed, "kl": list(kl), "greedy_return": step / 100, "action_probability": [[0.5, 0.5]]}
        for step in (160, 320) for seed in entry.seeds
    ]  # fmt: skip
    (entry.directory / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (entry.directory / "timing.jsonl").write_text('{"seconds": 1.5, "step": 160}\n{"seconds": 0.5, "step": 320}\n')
    write_json(entry.directory / plan.FINISHED, {})


@pytest.fixture
def known(campaign):
    finish(campaign.entry("mappo", "climb"), (1.0, 3.0))
    return campaign


def test_every_table_says_what_the_files_say(known):
    room = known.directory
    assert ask(room, "select * from campaigns")[1] == [(".", "tiny", "laptop")]
    columns, rows = ask(room, "select method, game, steps, stage, seconds from runs order by directory")
    assert columns == ["method", "game", "steps", "stage", "seconds"]
    assert rows[0] == ("mappo", "climb", 320, "done", 2.0) and [row[3] for row in rows[1:]] == ["waiting"] * 3
    assert ask(room, "select seed, greedy, sampled from evaluations order by seed")[1] == [(0, 1.0, 0.0), (1, 3.0, 2.0)]
    assert ask(room, "select agent, avg(value) from points where metric = 'kl' group by 1 order by 1")[1] == [
        (0, pytest.approx(0.1)), (1, pytest.approx(0.2)),
    ]  # fmt: skip
    assert ask(room, "select max(value), any_value(agent) from points where metric = 'greedy_return'")[1] == [
        (3.2, None)
    ]
    assert ask(room, "select name, standing from claims order by name")[1] == [
        ("bounded", "reproduced"), ("faster", "not run"), ("war", "needs the real simulator"),
    ]  # fmt: skip


def test_newer_files_make_the_database_again(known):
    count = "select count(*) from evaluations"
    assert ask(known.directory, count)[1] == [(2,)]
    finish(known.entry("slow", "climb"), (0.0, 0.0))
    assert ask(known.directory, count)[1] == [(4,)]
    assert ask(known.directory, count, rebuild=True)[1] == [(4,)]
    assert [path.name for path in known.directory.glob("*duckdb*")] == [STORE]


def test_a_room_of_runs_without_a_campaign(known):
    entry = known.entry("mappo", "climb")
    document = {"recipe": {"name": "mappo", "environments": 4, "rollout": 8}, "game": {"name": "matrix/climb"}}
    write_json(entry.directory / "run.json", {**document, "schedule": {"iterations": 10}})
    rows = ask(entry.directory, "select directory, campaign, method, game, steps, stage from runs")[1]
    assert rows == [(".", "", "mappo", "matrix/climb", 320, "done")]


def test_a_damaged_run_and_a_foreign_campaign_cost_no_more_than_themselves(known, tmp_path):
    other = known.entry("slow", "climb").directory
    other.mkdir(parents=True)
    (other / "run.json").write_text('{"recipe": ')
    alone, foreign = tmp_path / "alone", tmp_path / "foreign"
    for directory, text in ((alone / "run.json", "{}"), (foreign / "campaign.json", '{"format": 99}')):
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.write_text(text)
    rows = ask(tmp_path, "select stage, count(*) from runs group by 1 order by 1")[1]
    assert rows == [("damaged", 2), ("done", 1), ("waiting", 2)]
    found = ask(tmp_path, "select scale from campaigns order by 1")[1]
    assert "format 99" in found[0][0] and found[1:] == [("laptop",)]


@pytest.mark.parametrize(
    "sql",
    ["drop table runs", "select 1; select 2", "", "copy runs to 'x.csv'", "attach 'x.db'", "insert into runs select 1"],
)
def test_what_does_not_read_is_refused(known, sql):
    with pytest.raises(CoterieError, match="^coterie query takes one statement that reads, such as select"):
        ask(known.directory, sql)


@pytest.mark.parametrize("sql", ["select", "select * from nothing", "select * from read_csv('/etc/passwd')"])
def test_what_fails_is_told_in_one_line(known, sql):
    with pytest.raises(CoterieError, match="^the query was refused: [^\n]*$"):
        ask(known.directory, sql)


def test_nothing_to_ask_about(tmp_path):
    with pytest.raises(CoterieError, match="holds no runs and no campaigns"):
        ask(tmp_path, "select 1")
    with pytest.raises(CoterieError, match="there is no directory"):
        ask(tmp_path / "none", "select 1")


def test_results_are_those_of_the_finished_runs(known):
    found = collect(known)
    assert list(found.final) == [("mappo", "climb")] and found.final["mappo", "climb"].mean == 2.0
    assert found.seconds == {("mappo", "climb"): 2.0} and found.returns == {"mappo": {"climb": [1.0, 3.0]}}
    assert found.games["climb"].reference == 2.0 and found.games["penalty"].reference is None
    summary = found.summary()
    assert summary["runs"][0]["returns"] == [1.0, 3.0] and summary["claims"][0]["name"] == "faster"


def test_evaluations_go_to_marl_eval_and_back(known):
    curves = evaluations(known)
    assert [(c.algorithm, c.seed, c.steps, c.returns, c.final) for c in curves] == [
        ("mappo", seed, (160, 320), ((1.6,), (3.2,)), (last,)) for seed, last in ((0, 1.0), (1, 3.0))
    ]
    assert from_marl_eval(to_marl_eval(curves)) == curves
