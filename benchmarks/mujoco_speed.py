"""Steps per second of MuJoCo teams on both paths, beside simulators that nobody trains on.

    python benchmarks/mujoco_speed.py --repeats 7

For each game, with the same number of environments and of processes or threads:

- ``bare``: the simulator alone under random actions. For MaMuJoCo each process steps its share of environments in a
  plain loop; EnvPool steps them all in one batch, and no agent's observation is made.
- ``bridge``: the same through ``Simulators``, both groups sent off before either is awaited, with every agent's
  observation, states, masks and ended episodes.
- ``collect``: the training loop's collecting with a policy of two layers of 64 that acts.
- ``train``: ``mappo`` on it, updates included.

Each figure is the median over repetitions that take turns, so that a slow minute does not hit one alone, and each
``over_bare`` the median ratio to the bare simulator of the same repetition. The results go to
``benchmarks/results/mujoco_speed.json``; ``--table`` prints them as Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from coterie.bridges.mamujoco import mamujoco
from coterie.bridges.mujoco import GAMES, Mujoco
from coterie.bridges.mujoco_robots import ROBOTS
from coterie.training.files import write_json

FILE = Path(__file__).parent / "results" / "mujoco_speed.json"
GAMES_MEASURED = ["hopper-3x1", "halfcheetah-2x3", "walker2d-2x3", "ant-4x2", "humanoid-9-8"]
SMALL = {"environments": "16", "rollout": "64", "actor.encoder": "64,64", "critic.encoder": "64,64", "sharing": "none"}
Rate = Callable[[], float]
"""Measures steps per second once."""


def child(robot: str, cut: str, environments: int, steps: int) -> None:
    """One bare process: says that it is ready, waits for a line, steps, and says how long that took."""
    envs = [mamujoco(robot, cut) for _ in range(environments)]
    rng = np.random.default_rng(0)
    for env in envs:
        env.reset(seed=0)
    boxes = {agent: env.action_space(agent) for env in envs[:1] for agent in env.possible_agents}
    moves = [{a: rng.uniform(box.low, box.high).astype(np.float32) for a, box in boxes.items()} for _ in range(256)]
    print("ready", flush=True)
    sys.stdin.readline()
    clock = time.perf_counter()
    for t in range(steps):
        for i, env in enumerate(envs):
            env.step(moves[(t + i) % 256])
            if not env.agents:
                env.reset()
    print(time.perf_counter() - clock, flush=True)


def bare_processes(game: Mujoco, environments: int, processes: int, steps: int) -> float:
    """MaMuJoCo in plain loops, one in each process."""
    share = environments // processes
    command = [sys.executable, __file__, "--child", game.robot, game.partition, str(share), str(steps)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running: list[Any] = [subprocess.Popen(command, **pipes) for _ in range(processes)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    slowest = max(float(process.stdout.readline()) for process in running)
    for process in running:
        process.communicate()
    return share * processes * steps / slowest


def bare_pool(game: Mujoco, environments: int, threads: int, steps: int) -> float:
    """EnvPool alone, which resets by itself."""
    import envpool

    task = f"{ROBOTS[game.robot].scenario}-{game.version}"
    pool = envpool.make(task, env_type="gymnasium", num_envs=environments, num_threads=threads, seed=0)
    box = pool.action_space
    moves = np.random.default_rng(0).uniform(box.low, box.high, (64, environments, *box.shape))
    pool.reset()
    clock = time.perf_counter()
    for t in range(steps):
        pool.step(moves[t % 64])
    rate = environments * steps / (time.perf_counter() - clock)
    pool.close()
    return rate


def bridge(game: Mujoco, environments: int, steps: int, stack: ExitStack) -> Rate:
    """Simulators under random actions, both groups under way at once."""
    simulators, spec = game.open(environments), game.spec
    stack.callback(simulators.close)
    rng, groups = np.random.default_rng(0), range(len(simulators.groups))
    top, rows = spec.action_spaces[0].high[0], environments // len(groups)
    moves = (top * rng.uniform(-1, 1, (64, rows, spec.n_agents, spec.components))).astype(np.float32)
    simulators.reset(np.arange(environments, dtype=np.uint32))

    def rate() -> float:
        clock = time.perf_counter()
        for t in range(steps):
            for group in groups:
                simulators.send(group, moves[t % 64])
            for group in groups:
                simulators.receive(group)
        return environments * steps / (time.perf_counter() - clock)

    return rate


def learning(game: Mujoco, steps: int, stack: ExitStack, update: bool) -> Rate:
    """The training loop with a policy that acts, and with updates if asked for."""
    import jax

    from coterie.catalogue import learner as taught
    from coterie.catalogue import recipe
    from coterie.training import collect
    from coterie.training.hosted import Hosted

    learner = taught(recipe("mappo", SMALL), game.spec)
    engine = Hosted(game, learner, (0,))
    stack.callback(engine.close)
    environments, rollout, _ = learner.sizes
    iterations = max(1, steps // rollout)
    loops, _ = engine.advance(engine.begin(), 1)
    loop = jax.tree.map(lambda x: x[0], loops)

    def rate() -> float:
        nonlocal loops, loop
        clock = time.perf_counter()
        if update:
            loops, _ = engine.advance(loops, iterations)
            jax.block_until_ready(loops.learner)
        for _ in range(0 if update else iterations):
            key, own = jax.random.split(loop.key)
            stage, rollout_, _ = collect.hosted(game, engine._simulators[0], learner, loop.learner, loop.stage, own)
            loop = loop._replace(key=key, stage=stage)
            jax.block_until_ready(rollout_.reward)
        return environments * rollout * iterations / (time.perf_counter() - clock)

    return rate


def measure(name: str, path: str, workers: int, steps: int, repeats: int) -> dict[str, float]:
    """The figures of one game on one path."""
    game = GAMES[f"mujoco/{name}"](path=path, workers=workers)
    environments = int(SMALL["environments"])
    bare = bare_processes if path == "mamujoco" else bare_pool
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        rates: dict[str, Rate] = {
            "bare": lambda: bare(game, environments, workers, steps),
            "bridge": bridge(game, environments, steps, stack),
            "collect": learning(game, steps, stack, update=False),
            "train": learning(game, steps, stack, update=True),
        }
        for _ in range(repeats):
            for kind, rate in rates.items():
                found.setdefault(kind, []).append(rate())
    out: dict[str, float] = {kind: round(statistics.median(values)) for kind, values in found.items()}
    for kind in ("bridge", "collect", "train"):
        ratios = [ours / alone for ours, alone in zip(found[kind], found["bare"], strict=True)]
        out[f"{kind}_over_bare"] = round(statistics.median(ratios), 2)
    return out


def table(document: dict[str, Any]) -> None:
    """The results as Markdown."""
    print("| game | path | bare | bridge | collect | train |\n|---|---|---|---|---|---|")
    for name, paths in document["results"].items():
        for path, row in paths.items():
            cells = [f"{row[kind]:,} ({row[f'{kind}_over_bare']:.0%})" for kind in ("bridge", "collect", "train")]
            print(f"| `mujoco/{name}` | `{path}` | {row['bare']:,} | {' | '.join(cells)} |")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=256, help="of each environment in a repetition")
    parser.add_argument("--games", nargs="*", default=GAMES_MEASURED)
    parser.add_argument("--table", action="store_true", help="print the table of the last results")
    parser.add_argument("--file", type=Path, default=FILE)
    given = parser.parse_args()
    if given.table:
        table(json.loads(given.file.read_text()))
        return
    document: dict[str, Any] = {name: getattr(given, name) for name in ("workers", "repeats", "steps")}
    document |= {"recipe": SMALL, "results": {}}
    for name in given.games:
        for path in ("mamujoco", "envpool"):
            found = measure(name, path, given.workers, given.steps, given.repeats)
            document["results"].setdefault(name, {})[path] = found
            print(name, path, found, flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
