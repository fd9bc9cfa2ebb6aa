"""What a collection's directory says of each row. Only files are read; nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from coterie.campaign import folder
from coterie.campaign.claims import Verdict
from coterie.campaign.collection import Answer, Elsewhere, Item, Measured, Pointer, Proved, Said, Untested, answer
from coterie.campaign.folder import Folder
from coterie.campaign.results import Results, collect
from coterie.contracts import CoterieError
from coterie.exact.claims import FAILS, HOLDS, MENDED, VACUOUS
from coterie.training.files import plain

Claims = Mapping[str, Mapping[str, Verdict]]
"""Verdicts by suite and claim."""


class Evidence(NamedTuple):
    """A pointer followed: what it says, its figures, where it comes from, and what differs from the paper."""

    answer: Answer
    words: str
    source: str
    note: str
    suite: str = ""


class Row(NamedTuple):
    """A row with its answer."""

    item: Item
    answer: Answer
    evidence: tuple[Evidence, ...]


class Reading(NamedTuple):
    """A collection read. ``problems`` says in a line each what could not be; it counts as not run."""

    folder: Folder
    rows: tuple[Row, ...]
    results: dict[str, Results]
    exact: Mapping[str, Any]
    problems: tuple[str, ...]

    def suites(self) -> list[dict[str, Any]]:
        """How far each suite is."""
        found = []
        for name, one in self.results.items():
            stages = [entry.stage for entry in one.campaign.entries]
            standings = [verdict.standing for _, verdict in one.verdicts]
            found.append({
                "suite": name, "directory": one.campaign.directory.name, "runs": len(stages),
                "done": stages.count("done"), "failed": stages.count("failed"), "claims": len(standings),
                "reproduced": standings.count("reproduced"), "seconds": sum(one.seconds.values()),
            })  # fmt: skip
        return found

    def summary(self) -> dict[str, Any]:
        """Rows and suites as data: the same for the same files."""
        rows = [
            {"paper": row.item.paper, "place": row.item.place, "says": row.item.says, "standing": row.answer,
             "evidence": [{"standing": one.answer, "evidence": one.words, "source": one.source, "note": one.note}
                          for one in row.evidence]}
            for row in self.rows
        ]  # fmt: skip
        return plain({"items": rows, "suites": self.suites(), "problems": list(self.problems)})


def judge(known: Folder) -> Reading:
    """Read every campaign and the exact claims, and answer each row."""
    problems = list(known.problems)
    results = {name: collect(one) for name, one in known.plans.items()}
    problems += [problem for one in results.values() for problem in one.problems]
    try:
        proofs = folder.exact(known)
    except CoterieError as error:
        problems.append(str(error))
        proofs = {}
    claims = {name: {claim.name: verdict for claim, verdict in one.verdicts} for name, one in results.items()}
    rows = tuple(answered(item, claims, proofs.get("claims", {})) for item in known.items)
    return Reading(known, rows, results, proofs, tuple(problems))


def answered(item: Item, claims: Claims, proofs: Mapping[str, Any]) -> Row:
    """A row, its evidence followed to verdicts of suites and records of exact claims."""
    found = tuple(_follow(pointer, claims, proofs) for pointer in item.evidence)
    return Row(item, answer([one.answer for one in found]), found)


def _follow(pointer: Pointer, claims: Claims, proofs: Mapping[str, Any]) -> Evidence:
    match pointer:
        case Said():
            return _said(pointer, claims)
        case Proved():
            return _proved(pointer, proofs.get(pointer.claim))
        case Measured():
            return Evidence(pointer.answer, pointer.words, f"{pointer.command} ({pointer.file})", "")
        case Elsewhere():
            return Evidence("needs the real simulator", f"{pointer.simulator}: {pointer.why}", "", "")
        case Untested():
            return Evidence("not tested", pointer.why, "", "")


def _said(pointer: Said, claims: Claims) -> Evidence:
    source = f"{pointer.suite}: {pointer.claim}"
    known = claims.get(pointer.suite)
    if not known or pointer.claim not in known:
        words = "the campaign there has no such claim" if known else "the suite is not run"
        return Evidence("not run", words, source, pointer.note, pointer.suite)
    verdict = claims[pointer.suite][pointer.claim]
    words = verdict.evidence or "no finished runs to judge by"
    return Evidence(verdict.standing, words, source, pointer.note, pointer.suite)


def _proved(pointer: Proved, found: Any) -> Evidence:
    source = f"exact: {pointer.claim}"
    if found is None:
        return Evidence("not run", "not judged yet", source, pointer.note)
    try:
        verdict, words = found["verdict"], _figures(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Evidence("not run", "its record cannot be read", source, pointer.note)
    if verdict == pointer.asked:
        said: Answer = "reproduced"
    else:
        said = "partly" if pointer.asked == HOLDS and verdict in (MENDED, VACUOUS) else "not reproduced"
    return Evidence(said, words, source, pointer.note)


def _figures(found: Mapping[str, Any]) -> str:
    """An exact claim's verdict and the figure behind it."""
    verdict, measure = found["verdict"], "worst ratio" if found["kind"] == "bound" else "largest error"
    tried = f"{found['games']:,} games and climbs"
    one = found["counterexample"]
    worst = _number(max(_large(found["worst"]), _large(found["climbed"]), _large(one["ratio"]) if one else 0.0))
    if verdict == FAILS and one:
        sizes = " × ".join(str(int(count)) for count in one["actions"])
        return (
            f"{verdict} with {one['states']} state{'s' * (one['states'] > 1)}, {sizes} actions, γ = {one['gamma']:g}: "
            f"{measure.split()[-1]} {_number(_large(one['ratio']))}"
        )
    if verdict == MENDED:
        return (
            f"{verdict}, {found['mending']}: {tried}, {measure} {_number(_large(found['mended']))}, as printed {worst}"
        )
    return f"{verdict}: {tried}, {measure} {worst}"


def _large(value: float | None) -> float:
    """JSON has no infinity: it is null there."""
    return float("inf") if value is None else float(value)


def _number(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.3g}"
