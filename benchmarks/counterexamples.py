"""Look for counterexamples to the papers' claims by hill-climbing, and store the shortest that was found.

    python benchmarks/counterexamples.py [CLAIM ...]

Every climb starts from seeded random games, from the smallest size up. Writes
``src/coterie/exact/counterexamples.json``, which ``coterie exact`` verifies at each call.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from coterie.exact.claims import CLAIMS, HOLDS, VACUOUS
from coterie.exact.judge import encode
from coterie.exact.search import counterexample

STORE = Path(__file__).parents[1] / "src" / "coterie" / "exact" / "counterexamples.json"


def main(names: list[str]) -> None:
    """Search for every claim that is expected to fail as printed, or for those that are named."""
    known = {claim.name for claim in CLAIMS}
    kept = {name: case for name, case in json.loads(STORE.read_text()).items() if name in known}
    for claim in CLAIMS:
        if claim.name not in names if names else claim.expected in (HOLDS, VACUOUS):
            continue
        case = counterexample(claim)
        if case is None:
            kept.pop(claim.name, None)
            print(f"{claim.name}: none found")
            continue
        kept[claim.name] = encode(case)
        print(
            f"{claim.name}: {case.game.states} states, {case.game.actions}, {claim.check(case).printed[0]:.4g}",
            flush=True,
        )
    rows = [f'"{name}": {json.dumps(kept[name])}' for name in sorted(kept)]
    STORE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
