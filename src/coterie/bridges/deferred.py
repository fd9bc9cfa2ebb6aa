"""Games whose options are known long before their simulator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

from jaxtyping import PyTree

from coterie.bridges.hosted import HostedGame
from coterie.contracts import Simulators, Spec


class Deferred(ABC):
    """A game that the host steps (``contracts.HostGame``), hosted when its spec is first asked for and not before.

    So names and options can be listed, explained and checked where the simulator is not installed. Subclasses are
    frozen dataclasses of options; equal ones share one hosted game.
    """

    @abstractmethod
    def host(self) -> HostedGame:
        """The game behind these options, found by opening a simulator once.

        Raises:
            CoterieError: It cannot be opened; says what to do.
        """

    @property
    def spec(self) -> Spec:
        """What the game is; it takes a simulator to know."""
        return _hosted(self).spec

    def open(self, environments: int) -> Simulators:
        """``environments`` simulators in worker processes, not yet reset."""
        return _hosted(self).open(environments)

    def blank(self, environments: int) -> PyTree:
        """What is saved of simulators that were never reset."""
        return _hosted(self).blank(environments)


@lru_cache(maxsize=64)
def _hosted(game: Deferred) -> HostedGame:
    return game.host()
