"""Suites say what is run, and refuse what cannot be."""

from dataclasses import replace

import pytest

from coterie.campaign import plan, suite
from coterie.campaign.claims import Attains, Claim, Improves, Reaches, Simulator
from coterie.campaign.suite import Arena, Method
from coterie.contracts import CoterieError
from coterie.policy.recipes import Recipe


def test_jobs_are_methods_times_games_cheapest_first(suite):
    jobs = suite().jobs("laptop")
    assert [(job.method, job.game, job.steps) for job in jobs] == [
        ("mappo", "climb", 320), ("slow", "climb", 320), ("mappo", "penalty", 640), ("slow", "penalty", 640),
    ]  # fmt: skip
    assert jobs[0].place == "runs/mappo/climb" and jobs[0].seeds == (0, 1) and jobs[2].opened().payoff
    assert jobs[0].recipe.name == "mappo" and jobs[1].recipe.name == "slow"
    assert jobs[1].recipe.actor_fit.rate == 1e-5 and jobs[0].recipe.environments == 4
    assert [len(job.seeds) for job in suite().jobs("full")] == [10] * 4


@pytest.mark.parametrize("name", suite.shipped())
def test_a_suite_of_the_house_can_be_run_at_both_scales(name):
    for scale in suite.SCALES:
        document = plan.describe(suite.load(name), scale)
        assert document["runs"] and len({row["place"] for row in document["runs"]}) == len(document["runs"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": {}}, "suite tiny has no methods: name at least one"),
        ({"games": {}}, "suite tiny has no games: name at least one"),
        (
            {"methods": {"a b": Method("mappo"), "a-b": Method("mappo")}, "claims": ()},
            "methods whose names give the same directory",
        ),
        (
            {"claims": (Claim("x", "", "", Simulator("y")),) * 2},
            "suite tiny has two claims called 'x': rename one",
        ),
        (
            {"claims": (Claim("x", "", "", Reaches("mapo", "climb", 0.0)),)},
            "claim 'x' speaks of the method 'mapo': did you mean mappo?",
        ),
        (
            {"claims": (Claim("x", "", "", Attains("mappo", "clim", 0.0)),)},
            "claim 'x' speaks of the game 'clim': did you mean climb?",
        ),
    ],
)
def test_a_suite_that_contradicts_itself_is_refused(suite, changes, words):
    with pytest.raises(CoterieError, match="^[^\n]*" + words.replace("?", r"\?")):
        suite(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": {"m": Method("mapo")}}, "suite tiny, m on climb: there is no recipe 'mapo': did you mean mappo?"),
        ({"methods": {"m": Method("mappo", {"gama": 1})}}, "suite tiny, m on climb: mappo has no option 'gama'"),
        (
            {"methods": {"m": Method("mappo")}, "games": {"g": Arena("matrix/clim", 1, 1)}},
            "suite tiny, m on g: there is no game 'matrix/clim'",
        ),
        (
            {"methods": {"m": Method("mappo")}, "games": {"g": Arena("matrix/climb", 1, 1, {"agent": 3})}},
            "suite tiny, m on g: matrix/climb has no option 'agent'",
        ),
    ],
)
def test_unknown_names_are_told_with_their_place(suite, changes, words):
    with pytest.raises(CoterieError) as caught:
        plan.describe(suite(claims=(), **changes), "laptop")
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)


FILE = """
from coterie.campaign.suite import Arena, Method, Suite
suite = Suite("mine", "Mine.", {"mappo": Method("mappo")}, {"climb": Arena("matrix/climb", 100, 1000)})
"""


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    assert suite.load(str(path)).name == "mine"
    for text, words in (("suite = 3", "defines no suite"), ("1 / 0", "fails when it is read: ZeroDivisionError")):
        path.write_text(text)
        with pytest.raises(CoterieError, match=words):
            suite.load(str(path))
    with pytest.raises(CoterieError, match="there is no file"):
        suite.load(str(tmp_path / "none.py"))
    with pytest.raises(CoterieError, match="there is no suite 'dmo': did you mean demo"):
        suite.load("dmo")


