"""Units and starts drawn anew for every episode, in the manner of SMACv2 (Ellis et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import CoterieError
from coterie.fields import nearest
from coterie.games.battle.terrain import SIZE
from coterie.games.battle.units import KINDS
from coterie.games.options import number_within

MARGIN = 2.0
"""Cells that starts keep from the map's edge, and from the line that they are mirrored in."""
RING = (8.0, 13.0)
"""How far along a diagonal a group of those who surround the allies starts, in cells from the middle."""
CROWD = 2.0
"""How far from the middle of their group units start, at most, along both axes."""


@dataclass(frozen=True)
class Lot:
    """What is drawn: each unit is of a kind, by weight; half of the time the enemies stand round the allies.

    Args:
        kinds: The kinds that may come.
        weights: How often each does; they add up to 1.
        helper: The kind that no side has alone: one of the first kind takes a place.
        surrounded: How often the enemies stand round the allies; otherwise they mirror them.

    Raises:
        CoterieError: No such unit, or weights that are no distribution.
    """

    kinds: tuple[str, ...]
    weights: tuple[float, ...]
    helper: str
    surrounded: float = 0.5

    def __post_init__(self) -> None:
        for unit in (*self.kinds, self.helper):
            if unit not in KINDS:
                raise CoterieError(f"there is no unit {unit!r}: {nearest(str(unit), KINDS)}")
        if (
            not self.kinds
            or len(self.kinds) != len(self.weights)
            or min(self.weights) < 0
            or abs(sum(self.weights) - 1) > 1e-6
        ):
            raise CoterieError(f"weights {self.weights} must be one for each of {len(self.kinds)} kinds, with sum 1")
        number_within("surrounded", self.surrounded, 0, 1)

    def units(self, key: PRNGKeyArray, allies: int, enemies: int) -> Int[Array, " N"]:
        """Places in ``KINDS``: the allies' kinds; the enemies have the same, and more where they are more."""
        numbers = np.array([KINDS.index(name) for name in self.kinds], np.int32)
        drawn = jax.random.choice(key, numbers, (max(allies, enemies),), p=np.array(self.weights, np.float32))
        ours, theirs = drawn[:allies], drawn[:enemies]
        return jnp.concatenate([self._mixed(ours), self._mixed(theirs)])

    def _mixed(self, side: Int[Array, " n"]) -> Int[Array, " n"]:
        """The side, with one of the first kind if it has helpers only."""
        alone = (side == KINDS.index(self.helper)).all()
        return side.at[0].set(jnp.where(alone, KINDS.index(self.kinds[0]), side[0]))

    def starts(self, key: PRNGKeyArray, allies: int, enemies: int) -> Float[Array, "2 N"]:
        """Where the units start, x and y."""
        which, mirrored, ring = jax.random.split(key, 3)
        inside = jax.random.uniform(which) < self.surrounded
        return jnp.where(inside, _surrounded(ring, allies, enemies), _mirrored(mirrored, allies, enemies))


def _mirrored(key: PRNGKeyArray, allies: int, enemies: int) -> Float[Array, "2 N"]:
    """Allies anywhere in the left half; each enemy where an ally would be seen in a mirror."""
    share = jax.random.uniform(key, (2, max(allies, enemies)))
    x = MARGIN + share[0] * (SIZE / 2 - 2 * MARGIN)
    y = MARGIN + share[1] * (SIZE - 2 * MARGIN)
    return jnp.stack([jnp.concatenate([x[:allies], SIZE - x[:enemies]]), jnp.concatenate([y[:allies], y[:enemies]])])


def _surrounded(key: PRNGKeyArray, allies: int, enemies: int) -> Float[Array, "2 N"]:
    """Allies in the middle; enemies in one to four groups, each on a diagonal of its own."""
    near, number, order, far = jax.random.split(key, 4)
    groups = jax.random.randint(number, (), 1, 5)
    corner = jax.random.permutation(order, 4)[jnp.arange(enemies) % groups]
    along = RING[0] + (RING[1] - RING[0]) * jax.random.uniform(far, (4,))[corner]
    signs = jnp.asarray(np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], np.float32).T / np.sqrt(2).astype(np.float32))
    crowd = CROWD * jax.random.uniform(near, (2, allies + enemies), minval=-1.0)
    return SIZE / 2 + crowd.at[:, allies:].add(along[None] * signs[:, corner])
