"""The report: a page from whole, half-written and damaged campaigns, and the same page live."""

import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.campaign import plan
from coterie.campaign.claims import Claim, Improves, Reaches, Simulator
from coterie.campaign.report import looks, numbers, page, payoff, provenance, references, replays, serve
from coterie.campaign.report.data import gather, tabulate
from coterie.campaign.report.frame import apart
from coterie.campaign.suite import Arena, Method, Suite
from coterie.contracts import CoterieError, Scene, Shape
from coterie.policy.recipes import a2po, mappo, recurrent
from coterie.training.files import write_json
from coterie.training.replay import write_html

METHODS = {"mappo": Method("mappo"), "happo": Method("happo"), "a2po": Method("a2po")}
GAMES = {
    "particle/spread": Arena("particle/spread", laptop=320_000, full=10_000_000),
    "particle/line": Arena("particle/line", laptop=256_000, full=10_000_000),
    "matrix/penalty": Arena("matrix/penalty", laptop=128_000, full=500_000, options={"k": -50.0}),
}
CLAIMS = (
    Claim(
        "spread is learnt", "mappo closes half of the gap.", "the README", Reaches("mappo", "particle/spread", -70.0)
    ),
    Claim("turns help", "Agents in turn learn faster.", "Wang et al. 2023", Improves("a2po", "mappo"), "0.7"),
    Claim("line is solved", "mappo solves line.", "nobody", Reaches("mappo", "particle/line", 1000.0)),
    Claim("wins 3s5z", "All methods win.", "Wang et al. 2023, Table 1", Simulator("StarCraft II"), "100 %"),
)
SPANS = {"particle/spread": (-79.0, -30.0), "particle/line": (-40.0, -9.0), "matrix/penalty": (-20.0, 10.0)}
PAYOFF = [[-50.0, 0.0, 10.0], [0.0, 2.0, 0.0], [10.0, 0.0, -50.0]]


def fabricate(out: Path, done: int = 9, seeds: int = 5, **changes) -> plan.Plan:
    """A campaign's directory as its runs would have left it, without any training; the first ``done`` have finished."""
    parts = {"methods": METHODS, "games": GAMES, "claims": CLAIMS, **changes}
    suite = Suite(name="demo", about="Three methods on three games.", laptop_seeds=seeds, points=20, **parts)
    known = plan.claim_directory(out, plan.describe(suite, "laptop"))
    for number, entry in enumerate(known.entries[:done]):
        _run(entry, np.random.default_rng(number))
    for game in dict.fromkeys(entry.game for entry in known.entries[:done]):
        low, high = SPANS[game]
        random = {"returns": [low - 1, low + 1], "mean": low, "low": low - 2, "high": low + 2}
        matrix = game == "matrix/penalty"
        note = {
            "random": random,
            "optimum": high if matrix else None,
            "horizon": 1,
            "payoff": PAYOFF if matrix else None,
        }
        write_json(plan.game_file(out, game), note)
    return known


