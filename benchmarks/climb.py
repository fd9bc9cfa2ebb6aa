"""The climb game from the uniform start: the share of seeds of every recipe that ends in the optimum.

    python benchmarks/climb.py --seeds 100

Two agents, three actions: 8 if both choose action 0, -12 if one does, 0 otherwise. If the other agent chooses action 0
with probability p, then action 0 is worth 8 p - 12 (1 - p) and any other -12 p: 32 p - 12 more, which is positive above
p* = 0.375 (for n agents: odds of 0.6^(1 / (n - 1))). A team that starts below p* and follows the gradient leaves the
optimum. Writes ``benchmarks/results/climb.json``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np

from coterie import catalogue
from coterie.compiled import cache
from coterie.nets.networks import Network
from coterie.policy.learner import PolicyLearner
from coterie.training.files import plain, write_json
from coterie.training.train import advance, begin, place

RESULTS = Path(__file__).parent / "results"
LINES = {
    "ippo": {}, "mappo": {}, "coppo": {}, "mappo, no sharing": {"sharing": "none"}, "happo": {}, "happo, inside":
    {"factor": "inside"}, "a2po": {}, "a2po, shared blocks": {"mode": "shared"}, "dpo": {}, "dpo, released code":
    {"official": True}, "ippo_kl": {}, "optimistic_mappo": {}, "optimistic_mappo, eta 0.4": {"eta": 0.4},
    "optimistic_mappo, eta 0.6": {"eta": 0.6}, "optimistic_mappo, released code": {"norm": "after"},
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


def main() -> None:
    """Train every line-up on all seeds, batched, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=400)
    parser.add_argument("--gain", type=float, default=0.01)
    parser.add_argument("--file", type=Path, default=RESULTS / "climb.json")
    given = parser.parse_args()
    cache()
    game = catalogue.make("matrix/climb")
    net, seeds = Network((32,)), tuple(range(given.seeds))
    _, observation = jax.vmap(game.reset)(jax.random.split(jax.random.key(0), 1))
    rows = {}
    for label, options in LINES.items():
        line = catalogue.recipe(label.partition(",")[0], options)
        line = replace(line, actor=net, critic=net, environments=64, rollout=4, minibatches=1, gain=given.gain)
        learner = PolicyLearner(line, game.spec).checked()
        loops = place(begin(game, learner, seeds), learner)
        start = first_action(learner, loops.learner, observation)
        loops, _ = advance(game, learner, loops, given.iterations, "vmap")
        end = first_action(learner, loops.learner, observation)
        together = end.prod(1)
        share = float((together > 0.5).mean())
        rows[label] = {
            "share_in_optimum": share, "standard_error": float(np.sqrt(share * (1 - share) / given.seeds)),
            "undecided": float(((together > 0.05) & (together < 0.95)).mean()),
            "start_p": [float(start.min()), float(start.mean()), float(start.max())],
        }  # fmt: skip
        print(label, json.dumps(rows[label]), flush=True)
    document = {"seeds": given.seeds, "iterations": given.iterations, "samples_per_iteration": 256,
                "gain": given.gain, "basin": basin(2), "recipes": rows}  # fmt: skip
    write_json(given.file, plain(document))


if __name__ == "__main__":
    main()
