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
              equation (it holds up to 1e-9); climbed is the same after hill-climbing from further games;
              the same --games, --seed and --climb give the same numbers
    """

    games: int = option("random games for each claim", 13_500)
    seed: int = option("which random games", 0)
    climb: int = option("steps of hill-climbing towards a violation", 100)
    only: str = option("one claim instead of all", "")
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Try all claims and print the table."""
        from rich.text import Text

        from coterie.cli.screen import say, table
        from coterie.exact.judge import document, judge, select

        rows = list(judge(select(self.only), self.games, self.seed, self.climb))
        if not self.json:
            title = f"{len(rows)} claims, seed {self.seed}"
            cells = [
                [r.claim.name, r.claim.source, f"{r.games:,}", f"{r.worst:.3g}", f"{r.climbed:.3g}", r.verdict]
                for r in rows
            ]
            say(table(title, ["claim", "source", "games", "worst ratio", "climbed", "verdict"], cells))
            for row in rows:
                for line in _below(row):
                    say(Text(line))
        return document(rows, self.seed)


def _below(row: Judged) -> list[str]:
    """What is said of a row under the table: what mends it or empties it, its counterexample, further figures."""
    from coterie.exact.claims import MENDED, VACUOUS

    lines, claim = [], row.claim
    if row.verdict == MENDED and row.mended is not None:
        lines.append(f"{claim.name} holds with {claim.mending}: worst {row.mended:.3g}")
    if row.verdict == VACUOUS and claim.vacuous is not None:
        lines.append(f"{claim.name} is vacuous: {claim.vacuous[1]}")
    if row.counterexample is not None:
        one = row.counterexample
        sizes = " x ".join(map(str, one["actions"]))
        lines.append(f"{claim.name} as printed: counterexample with {one['states']} state{'s' * (one['states'] > 1)}, "
                     f"{sizes} actions, gamma {one['gamma']:g}: {one['ratio']:.3g} (verified now)")  # fmt: skip
    if row.figures:
        shown = [
            f"{key} {one.median:.3g} (mean {one.mean:.3g}, largest {one.largest:.3g})"
            for key, one in row.figures.items()
        ]
        lines.append(f"{claim.name}: median {row.median:.3g}; {'; '.join(shown)}")
    return lines
