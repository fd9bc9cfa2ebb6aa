"""The scripted enemy: an attack-move, and the logic of units that have no order but that.

The sheet of facts that this follows is in ``docs/battle.md``; what nobody outside the game's makers knows is a choice,
and said there.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.roster import Meeting
from coterie.games.battle.units import LOOPS
from coterie.games.battle.world import Mind

LEASH = 1.0
"""How far beyond the scan a target is still followed."""
MEMORY = 5.0 * LOOPS
"""Loops after the last hit for which an enemy without a target in its scan goes for the one that hit it."""


def choose(
    meeting: Meeting, squared: Float[Array, "E A L"], can: Bool[Array, "E A L"], target: Int[Array, "E L"],
    shooter: Int[Array, "E L"], quiet: Float[Array, "E L"], vital: Float[Array, "A L"], tie: Float[Array, "A L"],
    mind: Mind,
) -> Int[Array, "E L"]:  # fmt: skip
    """The ally that each enemy is after now, -1: none.

    It keeps its target while that lives and is within the scan and a cell more; else it takes the nearest within the
    scan; else whoever hit it in the last five seconds. One that ``focuses`` takes the weakest within its weapon's range
    before all of that.

    Args:
        meeting: Of the enemies with the allies.
        squared: Squared distances of centres.
        can: Whom each enemy could hit: living ones, of a plane that its weapon reaches.
        target: Whom it was after.
        shooter: Who hit it last, -1: nobody.
        quiet: Loops since it was hit.
        vital: Health and shield of the allies.
        tie: Tiny shares by which distances are told apart.
        mind: How the enemy thinks.
    """
    places = np.arange(can.shape[1], dtype=np.int32)[None, :, None]
    kept = can & (places == target[:, None])
    seen = can
    if not mind.hunts:
        kept &= squared <= (meeting.scan + LEASH) ** 2
        seen &= squared <= meeting.scan**2
    found = _least(squared * (1 + tie[None]), seen)
    if mind.answers:
        answered = (can & (places == shooter[:, None])).any(1) & (quiet < MEMORY)
        found = jnp.where(found >= 0, found, jnp.where(answered, shooter, -1))
    found = jnp.where(kept.any(1), target, found)
    if mind.focuses:
        weakest = _least(jnp.broadcast_to(vital * (1 + tie), squared.shape), can & (squared <= meeting.reach**2))
        found = jnp.where(weakest >= 0, weakest, found)
    return found


def _least(value: Float[Array, "E A L"], among: Bool[Array, "E A L"]) -> Int[Array, "E L"]:
    """The ally with the least value for each enemy, -1: there is none to choose from."""
    value = jnp.where(among, value, jnp.inf)
    places = np.arange(among.shape[1], dtype=np.int32)[None, :, None]
    return jnp.where(among & (value == value.min(1)[:, None]), places, -1).max(1)
