"""What ``coterie campaign`` and ``coterie report`` do with a collection of suites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coterie.contracts import CoterieError

if TYPE_CHECKING:
    from coterie.campaign.engine import Result
    from coterie.campaign.folder import Folder
    from coterie.campaign.plan import Plan
    from coterie.campaign.verdicts import Reading


def go(directory: Path, opened: Callable[[], Folder], run: Callable[[Plan], Result], json: bool) -> dict[str, Any]:
    """Run what is not done yet, suite after suite.

    Args:
        directory: Where.
        opened: Reads the directory, or writes it first.
        run: An engine.
        json: Whether to print no table.

    Raises:
        CoterieError: Runs failed; all others were done first.
    """
    from coterie.campaign.folder import work
    from coterie.cli.screen import note
    from coterie.training.lock import locked

    with locked(directory, "running a collection"):
        known = opened()
        results = work(known, run, note)
    found = status(known, json)
    failed = [(suite, entry) for suite, result in results.items() for entry in result.failed]
    if failed:
        suite, first = failed[0]
        count = sum(len(one.entries) for one in known.plans.values())
        raise CoterieError(
            f"{len(failed)} of {count} runs failed, {first.method} on {first.game} of {suite} first ({first.failure}); "
            f"the others are kept: coterie campaign resume {directory} tries again"
        )
    return found


def status(known: Folder, json: bool) -> dict[str, Any]:
    """How far each suite is, and every row with its answer; printed unless ``json``."""
    from coterie.campaign.verdicts import judge
    from coterie.cli.screen import say

    reading = judge(known)
    if not json:
        say(_rows(reading))
        say(_suites(reading))
        for problem in reading.problems:
            say(problem)
        say(f"collection: {known.directory}   report: coterie report {known.directory}")
    return {"collection": str(known.directory), **reading.summary()}


def report(directory: Path, out: str, json: bool) -> dict[str, Any]:
    """Write the page of a collection and the reports of its suites."""
    from coterie.campaign import folder
    from coterie.campaign.report.collected import REPORT, write
    from coterie.cli.screen import say

    path = Path(out or directory / REPORT)
    summary = write(folder.read(directory), path)
    if not json:
        for item in summary["items"]:
            say(f"{item['standing']}: {item['paper']}, {item['place']}")
        say(f"report: {path} ({path.stat().st_size / 1e6:.1f} MB), and one in the directory of each suite")
    return {"report": str(path), **summary}


def _rows(reading: Reading) -> Any:
    from coterie.cli.screen import table

    cells = [
        [row.item.paper, row.item.place, row.answer, "; ".join(one.words for one in row.evidence)]
        for row in reading.rows
    ]
    return table(f"{reading.folder.name}: {len(cells)} rows", ["paper", "where", "verdict", "evidence"], cells)


def _suites(reading: Reading) -> Any:
    from coterie.cli.screen import table

    cells = [
        [one["suite"], f"{one['done']} of {one['runs']}", str(one["failed"] or ""),
         f"{one['reproduced']} of {one['claims']}"]
        for one in reading.suites()
    ]  # fmt: skip
    return table("suites", ["suite", "runs done", "failed", "claims reproduced"], cells)
