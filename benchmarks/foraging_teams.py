"""Returns of a random team and of the scripted one on the papers' foraging maps, as docs/games.md tells them.

    python benchmarks/foraging_teams.py --episodes 512

Means of team returns with standard errors go to ``benchmarks/results/foraging_teams.json``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import jax
import numpy as np

from coterie.games.foraging import MAPS
from coterie.games.foraging_team import gather
from coterie.games.scripted import random_team
from coterie.training.evaluate import play
from coterie.training.files import write_json

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Play and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--file", type=Path, default=RESULTS / "foraging_teams.json")
    given = parser.parse_args()
    document: dict = {"episodes": given.episodes, "seed": given.seed, "maps": {}}
    for name, opened in MAPS.items():
        game, found = opened(), {}
        for title, team in (("random", random_team(game.spec)), ("gather", gather(game))):
            episodes = jax.jit(lambda key: play(game, team, key, given.episodes))(jax.random.key(given.seed))  # noqa: B023
            returns = np.asarray(episodes.returns, float)
            error = returns.std(ddof=1) / np.sqrt(len(returns))
            found[title] = {"mean": round(returns.mean(), 3), "standard_error": round(error, 3)}
        document["maps"][name] = found
        print(name, found, flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    main()
