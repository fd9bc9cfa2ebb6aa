"""The commands for many runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coterie.cli.parser import option
from coterie.contracts import CoterieError

if TYPE_CHECKING:
    from coterie.campaign.engine import Result
    from coterie.campaign.plan import Entry, Plan
    from coterie.cli.screen import Bars


@dataclass(frozen=True)
class Campaign:
    """Run a suite (methods × games × seeds) or a collection of suites: run, resume, status, or list.

    a suite of the house:  coterie campaign run demo
    a suite of your own:   coterie campaign run my_suite.py --scale full --out campaigns/mine
    go on tomorrow:        coterie campaign resume campaigns/mine
    all five papers:       coterie campaign run papers
    """

    action: Literal["run", "resume", "status", "list"] = option("run, resume, status or list")
    name: str = option("suite or collection (run) or directory (resume, status)", "", positional=True)
    scale: Literal["laptop", "full"] = option("budgets for two cores, or as published", "laptop")
    out: str = option("directory (default: campaigns/SUITE-SCALE)", "")
    engine: Literal["local", "ray"] = option("processes of this machine, or a Ray cluster (extra: ray)", "local")
    address: str = option("address of a running Ray cluster (default: a new one on this machine)", "")
    workers: int = option("runs beside each other at most (0: as many as cores and memory carry)", 0)
    cores: int = option("cores of each run", 1)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Do what ``action`` says."""
        from coterie.campaign import collection, folder, plan, suite
        from coterie.cli.collection import go, status

        for name, value, least in (("workers", self.workers, 0), ("cores", self.cores, 1)):
            if value < least:
                raise CoterieError(f"--{name} is {value}: give at least {least}")
        if self.address and self.engine != "ray":
            raise CoterieError("--address is for --engine ray")
        if self.action == "list":
            return self._list()
        if not self.name:
            what = "suite, such as demo" if self.action == "run" else "directory"
            raise CoterieError(f"coterie campaign {self.action} needs a {what}")
        if self.action == "run":
            found = collection.load(self.name)
            out = Path(self.out or f"campaigns/{suite.slug(found.name)}-{self.scale}")
            if isinstance(found, collection.Collection):
                written = folder.describe(found, self.scale)
                return go(out, lambda: folder.claim(out, written), self._run, self.json)
            return self._go(out, plan.describe(found, self.scale))
        place = Path(self.name)
        if folder.holds(place):
            if self.action == "status":
                return status(folder.read(place), self.json)
            return go(place, lambda: folder.read(place), self._run, self.json)
        known = plan.read(place)
        return self._go(known.directory, known.document) if self.action == "resume" else self._status(known)

    def _go(self, directory: Path, document: dict[str, Any]) -> Any:
        from coterie.campaign import plan
        from coterie.training.lock import locked

        with locked(directory, "running a campaign"):
            known = plan.claim_directory(directory, document)
            result = self._run(known)
        found = self._status(known)
        if result.failed:
            first = result.failed[0]
            raise CoterieError(
                f"{len(result.failed)} of {len(known.entries)} runs failed, {first.method} on {first.game} first "
                f"({first.failure}); the others are kept: coterie campaign resume {directory} tries again"
            )
        return found

    def _run(self, known: Plan) -> Result:
        """On the engine that was asked for."""
        from coterie.campaign import engine
        from coterie.cli.screen import Bars

        with Bars() as bars:
            screen = Screen(known, bars)
            if self.engine == "ray":
                from coterie.campaign.ray_engine import on_ray

                return on_ray(known, screen.update, self.address, self.workers, self.cores)
            return engine.local(known, screen.update, self.workers, self.cores)

    def _status(self, known: Plan) -> Any:
        from coterie.campaign.results import collect
        from coterie.cli.screen import say

        results = collect(known)
        if not self.json:
            say(final_table(known, results))
            say(f"campaign: {known.directory}   report: coterie report {known.directory}")
        return {"campaign": str(known.directory), **results.summary()}

    def _list(self) -> Any:
        from coterie.campaign import collection, suite
        from coterie.cli.screen import say, table

        found = {name: collection.load(name) for name in (*suite.shipped(), *collection.shipped())}
        if not self.json:
            say(table("suites and collections", ["name", "size", "what it is"],
                      [[name, one.sizes, one.about] for name, one in found.items()]))  # fmt: skip
        return {name: {"about": one.about, "size": one.sizes} for name, one in found.items()}


def final_table(known: Plan, results: Any) -> Any:
    """Final greedy returns with intervals, one row for each run."""
    from coterie.cli.screen import spread, table

    rows = []
    for entry in known.entries:
        found = results.final.get((entry.method, entry.game))
        shown = [f"{found.mean:.2f}", spread(found.low, found.high)] if found else [entry.stage, entry.failure]
        rows.append([entry.game, entry.method, *shown])
    return table(f"{known.name}: greedy return, {len(known.entries[0].seeds)} seeds",
                 ["game", "method", "mean return", "95 % interval"], rows)  # fmt: skip


class Screen:
    """The runs under way and the whole, on stderr: bars in a terminal, a line for each finished run elsewhere."""

    def __init__(self, known: Plan, bars: Bars) -> None:
        self._bars = bars
        self._total = bars.add(f"[bold]{known.name}[/bold], {len(known.entries)} runs", 1.0)
        self._tasks: dict[Path, Any] = {}
        self._told = {entry.directory for entry in known.entries if entry.stage in ("done", "failed")}

    def update(self, running: Sequence[Entry], entries: Sequence[Entry]) -> None:
        """Show what is under way."""
        whole = sum(entry.steps for entry in entries)
        done = sum(entry.steps * entry.progress() for entry in entries)
        self._bars.set(self._total, done / whole)
        now = {entry.directory: entry for entry in running}
        for directory in set(self._tasks) - set(now):
            self._bars.remove(self._tasks.pop(directory))
        for directory, entry in now.items():
            if directory not in self._tasks:
                self._tasks[directory] = self._bars.add(f"  {entry.method} on {entry.game}", 1.0)
            self._bars.set(self._tasks[directory], entry.progress())
        for entry in entries:
            if entry.directory not in self._told and entry.directory not in now:
                self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        stage = entry.stage
        if stage in ("done", "failed"):
            self._told.add(entry.directory)
            self._bars.line(f"{stage}: {entry.method} on {entry.game}{': ' * bool(entry.failure)}{entry.failure}")
