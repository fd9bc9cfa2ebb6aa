"""What the loops of a battle change, and what a step is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.roster import SCAN, Powers, Roster


class World(NamedTuple):
    """What the loops change; allies first, then enemies.

    Cells for places; loops for ``cooldown`` (until the next attack; of a healer: 1 while it heals), ``hold`` (until it
    may move) and ``quiet`` (since it was last hit).
    """

    x: Float[Array, "N L"]
    y: Float[Array, "N L"]
    health: Float[Array, "N L"]
    shield: Float[Array, "N L"]
    cooldown: Float[Array, "N L"]
    hold: Float[Array, "N L"]
    quiet: Float[Array, "N L"]
    energy: Float[Array, "N L"]
    loaded: Bool[Array, "N L"]
    """Whether it has not exploded yet."""
    target: Int[Array, "E L"]
    """The ally that each enemy is after, or the friend of a healer; -1: none."""
    shooter: Int[Array, "E L"]
    """The ally that hit each enemy last; -1: none."""
    victim: Int[Array, "N L"]
    """Whom each unit hit or healed last in this step, within the side it hit or healed; -1: nobody. For pictures."""
    burst: Bool[Array, "N L"]
    """Whether it exploded in this step. For pictures."""


def opening(roster: Roster, x: Float[Array, " N"], y: Float[Array, " N"], enemies: int) -> World:
    """Everybody in place and unhurt, in one environment: arrays without ``L``."""
    n, zeros, nobody = len(x), jnp.zeros_like(x), jnp.full(enemies, -1, jnp.int32)
    health, shield, energy = (jnp.asarray(full[:, 0]) for full in (roster.health, roster.shield, roster.energy))
    return World(
        x, y, health, shield, zeros, zeros, zeros, energy, jnp.ones(n, bool), nobody, nobody,
        jnp.full(n, -1, jnp.int32), jnp.zeros(n, bool),
    )  # fmt: skip


class Orders(NamedTuple):
    """What a step is given: the allies' actions, the enemies' order, and the dice."""

    way_x: Float[Array, "A L"]
    way_y: Float[Array, "A L"]
    """Direction of a move, or 0."""
    aim: Int[Array, "A L"]
    """The enemy that is attacked, for a healer the ally that is healed; -1: none."""
    goal_x: Float[Array, "1 L"]
    goal_y: Float[Array, "1 L"]
    """Where enemies without a target go."""
    delay: Float[Array, "N L"]
    """Loops added to the period of an attack."""
    tie: Float[Array, "A L"]
    """Tells allies at the same distance apart: tiny shares of it."""


@dataclass(frozen=True)
class Mind:
    """How the scripted enemy thinks.

    Args:
        scan: Least range, edge to edge, in which an enemy without a target looks for one.
        hunts: Whether it notices, and follows, allies at any distance.
        answers: Whether it goes for whoever hit it from outside the scan.
        focuses: Whether it attacks the weakest within its weapon's range, and not the first that it met.
        turns: Whether it leaves a target beyond its weapon's range for the nearest in its scan.
        pause: Added to the time between two of its attacks, as a share of it.
    """

    scan: float = SCAN
    hunts: bool = False
    answers: bool = True
    focuses: bool = False
    turns: bool = False
    pause: float = 0.0


MINDS: Mapping[str, Mind] = {
    "easy": Mind(answers=False, pause=0.5),
    "normal": Mind(),
    "hard": Mind(focuses=True),
}
"""The enemy's minds by difficulty."""


@dataclass(frozen=True)
class Cast:
    """What is known of a battle when it is built.

    Args:
        allies: A, how many of the units are allies.
        ours: What the allies may do.
        theirs: What the enemies may do.
        marches: Whether enemies have a place to go to.
        mind: How enemies choose whom to attack.
    """

    allies: int
    ours: Powers
    theirs: Powers
    marches: bool = True
    mind: Mind = Mind()


class Moves(NamedTuple):
    """Where units want to be, and whether they want to move at all."""

    x: Float[Array, "N L"]
    y: Float[Array, "N L"]
    wanted: Bool[Array, "N L"]
