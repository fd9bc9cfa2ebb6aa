"""The head of the page: what was run, how much of it is done, and what became of the claims."""

from __future__ import annotations

import re

from coterie.campaign.claims import Claim, Verdict
from coterie.campaign.report import looks, numbers, signs
from coterie.campaign.report.data import Material, State
from coterie.campaign.report.markup import EMPTY, Markup, card, grid, join, paragraph, section, tag, text

_MINUS = re.compile(r"(?<!\w)-(?=\d)")
_COUNTED: tuple[State, ...] = ("done", "under way", "waiting", "failed", "damaged")


def header(material: Material) -> Markup:
    """Title, size and state."""
    document, runs = material.plan.document, list(material.runs.values())
    seeds = sorted({len(run.entry.seeds) for run in runs})
    size = (
        f"{_count(len(material.methods), 'method')} × {_count(len(material.games), 'game')} × "
        f"{'–'.join(map(str, seeds))} {'seed' if seeds == [1] else 'seeds'}, {document['scale']} scale"
    )
    return tag(
        "header",
        paragraph("Campaign report", "eyebrow"),
        tag("h1", text(material.plan.name)),
        paragraph(document["about"], "about"),
        paragraph(size, "size"),
        _tiles(material),
        _unfinished(material),
    )


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


def _tiles(material: Material) -> Markup:
    runs = list(material.runs.values())
    done = sum(run.state == "done" for run in runs)
    standings = [verdict.standing for _, verdict in material.results.verdicts]
    taken = sum(run.steps[-1] * len(run.entry.seeds) for run in runs if run.steps.size)
    tiles = [
        (f"{done} of {len(runs)}", "runs done"),
        (numbers.short(taken) if taken else "0", "environment steps"),
        (numbers.duration(sum(material.results.seconds.values())), "of training, all runs added"),
    ]
    if standings:
        tiles.insert(0, (f"{standings.count('reproduced')} of {len(standings)}", "claims reproduced"))
    return tag("dl", *(tag("div", tag("dt", text(name)), tag("dd", text(value))) for value, name in tiles),
               class_="tiles")  # fmt: skip


def _unfinished(material: Material) -> Markup:
    """Nothing for a complete campaign; else how far it is, and why runs failed."""
    runs = list(material.runs.values())
    counts = {state: sum(run.state == state for run in runs) for state in _COUNTED}
    bad = [run for run in runs if run.state in ("failed", "damaged")]
    if counts["done"] == len(runs) and not material.problems:
        return EMPTY
    told = {run.error for run in bad}
    lines = [f"{run.entry.method} on {run.entry.game} {_was(run.state)}: {run.error}" for run in bad]
    lines += [problem for problem in material.problems if problem not in told]
    begun = sum(run.entry.progress() for run in runs if run.state in ("failed", "under way"))
    share = (counts["done"] + begun) / max(len(runs), 1)
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    whole = counts["done"] == len(runs)
    said = "All runs are done, but not every file could be read." if whole else f"Incomplete: {words}."
    bar = tag("div", tag("div", style=f"width:{100 * share:.1f}%"), class_="progress", aria_hidden="true")
    return card(
        paragraph(said, "said"),
        EMPTY if whole else bar,
        tag("ul", *(tag("li", text(line)) for line in lines)) if lines else EMPTY,
        class_="incomplete",
    )


def _was(state: State) -> str:
    return "failed" if state == "failed" else "is damaged"


def legend(material: Material) -> Markup:
    """A switch for each method, which works on the whole page."""
    switches = [
        tag("label", tag("input", type="checkbox", id=f"method-{i}", checked=True, autocomplete="off"), looks.swatch(i),
            text(name))
        for i, name in enumerate(material.methods)
    ]  # fmt: skip
    return tag("div", tag("span", text("Show"), class_="lead"), *switches, class_="legend", role="group",
               aria_label="Methods shown on this page")  # fmt: skip


def claims(material: Material) -> Markup:
    """Each claim with its verdict."""
    verdicts = material.results.verdicts
    if not verdicts:
        return section("claims", "Claims", paragraph("The suite tests no claim."))
    return section("claims", "Claims", grid([_claim(claim, verdict) for claim, verdict in verdicts]))


def _claim(claim: Claim, verdict: Verdict) -> Markup:
    here = "Needs" if verdict.standing == "needs the real simulator" else "Here"
    rows = (("Source", claim.source), ("Published", signed(claim.published) or "no figure"),
            (here, signed(verdict.evidence) or "no finished runs to judge by"))  # fmt: skip
    return card(
        tag("p", signs.sign(verdict.standing), text(verdict.standing), class_="verdict"),
        tag("h3", text(claim.name)),
        paragraph(signed(claim.says)),
        tag("dl", join(tag("div", tag("dt", text(key)), tag("dd", text(value))) for key, value in rows)),
        class_=f"claim {signs.style(verdict.standing)}",
    )


def signed(words: str) -> str:
    """Words whose negative numbers have a true minus sign, like the page's own."""
    return _MINUS.sub(numbers.MINUS, words)
