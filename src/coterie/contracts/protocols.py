"""The protocols: games, teams and learners."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, PRNGKeyArray, PyTree

from coterie.contracts.across import Across
from coterie.contracts.data import Metrics, Observation, Outcome, Rollout, Sizes, Step
from coterie.contracts.scene import Scene
from coterie.contracts.spec import Spec


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


@runtime_checkable
class Drawable(Protocol):
    """A game that can be drawn."""

    def scene(self, state: PyTree, action: np.ndarray | None) -> Scene:
        """The frame of one concrete state (NumPy leaves) and the joint action that led to it, None at the start."""
        ...


class Team(Protocol):
    """Anything that can play: a learner with its state, a scripted team, a random one."""

    def carry(self, environments: int) -> PyTree:
        """The recurrent state at the start of an episode, ``[E, N, H]`` or empty."""
        ...

    def act(self, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> tuple[Array, PyTree]:
        """Actions ``[E, N, *spec.action_shape]`` for observations ``[E, ...]``, and the next carry."""
        ...


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
    def across(self) -> Across:
        """How it reduces over environments on several devices."""
        ...

    def spread(self, axis: str) -> Learner:
        """The same learner for environments spread over the devices of ``axis``."""
        ...

    def per_environment(self) -> PyTree:
        """The training state's prefix tree of bools: which parts have a leading axis E."""
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
