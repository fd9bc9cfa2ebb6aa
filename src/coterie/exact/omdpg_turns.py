"""OMDPG's turns: deterministic agents pick the argmax of phi* one after the other, with their own or a shared table.

The critic is Q^mu of the team before the first turn. An agent's turn moves everybody who shares its table, and the next
agent's prefix is the team as it then is. Where no action is better than the one that an agent has, it keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coterie.exact.drift import types
from coterie.exact.found import NOISE, Found, Numbers
from coterie.exact.omdpg import Team, better, greedy, orders, own, phi, relative, rows
from coterie.exact.random_games import Case


def _turns(case: Case, slots: Sequence[int], order: Sequence[int]) -> tuple[np.ndarray, list[Team]]:
    """Q of the team mu, and the team before each turn and after the last; an agent's turn moves its whole slot."""
    game, teams = case.game, [greedy(case, slots)]
    flat = np.ravel_multi_index(tuple(teams[0]), game.actions).reshape(case.count, -1)
    quality = rows(game, game.solve(game.deterministic(flat)).quality)
    for place, agent in enumerate(order):
        best = better(own(phi(quality, order[: place + 1]), agent, teams[-1]), teams[-1][agent])
        teams.append([best if slots[j] == slots[agent] else a for j, a in enumerate(teams[-1])])
    return quality, teams


def improves(case: Case) -> Found:
    """J rises, or stays, from mu to the team of all argmaxes of the phi* of Q^mu: policy iteration on joint actions.

    A fall is measured in units of r_max / (1 - gamma).
    """
    return Found(_fall(case, tuple(range(case.game.agents))))


def improves_shared(case: Case) -> Found:
    """The same where agents of a type share one table, so that later turns undo earlier ones: 1 where J falls.

    Figures: in what share of the games, and by how much where it falls.
    """
    fall = _fall(case, types(case.game.actions))
    worse = fall > NOISE
    return Found(worse.astype(float), figures={"worse": worse.astype(float), "fall": np.where(worse, fall, np.nan)})


def _fall(case: Case, slots: Sequence[int]) -> Numbers:
    game, (_, teams) = case.game, _turns(case, slots, range(case.game.agents))
    flat = [np.ravel_multi_index(tuple(t), game.actions).reshape(case.count, -1) for t in (teams[0], teams[-1])]
    before, after = (game.solve(game.deterministic(choice)).objective for choice in flat)
    return np.maximum(before - after, 0.0) * (1 - game.gamma) / np.maximum(game.reward_bound(), 1e-300)


def still(case: Case) -> Found:
    """phi*(s, a_{1:i}) when agent i has its turn is what it was before all turns, types sharing a table, any order.

    It has no ratio and no policy in it, so this is so by construction. Figures: the same with current future actions
    (in a team of two nobody's future has moved), and how often the agent's own action has moved by then.
    """
    optimal, current, moved = (np.zeros(case.count) for _ in range(3))
    every = orders(case)
    for order in every:
        quality, teams = _turns(case, types(case.game.actions), order)
        for place, agent in enumerate(order):
            kept, start, live = order[: place + 1], teams[0], teams[place]
            for worst, futures in ((optimal, (None, None)), (current, (start, live))):
                before, now = (phi(quality, kept, future) for future in futures)
                np.maximum(worst, relative(np.abs(now - before), case, quality), out=worst)
            moved += (live[agent] != start[agent]).reshape(case.count, -1).mean(-1) / (len(every) * case.game.agents)
    return Found(optimal, figures={"with current future actions": current, "own action moved": moved})
