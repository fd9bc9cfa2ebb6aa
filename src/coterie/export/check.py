"""Is an exported policy the policy? Both are played on the same observations, and the largest difference is taken."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from coterie.contracts import CoterieError, Game, HostGame, Observation, Spec
from coterie.export.agent import AgentPolicy
from coterie.nets.distributions import Gaussian, Normal
from coterie.player import Playing
from coterie.training.collect import Stage, hosted, open_stage, scan, where_row

if TYPE_CHECKING:
    from coterie.api import Run
    from coterie.export.formats import Step

STEPS, PLAYED, RANDOM = 40, 13, 12
"""Steps in a row, and how many rows of the game's own play and of random observations: 1,000 observations an agent."""
OBSERVATIONS = STEPS * (PLAYED + RANDOM)


class Seen(NamedTuple):
    """Observations in a row, ``T`` steps of ``R`` rows; where ``reset``, an episode begins and memories are empty."""

    local: Float[np.ndarray, "T R N O"]
    legal: Bool[np.ndarray, "T R N *choices"]
    reset: Bool[np.ndarray, "T R"]


class Original(NamedTuple):
    """What the team's own policies say: parameters ``[T, R, N, ...]`` and memories after each step, or empty."""

    parameters: Any
    memory: PyTree


def observe(run: Run, state: PyTree) -> Seen:
    """What to compare on: the game as the team plays it, and as many observations that no game would show.

    Raises:
        CoterieError: The game cannot be traced.
    """
    spec = run.learner.spec
    recipe = replace(run.learner.recipe, environments=PLAYED, rollout=STEPS, chunk=0)
    try:
        seen, reset = _play(run.game, replace(run.learner, recipe=recipe), state, jax.random.key(0))
    except TypeError as error:  # what JAX raises where a program asks for the value of a traced array
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CoterieError(
            f"the game {run.document['game']['name']} cannot be traced ({reason}): write its reset, step and "
            "observation with jax.numpy to export its team"
        ) from error
    local, legal, reset = (np.asarray(x) for x in (seen.local, seen.legal, reset))
    fancied, allowed = _random(spec, local)
    begins = np.arange(STEPS)[:, None] % 20 == np.zeros(RANDOM, int)
    rows = ((local, fancied), (legal, allowed), (reset, begins))
    return Seen(*(np.concatenate(pair, axis=1) for pair in rows))


def _play(game: Game | HostGame, learner: Playing, state: PyTree, key: Array) -> tuple[Observation, Array]:
    if isinstance(game, HostGame):
        return _hosted(game, learner, state, key)
    return _scanned(game, learner, state, key)


@partial(jax.jit, static_argnums=0)
def _scanned(game: Game, learner: Playing, state: PyTree, key: Array) -> tuple[Observation, Array]:
    stage_key, play_key = jax.random.split(key)
    stage = open_stage(game, learner, stage_key, PLAYED)
    _, rollout, _ = scan(game, learner, state, stage, play_key)
    return rollout.observation, rollout.reset


def _hosted(game: HostGame, learner: Playing, state: PyTree, key: Array) -> tuple[Observation, Array]:
    with closing(game.open(PLAYED)) as simulators:
        opening: Any = simulators.reset(np.arange(PLAYED, dtype=np.uint32))
        stage = Stage((), opening, learner.carry(PLAYED), jnp.ones(PLAYED, bool), jnp.zeros(PLAYED))
        _, rollout, _ = hosted(game, simulators, learner, state, stage, key)
    return rollout.observation, rollout.reset


def _random(spec: Spec, local: Float[np.ndarray, "T R N O"]) -> tuple[np.ndarray, np.ndarray]:
    """Observations far beyond what was seen, and masks that leave at least one choice."""
    generator, n = np.random.default_rng(0), spec.n_agents
    spread = 1.0 + 2.0 * local.std(axis=(0, 1))
    noise = generator.standard_normal((STEPS, RANDOM, n, spec.observation_size))
    real = np.arange(spec.observation_size) < np.array(spec.observation_sizes)[:, None]
    fancied = np.where(real, local.mean(axis=(0, 1)) + spread * noise, 0.0)
    legal = np.broadcast_to(spec.legal, (STEPS, RANDOM, *spec.legal.shape))
    if spec.action_kind != "continuous":
        some = legal & (generator.random(legal.shape) < 0.5)
        legal = np.where(some.any(axis=-1, keepdims=True), some, legal)
    return fancied.astype(np.float32), legal


