"""Evaluation: whole episodes of a fixed team, no learning."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import Game, Observation, Team
from coterie.training.collect import team_reward


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
