"""Learning on particle/spread: mean return with a 95 % interval over seeds, beside a random team and a heuristic.

    python benchmarks/spread.py --recipes mappo happo a2po --seeds 8 --steps 2_000_000

Writes ``benchmarks/results/spread.json`` and ``benchmarks/results/spread.png``; a recipe that the file holds already
at the same seeds and steps is not trained again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from coterie import catalogue
from coterie.api import load, train
from coterie.campaign.pictures import curve, series
from coterie.campaign.yardsticks import random_row, team_row
from coterie.compiled import cache
from coterie.contracts import CoterieError
from coterie.games.scripted import greedy_assignment
from coterie.training.files import plain, write_json
from coterie.training.statistics import interval

RESULTS = Path(__file__).parent / "results"
EPISODES = 512


def build(name: str):
    """A recipe of the catalogue; ``recurrent-`` gives it a memory of 128, ``-apart`` each agent its own parameters."""
    base = name.removeprefix("recurrent-").removesuffix("-apart")
    options = {"memory": 128} if name.startswith("recurrent-") else {}
    return catalogue.recipe(base, options | ({"sharing": "none"} if name.endswith("-apart") else {}))


def at(directory: Path, steps: int) -> dict[str, float]:
    """Mean return of the sampled team over the last log point before ``steps``, with its interval over seeds."""
    where, returns = series(directory)
    index = int(np.searchsorted(where, steps, side="right")) - 1
    mean, low, high = interval(returns[:, index])
    return {"steps": int(where[index]), "mean": mean, "low": low, "high": high}


def main() -> None:
    """Train, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["mappo", "happo", "a2po", "coppo", "ippo"])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=lambda s: int(s.replace("_", "")), default=2_000_000)
    parser.add_argument("--out", type=Path, default=Path("runs/spread"))
    parser.add_argument("--file", type=Path, default=RESULTS / "spread.json")
    given = parser.parse_args()
    cache()
    document: dict = json.loads(given.file.read_text()) if given.file.exists() else {"teams": {}}
    game, seeds = catalogue.jittable("particle/spread"), tuple(range(given.seeds))
    for name in given.recipes:
        directory = given.out / name
        try:
            run = train(build(name), "particle/spread", given.seeds, given.steps, directory, resume=True)
        except CoterieError as error:
            raise SystemExit(f"{directory}: {error}") from None
        run = load(directory)
        found = run.assess(EPISODES)
        row: dict = {form: {key: found[form][key] for key in ("mean", "low", "high", "returns")} for form in
               ("greedy", "sampled")}  # fmt: skip
        row["training"] = [at(directory, given.steps // 4), at(directory, given.steps // 2), at(directory, given.steps)]
        document["teams"][name] = row | {"seeds": given.seeds, "steps": given.steps}
        write_json(given.file, plain(document))
        print(name, json.dumps(plain(row["greedy"])), flush=True)
    document["random team"] = random_row(game, seeds, EPISODES)
    document["greedy assignment"] = team_row(game, greedy_assignment(game), seeds, EPISODES)
    document["episodes"] = EPISODES
    write_json(given.file, plain(document))
    runs = {name: given.out / name for name in document["teams"] if (given.out / name).exists()}
    references = {name: document[name]["mean"] for name in ("random team", "greedy assignment")}
    curve(given.file.with_suffix(".png"), runs, references)


if __name__ == "__main__":
    main()
