"""The command that checks the papers' claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coterie.cli.parser import option

if TYPE_CHECKING:
    from coterie.exact.judge import Judged


@dataclass(frozen=True)
class Exact:
    """Check the claims of the papers on random games that are solved exactly, and their stored counterexamples.

    example:  coterie exact --only perla_theorem_5 --games 100_000
    columns:  worst ratio is left side over right side of an inequality (it holds up to 1), or the relative error of an
              equation (it holds up to 1e-9); the same --games and --seed give the same numbers
    """

    games: int = option("random games for each claim", 13_500)
    seed: int = option("which random games", 0)
    only: str = option("one claim instead of all", "")
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Try all claims and print the table."""
        from coterie.cli.screen import say, table
        from coterie.exact.judge import judge, select

        rows = list(judge(select(self.only), self.games, self.seed))
        if not self.json:
            title = f"{len(rows)} claims, seed {self.seed}"
            cells = [[r.claim.name, r.claim.source, f"{r.games:,}", f"{r.worst:.3g}", _verdict(r)] for r in rows]
            say(table(title, ["claim", "source", "games", "worst ratio", "verdict"], cells))
            for row in rows:
                for line in _below(row):
                    say(line)
        return {"seed": self.seed, "claims": {row.claim.name: _plain(row) for row in rows}}


def _verdict(row: Judged) -> str:
    if row.verdict == "holds with changed constant":
        return f"{row.verdict}: {row.claim.mending} ({row.mended:.3g})"
    return f"{row.verdict}: {row.claim.vacuous[1]}" if row.claim.vacuous and "vacuous" in row.verdict else row.verdict


def _below(row: Judged) -> list[str]:
    """What is said of a row under the table: its counterexample, and further figures."""
    lines, name = [], row.claim.name
    if row.counterexample is not None:
        one = row.counterexample
        sizes = " x ".join(map(str, one["actions"]))
        lines.append(f"{name}: counterexample with {one['states']} state{'s' * (one['states'] > 1)}, {sizes} actions, "
                     f"gamma {one['gamma']:g}: {one['ratio']:.3g} (verified now)")  # fmt: skip
    if row.figures:
        shown = [f"{key} {median:.3g} (largest {top:.3g})" for key, (median, top) in row.figures.items()]
        lines.append(f"{name}: median {row.median:.3g}; {'; '.join(shown)}")
    return lines


def _plain(row: Judged) -> dict[str, Any]:
    figures = {key: {"median": median, "largest": top} for key, (median, top) in row.figures.items()}
    return {
        "source": row.claim.source, "says": row.claim.says, "kind": row.claim.kind, "games": row.games,
        "worst": row.worst, "median": row.median, "mended": row.mended, "mending": row.claim.mending or None,
        "verdict": row.verdict, "figures": figures, "counterexample": row.counterexample,
    }  # fmt: skip
