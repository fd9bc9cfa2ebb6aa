"""OMDPG's marginal values in tables: what optimal future actions bring, and what its other readings lose.

phi(s, a_{1:i}) is Q(s, a) with the actions of the agents up to i free and those of the later ones filled in: with the
optimal ones (phi*, OMDPG's optimal marginal Q-value), or with those that the team takes now. The paper leaves open
where the prefix a_{1:i-1} comes from when agent i maximises phi: the buffer, the team as it is, or the agents that had
their turn. Teams are deterministic: the likeliest actions of the case's old policies. Arrays have one row for each
game and state, R = B S.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Float, Int

from coterie.exact.dec_mdp import DecMdp, joint
from coterie.exact.found import NOISE, Found, Numbers, largest, ratio
from coterie.exact.random_games import Case

Team = list[Int[np.ndarray, " R"]]


def phi(
    quality: Float[np.ndarray, "R *A"], kept: Collection[int], future: Sequence[Int[np.ndarray, " R"]] | None = None
) -> Float[np.ndarray, "R *A1"]:
    """The largest Q over the actions of all agents but the kept ones, or Q at their actions in ``future``.

    This is phi(s, a_kept), and phi* where no future is given; agents that are not kept have an axis of length 1.
    Source: OMDPG, optimal marginal Q-value.
    """
    out = quality
    for agent in range(quality.ndim - 1):
        if agent not in kept:
            out = out.max(agent + 1, keepdims=True) if future is None else _at(out, agent, future[agent])
    return out


def own(
    table: Float[np.ndarray, "R *A1"], agent: int, team: Sequence[Int[np.ndarray, " R"]]
) -> Float[np.ndarray, "R A"]:
    """A table of phi as one agent sees it in its turn: the other agents that it depends on act as in ``team``."""
    for other in range(table.ndim - 1):
        if other != agent and table.shape[other + 1] > 1:
            table = _at(table, other, team[other])
    return table.reshape(len(table), -1)


def better(seen: Float[np.ndarray, "R A"], action: Int[np.ndarray, " R"]) -> Int[np.ndarray, " R"]:
    """The best action, or the one that the agent has where no other is better."""
    now = np.take_along_axis(seen, action[:, None], 1)[:, 0]
    return np.where(seen.max(-1) > now, seen.argmax(-1), action)


def _at(table: np.ndarray, agent: int, action: np.ndarray) -> np.ndarray:
    return np.take_along_axis(table, action.reshape(-1, *[1] * (table.ndim - 1)), agent + 1)


def rows(game: DecMdp, quality: Float[np.ndarray, "B S J"]) -> Float[np.ndarray, "R *A"]:
    """A table of joint actions with an axis for each agent."""
    return quality.reshape(-1, *game.actions)


def _quality(case: Case) -> np.ndarray:
    return rows(case.game, case.game.solve(joint(case.old)).quality)


def greedy(case: Case, slots: Sequence[int] | None = None) -> Team:
    """A deterministic team: the likeliest actions of the old policies; agents that share a slot act as its first."""
    places = range(case.game.agents) if slots is None else [slots.index(slot) for slot in slots]
    return [case.old[place].argmax(-1).reshape(-1) for place in places]


def _worth(quality: np.ndarray, team: Sequence[np.ndarray]) -> Float[np.ndarray, " R"]:
    return quality[(np.arange(len(quality)), *team)]


def _best(quality: np.ndarray) -> Float[np.ndarray, " R"]:
    return quality.max(tuple(range(1, quality.ndim)))


def relative(gap: Float[np.ndarray, "R ..."], case: Case, quality: Float[np.ndarray, "R *A"]) -> Numbers:
    """The largest gap in a game over its largest |Q|."""
    return gap.reshape(case.count, -1).max(-1) / np.maximum(largest(quality.reshape(case.count, -1)), 1e-300)


def _missed(case: Case, quality: np.ndarray, team: Team) -> Found:
    """How far the team's Q is below the best, over the largest range of Q in a state: 1 is the worst joint action.

    Figure: the share of states in which it is below.
    """
    gap = (_best(quality) - _worth(quality, team)).reshape(case.count, -1)
    span = (_best(quality) + _best(-quality)).reshape(case.count, -1).max(-1)
    size = largest(quality.reshape(case.count, -1))
    return Found(
        ratio(gap.max(-1), span, size), figures={"states missed": (gap > NOISE * (1 + size[:, None])).mean(-1)}
    )


def orders(case: Case) -> list[tuple[int, ...]]:
    """Every order of the agents."""
    return list(itertools.permutations(range(case.game.agents)))


def _sequence(quality: np.ndarray, order: Sequence[int], start: Team, optimal: bool) -> tuple[Team, np.ndarray]:
    """Each agent in turn picks the argmax of phi, those before it as they chose; and max phi of each turn, [N, R]."""
    team, tops = list(start), []
    for place, agent in enumerate(order):
        seen = own(phi(quality, order[: place + 1], None if optimal else team), agent, team)
        team[agent] = seen.argmax(-1)
        tops.append(seen.max(-1))
    return team, np.stack(tops)


def optimal_marginals(case: Case) -> Found:
    """With optimal future actions: max_{a_i} phi*(a_{1:i}) = max_a Q for every i, by induction."""
    quality = _quality(case)
    _, tops = _sequence(quality, range(case.game.agents), greedy(case), optimal=True)
    return Found(relative((_best(quality) - tops).max(0), case, quality))


def current_marginals(case: Case) -> Found:
    """The same with the team's current greedy actions in place of the optimal ones: coordinate ascent, one sweep."""
    quality = _quality(case)
    _, tops = _sequence(quality, range(case.game.agents), greedy(case), optimal=False)
    return Found(relative(_best(quality) - tops[-1], case, quality))


