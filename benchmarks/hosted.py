"""Steps per second of the hosted loop beside the bare simulators, stepped by the same number of processes.

    python benchmarks/hosted.py --processes 2
    python benchmarks/hosted.py --processes 1

Bare: each process steps its share of the environments in turn, in a plain loop, with the actions that the team took
in the hosted loop, and resets each at the end of its episode; it reads the global state where there is one. Hosted: a
whole collection, with the team's compiled policies deciding (two layers of 64), every check of the bridge, and the
rollout put together for the learner. Both are measured in turn, so that the ratio does not see the machine drift;
medians. Adds its rows to ``benchmarks/results/hosted.json`` and prints the table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "results" / "hosted.json"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "mpe2 simple_spread_v3": ("mpe2:simple_spread_v3.parallel_env", {}),
    "lbforaging 8x8-2p-2f-coop": (
        "gymnasium:make", {"id": "lbforaging:Foraging-8x8-2p-2f-coop-v3", "disable_env_checker": True}),
    "rware tiny-2ag": ("gymnasium:make", {"id": "rware:rware-tiny-2ag-v2", "disable_env_checker": True}),
    "MaMuJoCo Hopper 3x1": ("coterie.bridges.mamujoco:mamujoco", {"robot": "hopper", "partition": "3x1"}),
    "MaMuJoCo HalfCheetah 2x3": ("coterie.bridges.mamujoco:mamujoco", {"robot": "halfcheetah", "partition": "2x3"}),
    "knights archers zombies": ("pettingzoo.butterfly:knights_archers_zombies_v11.parallel_env", {}),
}  # fmt: skip


def bare(name: str, seconds: float, taken: str) -> float:
    """Steps per second of some environments in this process; ``taken`` is a file of actions ``[T, E, N, ...]``."""
    from coterie.bridges.layout import layout
    from coterie.bridges.source import Source

    factory, options = CASES[name]
    joint = np.load(taken)
    envs = [Source(factory, tuple(options.items())).make() for _ in range(joint.shape[1])]
    seen = layout(envs[0])
    drawn = [[_actions(seen, one) for one in row] for row in joint]
    for seed, env in enumerate(envs):
        env.reset(seed=seed)
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for env, actions in zip(envs, drawn[steps // len(envs) % len(drawn)], strict=True):
            env.step({agent: actions[agent] for agent in env.agents})
            if seen.own_state:
                env.state()
            if not env.agents:
                env.reset()
        steps += len(envs)
    return steps / (time.perf_counter() - began)


def _actions(seen: Any, joint: np.ndarray) -> dict[str, Any]:
    own = [x if x.ndim == 0 else x[: acts.components] for acts, x in zip(seen.acts, joint, strict=True)]
    return {agent: acts.action(x) for agent, acts, x in zip(seen.agents, seen.acts, own, strict=True)}


def bare_together(name: str, processes: int, seconds: float, taken: np.ndarray) -> float:
    """The sum over processes that run at the same time, each with its share of the environments."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for i, share in enumerate(np.array_split(taken, processes, axis=1)):
            file = Path(folder) / f"{i}.npy"
            np.save(file, share)
            words = [sys.executable, __file__, "--bare", name, "--seconds", str(seconds), "--taken", str(file)]
            running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        return sum(float(each.communicate()[0].split()[-1]) for each in running)


class Loop:
    """A collection, compiled and warmed up."""

    def __init__(self, name: str, processes: int, environments: int, steps: int) -> None:
        import jax
        import jax.numpy as jnp

        from coterie import catalogue
        from coterie.bridges.hosted import hosted
        from coterie.policy.learner import PolicyLearner
        from coterie.training import collect

        factory, options = CASES[name]
        game = hosted(factory, {**options, "workers": processes})
        recipe: Any = catalogue.recipe(
            "mappo", {"environments": environments, "rollout": steps, "actor.encoder": (64, 64)}
        )
        learner = PolicyLearner(recipe, game.spec).checked()
        state = learner.init(jax.random.key(0), environments)
        simulators: Any = game.open(environments)
        opening: Any = simulators.reset(np.arange(environments, dtype=np.uint32))
        still = jnp.ones(environments, bool), jnp.zeros(environments)
        self.stage = collect.Stage((), opening, learner.carry(environments), *still)
        self.play = lambda key: collect.hosted(game, simulators, learner, state, self.stage, key)
        self.close, self.count, self.key = simulators.close, environments * steps, jax.random.key(1)
        sent, send = [], simulators.send
        simulators.send = lambda group, action: (sent.append(action), send(group, action))
        self()
        del simulators.send
        halves = [sent[i :: len(simulators.groups)] for i in range(len(simulators.groups))]
        self.taken = np.concatenate([np.stack(half) for half in halves], 1)
        if (box := game.seen.box) is not None:
            self.taken = np.clip(self.taken, *box)

    def __call__(self) -> float:
        """Steps per second of one collection."""
        began = time.perf_counter()
        self.stage = self.play(self.key)[0]
        return self.count / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bare", choices=CASES, help="measure one bare environment in this process, and leave")
    parser.add_argument("--taken", help="the file of actions for it")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--environments", type=int, default=128)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    if given.bare:
        print(bare(given.bare, given.seconds, given.taken))
        return
    from coterie.training.files import write_json

    rows = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name in given.cases:
        loop, pairs = Loop(name, given.processes, given.environments, given.steps), []
        for _ in range(given.repetitions):
            alone = bare_together(name, given.processes, given.seconds, loop.taken)
            until, rates = time.perf_counter() + given.seconds, []
            while time.perf_counter() < until:
                rates.append(loop())
            pairs.append((alone, statistics.median(rates)))
        loop.close()
        ratio = statistics.median(hosted / alone for alone, hosted in pairs)
        medians = [round(statistics.median(column)) for column in zip(*pairs, strict=True)]
        found = {"bare": medians[0], "hosted": medians[1], "ratio": round(ratio, 3)}
        counts = {"processes": given.processes, "environments": given.environments}
        rows[f"{name}, {given.processes} of them"] = found | counts
        print(f"{name:28}{medians[0]:>8,} bare{medians[1]:>8,} hosted   {ratio:.2f}", flush=True)
        write_json(FILE, rows)


if __name__ == "__main__":
    main()
