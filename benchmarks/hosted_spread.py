"""The same recipe and budget on mpe2's simple_spread_v3, stepped on the host, and on particle/spread, compiled.

    python benchmarks/hosted_spread.py --seeds 5 --steps 200_000

Writes ``benchmarks/results/hosted_spread.json``: mean returns of the trained teams with 95 % intervals over seeds.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from coterie import catalogue
from coterie.api import train
from coterie.campaign.yardsticks import random_row
from coterie.compiled import cache
from coterie.training.files import write_json

FILE = Path(__file__).parent / "results" / "hosted_spread.json"
GAMES = {
    "particle/spread": ("particle/spread", {}),
    "mpe2 simple_spread_v3": ("mpe2:simple_spread_v3.parallel_env", {"reward": "sum"}),
}


def main() -> None:
    """Train both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=lambda s: int(s.replace("_", "")), default=200_000)
    parser.add_argument("--episodes", type=int, default=256)
    parser.add_argument("--out", type=Path, default=Path("runs/hosted_spread"))
    given = parser.parse_args()
    cache()
    shutil.rmtree(given.out, ignore_errors=True)
    document = {"recipe": "mappo", "seeds": given.seeds, "steps": given.steps, "episodes": given.episodes, "games": {}}
    for name, (game, options) in GAMES.items():
        began = time.perf_counter()
        run = train(catalogue.recipe("mappo"), game, given.seeds, given.steps, given.out / name.replace("/", "-"),
                    game_options=options, points=10, evaluations=0, episodes=1)  # fmt: skip
        seconds = time.perf_counter() - began
        found = run.assess(given.episodes)
        rows = {"greedy": found["greedy"], "sampled": found["sampled"],
                "random": random_row(run.game, run.seeds, given.episodes)}  # fmt: skip
        document["games"][name] = {"seconds": round(seconds)} | {
            team: {word: row[word] for word in ("returns", "mean", "low", "high")} for team, row in rows.items()
        }
        for team, row in rows.items():
            print(f"{name:24} {team:8} {row['mean']:8.2f}  [{row['low']:.2f}, {row['high']:.2f}]", flush=True)
        write_json(FILE, document)


if __name__ == "__main__":
    main()
