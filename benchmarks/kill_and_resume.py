"""Kill a run at random moments (SIGKILL), resume it each time, and compare it with one that was never killed.

    python benchmarks/kill_and_resume.py --kills 20 --seed 0

Every file that a run leaves is compared byte for byte: ``run.json``, ``metrics.jsonl``, the checkpoints (parameters,
optimiser states, environments, random keys, normalisers), ``evaluation.json`` and ``policies.safetensors``; only
``timing.jsonl`` holds the clock. Prints one JSON line, and ends with status 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLOCK = ("timing.jsonl", ".lock", "curve.png")


def command(*words: object) -> list[str]:
    """A ``coterie`` command, run by this interpreter."""
    return [sys.executable, "-m", "coterie.cli", *map(str, words)]


def files(directory: Path) -> dict[str, bytes]:
    """What a run left, by name."""
    found = sorted(path for path in directory.rglob("*") if path.is_file() and path.name not in CLOCK)
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def points(directory: Path) -> int:
    """Log points so far."""
    path = directory / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_once(words: list[str], directory: Path, generator: random.Random, ahead: float) -> dict | None:
    """Start, wait for a random number of new log points and a random moment after that, kill; None if it ended."""
    begun, wanted = points(directory), points(directory) + generator.randrange(1, 4)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and points(directory) < wanted:
        time.sleep(0.002)
    time.sleep(generator.uniform(0.0, ahead))
    process.send_signal(signal.SIGKILL)
    status = process.wait()
    return {"at": begun, "until": points(directory)} if status == -signal.SIGKILL else None


def train(arguments: argparse.Namespace, directory: Path) -> list[str]:
    """The command that starts the run."""
    return command(
        "train", arguments.recipe, arguments.game, "--seeds", arguments.seeds, "--steps", arguments.steps,
        "--points", arguments.points, "--episodes", 16, "--out", directory, "--json", *arguments.options,
    )  # fmt: skip


def compare(arguments: argparse.Namespace, room: Path) -> dict:
    """Both runs, and what came of them."""
    whole, killed = room / "whole", room / "killed"
    clock = time.perf_counter()
    subprocess.run(train(arguments, whole), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - clock
    generator, kills = random.Random(arguments.seed), []
    while len(kills) < arguments.kills:
        begun = (killed / "run.json").exists()
        words = command("resume", killed, "--json") if begun else train(arguments, killed)
        kill = kill_once(words, killed, generator, arguments.ahead)
        if kill is None:
            break
        kills.append(kill)
    subprocess.run(
        command("resume", killed, "--json"), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    one, two = files(whole), files(killed)
    differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    return {
        "recipe": arguments.recipe, "game": arguments.game, "seeds": arguments.seeds, "steps": arguments.steps,
        "kills": len(kills), "log_points": points(whole), "moments": [kill["until"] for kill in kills],
        "compared": {name: len(data) for name, data in one.items()}, "differ": differ,
        "seconds_uninterrupted": round(seconds, 1),
    }  # fmt: skip


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how often the run is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--recipe", default="a2po")
    parser.add_argument("--game", default="particle/spread")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of the run")
    parser.add_argument("--steps", type=int, default=400_000, help="environment steps of each seed")
    parser.add_argument("--points", type=int, default=120, help="log points and checkpoints of the run")
    parser.add_argument("--ahead", type=float, default=0.3, help="longest wait after a log point, in seconds")
    parser.add_argument("--room", type=Path, help="directory for both runs (default: a temporary one)")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="after --: further options of coterie train")
    arguments = parser.parse_args()
    arguments.options = [word for word in arguments.options if word != "--"]
    with tempfile.TemporaryDirectory() as temporary:
        result = compare(arguments, arguments.room or Path(temporary))
    print(json.dumps(result))
    return int(bool(result["differ"]) or result["kills"] < arguments.kills)


if __name__ == "__main__":
    sys.exit(main())