def _run(entry: plan.Entry, rng: np.random.Generator) -> None:
    low, high = SPANS[entry.game]
    speed = {"mappo": 0.1, "happo": 0.16, "a2po": 0.22}.get(entry.method, 0.1)
    agents = 2 if entry.game == "matrix/penalty" else 3
    steps = np.linspace(0, entry.steps, 21)[1:].astype(int)
    level = {seed: rng.normal(0.0, 0.04) for seed in entry.seeds}
    lines, timing = [], []
    for point, step in enumerate(steps):
        for seed in entry.seeds:
            share = (1 - np.exp(-speed * (point + 1))) * 0.95 + level[seed] + rng.normal(0, 0.02)
            gone = min(1.0, speed * point / 2)
            rest = [0.05, 0.05] if seed % 2 else [0.1, 0.1]
            first = [(1 - gone) / 3 + gone * r for r in (1 - sum(rest), *rest)]
            lines.append({
                "step": int(step), "seed": seed, "iteration": point, "episode_return": low + share * (high - low),
                "clip_fraction": list(rng.uniform(0.05, 0.2, agents)), "clip_range": list(np.full(agents, 0.2)),
                "kl": list(rng.uniform(0.002, 0.01, agents)), "entropy": list(np.full(agents, 1.6 - 0.05 * point)),
                "joint_ratio_mean": 1 + rng.normal(0, 0.01), "joint_ratio_max": rng.uniform(1.5, 4),
                "turn": [0.0] * agents if entry.method == "mappo" else list(rng.permutation(agents) * 0.4 + 0.3),
                "adaptive_penalty": 0.5 / (1 + point), "value_loss": 0.1, "greedy_return": None,
                "action_probability": [first, first[::-1]] + [first] * (agents - 2),
            })  # fmt: skip
        timing.append({"step": int(step), "seconds": 30.0 if point == 0 else 1.5, "steps_per_second": 40_000.0})
    _lines(entry.directory / "metrics.jsonl", lines)
    _lines(entry.directory / "timing.jsonl", timing)
    returns = [low + (0.9 * speed / 0.22 + level[seed]) * (high - low) for seed in entry.seeds]
    write_json(
        entry.directory / "evaluation.json", {"episodes": 8, "seeds": entry.seeds, "greedy": {"returns": returns}}
    )
    write_json(entry.directory / "run.json", {"format": 1, "versions": {"coterie": "0.1.0", "jax": "0.10.2"}})
    frames = [Scene((Shape("disc", 0.1 * t, 0.5, 0.1, "#4477AA"),), (0, 0, 1, 1), f"step {t}") for t in range(8)]
    write_html(entry.directory / "replay.html", {entry.method: frames, "random": frames}, f"{entry.method} & 'random'")
    write_json(entry.directory / "finished.json", {"seeds": entry.seeds, "steps": entry.steps})


