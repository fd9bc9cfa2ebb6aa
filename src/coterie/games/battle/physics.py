"""How units move: towards where they want, apart from each other, and not through walls."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.pairs import fold
from coterie.games.battle.roster import Roster
from coterie.games.battle.terrain import QUARTERS, SIZE, Terrain, fine, half_planes
from coterie.games.battle.ways import Ways, ways

YIELD = 0.5
"""How much more than half of an overlap a unit that walks gives way to one that stands: all of it."""
SOFT = 0.5
"""The share of an overlap that is undone in one loop."""
EDGE = 1e-3
"""How far inside of straight walls and the map's edge units are held, so that they stand in an open cell."""


class Field(NamedTuple):
    """Where one can walk. A convex field is an intersection of half-planes, any other a grid of quarter cells.

    Args:
        planes: Rows ``a, b, c``: inside is ``a x + b y <= c``; none where there is a grid.
        open: Quarter cells ``[x, y]``: 1 for walkers, 2 for units that step over cliffs, 3 for both; None where there
            are half-planes.
        ways: How to walk round walls; None: straight.
    """

    planes: Float[np.ndarray, "K 3"]
    open: Int[np.ndarray, "128 128"] | None = None
    ways: Ways | None = None


@lru_cache(maxsize=64)
def field(terrain: Terrain) -> Field:
    """The field of a terrain."""
    if terrain.convex:
        return Field((half_planes(terrain) - np.array([0, 0, EDGE])).astype(np.float32))
    walkable, table = fine(terrain), 3 * fine(terrain).astype(np.int32)
    for west, east, south, north in terrain.cliffs:
        rows = (slice(west * QUARTERS, (east + 1) * QUARTERS), slice(south * QUARTERS, (north + 1) * QUARTERS))
        table[rows] = np.where(walkable[rows], 3, 2)
    return Field(np.zeros((0, 3), np.float32), table, ways(terrain))


def towards(
    ground: Field, x: Float[Array, "N L"], y: Float[Array, "N L"], to_x: Float[Array, "N L"], to_y: Float[Array, "N L"],
    straight: Bool[Array, "N L"],
) -> tuple[Float[Array, "N L"], Float[Array, "N L"], Float[Array, "N L"]]:  # fmt: skip
    """Unit vectors of the way to a place, and how far the next stop on it is.

    Args:
        ground: Where one can walk.
        x: Where they are, from left.
        y: From below.
        to_x: Where they want to be.
        to_y: The same, from below.
        straight: Who goes there straight, whatever is in between.
    """
    if ground.ways is not None:
        numbers, at_x, at_y, stops = (jnp.asarray(table.reshape(-1)) for table in ground.ways)
        there = numbers[_cell(to_x, to_y)]
        stop = stops[there * len(at_x) + numbers[_cell(x, y)]]
        direct = straight | (stop == there)
        to_x, to_y = jnp.where(direct, to_x, at_x[stop]), jnp.where(direct, to_y, at_y[stop])
    dx, dy = to_x - x, to_y - y
    distance = jnp.sqrt(dx**2 + dy**2)
    scale = 1 / jnp.maximum(distance, 1e-6)
    return dx * scale, dy * scale, distance


def _cell(x: Float[Array, "N L"], y: Float[Array, "N L"]) -> Int[Array, "N L"]:
    return jnp.clip(x, 0, SIZE - 1).astype(jnp.int32) * SIZE + jnp.clip(y, 0, SIZE - 1).astype(jnp.int32)


def pushes(
    x: Float[Array, "N L"], y: Float[Array, "N L"], separation: Float[Array, "N L"], flies: Bool[Array, "N L"],
    alive: Bool[Array, "N L"], walks: Bool[Array, "N L"],
) -> tuple[Float[Array, "N L"], Float[Array, "N L"]]:  # fmt: skip
    """How far each unit is pushed by those of its plane that it overlaps; who stands is not pushed by who walks."""
    level = jnp.broadcast_to(flies.astype(jnp.int32), alive.shape)
    level = jnp.where(alive, level, -1 - np.arange(len(alive), dtype=np.int32)[:, None])  # the dead meet nobody
    yields = jnp.where(walks, YIELD, 0.0)
    separation = jnp.broadcast_to(separation, x.shape)

    def by(sums: tuple[Array, Array], row: tuple[Array, ...]) -> tuple[Array, Array]:
        ox, oy, osep, olevel, oyield = row
        dx, dy = x - ox, y - oy
        squared = dx**2 + dy**2
        room = separation + osep
        close = (squared < room**2) & (level == olevel)
        overlap = room * jax.lax.rsqrt(jnp.maximum(squared, 1e-6)) - 1
        weight = jnp.where(close, overlap * (0.5 + yields - oyield), 0.0)
        return sums[0] + weight * dx, sums[1] + weight * dy

    zeros = jnp.zeros_like(x)
    push_x, push_y = fold(by, (zeros, zeros), (x, y, separation, level, yields))
    return SOFT * push_x, SOFT * push_y


def confine(
    ground: Field, roster: Roster, x: Float[Array, "N L"], y: Float[Array, "N L"], to_x: Float[Array, "N L"],
    to_y: Float[Array, "N L"],
) -> tuple[Float[Array, "N L"], Float[Array, "N L"]]:  # fmt: skip
    """Where units that want to be at ``to`` end up: at the wall, or along it. Flyers only heed the map's edge."""
    to_x, to_y = jnp.clip(to_x, 0.0, SIZE - EDGE), jnp.clip(to_y, 0.0, SIZE - EDGE)
    if ground.open is None:
        px, py = to_x, to_y
        for a, b, c in ground.planes:
            beyond = jnp.maximum(float(a) * px + float(b) * py - float(c), 0.0)
            px, py = px - float(a) * beyond, py - float(b) * beyond
        return jnp.where(roster.flies, to_x, px), jnp.where(roster.flies, to_y, py)
    table = jnp.asarray(ground.open.reshape(-1))
    key = jnp.where(roster.strides, 2, 1)

    def free(at_x: Array, at_y: Array) -> Array:
        cell = (at_x * QUARTERS).astype(jnp.int32) * (SIZE * QUARTERS) + (at_y * QUARTERS).astype(jnp.int32)
        return (table[cell] & key) > 0

    whole, along_x, along_y = free(to_x, to_y), free(to_x, y), free(x, to_y)
    px = jnp.where(whole | along_x, to_x, x)
    py = jnp.where(whole | (along_y & ~along_x), to_y, y)
    return jnp.where(roster.flies, to_x, px), jnp.where(roster.flies, to_y, py)
