"""One campaign three ways: undisturbed, killed at random moments, and on a local Ray cluster with a run killed.

    python benchmarks/campaigns.py --suite demo --kills 5 --out campaigns/check

The final tables must be the same to the last digit, and no finished run may be done again. Writes
``benchmarks/results/campaigns.json``; ends with status 1 if a table differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from coterie.training.files import write_json

RESULTS = Path(__file__).parent / "results"
WAYS = ("whole", "killed", "ray")


def start(*words: object) -> subprocess.Popen:
    """A ``coterie campaign`` command that speaks JSON."""
    command = [sys.executable, "-m", "coterie.cli", "campaign", *map(str, words), "--json"]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def finish(child: subprocess.Popen) -> list[dict]:
    """Its final table."""
    out, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"a campaign ended with status {child.returncode}")
    return json.loads(out)["runs"]


def finished(directory: Path) -> dict[str, int]:
    """When each run was finished, in nanoseconds."""
    return {str(path.parent): path.stat().st_mtime_ns for path in directory.glob("runs/*/*/finished.json")}


def killed(suite: str, directory: Path, kills: int, pace: float, seed: int) -> int:
    """Run a campaign, kill it ``kills`` times; how many finished runs were done again."""
    moments, again = random.Random(seed), 0
    child = start("run", suite, "--out", directory)
    for _ in range(kills):
        time.sleep(moments.uniform(0.3, 1.7) * pace)
        if child.poll() is not None:
            break
        before = finished(directory)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child = start("resume", directory)
        time.sleep(1.0)
        after = finished(directory)
        again += sum(after[name] != moment for name, moment in before.items())
    finish(child)
    return again


def victim(directory: Path) -> int | None:
    """The process of a run that is under way there."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"coterie.campaign.job" in words and str(directory.resolve()).encode() in words:
            return int(status.parent.name)
    return None


def on_ray(suite: str, directory: Path, kill_after: float) -> None:
    """Run a campaign on a local Ray cluster with two workers; a run is killed after some seconds."""
    child = start("run", suite, "--out", directory, "--engine", "ray", "--workers", "2")
    time.sleep(kill_after)
    while (process := victim(directory)) is None and child.poll() is None:
        time.sleep(0.5)
    if process:
        os.kill(process, signal.SIGKILL)
    finish(child)


def compare(out: Path) -> dict:
    """What the three directories say: whether their tables are the same, and how long each took."""
    tables, seconds = {}, {}
    for name in WAYS:
        tables[name] = finish(start("status", out / name))
        moments = [path.stat().st_mtime for path in (out / name).glob("runs/*/*/finished.json")]
        seconds[name] = round(max(moments) - (out / name / ".lock").stat().st_mtime, 1)
    same = {name: table == tables["whole"] for name, table in tables.items()}
    return {"runs": len(tables["whole"]), "same_table": same, "seconds": seconds}


def main() -> None:
    """Run, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="demo")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("campaigns/check"))
    parser.add_argument("--compare", action="store_true", help="only compare the campaigns that are there")
    parser.add_argument("--file", type=Path, default=RESULTS / "campaigns.json")
    given = parser.parse_args()
    again = None
    if not given.compare:
        clock = time.monotonic()
        finish(start("run", given.suite, "--out", given.out / "whole"))
        pace = (time.monotonic() - clock) / (given.kills + 2)
        again = killed(given.suite, given.out / "killed", given.kills, pace, given.seed)
        on_ray(given.suite, given.out / "ray", pace)
    found = {"suite": given.suite, "kills": given.kills, "seed": given.seed, **compare(given.out)}
    if again is not None:
        found["finished_runs_done_again"] = again
    write_json(given.file, found)
    print(json.dumps(found))
    sys.exit(0 if all(found["same_table"].values()) and not again else 1)


if __name__ == "__main__":
    main()
