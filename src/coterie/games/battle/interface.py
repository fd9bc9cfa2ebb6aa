"""What SMAC tells a team: action masks, observations and the state, with its sizes, order and normalisations.

SMAC is the StarCraft Multi-Agent Challenge (Samvelyan et al. 2019); its interface only: battles are our own physics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import Observation
from coterie.games.battle.roster import Roster
from coterie.games.battle.terrain import SIZE
from coterie.games.battle.units import KINDS
from coterie.games.battle.world import Orders

SIGHT = 9.0
"""Distance of centres below which any unit is seen."""
SHOT = 6.0
"""Distance of centres up to which a unit may be told to attack or heal."""
NOTHING, STOP, MOVE, AIM = 0, 1, 2, 6
"""Actions: no-op (of the dead), stop, four moves (north, south, east, west), then one for each enemy."""
WAYS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)], np.float32)
"""The four moves."""
DELAY = (-1.0, 2.0)
"""Loops between which each attack's period varies."""
TIE = 1e-3
"""Largest share of a squared distance that decides between equals."""


class View(NamedTuple):
    """A moment of one battle, as the interface reads it: allies first, then enemies."""

    x: Float[Array, " N"]
    y: Float[Array, " N"]
    health: Float[Array, " N"]
    shield: Float[Array, " N"]
    cooldown: Float[Array, " N"]
    energy: Float[Array, " N"]
    ally_type: Float[Array, "A bits"]
    enemy_type: Float[Array, "E bits"]
    last: Int[Array, " A"]
    """The last actions; -1 before the first."""
    time: Int[Array, ""]


@dataclass(frozen=True)
class Telling:
    """What is told, apart from what always is.

    Args:
        ally_shields: Whether own units have shields, as only Protoss do.
        enemy_shields: Whether enemies have.
        last_action: Whether observations hold the last actions of allies in sight.
        clock: Whether observations hold the share of the time limit that is over.
        state_clock: Whether the state does.
    """

    ally_shields: bool
    enemy_shields: bool
    last_action: bool = False
    clock: bool = False
    state_clock: bool = False


def sizes(telling: Telling, allies: int, enemies: int, ally_bits: int, enemy_bits: int) -> tuple[int, int]:
    """Sizes of an observation and of the state."""
    s, e, actions = int(telling.ally_shields), int(telling.enemy_shields), AIM + enemies
    ally = 5 + s + ally_bits + actions * telling.last_action
    local = 4 + enemies * (5 + e + enemy_bits) + (allies - 1) * ally + 1 + s + ally_bits + telling.clock
    rows = allies * (4 + s + ally_bits) + enemies * (3 + e + enemy_bits)
    return local, rows + allies * actions + telling.state_clock


def seen(view: View, roster: Roster, telling: Telling, walkable: Bool[np.ndarray, "32 32"], length: int) -> Observation:
    """What a team sees of a moment: ``walkable`` cells ``[x, y]`` and the ``length`` of an episode are the game's."""
    a = len(view.last)
    dx, dy, distance = between(view, a)
    mask = legal(view, roster, walkable, distance)
    local = observations(view, roster, telling, mask, length, dx, dy, distance)
    return Observation(local, overview(view, roster, telling, length, mask.shape[1]), mask, view.health[:a] > 0)


def between(view: View, allies: int) -> tuple[Float[Array, "A N"], Float[Array, "A N"], Float[Array, "A N"]]:
    """From each ally to each unit: to the right, up, and the distance of centres."""
    dx = view.x[None] - view.x[:allies, None]
    dy = view.y[None] - view.y[:allies, None]
    return dx, dy, jnp.sqrt(dx**2 + dy**2)


def legal(
    view: View, roster: Roster, walkable: Bool[np.ndarray, "32 32"], distance: Float[Array, "A N"]
) -> Bool[Array, "A actions"]:
    """The mask: the dead do nothing; the living stop, move where the next cell can be walked, and attack in range.

    Medivacs may heal every living ally within range that is no medivac, whether hurt or not, and attack nobody.
    """
    a = len(distance)
    alive = view.health > 0
    here = alive[:a]
    x, y = view.x[:a, None] + WAYS[None, :, 0], view.y[:a, None] + WAYS[None, :, 1]
    inside = (x > -1) & (x < SIZE) & (y > -1) & (y < SIZE)  # SMAC cuts off the fraction: -0.5 is in cell 0
    cell = jnp.clip(x, 0, SIZE - 1).astype(jnp.int32) * SIZE + jnp.clip(y, 0, SIZE - 1).astype(jnp.int32)
    may = inside & jnp.asarray(walkable.reshape(-1))[cell] if not walkable.all() else inside
    heals = roster.heals[:, 0] if roster.heals.shape[-1] == 1 else roster.heals
    near = alive[None] & (distance <= SHOT)
    aims = near[:, a:]
    if not isinstance(heals, np.ndarray) or heals[:a].any():
        mended = near[:, :a] & ~heals[None, :a]
        mended = jnp.pad(mended, ((0, 0), (0, aims.shape[1] - a)))
        aims = jnp.where(heals[:a, None], mended, aims)
    return jnp.concatenate([~here[:, None], here[:, None], here[:, None] & may, here[:, None] & aims], -1)


