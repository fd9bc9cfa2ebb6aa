"""Steps per second of football through the bridge, beside gfootball stepped in its own process.

    COTERIE_FOOTBALL_PYTHON=... python benchmarks/football_speed.py

Both play random actions with the same wrappers, and take turns in blocks of steps, so that a slow minute does not hit
one alone. Each figure is the median over the blocks, and the ratio the median of the blocks' ratios, with its
quartiles. The bridge's own cost is measured with the tests' stand-in, which costs next to nothing itself. The results
go to ``benchmarks/results/football_speed.json``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from coterie.bridges.football import SCENARIOS
from coterie.bridges.football_env import FootballEnv, find
from coterie.training.files import write_json

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "results" / "football_speed.json"
MEASURED = {"3_vs_1_with_keeper": 100, "5_vs_5": 100, "11_vs_11_stochastic": 40}
"""Scenarios and the steps of a block."""
BARE = """
import os, sys, time
import numpy as np
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from gfootball.env import create_environment
level, agents = sys.argv[1], int(sys.argv[2])
env = create_environment(env_name=level, representation="simple115v2", rewards="scoring,checkpoints",
                         number_of_left_players_agent_controls=agents)
draw = np.random.default_rng(0)
env.reset()
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        if env.step(draw.integers(0, 19, agents).tolist())[2]:
            env.reset()
    print(time.perf_counter() - start, file=out, flush=True)
"""


def bridge_seconds(env: FootballEnv, draw: np.random.Generator, steps: int) -> float:
    """Seconds that ``steps`` random steps take through the bridge."""
    start = time.perf_counter()
    for _ in range(steps):
        env.step(dict(zip(env.agents, draw.integers(0, 19, len(env.agents)), strict=True)))
        if not env.agents:
            env.reset()
    return time.perf_counter() - start


def measure(name: str, steps: int, blocks: int) -> dict[str, Any]:
    """One scenario, in blocks that take turns."""
    level, agents = SCENARIOS[name].level, SCENARIOS[name].agents
    bare = subprocess.Popen([find(""), "-W", "ignore", "-c", BARE, level, str(agents)], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    assert bare.stdin is not None
    assert bare.stdout is not None
    env, draw = FootballEnv(level, agents), np.random.default_rng(0)
    env.reset()
    rows = []
    for _ in range(blocks):
        print(steps, file=bare.stdin, flush=True)
        rows.append((float(bare.stdout.readline()), bridge_seconds(env, draw, steps)))
    bare.kill()
    status = Path(f"/proc/{env.server.process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    env.close()
    alone, through = np.array(rows).T
    low, middle, high = np.quantile(alone / through, [0.25, 0.5, 0.75]).round(2).tolist()
    return {
        "agents": agents, "blocks": blocks, "steps": steps, "bare": round(float(np.median(steps / alone))),
        "bridge": round(float(np.median(steps / through))), "over_bare": middle, "quartiles": [low, high],
        "megabytes": round(resident / 1024),
    }  # fmt: skip


def own_cost(steps: int = 3000) -> float:
    """Microseconds of a step that are the bridge's own, with three agents."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/tests/bridges/football" exec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        env, draw = FootballEnv("academy_3_vs_1_with_keeper", 3, python=str(python)), np.random.default_rng(0)
        env.reset()
        found = float(np.median([bridge_seconds(env, draw, 100) for _ in range(steps // 100)]))
        env.close()
    return round(found / 100 * 1e6)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=30)
    blocks = parser.parse_args().blocks
    results: dict[str, Any] = {name: measure(name, steps, blocks) for name, steps in MEASURED.items()}
    results["own_cost_microseconds"] = own_cost()
    write_json(FILE, results)
    for name, row in results.items():
        print(name, row)


if __name__ == "__main__":
    main()
