"""The page of a collection: its rows first, then its suites and where it all comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coterie.campaign.collection import RULE, Answer, shipped
from coterie.campaign.folder import Folder
from coterie.campaign.report import numbers, page, signs
from coterie.campaign.report.markup import EMPTY, Markup, card, join, paragraph, section, table, tag, text
from coterie.campaign.report.overview import signed
from coterie.campaign.suite import slug
from coterie.campaign.verdicts import Evidence, Reading, Row, judge
from coterie.training.files import write_bytes

REPORT = "report.html"
_ORDER: tuple[Answer, ...] = (
    "reproduced", "partly", "not reproduced", "needs the real simulator", "not tested", "not run",
)  # fmt: skip
_NAMES = {"rows": "What the papers say", "suites": "Suites", "provenance": "Provenance"}


def write(known: Folder, path: Path) -> dict[str, Any]:
    """Write the page, and the report of each suite into its directory; returns rows and suites as data.

    Raises:
        CoterieError: A place cannot be written.
    """
    for one in known.plans.values():
        page.write(one, one.directory / REPORT)
    reading = judge(known)
    write_bytes(path, render(reading).encode())
    return reading.summary()


def render(reading: Reading) -> str:
    """The page."""
    known = reading.folder
    papers = list(dict.fromkeys(row.item.paper for row in reading.rows))
    links = [tag("a", text(name), href=f"#{key}") for key, name in _NAMES.items()]
    body = (
        tag("a", text("Skip to the rows"), href="#rows", class_="skip"),
        _header(reading),
        tag("nav", *links, aria_label="Sections"),
        _legend(papers),
        tag("main", _rows(reading, papers), _suites(reading), _provenance(reading)),
        page.foot(known.document, "collection"),
    )
    return page.sheet(f"{known.name} · {known.document['scale']} · Coterie", len(papers), *body)


def _header(reading: Reading) -> Markup:
    known, suites = reading.folder, reading.suites()
    found = [row.answer for row in reading.rows]
    tiles = [(str(found.count(answer)), signs.words(answer)) for answer in _ORDER if answer in found]
    runs, done = sum(one["runs"] for one in suites), sum(one["done"] for one in suites)
    size = f"{len(found)} rows, {len(suites)} suites, {runs} runs, {known.document['scale']} scale"
    missing = [f"{runs - done} of {runs} runs are not done."] if done < runs else []
    lines = [*missing, *(_clean(known, problem) for problem in reading.problems)]
    return tag(
        "header",
        paragraph("Collection report", "eyebrow"),
        tag("h1", text(known.name)),
        paragraph(known.document["about"], "about"),
        paragraph(size, "size"),
        tag("dl", *(tag("div", tag("dt", text(name)), tag("dd", text(count))) for count, name in tiles),
            class_="tiles"),
        card(paragraph("Incomplete.", "said"), tag("ul", *(tag("li", text(line)) for line in lines)),
             class_="incomplete") if lines else EMPTY,
    )  # fmt: skip


def _clean(known: Folder, words: str) -> str:
    """A message without the place of the collection on this machine."""
    for place in (known.directory.resolve(), known.directory.absolute(), known.directory):
        words = words.replace(f"{place}/", "")
    return words


def _legend(papers: Sequence[str]) -> Markup:
    """A switch for each paper."""
    switches = [
        tag("label", tag("input", type="checkbox", id=f"method-{i}", checked=True, autocomplete="off"), text(name))
        for i, name in enumerate(papers)
    ]
    return tag("div", tag("span", text("Show"), class_="lead"), *switches, class_="legend", role="group",
               aria_label="Papers whose rows are shown")  # fmt: skip


def _rows(reading: Reading, papers: Sequence[str]) -> Markup:
    head = ("paper", "where", "what it says", "verdict", "evidence")
    body = [(str(papers.index(row.item.paper)), _cells(reading, row)) for row in reading.rows]
    inside = table("Each table, figure, theorem and other result, with its verdict", head, body, len(head))
    return section("rows", _NAMES["rows"], paragraph(RULE, "lede"), card(inside, class_="rows"))


def _cells(reading: Reading, row: Row) -> list[Markup]:
    several = len(row.evidence) > 1
    evidence = tag("ul", *(_evidence(reading, one, several) for one in row.evidence))
    verdict = tag(
        "p", signs.sign(row.answer), text(signs.words(row.answer)), class_=f"verdict {signs.style(row.answer)}"
    )
    return [text(row.item.paper), text(row.item.place), text(signed(row.item.says)), verdict, evidence]


def _evidence(reading: Reading, one: Evidence, several: bool) -> Markup:
    """Figures, their source (linked if it is a suite), and the note; with its own verdict if there are several."""
    lead = join([tag("b", text(signs.words(one.answer))), text(": ")]) if several else EMPTY
    source = EMPTY
    if one.source:
        words = text(one.source)
        plan = reading.folder.plans.get(one.suite)
        linked = tag("a", words, href=f"{plan.directory.name}/{REPORT}#claims") if plan else words
        source = join([text(" ("), linked, text("; " + one.note if one.note else ""), text(")")])
    return tag("li", lead, text(signed(one.words)), source, class_=signs.style(one.answer))


def _suites(reading: Reading) -> Markup:
    rows = []
    for one in reading.suites():
        about = reading.folder.plans[one["suite"]].document["about"]
        done = f"{one['done']} of {one['runs']}" + (f", {one['failed']} failed" if one["failed"] else "")
        link = tag("a", text(one["suite"]), href=f"{one['directory']}/{REPORT}")
        cells = [link, text(about), text(done), text(f"{one['reproduced']} of {one['claims']}"),
                 text(numbers.duration(one["seconds"]))]  # fmt: skip
        rows.append((None, cells))
    head = ("suite", "what it is", "runs done", "claims reproduced", "training")
    return section("suites", _NAMES["suites"], card(table("Each suite, with its own report", head, rows, 2)))


def _provenance(reading: Reading) -> Markup:
    known = reading.folder
    made = tag("pre", tag("code", text("\n".join(commands(known)))))
    facts = {"coterie": known.document.get("coterie", "")}
    proofs = reading.exact.get("claims", {})
    if proofs:
        facts["exact claims"] = f"{len(proofs)}, judged by coterie {reading.exact.get('coterie', '')}"
        facts["random games"] = f"seed {reading.exact.get('seed', '')}"
    rows = [tag("div", tag("dt", text(name)), tag("dd", text(value))) for name, value in facts.items()]
    note = paragraph("Versions, line-ups and references of the runs stand in the suites' own reports.", "note")
    own = EMPTY if known.name in shipped() else paragraph("The collection is a file of the user's own.", "note")
    return section("provenance", _NAMES["provenance"], card(tag("h3", text("How this was made")), made, own),
                   card(tag("h3", text("Versions")), tag("dl", *rows, class_="facts"), note))  # fmt: skip


def commands(known: Folder) -> list[str]:
    """What made the collection and the page, free of this machine's paths."""
    scale, place = known.document["scale"], known.directory.resolve().name
    name = known.name if known.name in shipped() else f"{slug(known.name)}.py"
    run = f"coterie campaign run {name}" + (f" --scale {scale}" if scale != "laptop" else "")
    out = f" --out campaigns/{place}" if place != f"{slug(known.name)}-{scale}" else ""
    return [run + out, f"coterie report campaigns/{place}"]
