"""What every room of the house agrees on: spaces, observations, outcomes, rollouts, and the two protocols.

Axes: ``T`` time, ``E`` environments, ``N`` agents, ``O`` padded observation size, ``S`` state size,
``A`` padded number of choices, ``D`` padded number of action components. Agents are never merged into the
batch axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

ActionKind = Literal["discrete", "multi_discrete", "continuous"]
RewardKind = Literal["team", "individual"]
Metrics = dict[str, Array]


class CoterieError(Exception):
    """Bad input, met at a border of the library: one line that says what is wrong and what to do."""


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


class Observation(NamedTuple):
    """What a team sees, padded to the spec's sizes; leading axes (``T``, ``E``) as the caller has them."""

    local: Float[Array, "*lead N O"]
    state: Float[Array, "*lead S"]
    legal: Bool[Array, "*lead N *choices"]
    alive: Bool[Array, "*lead N"]


class Outcome(NamedTuple):
    """What one step gave. ``terminated``: the task ended; ``truncated``: only the clock did."""

    reward: Float[Array, "*lead N"]
    terminated: Bool[Array, "*lead"]
    truncated: Bool[Array, "*lead"]
    info: Mapping[str, Float[Array, "*lead"]]


@runtime_checkable
class Game(Protocol):
    """A jittable game. It never resets itself: the collecting loop does, and keeps the final observation."""

    @property
    def spec(self) -> Spec:
        """What the game is."""
        ...

    def reset(self, key: PRNGKeyArray) -> tuple[PyTree, Observation]:
        """A new episode: its state and first observation."""
        ...

    def step(self, key: PRNGKeyArray, state: PyTree, action: Array) -> tuple[PyTree, Observation, Outcome]:
        """One step of all agents at once; ``action`` has shape ``[N, *spec.action_shape]``."""
        ...


@dataclass(frozen=True)
class Shape:
    """One thing to draw, in world coordinates (x right, y up).

    Args:
        kind: ``disc``, ``ring``, ``square``, ``line`` or ``text``.
        x: Horizontal position of the centre (line: of its start).
        y: Vertical position of the centre (line: of its start).
        size: Radius (disc, ring), half edge (square), width (line) or text height.
        color: A hexadecimal colour such as ``#4477aa``.
        to: End of a line.
        text: What a text says.
        alpha: Opacity between 0 and 1.
    """

    kind: Literal["disc", "ring", "square", "line", "text"]
    x: float
    y: float
    size: float
    color: str
    to: tuple[float, float] | None = None
    text: str = ""
    alpha: float = 1.0


@dataclass(frozen=True)
class Scene:
    """A frame of a replay: shapes in painting order, the visible rectangle, and a caption."""

    shapes: tuple[Shape, ...]
    bounds: tuple[float, float, float, float]
    caption: str = ""


@runtime_checkable
class Drawable(Protocol):
    """A game that can be drawn."""

    def scene(self, state: PyTree, action: np.ndarray | None) -> Scene:
        """The frame of one concrete state (NumPy leaves) and the joint action that led to it, None at the start."""
        ...


class Rollout(NamedTuple):
    """What ``learn`` sees: ``T`` steps of ``E`` environments.

    ``final`` holds the observation that each step led to, before any reset; the learner bootstraps a truncated
    step, and the last one, from it. ``reset[t]`` says that ``observation[t]`` opens an episode. ``action`` is in
    the policy's own coordinates (before squashing), ``behaviour`` the parameters of the distribution that drew it,
    and ``carry`` the actors' recurrent state at the start of each chunk, ``[chunks, E, N, H]``.
    """

    observation: Observation
    final: Observation
    action: Array
    log_prob: Float[Array, "T E N"]
    behaviour: PyTree
    reward: Float[Array, "T E N"]
    terminated: Bool[Array, "T E"]
    truncated: Bool[Array, "T E"]
    reset: Bool[Array, "T E"]
    carry: PyTree


class Step(NamedTuple):
    """What ``act`` returns: the action for the game, what learning needs of it, and the next carry."""

    action: Array
    extras: PyTree
    carry: PyTree


class Team(Protocol):
    """Anything that can play: a learner with its state, a scripted team, a random one."""

    def carry(self, environments: int) -> PyTree:
        """The recurrent state at the start of an episode, ``[E, N, H]`` or empty."""
        ...

    def act(self, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> tuple[Array, PyTree]:
        """Actions ``[E, N, *spec.action_shape]`` for observations ``[E, ...]``, and the next carry."""
        ...


class Sizes(NamedTuple):
    """The shape of a rollout: E environments, T steps, stored carries every ``chunk`` steps (divides T)."""

    environments: int
    rollout: int
    chunk: int


class Learner(Protocol):
    """A method: pure functions over its training state.

    ``learn``'s metrics hold ``guard``: the index into ``guarded`` of the first quantity that is not finite, or the
    length of ``guarded``.
    """

    @property
    def sizes(self) -> Sizes:
        """The rollouts that it learns from."""
        ...

    @property
    def guarded(self) -> tuple[str, ...]:
        """Names of the quantities that must stay finite."""
        ...

    def init(self, key: PRNGKeyArray, environments: int) -> PyTree:
        """A fresh training state (runs on the host, outside compiled code)."""
        ...

    def carry(self, environments: int) -> PyTree:
        """The actors' recurrent state at the start of an episode."""
        ...

    def act(self, state: PyTree, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> Step:
        """Sample actions from the behaviour policy, for observations ``[E, ...]``."""
        ...

    def learn(self, state: PyTree, rollout: Rollout, key: PRNGKeyArray) -> tuple[PyTree, Metrics]:
        """One iteration of learning from one rollout."""
        ...

    def policy(self, state: PyTree) -> PyTree:
        """The part of a training state that playing needs."""
        ...

    def team(self, state: PyTree, greedy: bool) -> Team:
        """The decentralised policies as a team that plays greedily or by sampling."""
        ...
