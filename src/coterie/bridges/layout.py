"""What a training run sees of a PettingZoo ``ParallelEnv``: agents, sizes, masks, state, horizon.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from coterie.bridges.spaces import MASK, Acts, Seen, acts, seen
from coterie.errors import CoterieError

LENGTHS = ("max_cycles", "max_steps", "max_episode_steps", "_max_episode_steps", "episode_limit", "horizon")
"""Where environments say how long an episode lasts."""
HORIZON = 1000
"""Steps after which an episode is cut where the environment does not say how long it lasts."""


class Layout(NamedTuple):
    """What a training run sees of an environment."""

    agents: tuple[str, ...]
    sees: tuple[Seen, ...]
    acts: tuple[Acts, ...]
    state_size: int
    own_state: bool
    mask: Literal["observation", "info", ""]
    horizon: int
    said: bool

    @property
    def shapes(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and dtype of the arrays of one environment, by name."""
        n, kind = len(self.agents), self.acts[0].kind
        d = max(each.components for each in self.acts)
        a = max((size for each in self.acts for size in each.sizes), default=1)
        action = ((n,) if kind == "discrete" else (n, d), np.float32 if kind == "continuous" else np.int32)
        local = (n, max(each.size for each in self.sees)), np.float32
        legal, alive, state = ((n, d, a), np.bool_), ((n,), np.bool_), ((self.state_size,), np.float32)
        return {"action": action, "local": local, "state": state, "legal": legal, "alive": alive}

    @property
    def legal(self) -> np.ndarray:
        """Bool[N, D, A]: the choices that each agent really has; a padded component keeps its first one."""
        out = np.zeros(self.shapes["legal"][0], bool)
        for agent, each in enumerate(self.acts):
            for component, size in enumerate(each.sizes or (1,) * each.components):
                out[agent, component, :size] = True
            if each.kind == "multi_discrete":
                out[agent, each.components :, 0] = True
        return out

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The least and largest continuous actions, ``[N, D]``; None for choices."""
        if self.acts[0].kind != "continuous":
            return None
        low, high = np.zeros(self.shapes["action"][0], np.float32), np.zeros(self.shapes["action"][0], np.float32)
        for agent, each in enumerate(self.acts):
            low[agent, : each.components], high[agent, : each.components] = each.low, each.high
        return low, high

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and largest numbers that each agent may see, ``[N, O]``; padding is 0."""
        shape = self.shapes["local"][0]
        low, high = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for agent, each in enumerate(self.sees):
            low[agent, : each.size], high[agent, : each.size] = each.low, each.high
        return low, high


def layout(env: Any, seed: int = 0, horizon: int = 0) -> Layout:
    """What a training run would see of ``env``, which is reset once to find out.

    Args:
        env: A ``ParallelEnv``.
        seed: Of that reset.
        horizon: Steps after which an episode is cut; 0 for what the environment says, else ``HORIZON``.

    Raises:
        CoterieError: Something that cannot be trained on; says why.
    """
    agents: tuple[Any, ...] = tuple(getattr(env, "possible_agents", None) or ())
    if len(agents) == 0:
        raise CoterieError(
            "the environment has no possible_agents: name all agents that may ever appear, since arrays have a place "
            "for each"
        )
    sees = tuple(seen(str(agent), env.observation_space(agent)) for agent in agents)
    does = tuple(acts(str(agent), env.action_space(agent)) for agent in agents)
    if len(kinds := {each.kind for each in does}) > 1:
        raise CoterieError(
            f"some agents have {' and others '.join(sorted(kinds))} actions, which cannot be batched: wrap the "
            "environment so that all are of one kind"
        )
    given = env.reset(seed=seed)
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Mapping)):
        raise CoterieError("reset gives no pair of dictionaries (observations, infos): see PettingZoo's Parallel API")
    state = global_state(env)
    where = "observation" if any(each.beside for each in sees) else ""
    if any(MASK in (given[1].get(agent) or {}) for agent in agents):
        where = "info"
    if where and does[0].kind == "continuous":
        raise CoterieError("the environment gives action masks for continuous actions, which have no choices to mask")
    said = _length(env)
    size = sum(each.size for each in sees) if state is None else state.size
    return Layout(
        agents, sees, does, size, state is not None, where, horizon or said or HORIZON, said > 0 or horizon > 0
    )


def global_state(env: Any) -> np.ndarray | None:
    """The environment's global state, None where it has none."""
    try:
        found = env.state()
    except (NotImplementedError, AttributeError, TypeError):
        return None
    array = np.asarray(found)
    return array.ravel() if array.size and array.dtype.kind in "fiub" else None


def _length(env: Any) -> int:
    """Steps of an episode where the environment says so, else 0."""
    for place in (env, getattr(env, "unwrapped", None), getattr(env, "spec", None)):
        for name in LENGTHS:
            value = getattr(place, name, None)
            if isinstance(value, int | np.integer) and value > 0:
                return int(value)
    return 0
