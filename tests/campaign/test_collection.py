"""Collections: every row of the five papers points to something, and a tiny collection is run, resumed and shown."""

import json
import re
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from coterie.campaign import collection, engine, folder, plan, suite, verdicts
from coterie.campaign.claims import Claim, Falls
from coterie.campaign.collection import Collection, Elsewhere, Item, Measured, Proved, Said, Untested, answer
from coterie.campaign.report import collected, signs
from coterie.cli import main
from coterie.contracts import CoterieError
from coterie.exact.claims import CLAIMS, FAILS
from coterie.training.files import write_json
from tests.campaign.test_report import Outline, plain_text

ROOT = Path(__file__).resolve().parents[2]
PAPERS = collection.load("papers")
assert isinstance(PAPERS, Collection)


def test_the_papers_run_every_suite_and_all_their_pointers_lead_somewhere():
    assert isinstance(PAPERS, Collection)
    assert set(PAPERS.opened()) == set(suite.shipped()) - {"demo"}
    exact = {claim.name for claim in CLAIMS}
    suites = PAPERS.opened()
    for item in PAPERS.items:
        for pointer in item.evidence:
            if isinstance(pointer, Said):
                assert pointer.claim in {claim.name for claim in suites[pointer.suite].claims}
            elif isinstance(pointer, Proved):
                assert pointer.claim in exact
            elif isinstance(pointer, Measured):
                assert (ROOT / pointer.file).is_file() and (ROOT / pointer.command.split()[1]).is_file()
            else:
                assert pointer.why.endswith(".")
        assert item.says.endswith((".", "?")) and item.place


@pytest.mark.parametrize(
    ("paper", "kind", "numbers"),
    [
        ("PERLA", "Theorem", range(1, 7)),
        ("PERLA", "Figure", range(1, 14)),
        ("PERLA", "Table", range(1, 5)),
        ("A2PO", "Table", (3, 5, 6)),
        ("A2PO", "Figure", (3, 4)),
        ("OMDPG", "Mechanism", range(1, 4)),
        ("OMDPG", "Next check", range(1, 4)),
        ("DPO", "Figure", range(1, 12)),
        ("DPO", "Table", (1, 2)),
        ("DPO", "Theorem", ("3.2", "3.3")),
        ("DPO", "Lemma", ("3.1",)),
        ("Lenient MAPG", "Figure", ()),
    ],
)
def test_no_numbered_result_of_a_paper_is_left_out(paper, kind, numbers):
    places = [item.place for item in PAPERS.items if item.paper == paper]
    found = {match[1] for place in places if (match := re.match(rf"{kind} (\d+(?:\.\d+)?)", place))}
    assert found == {str(number) for number in numbers}
    assert paper != "Lenient MAPG" or sum(place.startswith("Figure: ") for place in places) == 3


def test_quoted_figures_are_those_of_their_files():
    quoted = {pointer.file: pointer.words for item in PAPERS.items for pointer in item.evidence
              if isinstance(pointer, Measured)}  # fmt: skip
    read = {name: json.loads((ROOT / name).read_text()) for name in quoted}
    assert set(read) == {f"benchmarks/results/{name}.json" for name in ("tabular_q", "climb", "batch_mode")}

    batch = read["benchmarks/results/batch_mode.json"]
    rows = [row for row in batch["rows"] if row["recipe"] in ("ippo", "mappo", "perla_mappo")]
    assert {(row["agents"], row["actions"], row["clip"]) for row in rows} == {
        (n, a, clip) for n, a in ((2, 3), (4, 3), (20, 15)) for clip in (True, False)
    }
    assert len(rows) == 18 and not any(row["share_of_8"] for row in rows)
    assert (batch["seeds"], batch["iterations"]) == (20, 500)

    climb = read["benchmarks/results/climb.json"]["2x3"]["recipes"]
    for name, share in (("lenient_mappo", 90), ("lenient_mappo, every visit", 68)):
        assert climb[name]["share_in_optimum"] == share / 100 and climb[name]["seeds"] == 100
        assert f"{share} of 100" in quoted["benchmarks/results/climb.json"]

    games = read["benchmarks/results/tabular_q.json"]["games"]
    for game in ("climbing, fully stochastic", "climbing, partly stochastic"):
        for kind in ("lenient_q", "hysteretic_q"):
            for explores in ("epsilon-greedy", "Boltzmann"):
                best = max(
                    (found[explores] for name, found in games[game]["learners"].items() if name.startswith(kind)),
                    key=lambda one: one["share_in_optimum"],
                )
                low, high = (f"{100 * best[end]:.0f}" for end in ("low", "high"))
                words = f"{100 * best['share_in_optimum']:.0f} % [{low}, {high}]"
                assert words in quoted["benchmarks/results/tabular_q.json"], words


