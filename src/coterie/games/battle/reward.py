"""SMAC's reward, and how a battle ends."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from coterie.games.battle.roster import Roster

DEATH, WIN, SCALE = 10.0, 200.0, 20.0
"""For each death, for winning, and what the best undamaged return is scaled to."""
OWN = 0.5
"""Weight of the team's own losses, where they count."""


def largest(roster: Roster, allies: int) -> Float[Array, ""]:
    """What SMAC divides by for its scale of 20: 10 per enemy, 200 for the win, and all their health and shields."""
    return WIN + (DEATH + roster.health + roster.shield)[allies:].sum()


class Result(NamedTuple):
    """How a battle stands; at most one holds. A draw is that nobody is left."""

    lost: Bool[Array, ""]
    won: Bool[Array, ""]
    drawn: Bool[Array, ""]

    @property
    def over(self) -> Bool[Array, ""]:
        """Whether it has ended."""
        return self.lost | self.won | self.drawn


def result(
    allies: Bool[Array, " A"], enemies: Bool[Array, " E"], ally_healers: Bool[Array, " A"],
    enemy_healers: Bool[Array, " E"], healers_count: bool,
) -> Result:  # fmt: skip
    """Who has won, tested in SMAC's order: defeat, win, draw.

    Args:
        allies: Which allies live.
        enemies: Which enemies live.
        ally_healers: Which allies are healers.
        enemy_healers: Which enemies are.
        healers_count: Whether healers alone still hold out; on SMAC's maps with medivacs they do not: without any
            other ally the battle is lost, even if nobody is left, and won against medivacs alone.
    """
    ours, theirs = allies.any(), enemies.any()
    lost, won = ~ours & theirs, ours & ~theirs
    if not healers_count:
        lost |= ~(allies & ~ally_healers).any()
        won |= theirs & ~(enemies & ~enemy_healers).any()
    return Result(lost, won & ~lost, ~ours & ~theirs & ~lost)


def dense(
    before: Float[Array, " N"], after: Float[Array, " N"], died: Bool[Array, " N"], allies: int, positive: bool
) -> Float[Array, ""]:
    """What a step pays before the bonus for winning and the scale: damage to enemies and 10 for each that died.

    Args:
        before: Health and shield of each unit before the step.
        after: The same after it.
        died: Who died in it.
        allies: How many of the units are allies.
        positive: SMAC's default: the absolute value, without the team's own losses. So an enemy's regeneration pays,
            too. Otherwise half of the own losses is subtracted.
    """
    cost = before - after + DEATH * died.astype(before.dtype)
    gain = cost[allies:].sum()
    return jnp.abs(gain) if positive else gain - OWN * cost[:allies].sum()
