"""Who hits whom in a game loop, and what a hit does. Axes: ``A`` those who strike, ``B`` those who are struck."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.pairs import fold, pick
from coterie.games.battle.roster import Powers, Roster
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


class Side(NamedTuple):
    """One side as it is at the start of a loop."""

    roster: Roster
    x: Float[Array, "A L"]
    y: Float[Array, "A L"]
    vital: Float[Array, "A L"]
    """Health and shield."""
    alive: Bool[Array, "A L"]
    ready: Bool[Array, "A L"]
    """Whether the weapon is: alive, and the last attack a period ago."""
    loaded: Bool[Array, "A L"]
    """Whether it has not exploded yet."""


class Aim(NamedTuple):
    """Whom each unit of a side is after."""

    place: Int[Array, "A L"]
    """Among the other side; -1: nobody."""
    x: Float[Array, "A L"]
    y: Float[Array, "A L"]
    close: Bool[Array, "A L"]
    """Whether it is within reach, so that the unit stands."""


def aim(side: Side, other: Side, target: Int[Array, "A L"]) -> Aim:
    """What becomes of the ``target`` of each unit: nothing if it is dead, or out of the weapon's plane."""
    mine, theirs = side.roster, other.roster
    can = (mine.damage > 0) & (mine.hits_air | pick(theirs.grounded, target))
    valid = (target >= 0) & side.alive & pick(other.alive, target) & can
    x, y = pick(other.x, target), pick(other.y, target)
    reach = mine.reach + mine.radius + pick(theirs.radius, target)
    close = valid & ((x - side.x) ** 2 + (y - side.y) ** 2 <= reach**2)
    return Aim(jnp.where(valid, target, -1), x, y, close)


def assault(powers: Powers, side: Side, other: Side, aims: Aim) -> Assault:
    """The attacks of a side on those whom it is after."""
    mine, theirs = side.roster, other.roster
    fires = aims.close & side.ready
    bursts = jnp.zeros_like(fires)
    if powers.bursts:
        bursts = (mine.blast > 0) & (fires | (side.loaded & ~side.alive))
    hits = jnp.where(mine.blast == 0, mine.hits, 0.0)
    who = np.arange(len(fires), dtype=np.int32)[:, None]
    places = np.arange(len(other.x), dtype=np.int32)[:, None]

    def strike(sums: tuple[Array, Array, Array], row: tuple[Any, ...]) -> tuple[Array, Array, Array]:
        one, number, shot, burst, count, at = row
        target = shot & (places == at.place)
        landed = jnp.where(target, count, 0.0)
        if powers.sweeps:
            landed += jnp.where(_swept(one, theirs, other, at) & shot & ~target, count, 0.0)
        if powers.bursts:
            landed += (burst & _blasted(one, theirs, other)).astype(landed.dtype)
        bonus = jnp.where(theirs.is_light, one.roster.light, 0.0) + jnp.where(
            theirs.is_armored, one.roster.armored, 0.0
        )
        damage, total, shooter = sums
        return damage + landed * (one.roster.damage + bonus), total + landed, jnp.where(landed > 0, number, shooter)

    zeros = jnp.zeros_like(other.x)
    nobody = jnp.full(other.x.shape, -1, jnp.int32)
    damage, total, shooter = fold(strike, (zeros, zeros, nobody), (side, who, fires, bursts, hits, aims))
    return Assault(Blows(damage, total), fires, bursts, aims.close, shooter, jnp.where(fires, aims.place, -1))


def _swept(one: Side, theirs: Roster, other: Side, at: Aim) -> Bool[Array, "B L"]:
    """Who stands on the line that a shot of ``one`` burns across its direction.

    A sweep is 11 points from -1.25 to +1.25 on the line through the target perpendicular to the shot, each of which
    hits within 0.15 of itself and a unit's radius: a rectangle grown by the radius.
    """
    dx, dy = at.x - one.x, at.y - one.y
    scale = jax.lax.rsqrt(dx**2 + dy**2 + 1e-12)
    ux, uy = dx * scale, dy * scale
    off_x, off_y = other.x - at.x, other.y - at.y
    across, along = off_x * ux + off_y * uy, off_y * ux - off_x * uy
    width = LINE + theirs.radius
    inside = (jnp.abs(across) <= width) & (jnp.abs(along) <= one.roster.sweep + width)
    can = theirs.grounded | one.roster.hits_air
    return inside & can & other.alive & (one.roster.sweep > 0)


def _blasted(one: Side, theirs: Roster, other: Side) -> Bool[Array, "B L"]:
    """Whom an explosion of ``one`` reaches: centres within the blast and the radius of the unit."""
    squared = (other.x - one.x) ** 2 + (other.y - one.y) ** 2
    return (squared <= (one.roster.blast + theirs.radius) ** 2) & theirs.grounded


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
