"""The scripted enemy: an attack-move, and the logic of units that have no order but that.

The sheet of facts that this follows is in ``docs/battle.md``; what nobody outside the game's makers knows is a choice,
and said there.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.combat import Side
from coterie.games.battle.pairs import fold, pick
from coterie.games.battle.units import LOOPS
from coterie.games.battle.world import Mind

SLACK = 0.5
"""How far beyond its weapon's range an enemy looks, where that is further than its scan."""
LEASH = 1.0
"""How far beyond the scan a target is still followed."""
MEMORY = 5.0 * LOOPS
"""Loops after the last hit for which an enemy without a target in its scan goes for the one that hit it."""


def choose(
    side: Side, other: Side, target: Int[Array, "E L"], shooter: Int[Array, "E L"], quiet: Float[Array, "E L"],
    tie: Float[Array, "A L"], mind: Mind,
) -> Int[Array, "E L"]:  # fmt: skip
    """The ally that each enemy is after now, -1: none.

    It keeps its target while that lives and is within the scan and a cell more; else it takes the nearest within the
    scan; else whoever hit it in the last five seconds. One that ``turns`` keeps a target beyond its weapon's range only
    as long as nobody else is in the scan. One that ``focuses`` takes the weakest within its weapon's range before all
    of that.

    Args:
        side: The enemies.
        other: The allies.
        target: Whom each enemy was after.
        shooter: Who hit it last, -1: nobody.
        quiet: Loops since it was hit.
        tie: Tiny shares by which distances are told apart.
        mind: How the enemy thinks.
    """
    mine, found = side.roster, jnp.full(side.x.shape, -1, jnp.int32)
    look = jnp.maximum(mine.reach + SLACK, mind.scan) + mine.radius
    far = jnp.full(side.x.shape, jnp.inf)

    def meet(best: tuple[Array, ...], row: tuple[Any, ...]) -> tuple[Array, ...]:
        one, number, share = row
        squared = (one.x - side.x) ** 2 + (one.y - side.y) ** 2
        can = one.alive & (one.roster.grounded | mine.hits_air)
        seen = can if mind.hunts else can & (squared <= (look + one.roster.radius) ** 2)
        nearer = seen & (squared * (1 + share) < best[0])
        after = jnp.where(nearer, squared * (1 + share), best[0]), jnp.where(nearer, number, best[1])
        if not mind.focuses:
            return after
        within = can & (squared <= (mine.reach + mine.radius + one.roster.radius) ** 2)
        weaker = within & (one.vital * (1 + share) < best[2])
        return *after, jnp.where(weaker, one.vital * (1 + share), best[2]), jnp.where(weaker, number, best[3])

    numbers = np.arange(len(other.x), dtype=np.int32)[:, None]
    best = fold(meet, (far, found) * (1 + mind.focuses), (other, numbers, tie))
    found = best[1]
    if mind.answers:
        found = jnp.where(found >= 0, found, jnp.where(_stands(side, other, shooter) & (quiet < MEMORY), shooter, -1))
    kept = _stands(side, other, target)
    if mind.turns or not mind.hunts:
        x, y, radius = (pick(column, target) for column in (other.x, other.y, other.roster.radius))
        squared = (x - side.x) ** 2 + (y - side.y) ** 2
        kept &= mind.hunts | (squared <= (look + radius + LEASH) ** 2)
        if mind.turns:
            kept &= (squared <= (mine.reach + mine.radius + radius) ** 2) | (best[1] < 0)
    found = jnp.where(kept, target, found)
    found = jnp.where(best[3] >= 0, best[3], found) if mind.focuses else found
    return jnp.where(side.alive & (mine.damage > 0), found, -1)


def _stands(side: Side, other: Side, place: Int[Array, "E L"]) -> Bool[Array, "E L"]:
    """Whether there is somebody at that place, alive, whom the weapon could hit."""
    can = side.roster.hits_air | pick(other.roster.grounded, place)
    return (place >= 0) & pick(other.alive, place) & can
