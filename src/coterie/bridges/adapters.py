"""Other interfaces as PettingZoo's ``ParallelEnv``: AEC environments, Gymnasium's single and tuple-spaced ones.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coterie.errors import CoterieError


def parallel(env: Any, name: str) -> Any:
    """``env`` as a ``ParallelEnv``.

    Args:
        env: A ``ParallelEnv``; an AEC environment whose agents act once in each cycle; a Gymnasium environment, of one
            agent or with one entry of Tuple spaces for each.
        name: What to call it in messages.

    Raises:
        CoterieError: It is none of these; says why.
    """
    if hasattr(env, "agent_iter"):
        if not env.metadata.get("is_parallelizable", False):
            raise CoterieError(
                f"{name} makes an AEC environment whose agents take turns (its metadata do not say is_parallelizable), "
                "and a team here acts all at once: if each agent acts once in a cycle, say so in its metadata"
            )
        from pettingzoo.utils.conversions import aec_to_parallel

        return aec_to_parallel(env)
    if hasattr(env, "num_envs"):
        raise CoterieError(f"{name} makes a vector of environments: give a function that makes one")
    if all(callable(getattr(env, part, None)) for part in ("reset", "step", "observation_space", "action_space")):
        return env
    if hasattr(env, "action_space") and hasattr(env, "observation_space") and hasattr(env, "reset"):
        several = type(env.action_space).__name__ == "Tuple" and type(env.observation_space).__name__ == "Tuple"
        return TupleEnv(env) if several and len(env.action_space) == len(env.observation_space) else TupleEnv(env, True)
    raise CoterieError(
        f"{name} makes a {type(env).__name__}, which is neither a PettingZoo nor a Gymnasium environment: it needs "
        "possible_agents, observation_space(agent), action_space(agent), reset(seed) and step(actions)"
    )


class TupleEnv:
    """A Gymnasium environment as a ``ParallelEnv``.

    Args:
        env: One agent's, or a team's whose spaces are Tuples and whose rewards are sequences.
        alone: It is one agent's.
    """

    def __init__(self, env: Any, alone: bool = False) -> None:
        self.env, self.alone = env, alone
        self.unwrapped, self.metadata, self.spec = env.unwrapped, getattr(env, "metadata", {}), env.spec
        count = 1 if alone else len(env.action_space)
        self.possible_agents = ["agent"] if alone else [f"agent_{i}" for i in range(count)]
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Any:
        """What ``agent`` sees."""
        return self.env.observation_space if self.alone else self.env.observation_space[self._place(agent)]

    def action_space(self, agent: str) -> Any:
        """What ``agent`` can do."""
        return self.env.action_space if self.alone else self.env.action_space[self._place(agent)]

    def _place(self, agent: str) -> int:
        return self.possible_agents.index(agent)

    def _each(self, values: Any) -> dict[str, Any]:
        """One for each agent: a team's sequence, or the same for all."""
        if (
            not self.alone
            and isinstance(values, list | tuple | np.ndarray)
            and len(values) == len(self.possible_agents)
        ):
            return dict(zip(self.possible_agents, values, strict=True))
        return dict.fromkeys(self.possible_agents, values)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """A new episode."""
        seen, info = self.env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._each(seen), self._each(info)

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of everybody."""
        joint = [actions[agent] for agent in self.possible_agents]
        seen, reward, terminated, truncated, info = self.env.step(joint[0] if self.alone else tuple(joint))
        ends = self._each(terminated), self._each(truncated)
        if all(ends[0][agent] or ends[1][agent] for agent in self.agents):
            self.agents = []
        return self._each(seen), self._each(reward), *ends, self._each(info)

    def render(self) -> Any:
        """What the environment draws."""
        return self.env.render()

    def close(self) -> None:
        """Close it."""
        self.env.close()