def _lines(path: Path, records: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished campaign, its page and what it returned; nobody writes there."""
    known = fabricate(tmp_path_factory.mktemp("whole") / "demo-laptop")
    path = known.directory / "report.html"
    return known, page.write(known, path), path.read_text()


class Outline(HTMLParser):
    """Elements of a page in order, with a check that they are closed as they were opened."""

    def __init__(self, html):
        super().__init__()
        self.open, self.found, self.words = [], [], {}
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.found.append((tag, attributes, self.open[-1][0] if self.open else ""))
        if tag not in ("input", "meta", "link", "br", "hr"):
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"{tag} closes {self.open[-1]}"
        self.open.pop()

    def all(self, *names):
        return [attributes for tag, attributes, _ in self.found if tag in names]


def plain_text(html):
    body = re.sub(r"<(script|style|title|desc).*?</\1>|data-page='[^']*'", "", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_is_whole_and_in_order(whole):
    _, summary, html = whole
    outline = Outline(html)
    sections = [a["id"] for a in outline.all("section")]
    assert sections == ["claims", "final", "aggregates", "learning", "cost", "coordination", "payoff", "replays",
                        "provenance"]  # fmt: skip
    assert [a["href"] for a in outline.all("a")][1:] == [f"#{name}" for name in sections]
    assert len(summary["runs"]) == 9 and [c["standing"] for c in summary["claims"]] == [
        "reproduced", "reproduced", "not reproduced", "needs the real simulator",
    ]  # fmt: skip
    words = plain_text(html)
    assert "9 of 9 runs done" in re.sub(r"(\w+ \w+) (\d of \d)", r"\2 \1", words)
    assert "Incomplete" not in words
    assert len(html.encode()) < 1_000_000


def test_the_page_fetches_nothing(whole):
    html = whole[2]
    outline = Outline(html)
    policy = next(a["content"] for a in outline.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "connect-src" not in policy
    for attributes in (a for _, a, _ in outline.found):
        for name in ("src", "href", "action", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert "@import" not in html and not re.search(r"url\((?!#)", html)


def test_it_can_be_read_without_seeing_it(whole):
    outline = Outline(whole[2])
    ids = [a["id"] for _, a, _ in outline.found if "id" in a]
    assert len(ids) == len(set(ids))
    drawings = outline.all("svg")
    named = [a for a in drawings if a.get("role") == "img"]
    assert len(named) > 25 and all(a.get("aria-hidden") == "true" for a in drawings if a not in named)
    for attributes in named:
        assert set(attributes["aria-labelledby"].split()) <= set(ids)
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert all(a.get("scope") in ("row", "col") for a in outline.all("th"))
    assert all(a.get("title") and a["sandbox"] == "allow-scripts" for a in outline.all("iframe"))
    assert outline.all("html")[0]["lang"] == "en"


def test_methods_differ_by_more_than_colour():
    looks_of = {(looks.dash(i), looks.marker(i, 0, 0).split("class")[0]) for i in range(14)}
    assert len({looks.dash(i) for i in range(7)}) == 7
    assert len(looks_of) >= 7
    assert len({(looks.color(i), *sorted([str(looks.dash(i))])) for i in range(14)}) == 14


def test_the_same_files_give_the_same_bytes(whole):
    known, _, html = whole
    assert page.render(gather(plan.read(known.directory))) == html


def test_final_table_by_hand(whole):
    _, summary, html = whole
    run = next(r for r in summary["runs"] if (r["method"], r["game"]) == ("a2po", "matrix/penalty"))
    card = html[html.index('aria-label="Final returns on matrix/penalty"') :]
    row = plain_text(card[card.index(">a2po<") : card.index("</tr>", card.index(">a2po<"))])
    # Random team -20, optimum 10: a gap of 30.
    assert f"{(run['mean'] + 20) / 30:.2f}" in row and f"{10 - run['mean']:.1f}" in row
    assert row.split()[-1] == "5"
    assert "random team" in plain_text(card)[:900] and "optimum" in plain_text(card)[:900]


def test_a_campaign_that_has_not_begun(tmp_path):
    known = fabricate(tmp_path / "c", done=0)
    path = tmp_path / "c" / "report.html"
    summary = page.write(known, path)
    assert summary["runs"] == [] and summary["claims"][0]["standing"] == "not run"
    words = plain_text(path.read_text())
    assert "Incomplete: 9 waiting." in words and "No aggregates: no run is done yet." in words
    Outline(path.read_text())


def test_failed_damaged_and_half_written_runs(tmp_path):
    known = fabricate(tmp_path / "c", done=9)
    first, second, third, fourth, fifth, sixth, *_ = [entry.directory for entry in known.entries]
    (first / "finished.json").unlink()
    write_json(first / "failure.json", {"error": f"killed <b>by</b> the system, see {first}/log.txt"})
    (second / "evaluation.json").write_text('{"greedy": {"ret')
    (third / "finished.json").unlink()
    with (third / "metrics.jsonl").open("a") as file:
        file.write('{"step": 128000, "se')
    (fourth / "metrics.jsonl").write_text("{}\nnot json\n{}\n")
    (fifth / "timing.jsonl").unlink()
    (fifth / "replay.html").unlink()
    (fifth / "run.json").unlink()
    write_json(sixth / "evaluation.json", {"greedy": {"returns": [1.0, None]}})
    plan.game_file(known.directory, "particle/spread").write_text("[1, 2]")
    material = gather(plan.read(known.directory))
    states = [material.runs[e.method, e.game].state for e in known.entries]
    assert states == ["failed", "damaged", "under way", "done", "done", "damaged", "done", "done", "done"]
    assert material.runs[known.entries[2].method, known.entries[2].game].steps.size == 20
    html = page.render(material)
    Outline(html)
    words = plain_text(html)
    assert "Incomplete: 5 done, 1 under way, 1 failed, 2 damaged." in words
    assert "mappo on matrix/penalty failed: killed &lt;b&gt;by&lt;/b&gt; the system, see" in words
    assert "happo on matrix/penalty is damaged: runs/happo/matrix-penalty/evaluation.json is damaged" in words
    assert "is damaged at line 2" in words and "is no note about a game" in words
    assert str(tmp_path) not in html


def test_damage_elsewhere_leaves_a_complete_campaign_complete(tmp_path):
    known = fabricate(tmp_path / "c")
    (known.entries[0].directory / "timing.jsonl").write_text("nothing\n{}\n")
    material = gather(known)
    assert all(run.state == "done" for run in material.runs.values())
    assert "All runs are done, but not every file could be read." in plain_text(page.render(material))


@pytest.mark.parametrize(("changes", "why"), [
    ({"seeds": 1}, "an interval needs at least two seeds"),
    ({"games": {"particle/spread": Arena("particle/spread", 320_000, 1, reference=-100.0)}, "claims": ()},
     "whose random return and reference are known and apart"),
])  # fmt: skip
def test_no_aggregates_with_a_reason(tmp_path, changes, why):
    known = fabricate(tmp_path / "c", done=3 if "games" in changes else 9, **changes)
    html = page.render(gather(known))
    assert why in plain_text(html)
    Outline(html)


def test_one_method_on_one_game(tmp_path):
    one = {"methods": {"mappo": METHODS["mappo"]}, "games": {"particle/spread": GAMES["particle/spread"]}, "claims": ()}
    html = page.render(gather(fabricate(tmp_path / "c", done=1, **one)))
    Outline(html)
    words = plain_text(html)
    assert "it needs two methods" in words and "The suite tests no claim." in words


def test_names_are_text(tmp_path):
    evil = "<script>alert(1)</script>"
    suite = Suite(name=evil, about=evil, methods={evil: METHODS["mappo"]}, games={evil: GAMES["particle/spread"]})
    known = plan.claim_directory(tmp_path / "c", plan.describe(suite, "laptop"))
    html = page.render(gather(known))
    assert evil not in html
    Outline(html)


def test_bad_places(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CoterieError, match="holds no campaign"):
        plan.read(tmp_path / "empty")
    known = fabricate(tmp_path / "c", done=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(CoterieError, match="cannot write .*; choose a place that can be written"):
        page.write(known, tmp_path / "file" / "report.html")
    with pytest.raises(CoterieError, match="cannot write"):
        page.write(known, tmp_path)


def test_replays_stay_within_bounds(whole, monkeypatch):
    known = whole[0]
    sizes = [len(r.read_bytes()) for r in sorted(known.directory.glob("runs/*/*/replay.html"))]
    monkeypatch.setattr(replays, "LIMIT", 4 * max(sizes))
    html = page.render(gather(known))
    assert 3 <= html.count("<iframe") <= 4
    assert "Left out to keep this page small: " in html


def test_seeds_that_are_ahead_wait():
    points = [{"step": 1, "seed": 0, "a": 1.0}, {"step": 1, "seed": 1, "a": 2.0}, {"step": 2, "seed": 0, "a": 3.0}]
    steps, metrics = tabulate(points)
    assert steps.tolist() == [1.0] and metrics["a"].tolist() == [[1.0], [2.0]]
    ragged = [{"step": 1, "seed": 0, "v": [1, 2], "w": "x", "n": None}, {"step": 2, "seed": 0, "v": [1], "w": "x"}]
    steps, metrics = tabulate(ragged)
    assert steps.tolist() == [1.0, 2.0] and list(metrics) == ["n"] and np.isnan(metrics["n"]).all()
    assert tabulate([])[1] == {}


def test_path_over_the_matrix_by_hand(whole):
    run = gather(whole[0]).runs["mappo", "matrix/penalty"]
    way = payoff.path(run)
    assert way is not None and way.shape == (5, 20, 2)
    assert way[0, 0] == pytest.approx([1.0, 1.0])  # uniform: the middle of three actions
    first = run.metrics["action_probability"][0, -1]
    assert way[0, -1] == pytest.approx([first[1] @ [0, 1, 2], first[0] @ [0, 1, 2]])
    assert payoff.path(gather(whole[0]).runs["mappo", "particle/spread"]) is None
    shares = payoff.played(run, (3, 3))
    assert shares is not None and shares.sum() == pytest.approx(1.0)
    both = run.metrics["action_probability"][:, -1]
    assert shares[0, 2] == pytest.approx(np.mean(both[:, 0, 0] * both[:, 1, 2])) and payoff.played(run, (4, 4)) is None
    assert payoff.table({}) is None and payoff.table({"payoff": "x"}) is None


def test_numbers_as_words():
    assert numbers.figure(-29.34, 1) == "−29.3" and numbers.figure(-0.01, 1) == "0.0"
    assert numbers.figure(float("nan")) == numbers.figure(None) == "–"
    assert numbers.interval(-1, 2, 0) == "[−1, 2]" and numbers.interval(float("nan"), 1) == ""
    assert [numbers.short(x) for x in (0, 950, 320_000, 2_000_000)] == ["0", "950", "320k", "2M"]
    assert [numbers.duration(x) for x in (5, 300, 36_000)] == ["5 s", "5 min", "10.0 h"]
    assert numbers.ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert numbers.ticks(3, 3) == [3]
    assert numbers.label(0.25, 0.25) == "0.25" and numbers.label(-40.0, 10.0) == "−40"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_labels_keep_apart_and_inside(heights):
    places = sorted(apart(heights, 13.0, 0.0, 100.0))
    assert places[0] >= -1e-6 and places[-1] <= 100 + 1e-6
    assert all(b - a >= 12.9 for a, b in pairwise(places))


def test_references_of_parts():
    found = references.of_recipe(a2po())
    assert "arXiv:2302.06205" in found["a2po"][0] and "arXiv:1707.06347" in found["clip"][0]
    assert all(len(works) == 1 for part, works in found.items() if part in ("clip", "preceding_trace", "semi_greedy"))
    assert references.cited("Weights (IPPO, MAPPO).") == []
    assert references.cited("As in Wen et al. 2022.") == ["Wen et al. 2022"]
    assert any("Cho" in work for work in references.of_recipe(recurrent(mappo()))["network"])


def test_commands_are_free_of_this_machine(whole, tmp_path):
    assert provenance.commands(whole[0]) == ["coterie campaign run demo", "coterie report campaigns/demo-laptop"]
    other = fabricate(tmp_path / "mine", done=0)
    assert provenance.commands(other)[0] == "coterie campaign run demo --out campaigns/mine"
    assert str(whole[0].directory.parent) not in whole[2]


@contextmanager
def serving(directory):
    running = serve.server(directory, 0)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def ask(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read().decode()


def test_the_served_page_follows_the_files(tmp_path):
    known = fabricate(tmp_path / "c", done=8)
    with serving(known.directory) as url:
        before = json.loads(ask(f"{url}/status"))["state"]
        assert f'data-live="{before}"' in ask(url) and "connect-src" in ask(url)
        write_json(known.entries[8].directory / "failure.json", {"error": "out of memory"})
        after = json.loads(ask(f"{url}/status"))["state"]
        assert after != before
        html = ask(url)
        assert f'data-live="{after}"' in html and "out of memory" in html
        (known.directory / "campaign.json").write_text("{")
        assert "campaign.json is damaged" in ask(url)


def test_the_server_is_for_this_machine_alone(tmp_path):
    known = fabricate(tmp_path / "c", done=0)
    with serving(known.directory) as url:
        for place, headers, status in ((url, {"Host": "evil.example:80"}, 403), (f"{url}/../campaign.json", {}, 404)):
            with pytest.raises(urllib.error.HTTPError) as error:
                ask(place, **headers)
            assert error.value.code == status
        port = int(url.rpartition(":")[2])
        with pytest.raises(CoterieError, match=f"port {port} is in use: give another with --port"):
            serve.serve(known, port)
    with pytest.raises(CoterieError, match="give a number from 0 to 65535"):
        serve.serve(known, 70_000)


def test_interrupting_the_server_ends_it_quietly(tmp_path):
    known = fabricate(tmp_path / "c", done=0)
    words = [sys.executable, "-m", "coterie.cli", "serve", str(known.directory), "--port", "0"]
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests may ignore interrupts
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, preexec_fn=heeds) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert url and "demo" in ask(url[0])
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().strip() == ""
        assert process.wait(20) == 0


if __name__ == "__main__":
    fabricate(Path(sys.argv[1]))
