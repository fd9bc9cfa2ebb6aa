"""Print the tables of docs/performance.md from benchmarks/results/speed.json.

python benchmarks/table.py
"""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).parent / "results" / "speed.json"
ELSEWHERE = {
    "recurrent-mappo-16x128": "2.8–3.1k", "recurrent-mappo-128x25": "4.5k", "recurrent-ippo-16x128": "6.4k",
    "recurrent-ippo-128x25": "9.5k", "forward-ippo-16x128": "43–55k", "forward-ippo-128x25": "50k",
}  # fmt: skip


def cell(found: dict[str, float], key: str, form: str) -> str:
    """One figure, or a dash."""
    return form.format(found[key]) if key in found else "–"


def main() -> None:
    """Print."""
    document = json.loads(FILE.read_text())
    results = document["results"]
    columns = ["benchmark", "steps/s (slowest – fastest round)", "elsewhere", "ms: environment / act / update",
               "GFLOP/s of update", "of the peak"]  # fmt: skip
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name, found in results.items():
        split = " / ".join(cell(found, key, "{:.0f}") for key in ("environment_ms", "act_ms", "update_ms"))
        rate = f"**{found['steps_per_second']:,.0f}** ({found['slowest']:,.0f} – {found['fastest']:,.0f})"
        print(f"| `{name}` | {rate} | {ELSEWHERE.get(name.removeprefix('devices-'), '')} | {split} | "
              f"{cell(found, 'update_gflops', '{:.0f}')} | {cell(found, 'share_of_peak', '{:.0%}')} |")  # fmt: skip
    print()
    for agents in (3, 8):
        base = results[f"sequential-mappo-{agents}"]["update_ms"]
        ratios = [
            f"{name} {results[f'sequential-{name}-{agents}']['update_ms'] / base:.2f}" for name in ("happo", "a2po")
        ]
        print(f"update over mappo's, {agents} agents: {', '.join(ratios)}")
    for kind in ("seeds", "recurrent-seeds"):
        print(
            f"{kind}: 8 cost {results[f'{kind}-8']['milliseconds'] / results[f'{kind}-1']['milliseconds']:.2f} times 1"
        )
    print(json.dumps(document["start"]))


if __name__ == "__main__":
    main()