def test_the_page_of_the_papers_is_that_of_the_committed_results():
    spec = spec_from_file_location("draw_papers", ROOT / "docs" / "draw_papers.py")
    assert spec and spec.loader
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.page(PAPERS) == (ROOT / "docs" / "papers.md").read_text(), "python docs/draw_papers.py draws it anew"


R, P, N, W, A, U = "reproduced", "partly", "not reproduced", "not run", "needs the real simulator", "not tested"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((R,), R), ((R, R), R), ((N, N), N), ((P, P), P), ((A, A), A), ((U,), U), ((W, W), W),
        ((R, N), P), ((R, A), P), ((R, W), P), ((R, U), P), ((P, N), P), ((R, P), P),
        ((N, A), N), ((N, U, W), N),
        ((W, A), W), ((W, U), W), ((A, U), A),
    ],
)  # fmt: skip
def test_an_answer_follows_from_its_evidence(found, expected):
    assert answer(found) == answer(found[::-1]) == expected
    assert signs.words(expected) and signs.style(expected) and "<path" in signs.sign(expected)


def test_a_fall_is_one_if_the_intervals_are_apart():
    returns = {"a": {"g": [3.0, 3.1], "h": [1.0, 1.1], "wide": [-9.0, 9.0]}}
    assert Falls("a", ("g", "h")).judge(returns).standing == R
    assert "h: 1.05 [" in Falls("a", ("g", "h")).judge(returns).evidence
    assert Falls("a", ("h", "g")).judge(returns).standing == N
    assert Falls("a", ("g", "wide")).judge(returns).standing == N
    assert Falls("a", ("g", "none")).judge(returns).standing == W
    with pytest.raises(CoterieError, match="speaks of the game 'i'"):
        Claim("x", "", "", Falls("a", ("g", "i"))).check({"a"}, {"g"})


EVIL = "<script>alert(1)</script>"
ITEMS = (
    Item("One", "Theorem 1", "It holds.", (Proved("critic"), Proved("leniency_kept", FAILS, "as feared"))),
    Item("One", "Figure 1", "Payoffs are bounded.", (Said("first", "bounded", "on a matrix"),)),
    Item("Two", "Table 1", "It wins.", (Said("second", "war"), Said("second", "faster"), Untested("Too long."))),
    Item("Two", EVIL, EVIL, (Elsewhere("StarCraft II", "It is about battles."),)),
)
SCRIPT = """
import json, pathlib, sys
run, broken = pathlib.Path(sys.argv[1]), sys.argv[2]
(run / "begun.txt").open("a").write("x")
if broken:
    sys.exit("no module named nonsense")
(run / "evaluation.json").write_text(json.dumps({"greedy": {"returns": [1.0, 2.0]}}))
(run / "finished.json").write_text("{}")
"""


@pytest.fixture
def gathered(suite):
    """Two tiny suites and four rows."""
    return Collection("both", "Two of a kind.", (suite(name="first"), suite(name="second")), ITEMS)


@pytest.fixture
def scripted(monkeypatch):
    """Runs write at once what a run leaves; ``scripted("second")`` breaks those of one suite. Few exact games."""
    monkeypatch.setattr(folder, "GAMES", 30)
    monkeypatch.setattr(folder, "STEPS", 1)
    monkeypatch.setattr(engine, "POLL", 0.01)

    def choose(broken=""):
        def command(directory, entry, count):
            return [sys.executable, "-c", SCRIPT, str(entry.directory), broken if directory.name == broken else ""]

        monkeypatch.setattr(engine, "command", command)

    choose()
    return choose


@pytest.fixture
def house(monkeypatch, gathered):
    """The tiny collection goes by the name of one of the house."""
    real = collection.load
    monkeypatch.setattr(collection, "load", lambda name: gathered if name == "both" else real(name))


def begun(directory):
    return [len(path.read_text()) for path in sorted(directory.rglob("begun.txt"))]


def answers(found):
    return [item["standing"] for item in found["items"]]


