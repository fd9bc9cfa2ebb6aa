"""Collecting: a team plays, episodes restart, and what was seen becomes a ``Rollout``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import Game, HostGame, Learner, Metrics, Observation, Rollout, Simulators, Step


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


def team_reward(game: Game | HostGame, reward: Any) -> Any:
    """What the team earned ``[...]`` of rewards ``[..., N]``, JAX's or NumPy's: the common one, or their sum."""
    return reward[..., 0] if game.spec.reward == "team" else reward.sum(-1)


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


@lru_cache(maxsize=16)
def decider(structure: Any, groups: int) -> Callable[..., tuple[PyTree, Step]]:
    """What a group does at step ``t``, compiled: its memory, forgotten where an episode begins, and the team's step.

    ``structure`` is that of ``(learner, state)``, whose leaves come with every call: taking a learner apart at every
    step would cost more than the step.
    """

    @jax.jit
    def decide(leaves: Any, carry: PyTree, reset: Array, seen: Observation, keys: Array, t: Any, group: Any) -> Any:
        learner, state = jax.tree.unflatten(structure, leaves)
        key, _, _ = jax.random.split(keys[t], 3)
        key = jax.random.fold_in(key, group) if groups > 1 else key
        carry = where_row(reset, learner.carry(reset.shape[0]), carry)
        return carry, learner.act(state, carry, seen, key)

    return decide


class Tape:
    """Arrays ``[T, E, ...]``, filled step by step while simulators are at work, so that nothing is left to do."""

    def __init__(self, steps: int, environments: int) -> None:
        self.lead, self.trees = (steps, environments), dict[str, Any]()

    def write(self, name: str, t: int, rows: slice, tree: PyTree) -> None:
        """Keep ``tree``, rows ``[R, ...]`` of step ``t``, under ``name``."""
        leaves, structure = jax.tree.flatten(tree)
        if name not in self.trees:
            self.trees[name] = structure, [np.empty((*self.lead, *x.shape[1:]), x.dtype) for x in leaves]
        for buffer, leaf in zip(self.trees[name][1], leaves, strict=True):
            buffer[t, rows] = leaf

    def read(self, name: str) -> Any:
        """All that was kept under ``name``."""
        return jax.tree.unflatten(*self.trees[name])


class Group:
    """The rows of a hosted rollout that are stepped together."""

    def __init__(self, number: int, stage: Stage, rows: slice, tape: Tape) -> None:
        self.number, self.rows, self.tape = number, rows, tape
        cut: Any = jax.tree.map(lambda x: x[rows], stage._replace(state=()))
        self.stage: Stage = cut
        self.carries: list[PyTree] = []
        self.ended = np.zeros(3)

    def act(self, simulators: Simulators, t: int, move: Step, carry: PyTree, keep: bool) -> None:
        """Send actions off, and note what was seen and done."""
        stage = self.stage
        simulators.send(self.number, np.asarray(move.action))
        self.tape.write("act", t, self.rows, (stage.observation, move.extras, stage.reset))
        if keep:
            self.carries.append(jax.tree.map(np.asarray, carry))
        self.stage = stage._replace(carry=move.carry)

    def take(self, game: HostGame, simulators: Simulators, t: int) -> None:
        """Wait for what the actions of step ``t`` led to."""
        turn, stage = simulators.receive(self.number), self.stage
        done = turn.terminated | turn.truncated
        total = np.asarray(stage.total) + team_reward(game, turn.reward)
        whole = done & ~turn.lost
        self.ended += (whole.sum(), total[whole].sum(), turn.lost.sum())
        self.tape.write("take", t, self.rows, (turn.final, turn.reward, turn.terminated, turn.truncated))
        self.stage = stage._replace(observation=turn.following, reset=done, total=np.where(done, np.float32(0), total))


def hosted(
    game: HostGame, simulators: Simulators, learner: Learner, state: PyTree, stage: Stage, key: PRNGKeyArray
) -> tuple[Stage, Rollout, Metrics]:
    """Play T steps in every simulator: ``scan``'s contract, on the host.

    While one group of simulators is stepped, the team decides for the other. What it decides does not depend on who
    is faster.

    Args:
        game: The game.
        simulators: Its environments, as ``stage`` says.
        learner: Acts with ``state``.
        state: The learner's training state.
        stage: The environments as the last iteration left them; its ``state`` is passed on.
        key: Source of every draw.

    Returns:
        As ``scan``; the metrics count the steps whose simulators failed, too.
    """
    environments, steps, chunk = learner.sizes
    keys = jax.random.split(key, (steps // chunk, chunk)).reshape(steps)
    tape = Tape(steps, environments)
    groups = [Group(number, stage, rows, tape) for number, rows in enumerate(simulators.groups)]
    leaves, structure = jax.tree.flatten((learner, state))
    decide = decider(structure, len(groups))
    for t in range(steps):
        for group in groups:
            if t:
                group.take(game, simulators, t - 1)
            now = group.stage
            carry, move = decide(
                leaves, now.carry, now.reset, now.observation, keys, np.int32(t), np.int32(group.number)
            )
            group.act(simulators, t, move, carry, t % chunk == 0)
    for group in groups:
        group.take(game, simulators, steps - 1)
    seen, (latent, log_prob, behaviour), reset = tape.read("act")
    final, reward, terminated, truncated = tape.read("take")
    carries = [jax.tree.map(lambda *rows: np.stack(rows), *group.carries) for group in groups]
    carry = jax.tree.map(lambda *parts: np.concatenate(parts, 1), *carries)
    rollout = Rollout(seen, final, latent, log_prob, behaviour, reward, terminated, truncated, reset, carry)
    after: Stage = jax.tree.map(lambda *parts: np.concatenate(parts), *(group.stage for group in groups))
    episodes, returns, lost = jnp.asarray(np.sum([group.ended for group in groups], 0), jnp.float32)
    ended = {"episodes": episodes, "returns": returns, "lost": lost}
    return after._replace(state=stage.state), rollout, ended
