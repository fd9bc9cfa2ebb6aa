"""The rules of level-based foraging: where all start, who moves where, which food is collected.

Boards are small and there are thousands of them at once, so everything is a comparison with every cell or with every
other player: no table is looked up, nothing is sorted, and no draw is repeated until it fits.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

NONE, NORTH, SOUTH, WEST, EAST, LOAD = range(6)
"""The actions by their numbers in lbforaging. North is up: row 0 is at the top."""
CHOICES = 6


class ForagingState(NamedTuple):
    """Places (row, column) and levels of all, and what has happened so far.

    Food is ordered by its place, row by row; slots that stayed empty come last and have level 0. ``eaten`` is the step
    in which a food was collected, 0 for what is still there; its place and level are kept.
    """

    players: Int[Array, "N 2"]
    levels: Int[Array, " N"]
    food: Int[Array, "M 2"]
    food_levels: Int[Array, " M"]
    eaten: Int[Array, " M"]
    time: Int[Array, ""]
    score: Float[Array, ""]

    @property
    def left(self) -> Bool[Array, " M"]:
        """Which food is still there."""
        return (self.eaten == 0) & (self.food_levels > 0)


class Loads(NamedTuple):
    """What became of a step's loading: what each player scored, who tried in vain, and which food is gone now."""

    reward: Float[Array, " N"]
    in_vain: Bool[Array, " N"]
    collected: Bool[Array, " M"]


def whole(truth: Bool[Array, "*n"]) -> Int[Array, "*n"]:
    """False and true as 0 and 1."""
    return truth.astype(jnp.int32)


def _below(uniform: Float[Array, "*n"], count: int | Int[Array, "*n"]) -> Int[Array, "*n"]:
    """Whole numbers from 0 to ``count`` − 1 out of numbers in [0, 1)."""
    return jnp.floor(uniform * jnp.asarray(count).astype(jnp.float32)).astype(jnp.int32)


def different(uniform: Float[Array, " n"], cells: int) -> Int[Array, " n"]:
    """Different cells, uniformly at random, one after the other: each is the k-th that is still free.

    With the taken cells in order, t_0 < t_1 < …, exactly those with t_j − j <= k come before the k-th free cell.
    """
    n = len(uniform)
    place = jnp.arange(n, dtype=jnp.int32)
    drawn = _below(uniform, cells - place)
    taken, found = jnp.full(n, 2 * cells, jnp.int32), []
    for i in range(n):
        cell = drawn[i] + jnp.sum(whole(taken - place <= drawn[i]), dtype=jnp.int32)
        before = jnp.concatenate([jnp.full(1, -1, jnp.int32), taken[:-1]])
        taken = jnp.minimum(taken, jnp.maximum(cell, before))  # put it where it belongs
        found.append(cell)
    return jnp.stack(found)


def _pick(
    free: Bool[Array, "I I"], uniform: Float[Array, ""]
) -> tuple[Int[Array, ""], Int[Array, ""], Bool[Array, ""]]:
    """Row and column of one free cell, uniformly at random, and whether there is any: first its row, then the cell."""
    upto = jnp.asarray(np.tril(np.ones(free.shape, np.int32)))
    through = jnp.sum(upto * jnp.sum(whole(free), 1)[None], 1)  # free cells up to each row's end
    wanted = _below(uniform, through[-1])
    row = jnp.sum(whole(through <= wanted))
    here = jnp.arange(len(free), dtype=jnp.int32) == row
    line = free & here[:, None]
    ahead = jnp.sum(jnp.where(through <= wanted, jnp.sum(whole(free), 1), 0))
    inside = jnp.sum(upto * jnp.sum(whole(line), 0)[None], 1)
    return row, jnp.sum(whole(inside <= wanted - ahead)), through[-1] > 0


