"""What teams that never learnt earn, over the same episodes as trained ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.contracts import Game, HostGame, Team
from coterie.games.scripted import random_team
from coterie.training.evaluate import rounds
from coterie.training.statistics import interval
from coterie.training.train import evaluation_keys


def random_row(game: Game | HostGame, seeds: tuple[int, ...], episodes: int) -> dict[str, Any]:
    """The evaluation of a team that draws its actions uniformly."""
    return team_row(game, random_team(game.spec), seeds, episodes)


def team_row(game: Game | HostGame, team: Team, seeds: tuple[int, ...], episodes: int) -> dict[str, Any]:
    """The evaluation of a scripted team."""
    results = rounds(game, team, evaluation_keys(seeds, 1), episodes)
    returns = np.asarray(results.returns.mean(1))
    mean, low, high = interval(returns)
    return {"returns": returns, "mean": mean, "low": low, "high": high, "length": float(results.lengths.mean())}
