"""Learning curves of run directories, and replays of their teams."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from coterie.api import Run
from coterie.contracts import CoterieError, Drawable, Scene, Team
from coterie.games.scripted import random_team
from coterie.training import journal
from coterie.training.curves import write_curves
from coterie.training.evaluate import trail
from coterie.training.replay import write_gif, write_html


def series(directory: Path, metric: str = "episode_return") -> tuple[np.ndarray, np.ndarray]:
    """Steps ``[points]`` and a metric of every seed ``[seeds, points]`` from a run's journal."""
    points = journal.read(directory)
    seeds = sorted({point["seed"] for point in points})
    rows = [[p for p in points if p["seed"] == seed and p.get(metric) is not None] for seed in seeds]
    steps = np.array([p["step"] for p in rows[0]]) if rows else np.zeros(0)
    return steps, np.array([[p[metric] for p in row] for row in rows])


def curve(path: Path, runs: Mapping[str, Path], references: Mapping[str, float] | None = None) -> Path:
    """Draw the learning curves of several runs."""
    curves = {name: series(directory) for name, directory in runs.items()}
    write_curves(path, curves, "Return while learning (sampled actions)", "team return of an episode", references or {})
    return path


def scenes(run: Run, team: Team, episodes: int, key: jax.Array) -> tuple[list[Scene], float]:
    """The frames of some episodes of one team, and their mean return."""
    game = run.game
    if not isinstance(game, Drawable):
        raise CoterieError(f"{run.document['game']['name']} cannot be drawn: it has no scene; evaluate it instead")
    frames, total = [], 0.0
    for one in jax.random.split(key, episodes):
        states, actions, rewards, length = jax.device_get(trail(game, team, one))
        total += float(rewards[:length].sum())
        for t in range(length + 1):
            state = jax.tree.map(lambda x: x[t], states)  # noqa: B023
            frames.append(game.scene(state, None if t == 0 else actions[t - 1]))
    return frames, total / episodes


def replay(run: Run, path: Path, form: str, episodes: int, seed: int, beside_random: bool) -> dict[str, Any]:
    """Draw the same episodes played by the trained team and by a random one."""
    if episodes < 1:
        raise CoterieError(f"--episodes is {episodes}: give at least 1")
    key = jax.random.fold_in(jax.random.key(run.seeds[seed] if seed < len(run.seeds) else 0), 0x5EE)
    name = str(run.document["recipe"]["name"])
    teams: dict[str, Team] = {name: run.learner.team(run.state(seed), greedy=True)}
    if beside_random:
        teams["random"] = random_team(run.game.spec)
    tracks, returns = {}, {}
    for label, team in teams.items():
        frames, mean = scenes(run, team, episodes, key)
        tracks[f"{label} (mean return {mean:.1f})"] = frames
        returns[label] = mean
    if form == "gif":
        write_gif(path, tracks)
    else:
        write_html(path, tracks, f"{name} on {run.document['game']['name']}")
    return {"returns": returns}
