"""Environments of JaxMARL as games of the house (extra: jaxmarl); they run inside the compiled training program.

JaxMARL (Rutherford et al. 2024) resets by itself and drops the final observation, counts one step more than its limit
in most environments, and does not tell a time limit from an end. So only its ``step_env`` is called; the clock,
truncation, the final observation and what an episode came to are done here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.bridges.jaxmarl_scene import plain_scene
from coterie.bridges.jaxmarl_spaces import (
    STATE,
    action_space,
    actions_for,
    legal_of,
    local_of,
    observation_sizes,
    settled,
    state_of,
)
from coterie.bridges.jaxmarl_upstream import as_upstream
from coterie.contracts import ActionSpace, Observation, Outcome, RewardKind, Scene, Spec
from coterie.errors import CoterieError
from coterie.games.options import one_of, whole_at_least


class JaxmarlState(NamedTuple):
    """``inside``: JaxMARL's own state; ``score``: what the team has earned, shaping left out."""

    inside: Any
    alive: Bool[Array, " N"]
    time: Int[Array, ""]
    score: Float[Array, ""]


class Told(NamedTuple):
    """What one call of ``step_env`` returned, but for the observations."""

    inside: Any
    reward: Mapping[str, Array]
    done: Mapping[str, Array]
    extra: Mapping[str, Any]


