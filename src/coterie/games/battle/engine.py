"""One step of a battle: eight game loops of choosing, hitting, healing and moving.

Everything of a loop happens at once: targets are chosen and hits land where units stand at its start.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from coterie.games.battle.combat import Aim, Assault, Blows, Side, aim, assault, recover, suffer
from coterie.games.battle.healing import tend
from coterie.games.battle.opponent import choose
from coterie.games.battle.physics import Field, confine, pushes, towards
from coterie.games.battle.roster import Roster, part
from coterie.games.battle.world import Cast, Moves, Orders, World

TICKS = 8
"""Game loops of one step."""
ARRIVED = 0.5
"""Cells from the goal within which an enemy stands."""
AHEAD = 2.0
"""Cells that SMAC's move orders aim ahead."""


def advance(cast: Cast, field: Field, roster: Roster, world: World, orders: Orders) -> World:
    """The world after the eight loops of one step."""
    world = world._replace(victim=jnp.full_like(world.victim, -1), burst=jnp.zeros_like(world.burst))

    def loop(_: int, now: World) -> World:
        return tick(cast, field, roster, now, orders)

    world = jax.lax.fori_loop(0, TICKS, loop, world)
    if not (cast.ours.bursts or cast.theirs.bursts):
        return world
    pending = jnp.any((roster.blast > 0) & world.loaded & (world.health <= 0))
    return jax.lax.cond(pending, lambda now: detonated(cast, roster, now), lambda now: now, world)


def tick(cast: Cast, field: Field, roster: Roster, world: World, orders: Orders) -> World:
    """The world one game loop later."""
    a = cast.allies
    alive = world.health > 0
    ours, theirs = _sides(cast, roster, world, alive)
    target = choose(theirs, ours, world.target, world.shooter, world.quiet[a:], orders.tie, cast.mind)
    if cast.theirs.heals:
        target = jnp.where(theirs.roster.heals, world.target, target)  # their patients; healing chooses them
    aims, hunts = aim(ours, theirs, orders.aim), aim(theirs, ours, target)
    given = assault(cast.ours, ours, theirs, aims)
    taken = assault(cast.theirs, theirs, ours, hunts)
    after = hurt(cast, roster, world, orders, alive, given, taken)._replace(target=target)
    ours_to = sent(after, orders, aims)
    theirs_to = marched(cast, after, orders, hunts)
    if cast.ours.heals:
        after, ours_to = tend(ours.roster, after, 0, orders.aim, ours_to)
    if cast.theirs.heals:
        after, theirs_to = tend(theirs.roster, after, a, None, theirs_to)
    return moved(field, roster, after, Moves(*(jnp.concatenate(pair) for pair in zip(ours_to, theirs_to, strict=True))))


def detonated(cast: Cast, roster: Roster, world: World) -> World:
    """The world after those who were killed in its last loop have exploded, which counts for how the battle ends."""
    alive = world.health > 0
    ours, theirs = _sides(cast, roster, world, alive)
    idle = (jnp.full(side.x.shape, -1, jnp.int32) for side in (ours, theirs))
    given = assault(cast.ours, ours, theirs, aim(ours, theirs, next(idle)))
    taken = assault(cast.theirs, theirs, ours, aim(theirs, ours, next(idle)))
    blows = _struck(given, taken)
    bursts = jnp.concatenate([given.bursts, taken.bursts])
    health, shield = suffer(roster, world.health, world.shield, blows)
    health = jnp.where(alive, health, 0.0)
    return world._replace(
        health=health,
        shield=jnp.where(health > 0, shield, 0.0),
        quiet=jnp.where(blows.hits > 0, 0.0, world.quiet),
        loaded=world.loaded & ~bursts,
        shooter=jnp.where(given.shooter >= 0, given.shooter, world.shooter),
        burst=world.burst | bursts,
    )


