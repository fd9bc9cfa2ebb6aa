"""Evaluation: whole episodes of a fixed team, no learning."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import Game, HostGame, Observation, Simulators, Team
from coterie.training.collect import team_reward, where_row

SIDE_BY_SIDE = 16
"""Simulators that play an evaluation at most; more are only for learning."""


class Episodes(NamedTuple):
    """The results of ``E`` episodes: undiscounted team return, steps, and the last info of each."""

    returns: Float[Array, " E"]
    lengths: Int[Array, " E"]
    info: dict[str, Float[Array, " E"]]


def play(game: Game, team: Team, key: PRNGKeyArray, episodes: int) -> Episodes:
    """Play ``episodes`` episodes side by side, each from a reset to its end (jittable)."""
    _, (reward, live, info) = _unroll(game, team, key, episodes)
    last = jnp.maximum(jnp.sum(live.astype(jnp.int32), 0) - 1, 0)
    ended = {name: jnp.take_along_axis(x, last[None], 0)[0] for name, x in info.items()}
    return Episodes(jnp.sum(jnp.where(live, reward, 0.0), 0), jnp.sum(live.astype(jnp.int32), 0), ended)


def rounds(game: Game | HostGame, team: Team, keys: PRNGKeyArray, episodes: int) -> Episodes:
    """``episodes`` episodes for each key, ``[S, episodes]``, of any game and any team."""
    if not isinstance(game, HostGame):
        return jax.jit(lambda keys: jax.lax.map(lambda key: play(game, team, key, episodes), keys))(keys)
    simulators = game.open(min(episodes, SIDE_BY_SIDE))
    try:
        found = [host_play(game, simulators, team, key, episodes) for key in keys]
    finally:
        simulators.close()
    return jax.tree.map(lambda *each: np.stack(each), *found)


_act = eqx.filter_jit(lambda team, carry, seen, key: team.act(carry, seen, key))


def host_play(game: HostGame, simulators: Simulators, team: Team, key: PRNGKeyArray, episodes: int) -> Episodes:
    """Play ``episodes`` episodes in simulators, each from a reset to its end; one that failed is played again."""
    count, found = simulators.groups[-1].stop, []
    for number in range(-(-episodes // count)):
        seed_key, play_key = jax.random.split(jax.random.fold_in(key, number))
        seen = simulators.reset(np.asarray(jax.random.bits(seed_key, (count,), jnp.uint32)))
        found.append(_round(game, simulators, partial(_act, team), team.carry, seen, play_key))
    return jax.tree.map(lambda *each: np.concatenate(each)[:episodes], *found)


def _round(
    game: HostGame, simulators: Simulators, act: Callable[..., Any], fresh: Callable[[int], PyTree],
    seen: Observation, key: PRNGKeyArray,
) -> Episodes:  # fmt: skip
    """The episodes under way in every simulator, to their ends."""
    groups, count = simulators.groups, len(seen.alive)
    total: Any = np.zeros(count, np.float32)
    length: Any = np.zeros(count, np.int32)
    live, info = np.ones(count, bool), dict[str, Any]()
    now = [(jax.tree.map(lambda x: x[rows], seen), fresh(rows.stop - rows.start)) for rows in groups]  # noqa: B023
    while live.any():
        key, own = jax.random.split(key)
        for g in range(len(groups)):
            action, carry = act(now[g][1], now[g][0], jax.random.fold_in(own, g))
            now[g] = now[g][0], carry
            simulators.send(g, np.asarray(action))
        for g, rows in enumerate(groups):
            turn = simulators.receive(g)
            ends, going = turn.terminated | turn.truncated, live[rows]
            total[rows] += np.where(going, team_reward(game, turn.reward), 0)
            length[rows] += going
            for name, value in turn.info.items():
                kept = info.setdefault(name, np.zeros(count, np.float32))
                kept[rows] = np.where(going, value, kept[rows])
            total[rows], length[rows] = (np.where(turn.lost & going, 0, x[rows]) for x in (total, length))
            live[rows] = going & (~ends | turn.lost)
            start = fresh(len(ends))
            now[g] = turn.following, where_row(jnp.asarray(ends), start, now[g][1])
    return Episodes(total, length, info)


def trail(game: Game, team: Team, key: PRNGKeyArray, episodes: int) -> tuple[PyTree, Array, Array, Array]:
    """Episodes for drawing: states ``[T + 1, E, ...]``, actions ``[T, E, N, ...]``, rewards ``[T, E]``, lengths."""
    (states, actions), (reward, live, _) = jax.jit(lambda k: _unroll(game, team, k, episodes, keep=True))(key)
    return states, actions, reward, jnp.sum(live.astype(jnp.int32), 0)


def _unroll(game: Game, team: Team, key: PRNGKeyArray, episodes: int, keep: bool = False) -> tuple[PyTree, PyTree]:
    reset_key, play_key = jax.random.split(key)
    state, observation = jax.vmap(game.reset)(jax.random.split(reset_key, episodes))

    def step(now: tuple[PyTree, Observation, PyTree, Array], key: PRNGKeyArray) -> tuple[PyTree, PyTree]:
        state, observation, carry, live = now
        act_key, step_key = jax.random.split(key)
        action, carry = team.act(carry, observation, act_key)
        keys = jax.random.split(step_key, episodes)
        after, observation, outcome = jax.vmap(game.step)(keys, state, action)
        ends = outcome.terminated | outcome.truncated
        seen = (team_reward(game, outcome.reward), live, dict(outcome.info))
        kept = (after, action) if keep else ()
        return (after, observation, carry, live & ~ends), (kept, seen)

    live = jnp.ones(episodes, bool)
    keys = jax.random.split(play_key, game.spec.horizon)
    _, (kept, seen) = jax.lax.scan(step, (state, observation, team.carry(episodes), live), keys)
    if keep:
        states = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), state, kept[0])
        kept = (states, kept[1])
    return kept, seen