def test_claims_are_judged_by_their_intervals():
    returns = {"a": {"g": [1.0, 1.1, 1.2, 1.3]}, "b": {"g": [0.0, 0.1, 0.2, 0.3]}}
    assert Improves("a", "b").judge(returns).standing == "reproduced"
    assert "P(a > b) = 1.00" in Improves("a", "b").judge(returns).evidence
    assert Improves("b", "a").judge(returns).standing == "not reproduced"
    assert Improves("a", "b", ("h",)).judge(returns).standing == "not run"
    assert Reaches("a", "g", 0.5).judge(returns).standing == "reproduced"
    assert Reaches("a", "g", 1.1).judge(returns).standing == "not reproduced"  # the mean does, its interval does not
    assert Reaches("c", "g", 1.1).judge(returns).standing == "not run"
    assert Attains("a", "g", 1.15, low=0.5, high=0.5).judge(returns).standing == "reproduced"
    assert Attains("a", "g", 1.15, low=0.6).judge(returns).standing == "not reproduced"
    assert Attains("a", "h", 1.15).judge(returns).standing == "not run"
    won = {"a": {"g": {"won": [0.9, 0.95]}}, "b": {"g": {"won": [0.5, 0.6]}, "h": {}}}
    assert "P(b > a) = 0.00" in Improves("b", "a", figure="won").judge(returns, won).evidence
    assert Improves("b", "a", ("h",), figure="won").judge(returns, won).standing == "not run"
    assert Attains("a", "g", 0.9, low=1.0, figure="won").judge(returns, won).standing == "reproduced"
    assert Attains("a", "g", 0.92, low=1.0, figure="won").judge(returns, won).standing == "not reproduced"
    assert Attains("a", "g", 0.9, figure="lost").judge(returns, won).standing == "not run"
    assert Simulator("StarCraft II").judge(returns) == ("needs the real simulator", "StarCraft II")


def test_a_directory_keeps_its_suite(suite, campaign):
    again = plan.claim_directory(campaign.directory, plan.describe(suite(), "laptop"))
    assert again.entries == campaign.entries and again.claims == suite().claims
    assert plan.recipe(again.entry("mappo", "climb")).rollout == 8 and isinstance(plan.recipe(again.entries[0]), Recipe)
    for changed, scale, words in (
        (suite(name="other"), "laptop", "another suite"),
        (suite(), "full", "another scale"),
        (suite(points=6), "laptop", r"as it was before it changed \(points\)"),
    ):
        with pytest.raises(CoterieError, match=words):
            plan.claim_directory(campaign.directory, plan.describe(changed, scale))
    fewer = suite(methods={"mappo": suite().methods["mappo"]}, claims=())
    slower = suite(games={"climb": replace(suite().games["climb"], laptop=32), "penalty": suite().games["penalty"]})
    for changed in (fewer, slower):
        with pytest.raises(CoterieError, match=r"as it was before it changed \("):
            plan.claim_directory(campaign.directory, plan.describe(changed, "laptop"))
    more = suite(methods={**suite().methods, "coppo": Method("coppo")}, claims=())
    assert len(plan.claim_directory(campaign.directory, plan.describe(more, "laptop")).entries) == 6
    assert plan.read(campaign.directory).claims == ()


def test_a_directory_of_another_version_or_none_is_refused(suite, campaign, tmp_path):
    document = {**plan.describe(suite(), "laptop"), "coterie": "0.0"}
    with pytest.raises(CoterieError, match="another version of coterie"):
        plan.claim_directory(campaign.directory, document)
    path = campaign.directory / plan.CAMPAIGN
    path.write_text('{"format": 99}')
    with pytest.raises(CoterieError, match="has format 99 and this coterie reads up to 1"):
        plan.read(campaign.directory)
    path.write_text('{"format": 1, "runs": [3]}')
    with pytest.raises(CoterieError, match="is not the record of a campaign"):
        plan.read(campaign.directory)
    with pytest.raises(CoterieError, match="holds no campaign"):
        plan.read(tmp_path)
    with pytest.raises(CoterieError, match="there is no directory"):
        plan.read(tmp_path / "none")
