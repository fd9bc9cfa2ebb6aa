"""Other environments of JaxMARL as games: a riddle, coins, Hanabi, robots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, PyTree

from coterie.bridges.jaxmarl import JaxmarlGame, JaxmarlState, Reading, Told, jaxmarl_game, only_the_clock
from coterie.bridges.jaxmarl_mpe import ActionOption, summed
from coterie.bridges.jaxmarl_upstream import environment
from coterie.contracts import RewardKind
from coterie.games.options import one_of, whole_at_least


def _said(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """Somebody spoke, and was paid or punished."""
    del late
    return told.reward[env.agents[0]] != 0


def switch_riddle(agents: int = 3, length: int | None = None) -> JaxmarlGame:
    """JaxMARL's switch riddle: prisoners visit a room with a lamp until one says that all have been there.

    Args:
        agents: Number of prisoners, at least 3.
        length: Steps after which an episode is truncated; None: four for each prisoner, less six.
    """
    whole_at_least("agents", agents, 3)
    length = 4 * agents - 6 if length is None else length
    env = environment("switch_riddle", length, num_agents=agents)
    return jaxmarl_game(env, length, "team", Reading(over=_said))


def coin_game(reward: RewardKind = "individual", length: int = 10) -> JaxmarlGame:
    """JaxMARL's coin game: two agents collect coins, and taking the other's costs the other; mixed motives.

    Args:
        reward: ``individual``, or ``team``: both are paid the sum.
        length: Steps after which an episode is truncated (one inner episode of JaxMARL's).
    """
    whole_at_least("length", length, 1)
    one_of("reward", reward, ("team", "individual"))
    # JaxMARL's own clock resets the board within a step and drops that step's reward, so it must never strike.
    env = environment("coin_game", num_inner_steps=length + 1, num_outer_steps=1)
    reading = Reading(over=only_the_clock, pay=summed) if reward == "team" else Reading(over=only_the_clock)
    return jaxmarl_game(env, length, reward, reading)


def _by_the_rules(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """``done``, of an environment without a clock."""
    del env, late
    return jnp.asarray(told.done["__all__"], bool)


def _legal_moves(env: Any, inside: PyTree) -> Mapping[str, Array]:
    return env.get_legal_moves(inside)


def hanabi(agents: int = 2, length: int = 100) -> JaxmarlGame:
    """JaxMARL's Hanabi: players in turn play, discard or hint; whose turn it is not can only wait.

    Args:
        agents: Number of players, 2 to 5.
        length: Steps after which an episode is truncated; no game needs more than the default.
    """
    whole_at_least("agents", agents, 2)
    env = environment("hanabi", num_agents=agents)
    return jaxmarl_game(env, length, "team", Reading(over=_by_the_rules, legal=_legal_moves))


def _all_stopped(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """Every robot is at its goal or has crashed."""
    del env, late
    return jnp.all(told.inside.goal_reached | told.inside.move_term)


def _arrivals(env: Any, state: JaxmarlState) -> Mapping[str, Array]:
    del env
    arrived, crashed = state.inside.goal_reached, state.inside.move_term
    return {"arrived": jnp.mean(arrived.astype(jnp.float32)), "crashed": jnp.mean(crashed.astype(jnp.float32))}


def jaxnav(
    agents: int = 2, actions: ActionOption = "continuous", reward: RewardKind = "individual", length: int = 500
) -> JaxmarlGame:
    """JaxMARL's JaxNav: robots with range finders drive to their goals through random maps.

    Args:
        agents: Number of robots.
        actions: ``continuous`` (speed and turning) or ``discrete`` (15 pairs of them).
        reward: ``individual``, or ``team``: all are paid the sum.
        length: Steps after which an episode is truncated.
    """
    whole_at_least("agents", agents, 1)
    one_of("actions", actions, ("discrete", "continuous"))
    one_of("reward", reward, ("team", "individual"))
    env = environment("jaxnav", length, num_agents=agents, act_type=actions.capitalize())
    reading = Reading(over=_all_stopped, info=_arrivals)
    return jaxmarl_game(env, length, reward, replace(reading, pay=summed) if reward == "team" else reading)


GAMES: dict[str, Callable[..., JaxmarlGame]] = {
    "jaxmarl/switch_riddle": switch_riddle,
    "jaxmarl/coin_game": coin_game,
    "jaxmarl/hanabi": hanabi,
    "jaxmarl/jaxnav": jaxnav,
}
"""The games of this file by name."""
