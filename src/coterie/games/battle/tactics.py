"""What allies do, given where everybody is: functions of one battle, without memory.

Arrays are those of one battle: allies ``A``, enemies ``E``, all ``N`` with the allies first. A tactic gives an action
for each ally; what it says of the dead does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.interface import AIM, MOVE, STOP, WAYS
from coterie.games.battle.roster import Roster

NORTH, SOUTH, EAST, WEST = range(MOVE, AIM)
ASIDE = 0.5
"""How far off along the smaller axis a place must be for a step there, where the larger axis is closed."""
AHEAD = 2.0
"""How far ahead moves are weighed, in cells."""
COMPANY = 2.0
"""Distance of centres at which a medivac without a patient stays with the nearest fighter."""


class Glance(NamedTuple):
    """A moment of one battle, in points, cells and loops."""

    x: Float[Array, " N"]
    y: Float[Array, " N"]
    health: Float[Array, " N"]
    shield: Float[Array, " N"]
    wait: Float[Array, " A"]
    """Loops until the next attack; a healer's energy."""
    legal: Bool[Array, "A actions"]
    roster: Roster
    """Attributes ``[N]``."""
    healers: bool
    """Whether some ally may be a healer."""

    @property
    def allies(self) -> int:
        """A."""
        return len(self.wait)

    @property
    def here(self) -> tuple[Float[Array, " A"], Float[Array, " A"]]:
        """Where the allies are."""
        return self.x[: self.allies], self.y[: self.allies]

    @property
    def alive(self) -> Bool[Array, " A"]:
        """Which allies live."""
        return self.health[: self.allies] > 0

    @property
    def aims(self) -> Bool[Array, "A E"]:
        """Whom each ally may attack, or a healer heal."""
        return self.legal[:, AIM:]

    @property
    def life(self) -> Float[Array, " N"]:
        """Health and shield."""
        return self.health + self.shield

    @property
    def apart(self) -> Float[Array, "A N"]:
        """Distances of centres; infinite to the dead."""
        x, y = self.here
        away = jnp.hypot(self.x[None] - x[:, None], self.y[None] - y[:, None])
        return jnp.where((self.health > 0)[None], away, jnp.inf)

    @property
    def far(self) -> Float[Array, "A E"]:
        """The same to the enemies."""
        return self.apart[:, self.allies :]

    @property
    def prey(self) -> Bool[Array, "A E"]:
        """Whom the weapon of each ally can hit at all: it may not reach the air."""
        a = self.allies
        return self.roster.hits_air[:a, None] | self.roster.grounded[None, a:]


Tactic = Callable[[Glance], Int[Array, " A"]]


def step_to(seen: Glance, x: Float[Array, " A"], y: Float[Array, " A"], there: float = 0.0) -> Int[Array, " A"]:
    """A step towards a place along the larger axis, along the other where that is closed, else stop; stop ``there``."""
    dx, dy = x - seen.x[: seen.allies], y - seen.y[: seen.allies]
    steps = jnp.where(dx > 0, EAST, WEST), jnp.where(dy > 0, NORTH, SOUTH)
    wide = jnp.abs(dx) > jnp.abs(dy)
    first, second = jnp.where(wide, *steps), jnp.where(wide, *steps[::-1])
    aside = (jnp.minimum(jnp.abs(dx), jnp.abs(dy)) > ASIDE) & _may(seen, second)
    step = jnp.where(_may(seen, first), first, jnp.where(aside, second, STOP))
    return jnp.where(jnp.maximum(jnp.abs(dx), jnp.abs(dy)) > there, step, STOP)


def _may(seen: Glance, action: Int[Array, " A"]) -> Bool[Array, " A"]:
    """Whether the mask allows each ally its action."""
    return jnp.take_along_axis(seen.legal, action[:, None], 1)[:, 0]


