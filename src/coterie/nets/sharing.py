"""Which agents share parameters: the map from agents to parameter slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from coterie.contracts import CoterieError, Spec


@dataclass(frozen=True)
class Layout:
    """Agent to parameter slot.

    Args:
        slot_of: The slot of each agent; slots are numbered 0 to S - 1, each used at least once.
    """

    slot_of: tuple[int, ...]

    @property
    def slots(self) -> int:
        """S, the number of parameter slots."""
        return max(self.slot_of) + 1

    @cached_property
    def members(self) -> int:
        """M, the number of agents of the slot that has most."""
        return int(np.bincount(self.slot_of).max())

    @cached_property
    def agents(self) -> Int[np.ndarray, "S M"]:
        """The agents of each slot in order; a slot with fewer than M repeats its first one."""
        table = np.zeros((self.slots, self.members), np.int32)
        for slot in range(self.slots):
            own = np.flatnonzero(np.equal(self.slot_of, slot))
            table[slot] = own[0]
            table[slot, : len(own)] = own
        return table

    @cached_property
    def valid(self) -> Bool[np.ndarray, "S M"]:
        """False where ``agents`` repeats one to fill a row."""
        return np.arange(self.members) < np.bincount(self.slot_of)[:, None]

    @cached_property
    def _ordered(self) -> bool:
        """Whether the rows of ``agents``, one after the other, are all agents in order: then a reshape suffices."""
        return bool(self.valid.all()) and bool((np.diff(self.slot_of) >= 0).all())

    @cached_property
    def _place(self) -> Int[np.ndarray, " N"]:
        """Where each agent stands in the flattened ``agents``."""
        flat = np.where(self.valid, self.agents, -1).ravel()
        return np.argsort(flat, kind="stable")[-len(self.slot_of) :].astype(np.int32)

    def arrange(self, x: Array, axis: int) -> Array:
        """Replace axis ``axis`` of size N by the two axes ``(S, M)``."""
        axis %= x.ndim
        shape = (*x.shape[:axis], self.slots, self.members, *x.shape[axis + 1 :])
        if not self._ordered:
            x = jnp.take(x, self.agents.ravel(), axis=axis, mode="clip")
        return x.reshape(shape)

    def restore(self, x: Array, axis: int) -> Array:
        """Replace the axes ``axis`` and ``axis + 1``, of sizes ``(S, M)``, by one of size N: undoes ``arrange``."""
        axis %= x.ndim
        flat = x.reshape(*x.shape[:axis], self.slots * self.members, *x.shape[axis + 2 :])
        return flat if self._ordered else jnp.take(flat, self._place, axis=axis, mode="clip")


def layout(sharing: str | Sequence[int], spec: Spec) -> Layout:
    """The layout that ``sharing`` asks for.

    Args:
        sharing: ``full`` (one slot for all), ``type`` (one for each agent type), ``none`` (one for each agent), or the
            slot number of each agent. Agents with different observation or action sizes may share: arrays are padded.
        spec: The game.

    Raises:
        CoterieError: The word is unknown, or the map has the wrong length or leaves out a slot number.
    """
    n = spec.n_agents
    if isinstance(sharing, str):
        kinds = list(dict.fromkeys(spec.types))
        words = {"full": (0,) * n, "type": tuple(map(kinds.index, spec.types)), "none": tuple(range(n))}
        if sharing not in words:
            raise CoterieError(f"sharing {sharing!r} is unknown: choose full, type, none, or one slot for each agent")
        return Layout(words[sharing])
    if not all(isinstance(slot, int | np.integer) and not isinstance(slot, bool) for slot in sharing):
        raise CoterieError(f"sharing {tuple(sharing)} must hold whole slot numbers, one for each agent")
    slot_of = tuple(int(slot) for slot in sharing)
    if len(slot_of) != n:
        raise CoterieError(
            f"sharing {slot_of} names {len(slot_of)} agents, but the game has {n}: give one slot for each"
        )
    if set(slot_of) != set(range(len(set(slot_of)))):
        raise CoterieError(f"sharing {slot_of} must use every slot number from 0 up: {_renumbered(slot_of)} would do")
    return Layout(slot_of)


def _renumbered(slot_of: tuple[int, ...]) -> tuple[int, ...]:
    used = sorted(set(slot_of))
    return tuple(map(used.index, slot_of))
