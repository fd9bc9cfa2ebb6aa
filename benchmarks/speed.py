"""The speed table: every benchmark of ``coterie bench`` in a process of its own, start-up and memory.

    python benchmarks/speed.py --repeats 9

Run it on an idle machine. Rounds go through all benchmarks, so that a slow minute does not hit one alone; the medians
over the rounds, each with the matrix-product peak measured in the same minute, go to ``benchmarks/results/speed.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coterie.cli.bench import works
from coterie.training.files import write_json

RESULTS = Path(__file__).parent / "results"
COTERIE = [sys.executable, "-m", "coterie.cli"]


def one(name: str, repeats: int) -> dict[str, float]:
    """One benchmark in a fresh process."""
    command = [*COTERIE, "bench", name, "--repeats", str(repeats), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["results"][name]


def start(cache: str) -> dict[str, float]:
    """Seconds from the start of ``coterie train`` to its first metrics, and the peak memory of the whole run."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    with tempfile.TemporaryDirectory() as out:
        command = [*COTERIE, "train", "mappo", "particle/spread", "--steps", "200_000", "--out", f"{out}/run"]
        clock = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True,
                                   stdout=subprocess.DEVNULL)  # fmt: skip
        assert process.stderr is not None
        first = next(time.perf_counter() - clock for line in process.stderr if "steps/s" in line)
        process.stderr.read()
        process.wait()
        whole = time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"first_metrics_s": first, "whole_s": whole, "largest_child_mb_so_far": peak}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--file", type=Path, default=RESULTS / "speed.json")
    given = parser.parse_args()
    document: dict = {"repeats": given.repeats, "rounds": given.rounds, "start": {}, "results": {}}
    with tempfile.TemporaryDirectory() as cache:
        document["start"]["cold"] = start(cache)
        document["start"]["warm"] = start(cache)
    print(json.dumps(document["start"]), flush=True)
    names = [name for name in works() if not given.only or name.startswith(tuple(given.only))]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            rounds[name].append(one(name, given.repeats))
            print(name, json.dumps({k: round(v, 2) for k, v in rounds[name][-1].items()}), flush=True)
    for name, found in rounds.items():
        merged = {key: statistics.median(each[key] for each in found) for key in found[0]}
        rates = [each["steps_per_second"] for each in found]
        document["results"][name] = merged | {"slowest": min(rates), "fastest": max(rates)}
    write_json(given.file, document)


if __name__ == "__main__":
    main()
