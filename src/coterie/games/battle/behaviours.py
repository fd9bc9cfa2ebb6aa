"""Scripts of the behaviours that some of SMAC's maps were made for: kiting, focus, holding a choke, spreading."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.combat import LEAST
from coterie.games.battle.engine import TICKS
from coterie.games.battle.interface import AIM, STOP
from coterie.games.battle.tactics import Glance, approach, attack, mend, rank, step_for, step_to
from coterie.games.battle.terrain import SIZE

LATE = TICKS / 2
"""Loops until the next attack from which on there is time for a step aside."""
THERE = 0.6
"""How far off along an axis somebody may stand; a step takes a marine 1.1 cells."""


@dataclass(frozen=True)
class Kiting:
    """Shoot when the weapon is ready, and walk away from enemies that are near while it is not.

    Args:
        near: Distance of centres within which an ally walks away while its weapon is not ready.
        safe: Distance of centres within which it walks away whatever its weapon: a shot would let a zealot reach it.
    """

    near: float = 5.0
    safe: float = 2.4

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        gap = seen.far.min(1)
        flees = (gap < self.safe) | ((gap < self.near) & (seen.wait > LATE))
        action = jnp.where(
            flees, step_for(seen, lambda x, y: _danger(seen, x, y)), attack(seen, seen.far, approach(seen))
        )
        return mend(seen, action)


def _danger(seen: Glance, x: Float[Array, "A 5"], y: Float[Array, "A 5"]) -> Float[Array, "A 5"]:
    """How near places are to enemies, and to the edges of the map, in which one would be caught."""
    a = seen.allies
    squared = (x[..., None] - seen.x[None, None, a:]) ** 2 + (y[..., None] - seen.y[None, None, a:]) ** 2
    enemies = jnp.where(seen.health[None, None, a:] > 0, 1 / jnp.maximum(squared, 0.1), 0.0).sum(-1)
    return enemies + sum(1 / jnp.maximum(edge, 0.3) ** 2 for edge in (x, SIZE - x, y, SIZE - y))


@dataclass(frozen=True)
class Focus:
    """The team stands in line, lets the enemy come, and fells one after the other.

    Each ally in turn takes the enemy with the least life that the shots of those before leave. The one with the least
    life, once that is low, steps back between its shots.

    Args:
        gap: Cells between neighbours in the line, which runs from south to north.
        alarm: Distance of the nearest enemy at which the line is left.
        hurt: Health and shield below which the weakest steps back; 0: nobody does.
        near: Distance of an enemy within which it does.
    """

    gap: float = 1.0
    alarm: float = 10.0
    hurt: float = 30.0
    near: float = 6.2

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        gap = seen.far.min(1)
        waiting = jnp.where(gap.min() > self.alarm, self._line(seen), STOP)
        action = jnp.where(
            seen.aims.any(1), AIM + _shared_out(seen), jnp.where(seen.aims.any(), approach(seen), waiting)
        )
        life = jnp.where(seen.alive, seen.life[: seen.allies], jnp.inf)
        back = (life == life.min()) & (life < self.hurt) & (gap < self.near) & (seen.wait > LATE)
        back &= seen.alive.sum() > 1
        return mend(seen, jnp.where(back, step_for(seen, lambda x, y: _danger(seen, x, y)), action))

    def _line(self, seen: Glance) -> Int[Array, " A"]:
        """A step to the ally's place in the line."""
        both = jnp.broadcast_to(seen.alive[None], (seen.allies, seen.allies))
        x, y = (jnp.mean(place, where=seen.alive) for place in seen.here)
        off = rank(seen.here[1], both).astype(jnp.float32) - (seen.alive.sum().astype(jnp.float32) - 1) / 2
        return step_to(seen, jnp.full(seen.allies, x), y + self.gap * off, THERE)


def _shared_out(seen: Glance) -> Int[Array, " A"]:
    """The enemy for each ally: of those in its mask, and not dead by the shots of others, the one with the least life.

    Of equals the one that more allies reach, then the nearest.
    """
    a, it = seen.allies, seen.roster
    bonus = jnp.where(it.is_light[None, a:], it.light[:a, None], 0.0)
    bonus += jnp.where(it.is_armored[None, a:], it.armored[:a, None], 0.0)
    shot = it.hits[:a, None] * jnp.maximum(it.damage[:a, None] + bonus - it.armour[None, a:], LEAST)
    shot = jnp.where((seen.wait < TICKS)[:, None], shot, 0.0)
    ease = 0.001 * jnp.where(seen.aims, seen.far, 0.0) - 0.01 * seen.aims.sum(0, keepdims=True).astype(jnp.float32)

    def choose(
        left: Float[Array, " E"], given: tuple[Bool[Array, " E"], Float[Array, " E"], Float[Array, " E"]]
    ) -> tuple[Float[Array, " E"], Int[Array, ""]]:
        can, hit, less = given
        cost = jnp.where(left > 0, left, 1e3 - left) + less
        pick = jnp.where(can, cost, jnp.inf).argmin()
        return left - jnp.where((jnp.arange(len(left)) == pick) & can, hit, 0.0), pick

    return jax.lax.scan(choose, seen.life[a:], (seen.aims, shot, ease))[1]


@dataclass(frozen=True)
class Hold:
    """Stand abreast across a lane that runs to the north-east, in rows, and fight whom one can reach from there.

    Args:
        x: Where the middle of the first row is.
        y: The same, from below.
        abreast: How many stand in a row.
        gap: Cells between neighbours, and between rows.
        reach: Distance of centres up to which enemies are attacked.
    """

    x: float = 13.0
    y: float = 13.0
    abreast: int = 3
    gap: float = 0.85
    reach: float = 1.2

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        x, y = seen.here
        both = jnp.broadcast_to(seen.alive[None], (seen.allies, seen.allies))
        row = rank(-x - y, both) // self.abreast
        mates = both & (row[None] == row[:, None])
        off = rank(y - x, mates).astype(jnp.float32) - (mates.sum(1).astype(jnp.float32) - 1) / 2
        root, back = 0.5**0.5 * self.gap, row.astype(jnp.float32)
        place = step_to(seen, self.x - root * (back + off), self.y - root * (back - off), THERE)
        weak = seen.life[None, seen.allies :] + seen.far
        return mend(seen, attack(seen, jnp.where(seen.far <= self.reach, weak, jnp.inf), place))


@dataclass(frozen=True)
class Spread:
    """Keep apart from one another, and fight who comes near; go for the enemies once they are no more than allies.

    Args:
        gap: Distance of centres that friends keep; 0: they draw together instead.
        reach: Distance of centres up to which enemies are attacked.
    """

    gap: float = 4.0
    reach: float = 3.0

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        few = (seen.health[seen.allies :] > 0).sum() <= seen.alive.sum()
        place = jnp.where(few, approach(seen), step_for(seen, lambda x, y: self._crowd(seen, x, y)))
        return mend(seen, attack(seen, jnp.where(seen.far <= self.reach, seen.far, jnp.inf), place))

    def _crowd(self, seen: Glance, x: Float[Array, "A 5"], y: Float[Array, "A 5"]) -> Float[Array, "A 5"]:
        """How much too near friends would be, or how far off."""
        x_other, y_other = (place[None, None] for place in seen.here)
        away = jnp.hypot(x[..., None] - x_other, y[..., None] - y_other)
        others = seen.alive[None, None] & ~np.eye(seen.allies, dtype=bool)[:, None]
        return jnp.where(others, jnp.maximum(self.gap - away, 0.0) ** 2 if self.gap else away**2, 0.0).sum(-1)
