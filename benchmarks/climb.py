"""The climb game from the uniform start: the share of seeds of every recipe that ends in the optimum.

    python benchmarks/climb.py --seeds 100
    python benchmarks/climb.py --seeds 20 --agents 4 --actions 5

Two agents, three actions (unless told otherwise): 8 if both choose action 0, -12 if one does, 0 otherwise. If the other
agent chooses action 0 with probability p, then action 0 is worth 8 p - 12 (1 - p) and any other -12 p: 32 p - 12 more,
which is positive above p* = 0.375 (n agents: odds of 0.6^(1 / (n - 1))). A team that starts below it and follows the
gradient leaves the optimum. Adds its rows to ``benchmarks/results/climb.json``, under the size of the game.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from coterie import catalogue
from coterie.compiled import cache
from coterie.contracts import Game
from coterie.nets.networks import Network
from coterie.policy.learner import PolicyLearner
from coterie.training.engine import advance, begin, place
from coterie.training.files import plain, write_json

FILE = Path(__file__).parent / "results" / "climb.json"
LINES = {
    "ippo": {}, "mappo": {}, "coppo": {}, "mappo, no sharing": {"sharing": "none"}, "happo": {}, "happo, inside":
    {"factor": "inside"}, "a2po": {}, "a2po, shared blocks": {"mode": "shared"}, "dpo": {}, "dpo, released code":
    {"official": True}, "ippo_kl": {}, "optimistic_mappo": {}, "optimistic_mappo, eta 0.4": {"eta": 0.4},
    "optimistic_mappo, eta 0.6": {"eta": 0.6}, "optimistic_mappo, released code": {"norm": "after"},
    "lenient_mappo": {"weighting.index": "exact"},
    "lenient_mappo, every visit": {"weighting.index": "exact", "weighting.repeats": "each"},
    "lenient_mappo, by its factor": {"weighting.index": "exact", "forgive": "factor"},
    "lenient_mappo, scaled advantages": {"weighting.index": "exact", "advantage_norm": "scale"},
    "perla_ippo": {}, "perla_mappo": {},
}  # fmt: skip


def basin(agents: int) -> float:
    """p*: p / (1 - p) = 0.6^(1 / (n - 1)), where the first action is worth as much as the others."""
    odds = 0.6 ** (1 / (agents - 1))
    return odds / (1 + odds)


def first_action(learner: PolicyLearner, states, observation) -> np.ndarray:
    """Each agent's probability of action 0, ``[S, N]``."""

    def one(params):
        dist, _ = learner.distribution(params, learner.carry(1), observation)
        return jax.numpy.exp(dist.log_p[0, :, 0])

    return np.asarray(jax.vmap(one)(states.actor))


def share(learner: PolicyLearner, game: Game, seeds: tuple[int, ...], iterations: int) -> dict[str, object]:
    """Train all seeds, batched, and count those that end on action 0."""
    _, observation = jax.vmap(game.reset)(jax.random.split(jax.random.key(0), 1))
    loops = place(begin(game, learner, seeds), learner)
    start = first_action(learner, loops.learner, observation)
    loops, _ = advance(game, learner, loops, iterations, "vmap")
    together = first_action(learner, loops.learner, observation).prod(1)
    found = float((together > 0.5).mean())
    return {
        "share_in_optimum": found, "standard_error": float(np.sqrt(found * (1 - found) / len(seeds))),
        "undecided": float(((together > 0.05) & (together < 0.95)).mean()),
        "start_p": [float(start.min()), float(start.mean()), float(start.max())],
        "seeds": len(seeds), "iterations": iterations,
    }  # fmt: skip


def main() -> None:
    """Train every line-up on all seeds, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=400)
    parser.add_argument("--agents", type=int, default=2)
    parser.add_argument("--actions", type=int, default=3)
    parser.add_argument("--recipes", nargs="+", default=list(LINES), choices=list(LINES))
    given = parser.parse_args()
    cache()
    game = catalogue.jittable("matrix/climb", agents=given.agents, actions=given.actions)
    net, size = Network((32,)), f"{given.agents}x{given.actions}"
    document = json.loads(FILE.read_text()) if FILE.exists() else {}
    rows = document.setdefault(size, {"basin": basin(given.agents), "samples_per_iteration": 256, "recipes": {}})
    for label in given.recipes:
        line: Any = catalogue.recipe(label.partition(",")[0], LINES[label])
        headed = replace(net, head=(32,)) if isinstance(line.critic, Network) and line.critic.head else net
        line = replace(line, actor=net, critic=headed, environments=64, rollout=4, minibatches=1)
        learner = PolicyLearner(line, game.spec).checked()
        rows["recipes"][label] = share(learner, game, tuple(range(given.seeds)), given.iterations)
        print(size, label, json.dumps(rows["recipes"][label]), flush=True)
        write_json(FILE, plain(document))


if __name__ == "__main__":
    main()
