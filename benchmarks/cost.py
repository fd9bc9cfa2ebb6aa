"""The cost of every recipe's update relative to mappo's, for 3, 8 and 20 agents.

    python benchmarks/cost.py

``particle/spread``, 128 environments of 25 steps, default networks and numbers. Each figure is the median of some
repetitions of the compiled update on one rollout; mappo is measured again beside each recipe, in the same minute, so
that the ratio does not see the machine drift. Adds its rows to ``benchmarks/results/cost.json`` and prints the table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import jax

from coterie import catalogue
from coterie.compiled import cache
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import RECIPES
from coterie.training.collect import open_stage, scan
from coterie.training.files import plain, write_json

FILE = Path(__file__).parent / "results" / "cost.json"
LINES = {name: (name, {}) for name in RECIPES if name not in ("mappo", "dpo_without_sqrt")} | {
    "mappo, separate": ("mappo", {"sharing": "none"}),
    "a2po, shared": ("a2po", {"mode": "shared"}),
    "perla_mappo, K = 100 drawn": ("perla_mappo", {"critic_input.enumerated": 0}),
    "perla_ippo, K = 100 drawn": ("perla_ippo", {"critic_input.enumerated": 0}),
    "lenient_mappo, codes": ("lenient_mappo", {"weighting.index": "code_hash"}),
}
BASES = {"perla_ippo": "ippo", "perla_ippo, K = 100 drawn": "ippo"}
"""Recipes whose cost is told beside that of another than mappo, too."""


def compiled(name: str, options: dict, agents: int):
    """A function that runs one update on a rollout and waits for it."""
    game = catalogue.jittable("particle/spread", agents=agents)
    recipe: Any = catalogue.recipe(name, options)
    learner = PolicyLearner(recipe, game.spec).checked()
    state = learner.init(jax.random.key(0), recipe.environments)
    stage = open_stage(game, learner, jax.random.key(1), recipe.environments)
    play = jax.jit(lambda state, stage, key: scan(game, learner, state, stage, key)[1])
    rollout = play(state, stage, jax.random.key(2))
    update = jax.jit(learner.learn).lower(state, rollout, jax.random.key(3)).compile()
    return lambda: jax.block_until_ready(update(state, rollout, jax.random.key(3)))


def seconds(run) -> float:
    """Of one call."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, nargs="+", default=[3, 8, 20])
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--recipes", nargs="+", default=list(LINES), choices=list(LINES))
    given = parser.parse_args()
    cache()
    rows: dict[str, dict[str, float]] = json.loads(FILE.read_text())["recipes"] if FILE.exists() else {}
    for agents in given.agents:
        bases = {name: compiled(name, {}, agents) for name in ("mappo", "ippo")}
        for run in bases.values():
            run()
        rows.setdefault("mappo", {})[f"{agents}_ms"] = 1e3 * statistics.median(
            seconds(bases["mappo"]) for _ in range(7)
        )
        for label in given.recipes:
            name, options = LINES[label]
            run = compiled(name, options, agents)
            run()
            found = {label: [], "mappo": [], "ippo": []}
            for _ in range(given.repetitions):
                for key, one in ((label, run), *bases.items()):
                    found[key].append(seconds(one))
            middle = {key: statistics.median(values) for key, values in found.items()}
            row = rows.setdefault(label, {})
            row[str(agents)] = middle[label] / middle["mappo"]
            if label in BASES:
                row[f"{agents}_over_{BASES[label]}"] = middle[label] / middle[BASES[label]]
            print(label, agents, {k: round(v, 2) for k, v in row.items()}, flush=True)
            write_json(FILE, plain({"repetitions": given.repetitions, "recipes": rows}))
    print(f"| recipe | {' | '.join(f'{n} agents' for n in given.agents)} |\n|---|{'---|' * len(given.agents)}")
    for label, row in sorted(rows.items(), key=lambda item: item[1].get("3", 1.0)):
        cells = [
            f"{row[str(n)]:.2f}" if str(n) in row else f"1 ({row[f'{n}_ms']:.0f} ms)" if f"{n}_ms" in row else "–"
            for n in given.agents
        ]
        print(f"| `{label}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
