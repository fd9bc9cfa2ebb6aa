"""From a game that can be written down to its exact solution, and from a trained team to its exact return."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from coterie.contracts import CoterieError, Observation, Tables, Tabular
from coterie.contracts.tables import check_size
from coterie.exact.dec_mdp import DecMdp, Policies, joint

Chances = Callable[[Observation], Any]


class Exact(NamedTuple):
    """A team's exact worth on a game.

    ``episode`` and ``best_episode``: expected undiscounted return of an episode of the game's own horizon, of the team
    and of the best team that knows the time. ``discounted`` and ``best_discounted``: J over an endless episode.
    """

    episode: float
    best_episode: float
    discounted: float
    best_discounted: float
    policies: Policies


def written_down(game: Any) -> Tables:
    """The tables of a game.

    Raises:
        CoterieError: It has none, or they would be too large.
    """
    if not isinstance(game, Tabular):
        raise CoterieError(f"a {type(game).__name__} cannot be written down, it has no tables(): sample it instead "
                           "(coterie evaluate)")  # fmt: skip
    tables = game.tables()
    check_size(*tables.reward.shape)
    return tables


def from_game(game: Any, gamma: float = 0.99) -> DecMdp:
    """The Dec-MDP of a game with ``tables()``, in double precision.

    Raises:
        CoterieError: The game has no tables, they are too large, or its agents do not choose one action each.
    """
    return _from_tables(written_down(game), _actions(game), gamma)


def _from_tables(tables: Tables, actions: tuple[int, ...], gamma: float) -> DecMdp:
    transition = np.asarray(tables.transition, np.float64)
    transition = transition / transition.sum(-1, keepdims=True)  # games hold single precision
    return DecMdp(
        transition, np.asarray(tables.reward, np.float64), np.asarray(tables.start, np.float64), gamma, actions
    )


def _actions(game: Any) -> tuple[int, ...]:
    spaces = game.spec.action_spaces
    if any(space.kind != "discrete" for space in spaces):
        raise CoterieError(f"agents of a {type(game).__name__} do not choose one action each: sample it instead "
                           "(coterie evaluate)")  # fmt: skip
    return tuple(space.sizes[0] for space in spaces)


def evaluate(team: Any, game: Any, gamma: float = 0.99) -> Exact:
    """What a team is worth, exactly.

    Args:
        team: A trained team (its distribution is asked for every state; a greedy one is certain), a function from the
            observations of all states to probabilities ``[S, N, A]``, or one table ``[S, A_i]`` for each agent.
        game: A game with ``tables()``.
        gamma: Discount of the second pair of numbers.

    Raises:
        CoterieError: The game cannot be written down, or the team has a memory, so that its choice depends on more
            than the state.
    """
    tables, actions = written_down(game), _actions(game)
    known = _from_tables(tables, actions, gamma)
    policies = _policies(team, tables.observations, actions)
    policy = joint(policies)
    start = known.start
    return Exact(
        episode=float(start @ known.finite_value(policy, tables.horizon)),
        best_episode=float(start @ known.finite_optimum(tables.horizon)),
        discounted=float(known.solve(policy).objective),
        best_discounted=float(start @ known.optimum()[0]),
        policies=policies,
    )


def _policies(team: Any, observations: Observation, actions: tuple[int, ...]) -> Policies:
    if isinstance(team, Sequence):
        tables = [np.asarray(table, np.float64) for table in team]
        shapes = [(len(observations.state), count) for count in actions]
        if [table.shape for table in tables] != shapes:
            raise CoterieError(f"policies have shapes {[t.shape for t in tables]}: give {shapes}, states by actions")
    else:
        found = np.asarray((team if callable(team) else probabilities(team))(observations), np.float64)
        tables = [found[:, agent, :count] for agent, count in enumerate(actions)]
    totals = [table.sum(-1, keepdims=True) for table in tables]
    if any(table.min() < 0 or np.abs(total - 1).max() > 1e-4 for table, total in zip(tables, totals, strict=True)):
        raise CoterieError("the team's probabilities do not sum to 1: each agent needs a distribution in every state")
    return tuple(table / total for table, total in zip(tables, totals, strict=True))


def probabilities(team: Any) -> Chances:
    """The function from observations ``[S, ...]`` to a team's probabilities ``[S, N, A]``.

    A team offers ``learner.distribution(params, carry, observation)``, the log-probabilities of its choices, and
    ``greedy``; one without a learner is taken for certain of what it does.
    """

    def chances(observation: Observation) -> Float[np.ndarray, "S N A"]:
        import jax

        carry = team.carry(len(observation.state))
        if any(math.prod(leaf.shape) for leaf in jax.tree.leaves(carry)):
            raise CoterieError("this team has a memory, so its choice depends on more than the state: sample it "
                               "instead (coterie evaluate)")  # fmt: skip
        width = observation.legal.shape[-1]
        if getattr(team, "greedy", True) or not hasattr(team, "learner"):
            return np.eye(width)[np.asarray(team.act(carry, observation, jax.random.key(0))[0])]
        found, _ = team.learner.distribution(team.params, carry, observation)
        return np.exp(np.asarray(found.log_p, np.float64))

    return chances
