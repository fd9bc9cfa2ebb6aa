"""Games that only the host can step: real simulators and anybody's Python environment, NumPy in and NumPy out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, PyTree, UInt32

from coterie.contracts.data import Observation
from coterie.contracts.spec import Spec


class Turn(NamedTuple):
    """What one step gave in each row ``R`` of a group, as arrays that the caller may keep.

    ``final`` is the observation that the step led to; ``following`` the one to act on next: ``final``, or the first of
    a new episode where this one ended. ``lost`` marks rows whose simulator failed and was replaced: their episode is
    truncated at the observation before, with no reward, and is nobody's result.
    """

    final: Observation
    following: Observation
    reward: Float[np.ndarray, "R N"]
    terminated: Bool[np.ndarray, " R"]
    truncated: Bool[np.ndarray, " R"]
    lost: Bool[np.ndarray, " R"]
    info: Mapping[str, Float[np.ndarray, " R"]]


class Simulators(Protocol):
    """``E`` open environments in one or more groups of rows, each group stepped while another one's team thinks."""

    @property
    def groups(self) -> tuple[slice, ...]:
        """The rows of each group; they depend on ``E`` only, so that results do not depend on the machine."""
        ...

    def reset(self, seeds: UInt32[np.ndarray, " E"]) -> Observation:
        """A new episode in every environment, and all later ones, determined by its seed (as far as it obeys)."""
        ...

    def send(self, group: int, action: Float[np.ndarray, "R N *D"] | Int[np.ndarray, "R N *D"]) -> None:
        """Start a step of a group; returns at once."""
        ...

    def receive(self, group: int) -> Turn:
        """Wait for what was sent last; environments whose episode ended are reset by then.

        Raises:
            CoterieError: An environment broke its own promises, or failed too often; says which, and at which step.
        """
        ...

    def state(self) -> PyTree[np.ndarray]:
        """All that ``restore`` needs, as arrays ``[E, ...]`` shaped like the game's ``blank``."""
        ...

    def restore(self, state: PyTree[np.ndarray], observation: Observation) -> tuple[Observation, np.ndarray]:
        """Go on from ``state``, where ``observation`` was seen.

        Returns:
            The observation to act on, and Bool[E]: the rows that could not be restored and have begun a new episode.
        """
        ...

    def close(self) -> None:
        """End every simulator and its process."""
        ...


@runtime_checkable
class HostGame(Protocol):
    """A game that the host steps. It is a recipe for simulators; ``open`` makes them."""

    @property
    def spec(self) -> Spec:
        """What the game is."""
        ...

    def open(self, environments: int) -> Simulators:
        """``environments`` of them, not yet reset."""
        ...

    def blank(self, environments: int) -> PyTree[np.ndarray]:
        """What ``Simulators.state`` returns before the first reset: says shapes and dtypes without a simulator."""
        ...