def step_for(seen: Glance, cost: Callable[[Array, Array], Array]) -> Int[Array, " A"]:
    """The step, or stop, that leads to the place of least ``cost(x, y)``, arrays ``[A, 5]``."""
    ways = AHEAD * np.concatenate([np.zeros((1, 2), np.float32), WAYS])
    x, y = (place[:, None] + ways[None, :, i] for i, place in enumerate(seen.here))
    return STOP + jnp.where(seen.legal[:, STOP:AIM], cost(x, y), jnp.inf).argmin(1)


def attack(seen: Glance, cost: Float[Array, "A E"], otherwise: Int[Array, " A"]) -> Int[Array, " A"]:
    """Attack the enemy of least finite cost in the mask; without one do what is said ``otherwise``."""
    cost = jnp.where(seen.aims & seen.prey, cost, jnp.inf)
    return jnp.where(jnp.isfinite(cost).any(1), AIM + cost.argmin(1), otherwise)


def approach(seen: Glance) -> Int[Array, " A"]:
    """A step towards the nearest enemy that can be hit."""
    near = seen.allies + jnp.where(seen.prey, seen.far, jnp.inf).argmin(1)
    return step_to(seen, seen.x[near], seen.y[near])


def mend(seen: Glance, action: Int[Array, " A"], by: str = "distance") -> Int[Array, " A"]:
    """``action``, but healers heal the nearest of the hurt in the mask; without a patient they stay with a fighter.

    Args:
        seen: The battle.
        action: What fighters do.
        by: ``distance``; ``share`` heals the one with the least share of health, ``nobody`` nobody.
    """
    if not seen.healers:
        return action
    a, heals = seen.allies, seen.roster.heals[: seen.allies]
    share = (seen.health / seen.roster.health)[:a]
    fighters = jnp.where(heals[None], jnp.inf, seen.apart[:, :a])
    near = fighters.argmin(1)
    follow = jnp.where(fighters.min(1) > COMPANY, step_to(seen, seen.x[near], seen.y[near]), STOP)
    cost = fighters if by == "distance" else jnp.broadcast_to(share, (a, a))
    cost = jnp.where(seen.aims[:, :a] & (share < 1)[None] & (by != "nobody"), cost, jnp.inf)
    return jnp.where(heals, jnp.where(jnp.isfinite(cost).any(1), AIM + cost.argmin(1), follow), action)


def rank(value: Float[Array, " A"], among: Bool[Array, "A A"]) -> Int[Array, " A"]:
    """How many of those ``among`` whom each is compared have a lower value, ties by number."""
    number = np.arange(len(value))
    before = (value[None] < value[:, None]) | ((value[None] == value[:, None]) & (number[None] < number[:, None]))
    return (before & among).sum(1)


def stop(seen: Glance) -> Int[Array, " A"]:
    """Everybody stands; allies never attack unless they are told to."""
    return jnp.full(seen.allies, STOP)


def nearest(seen: Glance) -> Int[Array, " A"]:
    """Attack the nearest enemy in reach, else go for the nearest; medivacs heal the nearest of the hurt."""
    return mend(seen, attack(seen, seen.far, approach(seen)))


def weakest(seen: Glance) -> Int[Array, " A"]:
    """Attack the enemy in reach that has the least health and shield left, else go for the nearest."""
    return mend(seen, _attack_weakest(seen))


def healing(seen: Glance) -> Int[Array, " A"]:
    """As ``weakest``, but medivacs heal the one with the least share of health."""
    return mend(seen, _attack_weakest(seen), "share")


def unhealed(seen: Glance) -> Int[Array, " A"]:
    """As ``weakest``, but medivacs heal nobody."""
    return mend(seen, _attack_weakest(seen), "nobody")


def _attack_weakest(seen: Glance) -> Int[Array, " A"]:
    cost = jnp.broadcast_to(seen.life[None, seen.allies :], seen.aims.shape)
    return attack(seen, cost, approach(seen))
