"""Foraging beside lbforaging: whole episodes that must be equal, and first boards that must be drawn alike.

    python benchmarks/foraging_parity.py --episodes 1000

Every variant plays ``episodes`` random episodes; observations, rewards, ends, places, food and valid actions are
compared exactly, and a difference ends the program. Needs the extra ``dev``. The counts, and the smallest p-value
of Pearson's tests on ``boards`` first boards of lbforaging, go to ``benchmarks/results/foraging_parity.json``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from coterie.games.foraging import MAPS
from coterie.training.files import write_json
from tests.oracles.foraging import compare, compare_starts

RESULTS = Path(__file__).parent / "results"
SPAWNED = ("5x5-2p-2f", "8x8-2p-2f-coop", "10x10-5p-3f", "10x10-8p-1f-coop")


def variants() -> dict:
    """The papers' maps; some of them with partial sight, a penalty, and other levels and rewards."""
    found = {name: opened(reward="individual", mask=True) for name, opened in MAPS.items()}
    for name in ("8x8-2p-2f-coop", "8x8-3p-3f", "10x10-8p-1f-coop"):
        found[f"{name}-2s"] = replace(found[name], sight=2)
    for name in ("8x8-3p-3f", "10x10-5p-3f"):
        found[f"{name}-pen"] = replace(found[name], penalty=0.1)
    levels = replace(found["5x5-2p-2f"], normalised=False, max_level=3, max_food_level=4)
    return found | {"5x5-2p-2f-levels": levels}


def main() -> None:
    """Compare and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--boards", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=Path, default=RESULTS / "foraging_parity.json")
    given = parser.parse_args()
    document = {"lbforaging": version("lbforaging"), "seed": given.seed, "differences": 0, "variants": {}, "boards": {}}
    for name, game in variants().items():
        document["variants"][name] = compare(game, given.episodes, given.seed)
        print(name, document["variants"][name], flush=True)
    for name in SPAWNED:
        chances = compare_starts(MAPS[name](), 20 * given.boards, given.boards, given.seed)
        least = min(chances, key=lambda figure: chances[figure])
        document["boards"][name] = {"drawn": given.boards, "tests": len(chances), "least_p": round(chances[least], 5)}
        print(name, document["boards"][name], least, flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    main()
