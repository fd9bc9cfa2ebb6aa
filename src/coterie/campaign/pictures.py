"""Learning curves of run directories, and replays of their teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from coterie.api import Run
from coterie.contracts import CoterieError, Drawable, HostGame, Scene, Team
from coterie.games.scripted import random_team
from coterie.training import journal
from coterie.training.curves import write_curves
from coterie.training.evaluate import trail
from coterie.training.replay import write_gif, write_html


def series(directory: Path, metric: str = "episode_return") -> tuple[np.ndarray, np.ndarray]:
    """Steps ``[points]`` and a metric of every seed ``[seeds, points]``, where all seeds have it in the journal."""
    found: dict[int, dict[int, float]] = {}
    points = journal.read(directory)
    for point in points:
        if point.get(metric) is not None:
            found.setdefault(point["step"], {})[point["seed"]] = point[metric]
    seeds = sorted({point["seed"] for point in points})
    steps = sorted(step for step, values in found.items() if len(values) == len(seeds))
    return np.array(steps), np.array([[found[step][seed] for step in steps] for seed in seeds])


def curve(path: Path, runs: Mapping[str, Path], references: Mapping[str, float] | None = None) -> Path | None:
    """Draw the learning curves of several runs; None if none of them finished an episode while learning."""
    curves = {name: series(directory) for name, directory in runs.items()}
    curves = {name: both for name, both in curves.items() if both[0].size}
    if not curves:
        return None
    write_curves(path, curves, "Return while learning (sampled actions)", "team return of an episode", references or {})
    return path


def scenes(run: Run, team: Team, episodes: int, key: jax.Array) -> tuple[list[Scene], float]:
    """The frames of some episodes of one team, one after another, and their mean return."""
    game = run.game
    if not isinstance(game, Drawable) or isinstance(game, HostGame):
        raise CoterieError(f"{run.document['game']['name']} cannot be drawn: it has no scene; evaluate it instead")
    states, actions, rewards, lengths = jax.device_get(trail(game, team, key, episodes))
    frames, total = [], 0.0
    for episode, length in enumerate(lengths):
        total += float(rewards[:length, episode].sum())
        for t in range(length + 1):
            state = jax.tree.map(lambda x: x[t, episode], states)  # noqa: B023
            frames.append(game.scene(state, None if t == 0 else actions[t - 1, episode]))
    return frames, total / episodes


def replay(run: Run, paths: Sequence[Path], episodes: int, seed: int, beside_random: bool) -> dict[str, float]:
    """Draw the same episodes played by the trained team and by a random one, a film or an ``.html`` page for each path.

    Returns the mean return of each team over these episodes.
    """
    state, name = run.state(seed), str(run.document["recipe"]["name"])
    key = jax.random.fold_in(jax.random.key(run.seeds[seed]), 0x5EE)
    teams: dict[str, Team] = {name: run.learner.team(state, greedy=True)}
    if beside_random:
        teams["random"] = random_team(run.game.spec)
    tracks, returns = {}, {}
    for label, team in teams.items():
        frames, mean = scenes(run, team, episodes, key)
        tracks[f"{label} (mean return {mean:.1f})"] = frames
        returns[label] = mean
    for path in paths:
        if path.suffix == ".html":
            write_html(path, tracks, f"{name} on {run.document['game']['name']}")
        else:
            write_gif(path, tracks)
    return returns
