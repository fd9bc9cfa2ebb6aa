"""PERLA's batch mode: 500 updates on one set of uniform joint actions, then the greedy team's payoff.

    python benchmarks/batch_mode.py --seeds 20

The game pays 8 if all choose action 0, -12 if some but not all do, 0 if nobody does. With a ratio of its own actions
only, an agent learns from E_uniform[r^i A]: the mean payoff of action 0 against uniform others, which is below that of
the other actions for every team size. A baseline (PERLA's mean over the others' policies is one number in a game of one
state) does not change that. Writes ``benchmarks/results/batch_mode.json``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from coterie import catalogue
from coterie.compiled import cache
from coterie.nets.networks import Network
from coterie.policy.batch import learn, uniform
from coterie.policy.learner import PolicyLearner
from coterie.policy.surrogate import Clip, KlPenalty
from coterie.training.files import plain, write_json

RESULTS = Path(__file__).parent / "results"
DRAWN = {"critic_input.samples": 10, "critic_input.enumerated": 9}  # the mean changes nothing here: few draws will do
LINES = {
    "ippo": ("ippo", {}), "mappo": ("mappo", {}), "perla_mappo": ("perla_mappo", DRAWN),
    "optimistic_mappo": ("optimistic_mappo", {}), "lenient_mappo": ("lenient_mappo", {"weighting.index": "exact"}),
}  # fmt: skip
FREE = KlPenalty(root=None, kl=None, shared=False)
"""No clip and no penalty: importance-weighted advantages."""
GAMES = ((2, 3), (4, 3), (20, 15))


def payoff(game, learner, states) -> np.ndarray:
    """What the greedy teams earn, one for each seed."""
    state, seen = game.reset(jax.random.key(0))
    one = jax.tree.map(lambda x: x[None], seen)

    def play(params):
        dist, _ = learner.distribution(params, (), one)
        return game.step(jax.random.key(0), state, learner.family.mode(dist)[0])[2].reward[0]

    return np.asarray(jax.vmap(play)(states.actor))


def trained(game, learner, seeds, iterations):
    """States after learning, each seed from a batch of its own."""
    states = [learner.init(jax.random.key(seed), learner.sizes.environments) for seed in range(seeds)]
    keys = jax.vmap(jax.random.key)(jnp.arange(seeds))
    batches = jax.vmap(lambda key: uniform(game, learner, key))(keys)
    every = jax.jit(jax.vmap(lambda state, batch, key: learn(learner, state, batch, key, iterations)[0]))
    return every(jax.tree.map(lambda *x: jnp.stack(x), *states), batches, keys)


def main() -> None:
    """Every line-up on every game, all seeds batched; with PPO's clip, and without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=500)
    given = parser.parse_args()
    cache()
    rows = []
    for agents, actions in GAMES:
        game = catalogue.jittable("matrix/climb", agents=agents, actions=actions)
        for label, (name, options) in LINES.items():
            if label == "lenient_mappo" and actions**agents > 2**20:
                options = {}
            for clip in (True, False):
                line: Any = catalogue.recipe(name, options)
                net, headed = Network((32,)), isinstance(line.critic, Network) and line.critic.head
                line = replace(line, actor=net, critic=replace(net, head=(32,) if headed else ()), rollout=1,
                               environments=given.samples, epochs=1, critic_epochs=1, minibatches=1,
                               surrogate=Clip() if clip else FREE)  # fmt: skip
                learner = PolicyLearner(line, game.spec).checked()
                after = trained(game, learner, given.seeds, given.iterations)
                found = payoff(game, learner, after)
                rows.append({"agents": agents, "actions": actions, "recipe": label, "clip": clip,
                             "share_of_8": float((found == 8).mean()), "mean": float(found.mean())})  # fmt: skip
                print(json.dumps(rows[-1]), flush=True)
    document = {"seeds": given.seeds, "samples": given.samples, "iterations": given.iterations, "rows": rows}
    write_json(RESULTS / "batch_mode.json", plain(document))


if __name__ == "__main__":
    main()