def _sides(cast: Cast, roster: Roster, world: World, alive: Bool[Array, "N L"]) -> tuple[Side, Side]:
    """Both sides of a world, the allies first."""
    ready, vital = alive & (world.cooldown <= 0), world.health + world.shield
    columns = world.x, world.y, vital, alive, ready, world.loaded
    ours, theirs = (Side(part(roster, where), *(column[where] for column in columns))
                    for where in (slice(None, cast.allies), slice(cast.allies, None)))  # fmt: skip
    return ours, theirs


def _struck(given: Assault, taken: Assault) -> Blows:
    """What falls on everybody, the allies first."""
    return Blows(*(jnp.concatenate(pair) for pair in zip(taken.blows, given.blows, strict=True)))


def hurt(
    cast: Cast, roster: Roster, world: World, orders: Orders, alive: Bool[Array, "N L"], given: Assault, taken: Assault
) -> World:
    """The world after the blows of both sides."""
    blows = _struck(given, taken)
    fires = jnp.concatenate([given.fires, taken.fires])
    bursts = jnp.concatenate([given.bursts, taken.bursts])
    health, shield = suffer(roster, world.health, world.shield, blows)
    health = jnp.where(bursts | ~alive, 0.0, health)
    quiet = jnp.where(blows.hits > 0, 0.0, world.quiet + 1)
    health, shield = recover(roster, health, shield, quiet)
    victim = jnp.concatenate([given.victim, taken.victim])
    late = jnp.where(world.cooldown > -1, world.cooldown, 0.0)  # what a whole loop adds; who waited is not late
    slower = 1 + cast.mind.pause * (np.arange(len(health)) >= cast.allies)
    again = late + slower[:, None].astype(np.float32) * roster.period + orders.delay
    return world._replace(
        health=health,
        shield=jnp.where(health > 0, shield, 0.0),
        cooldown=jnp.where(fires, again, world.cooldown) - 1,
        hold=jnp.where(fires, roster.point, world.hold - 1),
        quiet=quiet,
        loaded=world.loaded & ~bursts,
        shooter=jnp.where(given.shooter >= 0, given.shooter, world.shooter),
        victim=jnp.where(victim >= 0, victim, world.victim),
        burst=world.burst | bursts,
    )


def sent(world: World, orders: Orders, aims: Aim) -> Moves:
    """Where the allies go: the way they were told, or to a target out of reach."""
    a = len(orders.aim)
    told = (orders.way_x != 0) | (orders.way_y != 0)
    return Moves(
        jnp.where(told, world.x[:a] + AHEAD * orders.way_x, aims.x),
        jnp.where(told, world.y[:a] + AHEAD * orders.way_y, aims.y),
        told | ((aims.place >= 0) & ~aims.close),
    )


def marched(cast: Cast, world: World, orders: Orders, hunts: Aim) -> Moves:
    """Where the enemies go: to a target out of reach, without one to their goal."""
    a = cast.allies
    after = hunts.place >= 0
    if not cast.marches:
        return Moves(hunts.x, hunts.y, after & ~hunts.close)
    x, y = world.x[a:], world.y[a:]
    away = (orders.goal_x - x) ** 2 + (orders.goal_y - y) ** 2 > ARRIVED**2
    to_x, to_y = jnp.where(after, hunts.x, orders.goal_x), jnp.where(after, hunts.y, orders.goal_y)
    return Moves(to_x, to_y, jnp.where(after, ~hunts.close, away))


def moved(field: Field, roster: Roster, world: World, moves: Moves) -> World:
    """The world after everyone has walked and made room."""
    alive = world.health > 0
    mobile = roster.speed > 0  # a building stays, whoever runs into it
    walks = moves.wanted & alive & (world.hold <= 0) & mobile
    ux, uy, distance = towards(field, world.x, world.y, moves.x, moves.y, roster.flies | roster.strides)
    pace = jnp.where(walks, jnp.minimum(roster.speed, distance), 0.0)
    x, y = world.x + pace * ux, world.y + pace * uy
    push_x, push_y = pushes(x, y, roster.separation, roster.flies, alive, walks)
    x, y = x + jnp.where(mobile, push_x, 0.0), y + jnp.where(mobile, push_y, 0.0)
    x, y = confine(field, roster, world.x, world.y, x, y)
    return world._replace(x=x, y=y)