def ordered(key: PRNGKeyArray, action: Int[Array, " A"], goal: Float[Array, " 2"], units: int, jitter: bool) -> Orders:
    """What a step is given: the actions as orders, the enemies' goal, and all its dice, drawn at once."""
    dice = jax.random.uniform(key, (units + len(action),))
    low, high = DELAY
    delay = low + (high - low) * dice[:units] if jitter else jnp.zeros(units)
    north, south, east, west = ((action == MOVE + i).astype(jnp.float32) for i in range(len(WAYS)))
    aim = jnp.where(action >= AIM, action - AIM, -1).astype(jnp.int32)
    return Orders(east - west, north - south, aim, goal[:1], goal[1:], delay, TIE * dice[units:])


def observations(
    view: View, roster: Roster, telling: Telling, mask: Bool[Array, "A actions"], length: int,
    dx: Float[Array, "A N"], dy: Float[Array, "A N"], distance: Float[Array, "A N"],
) -> Float[Array, "A O"]:  # fmt: skip
    """What each ally sees: its moves, each enemy, each other ally, itself; zeros of what is dead or out of sight."""
    a, n = dx.shape
    alive = view.health > 0
    health, shield = view.health / _of(roster.health), view.shield / jnp.maximum(_of(roster.shield), 1.0)
    seen = alive[:a, None] & alive[None] & (distance < SIGHT)
    place = [distance / SIGHT, dx / SIGHT, dy / SIGHT, jnp.broadcast_to(health, (a, n))]
    shields = jnp.broadcast_to(shield, (a, n))

    def rows(first: Array, where: slice, has_shield: bool, extra: Array) -> Array:
        parts = [first, *(part[:, where] for part in place), *([shields[:, where]] if has_shield else [])]
        told = jnp.stack(parts, -1)
        told = jnp.concatenate([told, jnp.broadcast_to(extra, (*told.shape[:2], extra.shape[-1]))], -1)
        return jnp.where(seen[:, where, None], told, 0.0)

    enemies = rows(mask[:, AIM:].astype(jnp.float32), slice(a, None), telling.enemy_shields, view.enemy_type)
    extra = view.ally_type
    if telling.last_action:
        extra = jnp.concatenate([extra, jax.nn.one_hot(view.last, mask.shape[1])], -1)
    friends = others(rows(jnp.ones((a, a)), slice(None, a), telling.ally_shields, extra))
    own = [health[:a, None], *([shield[:a, None]] if telling.ally_shields else []), view.ally_type]
    clock = [jnp.full((a, 1), view.time / length)] if telling.clock else []
    moves = mask[:, MOVE:AIM].astype(jnp.float32)
    whole = jnp.concatenate([moves, enemies.reshape(a, -1), friends.reshape(a, -1), *own, *clock], -1)
    return jnp.where(alive[:a, None], whole, 0.0)


def overview(view: View, roster: Roster, telling: Telling, length: int, actions: int) -> Float[Array, " S"]:
    """The state: a row for each ally and each enemy (zeros of the dead), then the last actions."""
    a = len(view.last)
    alive = view.health > 0
    health, shield = view.health / _of(roster.health), view.shield / jnp.maximum(_of(roster.shield), 1.0)
    x, y = (view.x - SIZE / 2) / SIZE, (view.y - SIZE / 2) / SIZE
    waits = jnp.maximum(view.cooldown, 0.0)
    ready = jnp.where(_of(roster.energy) > 0, view.energy, waits) / _of(roster.scale)

    def rows(parts: list[Array], types: Array, where: slice) -> Array:
        told = jnp.concatenate([*(part[where, None] for part in parts), types], -1)
        return jnp.where(alive[where, None], told, 0.0).reshape(-1)

    ours = [health, ready, x, y, *([shield] if telling.ally_shields else [])]
    theirs = [health, x, y, *([shield] if telling.enemy_shields else [])]
    clock = [view.time[None] / length] if telling.state_clock else []
    last = jax.nn.one_hot(view.last, actions).reshape(-1)
    return jnp.concatenate([rows(ours, view.ally_type, slice(None, a)),
                            rows(theirs, view.enemy_type, slice(a, None)), last, *clock])  # fmt: skip


def types(kind: Int[Array, " U"], order: tuple[str, ...]) -> Float[Array, "U bits"]:
    """One-hot rows of the units' types; no columns where a map does not tell them."""
    numbers = np.array([KINDS.index(name) for name in order], np.int32)
    return (kind[:, None] == numbers[None]).astype(jnp.float32)


def others(pairs: Float[Array, "A A F"]) -> Float[Array, "A A1 F"]:
    """The pairs of each with another: the diagonal falls out by cutting the flattened rows elsewhere."""
    a, _, features = pairs.shape
    flat = pairs.reshape(a * a, features)[1:]
    return flat.reshape(a - 1, a + 1, features)[:, :-1].reshape(a, a - 1, features)


def _of(column: Array) -> Array:
    """A column of a roster without its axis of environments."""
    return column[:, 0]
