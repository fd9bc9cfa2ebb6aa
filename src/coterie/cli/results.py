"""The commands that look at many runs, and the one that searches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coterie.cli.parser import option
from coterie.contracts import CoterieError

if TYPE_CHECKING:
    from coterie.campaign.plan import Plan


@dataclass(frozen=True)
class Report:
    """Write a campaign's results as one HTML page that needs no network, or as the JSON that marl-eval reads."""

    directory: str = option("directory of a campaign or a collection")
    format: Literal["html", "marl-eval"] = option("html or marl-eval", "html")
    out: str = option("file (default: report.html or marl-eval.json in the directory)", "")
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Read the runs, judge the claims, draw."""
        from coterie.campaign import folder, plan
        from coterie.campaign.report.page import write
        from coterie.cli.collection import report
        from coterie.cli.screen import say

        if self.format == "html" and folder.holds(Path(self.directory)):
            return report(Path(self.directory), self.out, self.json)
        known = plan.read(Path(self.directory))
        if self.format == "marl-eval":
            return self._exchange(known)
        path = Path(self.out or known.directory / "report.html")
        summary = write(known, path)
        if not self.json:
            for claim in summary["claims"]:
                say(f"{claim['standing']}: {claim['name']}   {claim['evidence']}")
            say(f"report: {path} ({path.stat().st_size / 1e6:.1f} MB)")
        return {"report": str(path), **summary}

    def _exchange(self, known: Plan) -> Any:
        from coterie.campaign.exchange import to_marl_eval
        from coterie.campaign.results import evaluations
        from coterie.cli.screen import say
        from coterie.training.files import write_json

        curves = evaluations(known)
        if not curves:
            raise CoterieError(f"{known.directory} has no finished run yet: coterie campaign resume {known.directory}")
        path = Path(self.out or known.directory / "marl-eval.json")
        write_json(path, to_marl_eval(curves))
        if not self.json:
            say(f"{len(curves)} runs for marl-eval: {path}")
        return {"marl_eval": str(path), "runs": len(curves)}


@dataclass(frozen=True)
class Serve:
    """Show a campaign's report live in the browser while it runs (on this machine only)."""

    directory: str = option("campaign directory")
    port: int = option("port on the loopback address (0: any free one)", 8765)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Serve until Ctrl-C."""
        from coterie.campaign import plan
        from coterie.campaign.report.serve import serve

        return serve(plan.read(Path(self.directory)), self.port, quiet=self.json)


@dataclass(frozen=True)
class Query:
    """Ask the runs below a directory in SQL (extra: query): tables campaigns, runs, points, evaluations.

    example:  coterie query "select method, game, avg(greedy) from evaluations group by all" --dir campaigns/demo-laptop
    """

    sql: str = option("one statement that reads")
    dir: str = option("directory with campaigns or runs", "campaigns")
    rebuild: bool = option("build the database again from the files", False)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Print the answer as a table."""
        from coterie.campaign.store import ask
        from coterie.cli.screen import say, table

        columns, rows = ask(Path(self.dir), self.sql, self.rebuild)
        if not self.json:
            say(table(f"{len(rows)} rows", columns, [[_cell(value) for value in row] for row in rows]))
        return {"columns": columns, "rows": rows}


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Search:
    """Look for the best values of a recipe's fields (extra: sweep); a search that was stopped goes on.

    example:  coterie search mappo particle/spread --over "surrogate.epsilon=0.05:0.3 actor_fit.rate=log:1e-4:3e-3"
    fields:   FIELD=LOW:HIGH, FIELD=log:LOW:HIGH or FIELD=WORD,WORD, with spaces between
    """

    recipe: str = option("method, such as mappo")
    game: str = option("game, such as particle/spread")
    over: str = option("what to search", "")
    trials: int = option("trials in all", 20)
    seeds: int = option("seeds of each trial", 4)
    steps: int = option("environment steps of each seed", 200_000)
    out: str = option("directory (default: campaigns/search-RECIPE-GAME)", "")
    json: bool = option("print one JSON object on stdout", False)
    overrides: tuple[tuple[str, str], ...] = ()

    def run(self) -> Any:
        """Search and print the best trials."""
        from coterie.campaign.search import read_range, search
        from coterie.campaign.suite import slug
        from coterie.cli.parser import split
        from coterie.cli.screen import note, say, table

        out = Path(self.out or f"campaigns/search-{self.recipe}-{slug(self.game)}")
        found = search(
            self.recipe, self.game, [read_range(text) for text in self.over.split()], out, trials=self.trials,
            seeds=self.seeds, steps=self.steps, options=split(self.overrides, "recipe"),
            game_options=split(self.overrides, "game"),
            observer=lambda number, whole, value: note(f"trial {number} of {whole}: mean return {value:.2f}"),
        )  # fmt: skip
        if not self.json:
            fields = list(found.best)
            best = sorted(found.trials, key=lambda trial: -trial["value"])[:10]
            rows = [[f"{trial['value']:.2f}", *(trial["options"][field] for field in fields)] for trial in best]
            say(table(f"the best of {len(found.trials)} trials", ["mean return", *fields], rows))
        return {"search": str(out), "best": found.best, "value": found.value, "trials": found.trials}
