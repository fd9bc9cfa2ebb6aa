"""The main job, end to end: train, compare, draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coterie.api import train
from coterie.campaign.pictures import curve, replay
from coterie.campaign.yardsticks import random_row, team_row
from coterie.catalogue import jittable, recipe
from coterie.cli.screen import Bars, Live, say, spread, table
from coterie.contracts import CoterieError
from coterie.games.scripted import greedy_assignment
from coterie.training.files import write_json
from coterie.training.journal import METRICS, TIMING
from coterie.training.record import CHECKPOINTS, EVALUATION, POLICIES, RUN

METHODS = ("a2po", "mappo")
RESULT = "demo.json"
EPISODES = 256


def demo(out: Path, game: str, steps: int, seeds: int, quiet: bool) -> dict[str, Any]:
    """Train each method, evaluate all teams over the same episodes, and write table, curves and replay."""
    opened = jittable(game)
    yardstick = greedy_assignment(opened)
    _claim(out)
    runs, rows, rates = {}, {}, {}
    for name in METHODS:
        directory = _fresh(out / name)
        with Bars() as bars:
            live = Live(f"{name} on {game}, {seeds} seeds", bars)
            runs[name] = train(recipe(name), game, seeds, steps, directory, observer=live.update)
        rates[name] = live.rate
    for name, run in runs.items():
        rows[name] = run.assess(EPISODES)["greedy"]
    numbers = runs[METHODS[0]].seeds
    rows["random team"] = random_row(opened, numbers, EPISODES)
    rows["greedy assignment"] = team_row(opened, yardstick, numbers, EPISODES)
    references = {name: rows[name]["mean"] for name in ("random team", "greedy assignment")}
    picture = curve(out / "curves.png", {name: run.directory for name, run in runs.items()}, references)
    best = max(METHODS, key=lambda name: rows[name]["mean"])
    film, page = out / "replay.gif", out / "replay.html"
    replay(runs[best], (film, page), 3, 0, beside_random=True)
    result = {
        "teams": rows, "steps_per_second": rates, "steps": steps, "episodes": EPISODES,
        "curves": picture and str(picture), "replay": str(film), "page": str(page),
    }  # fmt: skip
    write_json(out / RESULT, result)
    if not quiet:
        cells = [
            [name, f"{row['mean']:.2f}", spread(row["low"], row["high"]),
             f"{rates[name]:,.0f}" if name in rates else "-"]
            for name, row in rows.items()
        ]  # fmt: skip
        title = f"{game}: {seeds} seeds, {steps:,} steps each, {EPISODES} greedy episodes a seed"
        say(table(title, ["team", "mean return", "95 % interval", "steps/s"], cells))
        say(f"learning curves: {picture}\nreplay: {film}   page: {page}")
    return result


def _claim(out: Path) -> None:
    """Mark the directory as a demo's, so that the next one may clear it."""
    for name in METHODS:
        if (out / name / RUN).exists() and not (out / RESULT).exists():
            raise CoterieError(f"{out / name} holds a run that no demo made: choose another directory with --out")
    write_json(out / RESULT, {"state": "unfinished"})


def _fresh(directory: Path) -> Path:
    """The directory, without the run that an earlier demo left there."""
    for name in (RUN, EVALUATION, POLICIES, METRICS, TIMING):
        (directory / name).unlink(missing_ok=True)
    for old in (directory / CHECKPOINTS).glob("*.safetensors"):
        old.unlink()
    return directory
