"""docs/papers.md: a row for each table, figure and theorem of the five papers, from the results that are committed.

    python docs/draw_papers.py

The rows and verdicts are those of ``coterie campaign run papers``; the suites' come from
``benchmarks/results/SUITE-suite.json``, the exact claims' from ``benchmarks/results/exact.json``.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

from coterie.campaign.claims import Verdict
from coterie.campaign.collection import RULE, Collection, load
from coterie.campaign.report import signs
from coterie.campaign.report.overview import signed
from coterie.campaign.suite import slug
from coterie.campaign.verdicts import Evidence, Row, answered
from coterie.training.files import read_json

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results"
TOP = """# The five papers

[Documentation](README.md) · [Campaigns](campaigns.md#all-five-papers) · [Results](results.md)

What five papers on cooperative learning say, in our words, and where it stands: one row for each table, figure,
theorem and other result. This is the first table of the report of

```
coterie campaign run papers
```

which takes about six hours of two cores at laptop scale. The page is made by `python docs/draw_papers.py` from the
committed files under `benchmarks/results/`, which hold what each suite ended with there and what `coterie exact` says.
"""


def page(collection: Collection) -> str:
    """The page in Markdown."""
    claims = {}
    for name in collection.opened():
        file = RESULTS / f"{slug(name)}-suite.json"
        found = read_json(file)["claims"] if file.exists() else []
        claims[name] = {one["name"]: Verdict(one["standing"], one["evidence"]) for one in found}
    proofs = read_json(RESULTS / "exact.json")["claims"]
    rows = [answered(item, claims, proofs) for item in collection.items]
    counts = Counter(row.answer for row in rows)
    said = ", ".join(f"{count} {signs.words(answer)}" for answer, count in counts.most_common())
    lines = [TOP, f"{RULE}", "", f"Of {len(rows)} rows: {said}."]
    for paper, inside in groupby(rows, key=lambda row: row.item.paper):
        lines += ["", f"## {paper}", "", "| where | what it says | verdict | evidence |", "|---|---|---|---|"]
        lines += [_line(row) for row in inside]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    several = len(row.evidence) > 1
    evidence = "<br>".join(_piece(one, several) for one in row.evidence)
    cells = (row.item.place, signed(row.item.says), f"**{signs.words(row.answer)}**", evidence)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _piece(one: Evidence, several: bool) -> str:
    lead = f"*{signs.words(one.answer)}*: " if several else ""
    source = f" ({'; '.join(part for part in (f'`{one.source}`', one.note) if part)})" if one.source else ""
    return f"{lead}{signed(one.words)}{source}"


def main() -> None:
    """Write."""
    collection = load("papers")
    assert isinstance(collection, Collection)
    (DOCS / "papers.md").write_text(page(collection))


if __name__ == "__main__":
    main()
