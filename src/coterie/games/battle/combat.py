"""Who hits whom in a game loop, and what a hit does. Axes: ``A`` those who strike, ``B`` those who are struck."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.roster import Meeting, Powers, Roster
from coterie.games.battle.units import LOOPS

LEAST = 0.5
"""What a hit takes at least, whatever the armour."""
CRUMB = 1e-3
"""Health that is but rounding: who is left with it is dead."""
LINE = 0.15
"""Half the width of the line that a colossus burns."""
QUIET = 10.0 * LOOPS
"""Loops without damage after which shields regenerate."""
RECHARGE = 2.0 / LOOPS
"""Shield points per loop."""


class Blows(NamedTuple):
    """What falls on units in one loop: damage before shields and armour, in so many hits."""

    damage: Float[Array, "B L"]
    hits: Float[Array, "B L"]


class Assault(NamedTuple):
    """What one side does to the other in one loop."""

    blows: Blows
    fires: Bool[Array, "A L"]
    """Who attacks in this loop, and so pays the period."""
    bursts: Bool[Array, "A L"]
    """Who explodes."""
    close: Bool[Array, "A L"]
    """Who has its target within reach, and so stands."""
    shooter: Int[Array, "B L"]
    """One of those that hit each unit; -1: nobody did."""
    victim: Int[Array, "A L"]
    """Whom each of the side hits; -1: nobody."""


class Posture(NamedTuple):
    """How the units of a side are in this loop."""

    alive: Bool[Array, "A L"]
    ready: Bool[Array, "A L"]
    """Whether the weapon is: alive, and the last attack a period ago."""
    loaded: Bool[Array, "A L"]
    """Whether it has not exploded yet."""


def assault(
    powers: Powers, meeting: Meeting, side: Roster, other: Roster, posture: Posture, aimed: Bool[Array, "A B L"],
    dx: Float[Array, "A B L"], dy: Float[Array, "A B L"],
) -> Assault:  # fmt: skip
    """The attacks of a side on those whom each of it has ``aimed`` at, one at most.

    Args:
        powers: What the side may do.
        meeting: Of the side with the other.
        side: Those who attack.
        other: Those who are attacked.
        posture: Of the side.
        aimed: Whom each of them is after; living ones that it can hit.
        dx: From each of them to each unit of the other side, to the right.
        dy: The same, up.
    """
    squared = dx**2 + dy**2
    within = aimed & (squared <= meeting.reach**2)
    hit = within & posture.ready[:, None]
    fires = hit.any(1)
    blows = strikes(meeting, hit, jnp.where(side.blast == 0, side.hits, 0.0))
    if powers.sweeps:
        more = strikes(meeting, swept(meeting, hit, side, other, dx, dy), side.hits)
        blows = Blows(blows.damage + more.damage, blows.hits + more.hits)
    bursts = jnp.zeros_like(fires)
    if powers.bursts:
        bursts = (side.blast > 0) & (fires | (posture.loaded & ~posture.alive))
        more = strikes(meeting, blasted(bursts, side, other, squared), jnp.ones_like(side.hits))
        blows = Blows(blows.damage + more.damage, blows.hits + more.hits)
    struck = np.arange(hit.shape[0], dtype=np.int32)[:, None, None]
    struck_by = jnp.where(hit, struck, -1).max(0)
    victims = np.arange(hit.shape[1], dtype=np.int32)[None, :, None]
    return Assault(blows, fires, bursts, within.any(1), struck_by, jnp.where(hit, victims, -1).max(1))


def strikes(meeting: Meeting, hit: Bool[Array, "A B L"], hits: Float[Array, "A L"]) -> Blows:
    """The blows of those who hit their targets (``hit``), each of so many ``hits``."""
    count = jnp.where(hit, hits[:, None], 0.0)
    return Blows((count * meeting.damage).sum(0), count.sum(0))


def swept(
    meeting: Meeting, hit: Bool[Array, "A B L"], side: Roster, other: Roster, dx: Float[Array, "A B L"],
    dy: Float[Array, "A B L"],
) -> Bool[Array, "A B L"]:  # fmt: skip
    """Who besides the target stands on the line that each shot burns across its direction.

    A sweep is 11 points from -1.25 to +1.25 on the line through the target perpendicular to the shot, each of which
    hits within 0.15 of itself and a unit's radius: a rectangle grown by the radius.

    Args:
        meeting: Of the side with the other.
        hit: Whom each of them hits, one target at most.
        side: Those who shoot, sweepers among them.
        other: The other side.
        dx: From each of them to each unit of the other side, to the right.
        dy: The same, up.
    """
    aim_x, aim_y = (jnp.where(hit, offset, 0.0).sum(1) for offset in (dx, dy))
    distance = jnp.sqrt(aim_x**2 + aim_y**2) + 1e-6
    ux, uy = (aim_x / distance)[:, None], (aim_y / distance)[:, None]
    off_x, off_y = dx - aim_x[:, None], dy - aim_y[:, None]
    across, along = off_x * ux + off_y * uy, off_y * ux - off_x * uy
    width = LINE + other.radius[None]
    inside = (jnp.abs(across) <= width) & (jnp.abs(along) <= side.sweep[:, None] + width)
    return inside & meeting.can & (hit.any(1) & (side.sweep > 0))[:, None] & ~hit


def blasted(
    bursts: Bool[Array, "A L"], side: Roster, other: Roster, squared: Float[Array, "A B L"]
) -> Bool[Array, "A B L"]:
    """Whom the explosions (``bursts``) of a side reach: centres within the blast and the radius of the unit."""
    reach = side.blast[:, None] + other.radius[None]
    return bursts[:, None] & (squared <= reach**2) & other.grounded[None]


def suffer(
    roster: Roster, health: Float[Array, "B L"], shield: Float[Array, "B L"], blows: Blows
) -> tuple[Float[Array, "B L"], Float[Array, "B L"]]:
    """Health and shield after the blows: the shield takes them whole, armour takes its part of each hit on health.

    Hits of one loop count as equal ones of their mean; the hit that the shield breaks on has its rest for the health.
    """
    mean = blows.damage / jnp.maximum(blows.hits, 1.0)
    spill = blows.damage - shield
    whole = jnp.floor(shield / jnp.maximum(mean, 1e-6) + 1e-4)  # hits that the shield takes to the end
    rest = jnp.maximum(mean - (shield - whole * mean), 0.0)
    later = jnp.maximum(blows.hits - whole - 1.0, 0.0)
    loss = jnp.maximum(rest - roster.armour, LEAST) + later * jnp.maximum(mean - roster.armour, LEAST)
    hurt = spill > 1e-4
    left = jnp.where(health - loss > CRUMB, health - loss, 0.0)
    return jnp.where(hurt, left, health), jnp.where(hurt, 0.0, jnp.maximum(-spill, 0.0))


def recover(
    roster: Roster, health: Float[Array, "B L"], shield: Float[Array, "B L"], quiet: Float[Array, "B L"]
) -> tuple[Float[Array, "B L"], Float[Array, "B L"]]:
    """Health and shield after a loop's regeneration: shields after ten quiet seconds, zerg health always."""
    alive = health > 0
    shield = jnp.where(alive & (quiet >= QUIET), jnp.minimum(shield + RECHARGE, roster.shield), shield)
    return jnp.where(alive, jnp.minimum(health + roster.regeneration, roster.health), health), shield
