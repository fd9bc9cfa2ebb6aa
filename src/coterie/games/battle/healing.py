"""Medivacs: whom they heal, and how much."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.roster import Roster
from coterie.games.battle.units import LOOPS
from coterie.games.battle.world import Moves, World

RATE = 9.0 / LOOPS
"""Health per loop."""
COST = 1 / 3
"""Energy per point of health."""
START = 5.0
"""Energy that it takes to begin."""
CAST = 6.0
"""Distance, edge to edge, within which an enemy medivac looks for the hurt."""
CHARGE = 0.5625 / LOOPS
"""Energy per loop."""
FULL = 200.0
"""Most energy."""
NEARER = 1e-4
"""Weight of the squared distance beside the share of health, which decides between equals."""


def tend(side: Roster, world: World, first: int, told: Int[Array, "A L"] | None, moves: Moves) -> tuple[World, Moves]:
    """The world after a side's healing, and where its units go: healers to their patients.

    Args:
        side: The units of the side.
        world: Before.
        first: The place of its first unit among all.
        told: Whom each healer is to heal, -1: nobody; None: it decides, and without a patient stays with its friends.
        moves: Where the units go, in which healers have no chase of their own yet.
    """
    where = slice(first, first + len(side.heals))
    x, y, health, energy = world.x[where], world.y[where], world.health[where], world.energy[where]
    healing = side.heals & (world.cooldown[where] >= 0)  # 1 a loop ago
    squared = (x[None] - x[:, None]) ** 2 + (y[None] - y[:, None]) ** 2
    able = side.heals & (health > 0) & (energy >= jnp.where(healing, COST * RATE, START))
    places = np.arange(len(side.heals), dtype=np.int32)[None, :, None]
    willing = (health > 0) & side.biological
    if told is None:
        target = _worst(side, health, squared, able, willing, world.target, healing)
        world = world._replace(target=jnp.where(side.heals, target, world.target))
    else:
        target = told
    mine = (places == target[:, None]) & (side.heals & (health > 0))[:, None] & willing[None]
    within = squared <= (side.reach[:, None] + side.radius[:, None] + side.radius[None]) ** 2
    given = jnp.where(mine & within & able[:, None], jnp.minimum(RATE, (side.health - health)[None]), 0.0)
    spent = COST * given.sum(1)
    healed = jnp.minimum(health + given.sum(0), side.health)
    charged = jnp.where(side.heals & (health > 0), jnp.minimum(energy - spent + CHARGE, FULL), energy)
    active = spent > 0
    return world._replace(
        health=world.health.at[where].set(healed),
        energy=world.energy.at[where].set(charged),
        cooldown=world.cooldown.at[where].set(
            jnp.where(side.heals, active.astype(energy.dtype), world.cooldown[where])
        ),
        victim=world.victim.at[where].set(jnp.where(active, target, world.victim[where])),
    ), _follow(side, x, y, willing, mine, within, moves, leads=told is None)


def _worst(
    side: Roster, health: Float[Array, "A L"], squared: Float[Array, "A A L"], able: Bool[Array, "A L"],
    willing: Bool[Array, "A L"], target: Int[Array, "A L"], healing: Bool[Array, "A L"],
) -> Int[Array, "A L"]:  # fmt: skip
    """The patient that an enemy medivac chooses, -1: none.

    It keeps its patient while that is hurt; else it takes the one with the lowest share of health within six cells,
    the nearest of equals.
    """
    places = np.arange(len(health), dtype=np.int32)[None, :, None]
    near = squared <= (CAST + side.radius[:, None] + side.radius[None]) ** 2
    may = able[:, None] & (willing & (health < side.health))[None] & near
    kept = may & (places == target[:, None]) & healing[:, None]
    urgency = jnp.where(may, (health / side.health)[None] + NEARER * squared, jnp.inf)
    worst = jnp.where(may & (urgency == urgency.min(1)[:, None]), places, -1).max(1)
    return jnp.where(kept.any(1), target, worst)


def _follow(
    side: Roster, x: Float[Array, "A L"], y: Float[Array, "A L"], willing: Bool[Array, "A L"],
    mine: Bool[Array, "A A L"], within: Bool[Array, "A A L"], moves: Moves, leads: bool,
) -> Moves:  # fmt: skip
    """Healers go to patients out of reach; those of the enemy (``leads``) else to the middle of their friends."""
    has, far = mine.any(1), (mine & ~within).any(1)
    to_x, to_y, wanted = moves
    to_x = jnp.where(far, jnp.where(mine, x[None], 0.0).sum(1), to_x)
    to_y = jnp.where(far, jnp.where(mine, y[None], 0.0).sum(1), to_y)
    if not leads:
        return Moves(to_x, to_y, wanted | far)
    friends = jnp.maximum(willing.sum(0), 1).astype(x.dtype)
    alone = side.heals & ~has & willing.any(0)[None]
    to_x = jnp.where(alone, (jnp.where(willing, x, 0.0).sum(0) / friends)[None], to_x)
    to_y = jnp.where(alone, (jnp.where(willing, y, 0.0).sum(0) / friends)[None], to_y)
    return Moves(to_x, to_y, jnp.where(side.heals & has, far, wanted | alone))
