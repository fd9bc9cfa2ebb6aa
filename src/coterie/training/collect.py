"""Collecting: a team plays, episodes restart, and what was seen becomes a ``Rollout``."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import Game, Learner, Metrics, Observation, Rollout


class Stage(NamedTuple):
    """The environments between two iterations, ``[E, ...]``.

    ``reset`` says that ``observation`` opens an episode; ``total`` is the return of the episode so far, summed over
    agents where rewards are individual.
    """

    state: PyTree
    observation: Observation
    carry: PyTree
    reset: Bool[Array, " E"]
    total: Float[Array, " E"]


def open_stage(game: Game, learner: Learner, key: PRNGKeyArray, environments: int) -> Stage:
    """Fresh episodes in every environment."""
    state, observation = jax.vmap(game.reset)(jax.random.split(key, environments))
    started = jnp.ones(environments, bool)
    return Stage(state, observation, learner.carry(environments), started, jnp.zeros(environments))


def where_row(mask: Bool[Array, " E"], yes: PyTree, no: PyTree) -> PyTree:
    """``yes`` in the rows where ``mask`` holds, ``no`` elsewhere."""

    def pick(a: Array, b: Array) -> Array:
        if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            data = where_row(mask, jax.random.key_data(a), jax.random.key_data(b))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(a))
        return jnp.where(mask.reshape(-1, *(1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, yes, no)


def team_reward(game: Game, reward: Float[Array, "*lead N"]) -> Float[Array, "*lead"]:
    """What the team earned: the common reward, or the sum of individual ones."""
    return reward[..., 0] if game.spec.reward == "team" else jnp.sum(reward, axis=-1)


def scan(
    game: Game, learner: Learner, state: PyTree, stage: Stage, key: PRNGKeyArray
) -> tuple[Stage, Rollout, Metrics]:
    """Play T steps in every environment, all inside compiled code.

    Args:
        game: The game; finished episodes are restarted here, their final observation is kept.
        learner: Acts with ``state``.
        state: The learner's training state.
        stage: The environments as the last iteration left them.
        key: Source of every draw.

    Returns:
        The stage after the last step, the rollout ``[T, E, ...]``, and the finished episodes: their number, the sum
        of their returns.
    """

    def step(stage: Stage, key: PRNGKeyArray) -> tuple[Stage, tuple[Rollout, Metrics]]:
        act_key, step_key, reset_key = jax.random.split(key, 3)
        environments = stage.reset.shape[0]
        move = learner.act(state, stage.carry, stage.observation, act_key)
        step_keys = jax.random.split(step_key, environments)
        after, final, outcome = jax.vmap(game.step)(step_keys, stage.state, move.action)
        done = outcome.terminated | outcome.truncated
        fresh, opening = jax.vmap(game.reset)(jax.random.split(reset_key, environments))
        total = stage.total + team_reward(game, outcome.reward)
        latent, log_prob, behaviour = move.extras
        seen = Rollout(
            stage.observation, final, latent, log_prob, behaviour, outcome.reward, outcome.terminated,
            outcome.truncated, stage.reset, (),
        )  # fmt: skip
        ended = {"episodes": jnp.sum(done.astype(total.dtype)), "returns": jnp.sum(jnp.where(done, total, 0.0))}
        stage = Stage(
            state=where_row(done, fresh, after),
            observation=where_row(done, opening, final),
            carry=where_row(done, learner.carry(environments), move.carry),
            reset=done,
            total=jnp.where(done, 0.0, total),
        )
        return stage, (seen, ended)

    def stretch(stage: Stage, keys: PRNGKeyArray) -> tuple[Stage, tuple[PyTree, tuple[Rollout, Metrics]]]:
        carry = stage.carry
        stage, out = jax.lax.scan(step, stage, keys)
        return stage, (carry, out)

    _, steps, chunk = learner.sizes
    keys = jax.random.split(key, (steps // chunk, chunk))
    stage, (carry, (seen, ended)) = jax.lax.scan(stretch, stage, keys)
    flat = jax.tree.map(lambda x: x.reshape(steps, *x.shape[2:]), seen)
    return stage, flat._replace(carry=carry), jax.tree.map(jnp.sum, ended)