def spawn_food(
    uniform: Float[Array, " M"], players: Int[Array, "N 2"], size: int
) -> tuple[Int[Array, "M 2"], Bool[Array, " M"]]:
    """Places of food in order, row by row, and which slots were filled.

    Each food is uniform among the cells that are not at the edge, hold no player, and have no food within one step in
    both directions nor within two along a row or column. Where no cell is left, slots stay empty.
    """
    inner = jnp.arange(1, size - 1, dtype=jnp.int32)
    on_row, on_column = players[:, 0, None] == inner[None], players[:, 1, None] == inner[None]
    free = ~(on_row[:, :, None] & on_column[:, None, :]).any(0)
    found = []
    for u in uniform:
        row, column, any_free = _pick(free, u)
        down, across = jnp.abs(inner - 1 - row)[:, None], jnp.abs(inner - 1 - column)[None]
        free = free & ~((jnp.maximum(down, across) <= 1) | (jnp.minimum(down, across) == 0) & (down + across <= 2))
        found.append(jnp.where(any_free, (row + 1) * size + column + 1, size**2))
    cells = jnp.stack(found)
    is_next = rank(cells)[None] == jnp.arange(len(found), dtype=jnp.int32)[:, None]
    ordered = jnp.sum(jnp.where(is_next, cells[None], 0), 1)
    return jnp.stack([ordered // size, ordered % size], -1), ordered < size**2


def rank(values: Int[Array, " n"]) -> Int[Array, " n"]:
    """How many come before each value in ascending order, by counting; of equal ones the first comes first."""
    before = values[None] < values[:, None]
    before |= (values[None] == values[:, None]) & np.tri(len(values), k=-1, dtype=bool)
    return jnp.sum(whole(before), 1)


def lowest_three(levels: Int[Array, " N"]) -> Int[Array, ""]:
    """The sum of the three lowest levels, or of all where there are fewer players."""
    return jnp.sum(jnp.where(rank(levels) < 3, levels, 0))


def open_board(
    key: PRNGKeyArray, size: int, players: int, food: int, max_level: int, max_food_level: int | None, coop: bool
) -> ForagingState:
    """A new episode: players in different cells, then food.

    Levels are uniform from 1 on, but with ``coop`` all food has the highest one.
    """
    uniform = jax.random.uniform(key, (2 * players + 2 * food,))
    where, strong, spot, worth = jnp.split(uniform, (players, 2 * players, 2 * players + food))
    cells = different(where, size**2)
    places = jnp.stack([cells // size, cells % size], -1)
    levels = 1 + _below(strong, max_level)
    at, filled = spawn_food(spot, places, size)
    most = lowest_three(levels) if max_food_level is None else jnp.asarray(max_food_level, jnp.int32)
    value = jnp.broadcast_to(most, (food,)) if coop else 1 + _below(worth, jnp.broadcast_to(most, (food,)))
    zero = jnp.zeros((), jnp.int32)
    nothing = jnp.zeros(food, jnp.int32)
    return ForagingState(places, levels, at, jnp.where(filled, value, 0), nothing, zero, jnp.zeros(()))


def beside(places: Int[Array, "k 2"], state: ForagingState) -> Bool[Array, "k M"]:
    """Which food is left above, below, left or right of each place. The spacing of food allows one at most."""
    down = jnp.abs(places[:, 0, None] - state.food[None, :, 0])
    across = jnp.abs(places[:, 1, None] - state.food[None, :, 1])
    return (down + across == 1) & state.left[None]


def steps_to(places: Int[Array, "N 2"], action: Int[Array, " N"]) -> Int[Array, "N 2"]:
    """Where the actions lead, the edge and all others left aside."""
    down, across = whole(action == SOUTH) - whole(action == NORTH), whole(action == EAST) - whole(action == WEST)
    return places + jnp.stack([down, across], -1)


def open_cell(goal: Int[Array, "N 2"], state: ForagingState, size: int) -> Bool[Array, " N"]:
    """Whether each cell is on the board and holds no food; players do not count."""
    on_food = (goal[:, 0, None] == state.food[None, :, 0]) & (goal[:, 1, None] == state.food[None, :, 1])
    inside = (goal[:, 0] >= 0) & (goal[:, 0] < size) & (goal[:, 1] >= 0) & (goal[:, 1] < size)
    return inside & ~(on_food & state.left[None]).any(1)


def move(state: ForagingState, action: Int[Array, " N"], size: int) -> Int[Array, "N 2"]:
    """New places: everybody goes where they want unless somebody else wants the same cell (staying is wanting, too).

    Wishes are compared, not what comes of them. So two neighbours may change places; and a player may enter the cell of
    one who wanted to leave and could not, and then two stand in one cell.
    """
    goal = steps_to(state.players, action)
    goal = jnp.where(open_cell(goal, state, size)[:, None], goal, state.players)
    same = (goal[:, None, 0] == goal[None, :, 0]) & (goal[:, None, 1] == goal[None, :, 1])
    alone = jnp.sum(whole(same), 1) == 1
    return jnp.where(alone[:, None], goal, state.players)


def load(state: ForagingState, action: Int[Array, " N"], normalised: bool, penalty: float) -> Loads:
    """Whoever loads beside food adds their level; if the sum reaches the food's level, it is collected.

    With levels l of the players that load it, each scores l_i f for food of level f, normalised
    l_i f / (Σ_j l_j Σ_k f_k) with all food of the episode's start. If the sum is too low, each pays ``penalty``.
    """
    trying = beside(state.players, state) & (action == LOAD)[:, None]
    strength = jnp.sum(jnp.where(trying, state.levels[:, None], 0), 0)
    collected = (strength >= state.food_levels) & (strength > 0)
    in_vain = (trying & ~collected[None]).any(1)
    reward = jnp.sum(jnp.where(trying & collected[None], state.levels[:, None] * state.food_levels[None], 0), 1)
    reward = reward.astype(jnp.float32)
    if normalised:  # one food at most is beside a player, so one strength is summed here
        whose = jnp.sum(jnp.where(trying, strength[None], 0), 1) * jnp.sum(state.food_levels)
        reward = reward / jnp.maximum(whose, 1).astype(jnp.float32)
    return Loads(jnp.where(in_vain, -float(penalty), reward), in_vain, collected)