def monotone(case: Case) -> Found:
    """phi* never rises along a joint action, and what it falls by adds up to max_a Q - Q(a), in every order."""
    quality = _quality(case)
    lost, worst = _best(quality).reshape(-1, *[1] * case.game.agents) - quality, np.zeros(case.count)
    for order in orders(case):
        falls = [phi(quality, order[:i]) - phi(quality, order[: i + 1]) for i in range(case.game.agents)]
        rises = np.max([relative(-fall, case, quality) for fall in falls], axis=0)
        total = relative(np.abs(sum(falls) - lost), case, quality)
        worst = np.max([worst, rises, total], axis=0)
    return Found(worst)


def any_order(case: Case) -> Found:
    """The sequence a_i = argmax phi*(a_{1:i}) attains max_a Q in every order of the agents."""
    quality, start = _quality(case), greedy(case)
    teams = (_sequence(quality, order, start, optimal=True)[0] for order in orders(case))
    return Found(np.max([_missed(case, quality, team).printed for team in teams], axis=0))


def ascent(case: Case) -> Found:
    """Coordinate ascent on Q, agent by agent and sweep by sweep until nobody gains by moving, attains max_a Q."""
    quality, team = _quality(case), greedy(case)
    for _ in range(quality[0].size):  # a sweep that moves anybody raises Q, and there are so many joint actions
        for agent in range(case.game.agents):
            seen = own(phi(quality, (agent,), team), agent, team)
            team[agent] = better(seen, team[agent])
    return _missed(case, quality, team)


def current_prefix(case: Case) -> Found:
    """Prefix and future of the team as it is: every phi_i is Q(s, mu) at mu_i, and the same function in every order."""
    quality, team = _quality(case), greedy(case)
    worst = np.zeros(case.count)
    for order in orders(case):
        for place, agent in enumerate(order):
            seen = own(phi(quality, order[: place + 1], team), agent, team)
            alone = own(phi(quality, (agent,), team), agent, team)
            gap = np.abs(_worth(seen, [team[agent]]) - _worth(quality, team))
            worst = np.max([worst, relative(gap, case, quality), relative(np.abs(seen - alone), case, quality)], 0)
    return Found(worst)


def buffer_prefix(case: Case) -> Found:
    """The same with a prefix from the buffer, the worst of all prefixes: here the order of turns has an effect.

    An agent's phi is Q(s, mu) where it comes first, so the error is what another order changes.
    """
    quality, team = _quality(case), greedy(case)
    now, worst = _worth(quality, team).reshape(-1, *[1] * case.game.agents), np.zeros(case.count)
    for order in orders(case):
        for place, agent in enumerate(order):
            seen = _at(phi(quality, order[: place + 1], team), agent, team[agent])
            worst = np.maximum(worst, relative(np.abs(seen - now), case, quality))
    return Found(worst)


def buffer_greedy(case: Case) -> Found:
    """Each agent maximises E[phi*(s, b_{1:i-1}, a_i)], b from the behaviour policies: the team attains max_a Q.

    An agent does not see the prefix when it acts, so it chooses once for all of them.
    """
    quality, team = _quality(case), []
    for agent, actions in enumerate(case.game.actions):
        table = phi(quality, range(agent + 1))
        for before in range(agent):
            shape = [-1, *(case.game.actions[before] if j == before else 1 for j in range(case.game.agents))]
            table = (table * case.old[before].reshape(shape)).sum(before + 1, keepdims=True)
        team.append(table.reshape(-1, actions).argmax(-1))
    return _missed(case, quality, team)
