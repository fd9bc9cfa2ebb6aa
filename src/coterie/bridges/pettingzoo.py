"""A game of the house as a PettingZoo ``ParallelEnv`` (extra: games)."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from coterie.contracts import ActionSpace, CoterieError, Game, Observation
from coterie.extras import require


class GameEnv:
    """A game of the house with the methods of a ``ParallelEnv``; ``parallel_env`` makes one."""

    def __init__(self, game: Game, seed: int, spaces: Any) -> None:
        spec = game.spec
        self.metadata = {"name": type(game).__name__, "render_modes": [], "is_parallelizable": True}
        self._spec, self._reset, self._step = spec, jax.jit(game.reset), jax.jit(game.step)
        self.possible_agents = list(spec.agents)
        self.agents: list[str] = []
        self.render_mode = None
        self.observation_spaces = {
            name: _observation_space(spaces, size, space)
            for name, size, space in zip(spec.agents, spec.observation_sizes, spec.action_spaces, strict=True)
        }
        self.action_spaces = {
            name: _action_space(spaces, space) for name, space in zip(spec.agents, spec.action_spaces, strict=True)
        }
        self._key, self._inside, self._seen = jax.random.key(seed), None, None

    def observation_space(self, agent: str) -> Any:
        """What ``agent`` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """What ``agent`` can do."""
        return self.action_spaces[agent]

    def state(self) -> np.ndarray:
        """The global state."""
        if self._seen is None:
            raise CoterieError("there is no state before the first reset: call reset")
        return np.asarray(self._seen.state)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """A new episode; ``seed`` starts the random numbers anew."""
        del options
        self._key = self._key if seed is None else jax.random.key(seed)
        self._key, own = jax.random.split(self._key)
        self._inside, self._seen = self._reset(own)
        self.agents = _living(self.possible_agents, self._seen)
        return self._observations(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Observations, rewards, terminations, truncations and infos of the agents that acted."""
        if not self.agents:
            raise CoterieError("the episode is over, or has not begun: call reset")
        before = self.agents
        missing = [agent for agent in before if agent not in actions]
        if missing:
            raise CoterieError(f"there is no action for {missing[0]}: give one for each of {', '.join(before)}")
        self._key, own = jax.random.split(self._key)
        self._inside, self._seen, outcome = self._step(own, self._inside, self._joint(actions))
        over, late = bool(outcome.terminated), bool(outcome.truncated)
        left = _living(before, self._seen, self._spec.agents)
        place = {agent: self._spec.agents.index(agent) for agent in before}
        rewards = {agent: float(outcome.reward[i]) for agent, i in place.items()}
        terminated = {agent: over or agent not in left for agent in before}
        truncated = {agent: late and not terminated[agent] for agent in before}
        info = {name: float(value) for name, value in outcome.info.items()}
        self.agents = [] if over or late else left
        return self._observations(before), rewards, terminated, truncated, {agent: dict(info) for agent in before}

    def _joint(self, actions: dict[str, Any]) -> np.ndarray:
        """Actions ``[N, ...]``, padded; agents that left do what stands first."""
        kind = np.float32 if self._spec.action_kind == "continuous" else np.int32
        joint = np.zeros((self._spec.n_agents, *self._spec.action_shape), kind)
        for i, (agent, space) in enumerate(zip(self._spec.agents, self._spec.action_spaces, strict=True)):
            if agent not in actions:
                continue
            if self._spec.action_kind == "discrete":
                joint[i] = actions[agent]
            else:
                joint[i, : space.components] = actions[agent]
        return joint

    def _observations(self, agents: list[str]) -> dict[str, Any]:
        seen = self._seen
        assert seen is not None
        local, legal, out = np.asarray(seen.local), np.asarray(seen.legal), {}
        for agent in agents:
            i = self._spec.agents.index(agent)
            own, space = local[i, : self._spec.observation_sizes[i]], self._spec.action_spaces[i]
            mask = legal[i][tuple(slice(size) for size in space.legal_shape)].astype(np.int8)
            out[agent] = {"observation": own, "action_mask": mask} if self._spec.action_kind == "discrete" else own
        return out

    def render(self) -> None:
        """Nothing: ``coterie watch`` draws games."""

    def close(self) -> None:
        """Nothing to close."""


def parallel_env(game: Game, seed: int = 0) -> Any:
    """``game`` as a PettingZoo ``ParallelEnv`` that passes PettingZoo's own API and seed tests.

    An agent sees its true observation, without padding; with discrete choices it sees a dictionary of ``observation``
    and ``action_mask``. Agents that die leave ``agents`` after the step in which they did. ``state()`` is the game's
    global state. Rewards are each agent's own, or the team's for every agent.

    Args:
        game: Any game.
        seed: Where the random numbers of a reset without a seed come from.

    Raises:
        CoterieError: PettingZoo is not installed.
    """
    base = require("pettingzoo", "games").ParallelEnv
    spaces = require("gymnasium.spaces", "games")
    return type("GameEnv", (GameEnv, base), {})(game, seed, spaces)


def _living(agents: Any, seen: Observation, every: Any = None) -> list[str]:
    alive = np.asarray(seen.alive)
    every = list(agents if every is None else every)
    return [agent for agent in agents if alive[every.index(agent)]]


def _observation_space(spaces: Any, size: int, space: ActionSpace) -> Any:
    own = spaces.Box(-np.inf, np.inf, (size,), np.float32)
    if space.kind != "discrete":
        return own
    return spaces.Dict({"observation": own, "action_mask": spaces.Box(0, 1, space.legal_shape, np.int8)})


def _action_space(spaces: Any, space: ActionSpace) -> Any:
    if space.kind == "continuous":
        return spaces.Box(np.asarray(space.low, np.float32), np.asarray(space.high, np.float32))
    return spaces.Discrete(space.sizes[0]) if space.kind == "discrete" else spaces.MultiDiscrete(space.sizes)
