"""Games small enough to be written down: every reward and every transition as a table."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from coterie.contracts.data import Observation
from coterie.errors import CoterieError

ENTRIES = 2_000_000
"""A table holds at most this many transition probabilities."""


class Tables(NamedTuple):
    """A team game in numbers: ``S`` states, ``J`` joint actions (the first agent's choice counting most).

    ``observations`` are those of all states, with the state where an environment would be: ``local [S, N, O]``.
    An episode has ``horizon`` steps and its score is not discounted.
    """

    reward: Float[np.ndarray, "S J"]
    transition: Float[np.ndarray, "S J S"]
    start: Float[np.ndarray, " S"]
    horizon: int
    observations: Observation


@runtime_checkable
class Tabular(Protocol):
    """A game that can be written down."""

    def tables(self) -> Tables:
        """The game in numbers; raises CoterieError where that would be too large."""
        ...


def check_size(states: int, joint: int, what: str = "states") -> None:
    """Refuse a table of more than ``ENTRIES`` transitions.

    Raises:
        CoterieError: It is too large; the line says how large, and how to go on.
    """
    entries = states**2 * joint
    if entries > ENTRIES:
        raise CoterieError(
            f"the table of {states} {what} and {joint:,} joint actions has {entries:,} transitions, more than "
            f"{ENTRIES:,}: give fewer of either, or sample (coterie evaluate)"
        )