def test_a_collection_is_run_once_shown_and_never_redone(scripted, house, tmp_path, monkeypatch, capsys):
    out = tmp_path / "both-laptop"
    assert main(["campaign", "run", "both", "--out", str(out), "--json", "--workers", "4"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert "2 exact claims, each on 30 games" in captured.err and "suite 2 of 2: second" in captured.err
    assert answers(found) == [R, R, N, A] and begun(out) == [1] * 8
    assert [(one["suite"], one["done"], one["runs"], one["reproduced"], one["claims"]) for one in found["suites"]] == [
        ("first", 4, 4, 1, 3), ("second", 4, 4, 1, 3),
    ]  # fmt: skip
    assert [one["standing"] for one in found["items"][2]["evidence"]] == [A, N, U]

    monkeypatch.setattr(folder, "judge", lambda *rest: pytest.fail("judged twice"))
    for words in (["run", "both", "--out", str(out)], ["resume", str(out)], ["status", str(out)]):
        assert main(["campaign", *words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == found
    assert begun(out) == [1] * 8
    assert main(["campaign", "status", str(out)]) == 0
    words = capsys.readouterr().out
    assert "Theorem 1" in words and "4 of 4" in words


def test_a_failing_suite_does_not_stop_the_others(scripted, house, tmp_path, capsys):
    scripted("first")
    assert main(["campaign", "run", "both", "--out", str(tmp_path / "b"), "--json"]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("coterie: 4 of 8 runs failed, mappo on climb of first first (no module named nonsense")
    known = folder.read(tmp_path / "b")
    assert {e.stage for e in known.plans["first"].entries} == {"failed"}
    assert {e.stage for e in known.plans["second"].entries} == {"done"}
    scripted()
    assert main(["campaign", "resume", str(tmp_path / "b"), "--json"]) == 0
    assert begun(tmp_path / "b") == [2] * 4 + [1] * 4


def test_ctrl_c_names_the_collection(scripted, gathered, tmp_path):
    known = folder.claim(tmp_path / "b", folder.describe(gathered, "laptop"))

    def interrupted(one):
        raise engine.Stopped(one.directory)

    with pytest.raises(CoterieError, match=f"go on with coterie campaign resume {tmp_path / 'b'}$"):
        folder.work(known, interrupted, lambda words: None)
    assert verdicts.judge(known).rows[0].answer == R  # the exact claims come first


def test_a_finished_campaign_that_is_moved_there_counts(scripted, suite, gathered, tmp_path):
    alone = plan.claim_directory(tmp_path / "alone", plan.describe(suite(name="first"), "laptop"))
    engine.local(alone, lambda running, entries: None)
    (tmp_path / "b").mkdir()
    shutil.move(tmp_path / "alone", tmp_path / "b" / "first")
    known = folder.claim(tmp_path / "b", folder.describe(gathered, "laptop"))
    ran = folder.work(known, lambda one: engine.local(one, lambda running, entries: None), lambda words: None)
    assert list(ran) == ["second"] and ran["second"].done == 4 and begun(tmp_path / "b") == [1] * 8


def test_the_page_begins_with_the_rows(scripted, house, tmp_path, capsys):
    out = tmp_path / "both-laptop"
    assert main(["campaign", "run", "both", "--out", str(out), "--json"]) == 0
    assert main(["report", str(out), "--json"]) == 0
    capsys.readouterr()
    html = (out / "report.html").read_text()
    outline = Outline(html)
    assert [a["id"] for a in outline.all("section")] == ["rows", "suites", "provenance"]
    assert html.index("<table") > html.index('id="rows"') and len(outline.all("caption")) == len(outline.all("table"))
    first = plain_text(html[html.index("<table") : html.index("</table>")])
    for item in ITEMS[:3]:
        assert first.count(item.place) == 1 and first.count(item.says) == 1
    assert re.search(r"holds: \d+ games and climbs, largest error", first) and "fails: counterexample with" in first
    assert "mean return 1.50" in first and "exact: leniency_kept; as feared" in first
    assert EVIL not in html and str(tmp_path) not in html
    inside = {"first/report.html", "second/report.html"}
    for attributes in (a for _, a, _ in outline.found):
        for name in ("src", "href", "action", "data", "poster"):
            place = attributes.get(name, "#")
            assert place.startswith(("#", "data:")) or place.partition("#")[0] in inside
    for place in inside:
        assert 'id="claims"' in (out / place).read_text()
    assert "@import" not in html and not re.search(r"url\((?!#)", html)
    assert [a.get("data-m") for a in outline.all("tr")][1:5] == ["0", "0", "1", "1"]
    assert "coterie campaign run both.py" in plain_text(html)
    assert collected.render(verdicts.judge(folder.read(out))) == html


def test_a_collection_that_has_not_begun_or_is_damaged(scripted, gathered, tmp_path):
    known = folder.claim(tmp_path / "b", folder.describe(gathered, "laptop"))
    assert [row.answer for row in verdicts.judge(known).rows] == [W, W, W, A]
    assert "8 of 8 runs are not done." in plain_text(collected.render(verdicts.judge(known)))
    (tmp_path / "b" / folder.EXACT).write_text("[]")
    (tmp_path / "b" / "first" / plan.CAMPAIGN).write_text("{")
    again = folder.read(tmp_path / "b")
    assert list(again.plans) == ["second"] and len(again.problems) == 1
    reading = verdicts.judge(again)
    assert [row.answer for row in reading.rows] == [W, W, W, A] and len(reading.problems) == 2
    words = plain_text(collected.render(reading))
    assert "first/campaign.json is damaged" in words and str(tmp_path) not in words
    with pytest.raises(CoterieError, match="is damaged"):
        folder.work(again, lambda one: pytest.fail("run"), lambda words: None)
    write_json(tmp_path / "b" / folder.EXACT, {"coterie": "0.0", "claims": {"critic": {"verdict": 3}}})
    assert verdicts.judge(again).rows[0].evidence[0].words == "its record cannot be read"


def test_other_directories_are_refused(suite, gathered, campaign, tmp_path):
    written = folder.describe(gathered, "laptop")
    with pytest.raises(CoterieError, match="holds a campaign of one suite"):
        folder.claim(campaign.directory, written)
    folder.claim(tmp_path / "b", written)
    for field, value, words in (("collection", "x", "another name"), ("scale", "full", "another scale"),
                                ("coterie", "0.0", "another version of coterie")):  # fmt: skip
        with pytest.raises(CoterieError, match=f"holds a collection of {words}"):
            folder.claim(tmp_path / "b", written._replace(document={**written.document, field: value}))
    changed = Collection("both", "", (suite(name="first", points=6), suite(name="second")))
    with pytest.raises(CoterieError, match=r"first as it was before it changed \(points\)"):
        folder.claim(tmp_path / "b", folder.describe(changed, "laptop"))
    with pytest.raises(CoterieError, match="holds a collection of campaigns: choose another"):
        plan.claim_directory(tmp_path / "b", plan.describe(suite(), "laptop"))
    with pytest.raises(CoterieError, match="holds a collection of campaigns: name one of its suites"):
        plan.read(tmp_path / "b")
    path = tmp_path / "b" / plan.COLLECTION
    for content, words in (({"format": 9}, "has format 9"), ({"format": 1}, "is not the record of a collection"),
                           ({"format": 1, "items": [], "suites": [{"suite": "x", "place": "../x"}]}, "no name of a"),
                           ({"format": 1, "items": [{"part": "item", "paper": 3}], "suites": []}, "paper cannot be"),
                           ({"format": 1, "items": [{"part": "os"}], "suites": []}, "does not know")):  # fmt: skip
        write_json(path, content)
        with pytest.raises(CoterieError, match=words):
            folder.read(tmp_path / "b")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"suites": ()}, "collection c has no suites"),
        ({"suites": ("clmb",)}, "collection c: there is no suite 'clmb': did you mean climb"),
        ({"suites": ("climb", "climb")}, "two suites that give the same directory"),
        ({"items": (ITEMS[1],)}, "c, One, Figure 1: no suite 'first' in it"),
        (
            {"items": (Item("A", "B", "C.", (Said("climb", "mapo on climb 2x10"),)),)},
            "did you mean mappo on climb 2x10",
        ),
        ({"items": (Item("A", "B", "C.", (Proved("critc"),)),)}, "A, B: there is no exact claim 'critc'"),
        ({"items": (Item("A", "B", "C.", ()),)}, "A, B: has no evidence"),
        ({"items": (ITEMS[3], ITEMS[3])}, "stands there twice"),
    ],
)
def test_a_collection_that_contradicts_itself_is_refused(changes, words):
    with pytest.raises(CoterieError, match=words):
        Collection(**{"name": "c", "about": "", "suites": ("climb",), **changes})


FILE = """
from coterie.campaign.collection import Collection, Item, Untested
collection = Collection("mine", "Mine.", ("demo",), (Item("P", "Table 1", "So.", (Untested("Not now."),)),))
"""


def test_names_and_files_of_ones_own(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    assert isinstance(collection.load(str(path)), Collection) and collection.load("demo").name == "demo"
    path.write_text("x = 3")
    with pytest.raises(CoterieError, match="defines no suite"):
        collection.load(str(path))
    assert main(["campaign", "run", "papres", "--json"]) == 2
    assert "there is no suite 'papres': did you mean papers?" in capsys.readouterr().err
    assert main(["campaign", "list", "--json"]) == 0
    assert "rows" in json.loads(capsys.readouterr().out)["papers"]["size"]
    assert PAPERS.items == tuple(
        folder.decode(Item, item) for item in json.loads(json.dumps([folder.encode(item) for item in PAPERS.items]))
    )


def test_sql_reads_the_campaigns_inside(scripted, gathered, tmp_path):
    pytest.importorskip("duckdb")
    from coterie.campaign.store import ask

    folder.claim(tmp_path / "b", folder.describe(gathered, "laptop"))
    found = ask(tmp_path, "select directory, suite from campaigns order by all")[1]
    assert found == [("b/first", "first"), ("b/second", "second")]
    assert ask(tmp_path / "b", "select count(*) from runs")[1] == [(8,)]
