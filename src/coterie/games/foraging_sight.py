"""What players of level-based foraging see, and what they may do."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.foraging_rules import (
    CHOICES,
    EAST,
    LOAD,
    NONE,
    NORTH,
    SOUTH,
    WEST,
    ForagingState,
    beside,
    open_cell,
    steps_to,
    whole,
)

MISSING = np.array((-1, -1, 0), np.int32)
"""Row, column and level of what is not in sight."""


def triples(places: Int[Array, "*k 2"], levels: Int[Array, "*k"]) -> Int[Array, "*k 3"]:
    """Row, column and level."""
    return jnp.concatenate([places, levels[..., None]], -1)


def _missing(rank: int) -> Int[Array, "*ones 3"]:
    return jnp.asarray(MISSING.reshape(*(1,) * (rank - 1), 3))


def packed(things: Int[Array, "*lead K 3"], seen: Bool[Array, "*lead K"]) -> Int[Array, "*lead K 3"]:
    """Those that are seen, in order and without gaps, then (−1, −1, 0) in the slots that are left over."""
    k = seen.shape[-1]
    before = np.tri(k, k=-1, dtype=np.int32).reshape(*(1,) * (seen.ndim - 1), k, k)
    slot = jnp.sum(before * whole(seen)[..., None, :], -1)
    goes = seen[..., None, :] & (
        slot[..., None, :] == np.arange(k, dtype=np.int32).reshape(*(1,) * (seen.ndim - 1), k, 1)
    )
    missing = _missing(things.ndim)
    moved = jnp.where(goes[..., None], (things - missing)[..., None, :, :], 0)
    return jnp.sum(moved, -2) + missing


def _others(things: Int[Array, "N N *rest"]) -> Int[Array, "N N-1 *rest"]:
    """Row i without entry i."""
    n = len(things)
    earlier = np.tri(n, n - 1, k=-1, dtype=bool).reshape(n, n - 1, *(1,) * (things.ndim - 2))
    return jnp.where(earlier, things[:, :-1], things[:, 1:])


def everything(state: ForagingState) -> Float[Array, "N O"]:
    """Observations without a limit of sight: places on the board, the same food for all."""
    n = len(state.levels)
    food = packed(triples(state.food, state.food_levels), state.left)
    players = triples(state.players, state.levels)
    rest = _others(jnp.broadcast_to(players[None], (n, n, 3)))
    seen = [jnp.broadcast_to(food[None], (n, *food.shape)), players[:, None], rest]
    return jnp.concatenate(seen, 1).reshape(n, -1).astype(jnp.float32)


def nearby(state: ForagingState, sight: int) -> Float[Array, "N O"]:
    """Observations of what is up to ``sight`` away; places count from the first row and column in sight.

    At an edge the window has fewer cells, yet other players are compared with its full width from its first cell on, so
    there they are seen from further away: as in lbforaging.
    """
    n = len(state.levels)
    corner = jnp.maximum(state.players - sight, 0)[:, None]
    food, players = state.food[None] - corner, state.players[None] - corner
    far = jnp.abs(state.food[None] - state.players[:, None])
    food_seen = (far <= sight).all(-1) & state.left[None]
    seen = ((players >= 0) & (players <= 2 * sight)).all(-1)
    worth = jnp.broadcast_to(state.food_levels[None], food_seen.shape)
    strong = jnp.broadcast_to(state.levels[None], seen.shape)
    own = triples(state.players - corner[:, 0], state.levels)
    rest = packed(_others(triples(players, strong)), _others(seen))
    parts = [packed(triples(food, worth), food_seen), own[:, None], rest]
    return jnp.concatenate(parts, 1).reshape(n, -1).astype(jnp.float32)


def overview(state: ForagingState, length: int) -> Float[Array, " S"]:
    """The global state: food and players, each in its own slot, then the level of all food, and the time.

    Food that is gone has (−1, −1, 0); the level is that of all food at the start, by which rewards are divided.
    """
    food = jnp.where(state.left[:, None], triples(state.food, state.food_levels), _missing(2))
    flat = jnp.concatenate([food, triples(state.players, state.levels)]).reshape(-1)
    flat = jnp.concatenate([flat, jnp.sum(state.food_levels)[None]]).astype(jnp.float32)
    return jnp.concatenate([flat, (state.time.astype(jnp.float32) / length)[None]])


def valid(state: ForagingState, size: int) -> Bool[Array, "N 6"]:
    """What lbforaging calls valid: nothing; moves to cells of the board without food; loading beside food."""
    n = len(state.levels)
    columns = {NONE: jnp.ones(n, bool), LOAD: beside(state.players, state).any(1)}
    for action in (NORTH, SOUTH, WEST, EAST):
        columns[action] = open_cell(steps_to(state.players, jnp.full(n, action, jnp.int32)), state, size)
    return jnp.stack([columns[action] for action in range(CHOICES)], 1)
