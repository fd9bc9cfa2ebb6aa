"""Tabular Q-learning on the matrix games, independent, hysteretic and lenient: the share of seeds in the optimum.

    python benchmarks/tabular_q.py --seeds 100

Tables of zeros, alpha 0.1, leniency from T = 5. Beside the shares stands what exact mathematics says of the start,
where everybody explores uniformly: for which beta / alpha tables would settle on the optimum's actions. In the games
"partly" and "fully" stochastic (Kapetanakis and Kudenko 2002) the payoffs of climbing are random, with the same means.
Writes ``benchmarks/results/tabular_q.json`` and prints the table.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from coterie.exact.tabular_q import Boltzmann, EpsilonGreedy, Explore, TabularQ, hysteretic_q, iql, learn, lenient_q
from coterie.exact.tabular_q import settled as settle
from coterie.games.matrix import climb, climbing, penalty
from coterie.training.files import plain, write_json

FILE = Path(__file__).parent / "results" / "tabular_q.json"
CLIMBING = climbing().table()
SWINGS = {"partly": [[0, 0, 0], [0, 7, 0], [0, 0, 0]], "fully": [[8, 6, 5], [35, 7, 5], [1, 35, 5]]}
GAMES = {
    "climb": (climb().table(), None),
    "climbing": (CLIMBING, None),
    "penalty": (penalty().table(), None),
    "climbing, partly stochastic": (CLIMBING, np.array(SWINGS["partly"], float)),
    "climbing, fully stochastic": (CLIMBING, np.array(SWINGS["fully"], float)),
}
ALPHA = 0.1
LEARNERS = {
    "iql": iql(ALPHA),
    **{f"hysteretic_q, beta/alpha {ratio:g}": hysteretic_q(ALPHA, ALPHA * ratio) for ratio in (0.5, 0.1, 0.01)},
    **{f"lenient_q, decay {decay:g}": lenient_q(ALPHA, decay=decay) for decay in (0.995, 0.999, 1.0)},
}
EXPLORE: dict[str, Explore] = {"epsilon-greedy": EpsilonGreedy(), "Boltzmann": Boltzmann()}
RATIOS = np.arange(2001) / 2000


def reaches(payoff: np.ndarray, swing: np.ndarray | None) -> list[list[float]]:
    """The intervals of beta / alpha in which tables settled under uniform play prefer actions of an optimum."""
    uniform = [np.full(own, 1 / own) for own in payoff.shape]
    optima = np.argwhere(payoff == payoff.max())
    inside, found = False, []
    for ratio in RATIOS:
        tables = settle(payoff, uniform, float(ratio), swing)
        best = [set(np.flatnonzero(table >= table.max() - 1e-9)) for table in tables]
        good = all(actions <= set(optima[:, agent]) for agent, actions in enumerate(best))
        if good and not inside:
            found.append([float(ratio), float(ratio)])
        elif good:
            found[-1][1] = float(ratio)
        inside = good
    return found


def share(learner: TabularQ, explore: Explore, game: tuple, seeds: int, steps: int) -> dict[str, object]:
    """How many seeds end in an optimum, with Wilson's 95 % interval, and where all of them end."""
    payoff, swing = game
    found = learn(learner, payoff, range(seeds), steps, explore, swing)
    ends = binomtest(int(found.optimal.sum()), seeds).proportion_ci(method="wilson")
    places = Counter(",".join(map(str, actions)) for actions in found.greedy.tolist())
    return {
        "share_in_optimum": float(found.optimal.mean()), "low": ends.low, "high": ends.high,
        "mean_payoff": float(found.payoff.mean()), "greedy": dict(sorted(places.items())),
    }  # fmt: skip


def main() -> None:
    """Learn every game with every learner, count, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--steps", type=int, default=5000)
    given = parser.parse_args()
    games: dict[str, object] = {}
    for name, game in GAMES.items():
        rows = {
            label: {how: share(learner, explore, game, given.seeds, given.steps) for how, explore in EXPLORE.items()}
            for label, learner in LEARNERS.items()
        }
        games[name] = {"settles_for": reaches(*game), "learners": rows}
        write_json(FILE, plain({"seeds": given.seeds, "steps": given.steps, "alpha": ALPHA, "games": games}))
        print(f"\n{name}: uniform play settles on the optimum for beta / alpha in {reaches(*game)}")
        print(f"| learner | {' | '.join(EXPLORE)} |\n|---|{'---|' * len(EXPLORE)}")
        for label, row in rows.items():
            cells = [f"{x['share_in_optimum']:.0%} [{x['low']:.0%}, {x['high']:.0%}]" for x in row.values()]
            print(f"| {label} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
