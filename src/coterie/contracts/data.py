"""The arrays that rooms hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Array, Bool, Float, PyTree

Metrics = dict[str, Array]
"""Figures of one update by name: scalars, one for each agent, or one for each agent and choice."""


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


class Rollout(NamedTuple):
    """What ``learn`` sees: ``T`` steps of ``E`` environments.

    ``final`` holds the observation that each step led to, before any reset: where no episode ended, the next row's. The
    learner bootstraps a truncated step, and the last one, from it. ``reset[t]`` says that ``observation[t]`` opens an
    episode. ``action`` is in the policy's own coordinates (before squashing), ``behaviour`` the parameters of the
    distribution that drew it,
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

    @property
    def cut(self) -> Bool[Array, "T E"]:
        """Where values need the final observation: the clock ended the episode there, or the rollout ends."""
        return self.truncated.at[-1].set(True)


class Step(NamedTuple):
    """What ``act`` returns: the action for the game, what learning needs of it, and the next carry."""

    action: Array
    extras: PyTree
    carry: PyTree


class Sizes(NamedTuple):
    """The shape of a rollout: E environments, T steps, stored carries every ``chunk`` steps (divides T)."""

    environments: int
    rollout: int
    chunk: int
