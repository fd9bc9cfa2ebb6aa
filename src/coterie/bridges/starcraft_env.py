"""StarCraft II micromanagement (SMAC, SMACv2) as a PettingZoo ``ParallelEnv``.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from coterie.bridges.acting import acting
from coterie.errors import CoterieError
from coterie.extras import require

ParallelEnv: Any = require("pettingzoo", "games").ParallelEnv
spaces: Any = require("gymnasium.spaces", "games")

NO_OP = 0
"""The action that only the dead have, and nothing else."""


class StarCraftEnv(ParallelEnv):
    """Anything with the interface of SMAC's ``StarCraft2Env`` (Samvelyan et al. 2019) or SMACv2's wrapper of it.

    Each agent sees ``observation`` and ``action_mask``; the state is the simulator's. All agents receive the same
    reward. An agent whose only legal action is no-op is dead: it is terminated in the step in which it died, and leaves
    ``agents``. A battle that was won, lost or drawn terminates the others; the episode limit truncates them, which the
    simulator says in its info (``episode_limit``, with ``continuing_episode=True``). The infos hold ``won``,
    ``dead_allies`` and ``dead_enemies`` where the simulator counts them.

    A simulator takes its seed when it is made: that of the last reset before its first step. Later resets seed SMACv2's
    draws of teams and positions, while the game itself plays on.

    Args:
        build: Makes a simulator from a seed.
        agents: Their names; ``unit_0`` and so on if empty.
        restart: Make the simulator anew at every reset with a seed, so that an episode depends on nothing else. That
            takes seconds.

    Raises:
        CoterieError: The simulator has another number of agents than there are names.
    """

    metadata = {"name": "starcraft", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012
    render_mode = None

    def __init__(self, build: Callable[[int | None], Any], agents: tuple[str, ...] = (), restart: bool = False) -> None:
        self._build, self._restart, self._begun = build, restart, False
        self.simulator = build(None)
        info = self.simulator.get_env_info()
        count, self.choices, self.horizon = (int(info[name]) for name in ("n_agents", "n_actions", "episode_limit"))
        if agents and len(agents) != count:
            raise CoterieError(f"the simulator has {count} agents where {len(agents)} were expected: is it SMAC's own?")
        self.possible_agents = list(agents) or [f"unit_{i}" for i in range(count)]
        self.agents: list[str] = []
        seen = spaces.Dict({
            "observation": spaces.Box(-np.inf, np.inf, (int(info["obs_shape"]),), np.float32),
            "action_mask": spaces.Box(0, 1, (self.choices,), np.int8),
        })  # fmt: skip
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = {agent: spaces.Discrete(self.choices) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        """What ``agent`` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """What ``agent`` can do."""
        return self.action_spaces[agent]

    def state(self) -> np.ndarray:
        """The simulator's global state."""
        return np.asarray(self.simulator.get_state(), np.float32)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """A new episode."""
        del options
        if seed is not None:
            if self._restart or not self._begun:
                self.simulator.close()
                self.simulator = self._build(seed)
            reseed(self.simulator, seed)
        self.simulator.reset()
        seen, living = self._look()
        self.agents = living
        return {agent: seen[agent] for agent in living}, {agent: {} for agent in living}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of all living agents.

        Raises:
            CoterieError: A living agent has no action, or there is no episode.
            RuntimeError: StarCraft II broke off, which SMAC hides behind an episode of no reward.
        """
        before = acting(self.agents, actions)
        there = set(before)
        joint = [int(actions[agent]) if agent in there else NO_OP for agent in self.possible_agents]
        self._begun = True
        reward, over, info = self.simulator.step(joint)
        if over and "battle_won" not in info:
            raise RuntimeError("StarCraft II broke off in the middle of a battle")
        late = bool(over and info.get("episode_limit", False))
        seen, alive = self._look()
        living = [agent for agent in before if agent in set(alive)]
        shown = {"won": float(info.get("battle_won", False))}
        shown |= {name: float(info[name]) for name in ("dead_allies", "dead_enemies") if name in info}
        self.agents = [] if over else living
        return (
            {agent: seen[agent] for agent in before},
            dict.fromkeys(before, float(reward)),
            {agent: bool(over and not late) or agent not in living for agent in before},
            {agent: late and agent in living for agent in before},
            {agent: dict(shown) for agent in before},
        )

    def _look(self) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
        """What every agent sees and may do, and who is alive."""
        local = np.asarray(self.simulator.get_obs(), np.float32)
        legal = np.asarray(self.simulator.get_avail_actions(), np.int8)
        seen = {
            agent: {"observation": local[i], "action_mask": legal[i]} for i, agent in enumerate(self.possible_agents)
        }
        return seen, [agent for i, agent in enumerate(self.possible_agents) if legal[i, NO_OP + 1 :].any()]

    def render(self) -> None:
        """Nothing: StarCraft II saves replays of its own."""

    def close(self) -> None:
        """End the game."""
        self.simulator.close()


def reseed(simulator: Any, seed: int) -> None:
    """Seed what SMACv2 draws at a reset: teams and starting positions.

    SMACv2 has no function for that: its distributions hold generators (``rng``), some of them inside one another, and
    shuffle with Python's own. SMAC's maps draw nothing.
    """
    drawn = getattr(simulator, "env_key_to_distribution_map", {})
    if drawn:
        random.seed(seed)
    for place, holder in enumerate(_holders(list(drawn.values()))):
        holder.rng = np.random.default_rng([seed, place])


def _holders(distributions: list[Any]) -> Iterator[Any]:
    """Distributions with a generator, in order, those inside others among them."""
    for each in distributions:
        if hasattr(each, "rng"):
            yield each
        yield from _holders([part for part in vars(each).values() if hasattr(part, "generate")])