def done_before_limit(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """``done`` ends the task, except at the time limit, where it may be the environment's own clock."""
    del env
    return jnp.asarray(told.done["__all__"], bool) & ~late


def only_the_clock(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """The task has no end of its own."""
    del env, told
    return jnp.zeros_like(late)


def own_reward(env: Any, told: Told, agents: tuple[str, ...]) -> Sequence[Array]:
    """Each agent's own number."""
    del env
    return [told.reward[agent] for agent in agents]


def nothing(env: Any, state: JaxmarlState) -> Mapping[str, Array]:
    """No figures."""
    del env, state
    return {}


@dataclass(frozen=True)
class Reading:
    """How to read a family of environments where JaxMARL's interface does not say it.

    Args:
        over: Whether the task ended, the clock apart, from what a step told and whether it was the last allowed.
        alive: Who is alive in a state of JaxMARL; None: whoever is not ``done`` while the episode goes on.
        legal: Masks of a state by agent; None: the environment's ``get_avail_actions`` where it has one.
        pay: The reward of each agent ``[N]``; in a team game the same number for all.
        shaping: What the learner is paid besides, per unit of the environment's ``shaped_reward``.
        info: Figures of a state, such as ``won``.
        scene: A drawing of a state after a joint action; None: actions in words.
    """

    over: Callable[[Any, Told, Array], Array] = done_before_limit
    alive: Callable[[Any, PyTree], Array] | None = None
    legal: Callable[[Any, PyTree], Mapping[str, Array]] | None = None
    pay: Callable[[Any, Told, tuple[str, ...]], Sequence[Array]] = own_reward
    shaping: float = 0.0
    info: Callable[[Any, JaxmarlState], Mapping[str, Array]] = nothing
    scene: Callable[[Any, Spec, JaxmarlState, np.ndarray | None], Scene] = plain_scene


@dataclass(frozen=True)
class JaxmarlGame:
    """An environment of JaxMARL that never resets itself and is truncated after exactly ``spec.horizon`` steps.

    ``jaxmarl_game`` makes one from any environment; ``open_jaxmarl`` by JaxMARL's name.

    Args:
        env: The environment; two games are equal if they hold the same object.
        spec: What the game is.
        reading: How to read the environment.
        passive: Agents of the environment that nobody plays; their actions are zeros.
    """

    env: Any
    spec: Spec
    reading: Reading
    passive: tuple[str, ...] = ()

    def reset(self, key: PRNGKeyArray) -> tuple[JaxmarlState, Observation]:
        """A new episode of the environment."""
        with as_upstream():
            seen, inside = self.env.reset(key)
            inside = settled(inside)
            alive = self.reading.alive
            lives = jnp.ones(self.spec.n_agents, bool) if alive is None else alive(self.env, inside)
            state = JaxmarlState(inside, lives, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.float32))
            return state, self._observation(seen, state)

    def step(self, key: PRNGKeyArray, state: JaxmarlState, action: Array) -> tuple[JaxmarlState, Observation, Outcome]:
        """One ``step_env``, which gets this very ``key``; the clock is this bridge's own."""
        env, agents, reading = self.env, self.spec.agents, self.reading
        with as_upstream():
            given = actions_for(action, agents, self.spec.action_spaces)
            idle = {agent: jnp.zeros_like(given[agents[0]]) for agent in self.passive}
            seen, *told = env.step_env(key, state.inside, {**given, **idle})
            told = Told(settled(told[0]), *told[1:])
            reward = jnp.stack([jnp.asarray(paid, jnp.float32) for paid in reading.pay(env, told, agents)])
            earned = reward[0] if self.spec.reward == "team" else jnp.sum(reward)
            time, score = state.time + 1, state.score + earned
            after = JaxmarlState(told.inside, self._lives(state, told), time, score)
            late = time >= self.spec.horizon
            terminated = reading.over(env, told, late)
            if reading.shaping:
                reward += reading.shaping * sum(told.extra["shaped_reward"].values())
            info = {name: jnp.asarray(x, jnp.float32) for name, x in reading.info(env, after).items()}
            return after, self._observation(seen, after), Outcome(reward, terminated, late & ~terminated, info)

    def _lives(self, before: JaxmarlState, told: Told) -> Bool[Array, " N"]:
        if self.reading.alive is not None:
            return self.reading.alive(self.env, told.inside)
        done = jnp.stack([jnp.asarray(told.done[agent], bool) for agent in self.spec.agents])
        return jnp.where(told.done["__all__"], before.alive, ~done)

    def _observation(self, seen: Mapping[str, Array], state: JaxmarlState) -> Observation:
        spec = self.spec
        local = local_of(seen, spec.agents, spec.observation_size)
        legal = jnp.asarray(spec.legal)
        if self.reading.legal is not None:
            legal = legal_of(self.reading.legal(self.env, state.inside), spec.agents, spec.choices)
        return Observation(local, state_of(seen, spec.agents), legal, state.alive)

    def scene(self, state: JaxmarlState, action: np.ndarray | None) -> Scene:
        """A frame, drawn from the state."""
        return self.reading.scene(self.env, self.spec, state, action)


def jaxmarl_game(
    env: Any,
    length: int | None = None,
    reward: RewardKind = "individual",
    reading: Reading | None = None,
    types: Sequence[str] | None = None,
    passive: Sequence[str] = (),
) -> JaxmarlGame:
    """Any environment with JaxMARL's interface as a game.

    Args:
        env: The environment, such as ``jaxmarl.make("MPE_simple_spread_v3")`` or one of your own.
        length: Steps after which an episode is truncated; None: the environment's ``max_steps``.
        reward: ``team`` if all agents receive the same number.
        reading: How to read it where the interface does not say it.
        types: A type for each agent; None: its name without the number at its end.
        passive: Agents of the environment that nobody plays.

    Raises:
        CoterieError: Spaces that cannot be batched, or no time limit.
    """
    name = type(env).__name__
    length = getattr(env, "max_steps", None) if length is None else length
    if length is None:
        raise CoterieError(f"{name} has no max_steps: give a length, the steps after which an episode is truncated")
    whole_at_least("length", length, 1)
    one_of("reward", reward, ("team", "individual"))
    agents = tuple(agent for agent in env.agents if agent not in passive)
    with as_upstream():
        seen, inside = jax.eval_shape(env.reset, jax.random.key(0))
        sizes = observation_sizes(name, seen, agents)
        spaces = tuple(action_space(agent, env.action_space(agent)) for agent in agents)
        reading = _with_masks(reading or Reading(), env, inside, spaces)
    own = [agent.rstrip("0123456789").rstrip("_") or "agent" for agent in agents]
    spec = Spec(
        agents=agents,
        types=tuple(own if types is None else types),
        observation_sizes=sizes,
        action_spaces=spaces,
        state_size=seen[STATE].size if STATE in seen else sum(sizes),
        horizon=length,
        reward=reward,
    )
    return JaxmarlGame(env, spec, reading, tuple(passive))


def _with_masks(reading: Reading, env: Any, inside: PyTree, spaces: Sequence[ActionSpace]) -> Reading:
    """With the environment's own masks if it makes any."""
    if reading.legal is not None or spaces[0].kind != "discrete":
        return reading
    try:
        jax.eval_shape(env.get_avail_actions, inside)
    except (AttributeError, NotImplementedError):
        return reading
    return replace(reading, legal=_available)


def _available(env: Any, inside: PyTree) -> Mapping[str, Array]:
    return env.get_avail_actions(inside)
