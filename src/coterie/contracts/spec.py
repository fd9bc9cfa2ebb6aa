"""What a game is: action spaces and the spec; and the error that every border raises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from coterie.errors import CoterieError

ActionKind = Literal["discrete", "multi_discrete", "continuous"]
"""One choice, one choice of each component, or a point of a box."""
RewardKind = Literal["team", "individual"]
"""The same reward for all agents, or one of each agent's own."""


@dataclass(frozen=True)
class ActionSpace:
    """The actions of one agent.

    Args:
        kind: ``discrete`` (one choice), ``multi_discrete`` (one choice per component) or ``continuous`` (a box).
        sizes: Number of choices of each component; empty for a box.
        low: Lower bound of each box component; empty unless continuous.
        high: Upper bound of each box component; empty unless continuous.
    """

    kind: ActionKind
    sizes: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind == "continuous":
            sound = not self.sizes and len(self.low) == len(self.high) > 0
            sound = sound and all(a < b for a, b in zip(self.low, self.high, strict=True))
        else:
            sound = not self.low and not self.high and len(self.sizes) > 0 and min(self.sizes) > 0
            sound = sound and (self.kind != "discrete" or len(self.sizes) == 1)
        if not sound:
            raise CoterieError(f"action space {self} is not sound: give positive sizes, or low < high for a box")

    @staticmethod
    def discrete(choices: int) -> ActionSpace:
        """One choice among ``choices``."""
        return ActionSpace("discrete", sizes=(choices,))

    @staticmethod
    def multi_discrete(sizes: tuple[int, ...]) -> ActionSpace:
        """One choice per component, ``sizes[d]`` of them in component ``d``."""
        return ActionSpace("multi_discrete", sizes=tuple(sizes))

    @staticmethod
    def continuous(low: tuple[float, ...], high: tuple[float, ...]) -> ActionSpace:
        """A box with bounds ``low`` and ``high``."""
        return ActionSpace("continuous", low=tuple(low), high=tuple(high))

    @property
    def components(self) -> int:
        """Number of components of one action (1 for a discrete space)."""
        return max(len(self.sizes), len(self.low))

    @property
    def legal_shape(self) -> tuple[int, ...]:
        """Shape of the agent's own legal mask: ``(A,)``, ``(D, A)``, or ``(D,)`` for continuous actions."""
        if self.kind == "multi_discrete":
            return self.components, max(self.sizes)
        return self.sizes or (self.components,)


@dataclass(frozen=True)
class Spec:
    """What a game is, before anyone plays it: hashable, so that compiled functions may close over it.

    Args:
        agents: One name per agent.
        types: One type name per agent; agents of one type may share parameters ("by type").
        observation_sizes: True size of each agent's observation; arrays are padded to the largest.
        action_spaces: One space per agent, all of one kind; arrays are padded to the largest.
        state_size: Size of the global state, available in training only.
        horizon: Steps after which an episode is truncated (or the longest that it can last).
        reward: ``team`` (all agents receive the same number) or ``individual``.
        optimum: The best expected return of an episode where it is known.
    """

    agents: tuple[str, ...]
    types: tuple[str, ...]
    observation_sizes: tuple[int, ...]
    action_spaces: tuple[ActionSpace, ...]
    state_size: int
    horizon: int
    reward: RewardKind = "team"
    optimum: float | None = None

    def __post_init__(self) -> None:
        n = len(self.agents)
        if n == 0 or not (len(self.types) == len(self.observation_sizes) == len(self.action_spaces) == n):
            raise CoterieError(f"a spec needs one type, observation size and action space for each of its {n} agents")
        if len({space.kind for space in self.action_spaces}) > 1:
            raise CoterieError("all agents of a team need one kind of action: discrete, multi_discrete or continuous")
        if self.horizon < 1:
            raise CoterieError(f"a spec needs a horizon of at least 1 step, not {self.horizon}")

    @property
    def n_agents(self) -> int:
        """N, the number of agents."""
        return len(self.agents)

    @property
    def observation_size(self) -> int:
        """O, the padded size of a local observation."""
        return max(self.observation_sizes)

    @property
    def action_kind(self) -> ActionKind:
        """The kind that all action spaces share."""
        return self.action_spaces[0].kind

    @property
    def components(self) -> int:
        """D, the padded number of action components."""
        return max(space.components for space in self.action_spaces)

    @property
    def choices(self) -> int:
        """A, the padded number of choices of a component (0 for continuous actions)."""
        return max((size for space in self.action_spaces for size in space.sizes), default=0)

    @property
    def action_shape(self) -> tuple[int, ...]:
        """Shape of one agent's padded action: ``()`` if discrete, else ``(D,)``."""
        return () if self.action_kind == "discrete" else (self.components,)

    @property
    def legal_shape(self) -> tuple[int, ...]:
        """Shape of one agent's legal mask: ``(A,)``, ``(D, A)``, or ``(D,)`` for continuous actions."""
        if self.action_kind == "discrete":
            return (self.choices,)
        return (self.components, self.choices) if self.action_kind == "multi_discrete" else (self.components,)

    @cached_property
    def legal(self) -> np.ndarray:
        """Bool[N, *legal_shape]: the choices (continuous: the components) that each agent really has.

        A padded component of a multi-discrete action keeps choice 0 only, so it carries no information.
        """
        mask = np.zeros((self.n_agents, self.components, max(self.choices, 1)), bool)
        for agent, space in enumerate(self.action_spaces):
            for component, size in enumerate(space.sizes or (1,) * space.components):
                mask[agent, component, :size] = True
            if self.action_kind == "multi_discrete":
                mask[agent, space.components :, 0] = True
        if self.action_kind == "continuous":
            return mask[:, :, 0]
        return mask[:, 0] if self.action_kind == "discrete" else mask