def original(learner: Playing, params: PyTree, seen: Seen) -> Original:
    """The team's own policies on the observations, each with its memory."""
    with jax.default_matmul_precision("highest"):
        return Original(*jax.tree.map(np.asarray, _original(learner, params, seen)))


@jax.jit
def _original(learner: Playing, params: PyTree, seen: Seen) -> tuple[PyTree, PyTree]:
    rows, n = seen.local.shape[1:3]
    state, alive = jnp.zeros((rows, learner.spec.state_size)), jnp.ones((rows, n), bool)

    def step(carry: PyTree, now: Seen) -> tuple[PyTree, PyTree]:
        carry = where_row(jnp.asarray(now.reset), learner.carry(rows), carry)
        view = Observation(jnp.asarray(now.local), state, jnp.asarray(now.legal), alive)
        params_now, carry = learner.preferences(params, carry, view)
        return carry, (params_now, carry)

    return jax.lax.scan(step, learner.carry(rows), seen)[1]


def difference(run: Run, policy: AgentPolicy, step: Step, seen: Seen, truth: Original) -> float:
    """The largest difference between what a file's ``step`` gives and what the agent's own policy does.

    It is taken over the parameters of the distribution, the action and the memory, which the file carries on by
    itself; relative to the original where that is larger than 1, since float32 has no more digits. A discrete action
    differs by what it loses in log-probability (or, drawn, by how far it misses its share of the unit interval), a
    box's by its share of the half width. NaN if either is.
    """
    agent = policy.document["index"]
    spec, memory = run.learner.spec, {}
    space, size = spec.action_spaces[agent], spec.observation_sizes[agent]
    own = tuple(slice(length) for length in space.legal_shape)
    generator = np.random.default_rng(agent)
    worst = [0.0]
    if "memory" in policy.inputs:
        memory["memory"] = np.zeros((PLAYED + RANDOM, run.learner.recipe.actor.memory), np.float32)
    for t in range(STEPS):
        inputs = {"observation": seen.local[t, :, agent, :size], **memory}
        inputs |= {name: np.where(seen.reset[t, :, None], np.float32(0), h) for name, h in memory.items()}
        legal = seen.legal[t, :, agent][:, *own]
        inputs |= {"legal": legal} if "legal" in policy.inputs else {}
        if "noise" in policy.inputs:
            shape = (len(legal), *policy.document["inputs"][-1]["shape"][1:])
            drawn = generator.random(shape) if "legal" in inputs else generator.standard_normal(shape)
            inputs["noise"] = drawn.astype(np.float32)
        found = step(inputs)
        expected = {name: x[t, :, agent][:, *own] for name, x in _named(truth.parameters).items()}
        worst += [_gap(found[name], x) for name, x in expected.items()]
        worst.append(_action_gap(run.learner, agent, found["action"], expected, inputs.get("noise")))
        if memory:
            memory["memory"] = found["next_memory"]
            worst.append(_gap(found["next_memory"], truth.memory[t, :, agent]))
    return float(np.max(worst))


def _named(parameters: Any) -> dict[str, Any]:
    if isinstance(parameters, Normal):
        return {"mean": parameters.mean, "log_std": parameters.log_std}
    return {"logits": parameters.log_p}


def _gap(found: np.ndarray, expected: np.ndarray) -> float:
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    return float(np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))))


def _action_gap(
    learner: Playing, agent: int, action: np.ndarray, expected: Mapping[str, np.ndarray], noise: np.ndarray | None
) -> float:
    """How far an action is from what the original parameters, with the same randomness, would have given."""
    if "mean" in expected:
        latent = expected["mean"] if noise is None else expected["mean"] + np.exp(expected["log_std"]) * noise
        space = learner.spec.action_spaces[agent]
        low, high = np.array(space.low), np.array(space.high)
        tanh = isinstance(learner.family, Gaussian) and learner.family.squash == "tanh"
        unit = np.tanh(latent) if tanh else np.clip(latent, -1.0, 1.0)
        return _gap((action - (low + high) / 2) / ((high - low) / 2), unit)
    chosen = np.take_along_axis(expected["logits"], action[..., None], axis=-1)[..., 0].astype(np.float64)
    if noise is None:
        return float(np.max(expected["logits"].max(axis=-1) - chosen))
    p = np.exp(expected["logits"].astype(np.float64))
    above = np.take_along_axis(np.cumsum(p, axis=-1), action[..., None], axis=-1)[..., 0]
    level = noise * p.sum(axis=-1)
    return float(np.max(np.maximum(level - above, above - np.exp(chosen) - level).clip(0.0)))
