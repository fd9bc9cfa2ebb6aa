"""The rules of the stag hunt: who moves where, which stags are caught.

Inside of this file a cell is a number, row by row, on a board with a margin of one cell. The margin is always taken, so
the edge of the board needs no rule of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

RIGHT, DOWN, LEFT, UP, STAY, CATCH = range(6)
MOVES = np.array([(0, 1), (1, 0), (0, -1), (-1, 0), (0, 0), (0, 0)], np.int32)
"""Row and column that each action adds; row 0 is at the top."""


class StagHuntState(NamedTuple):
    """Places (row, column) of all, who still hunts, which stags are left, and what has happened so far.

    Whoever is gone keeps their last place, and blocks nobody there. ``misses`` counts the catches by too few.
    """

    predators: Int[Array, "N 2"]
    stags: Int[Array, "M 2"]
    active: Bool[Array, " N"]
    present: Bool[Array, " M"]
    time: Int[Array, ""]
    misses: Int[Array, ""]
    score: Float[Array, ""]


class Draws(NamedTuple):
    """All that is random in a step.

    ``order`` and ``stag_order`` say who has the first turn, the second, and so on. ``wish`` says how much each stag
    would like to go right, down, left and up: it takes the free direction that it likes best.
    """

    order: Int[Array, " N"]
    stag_order: Int[Array, " M"]
    wish: Float[Array, "M 4"]


def draw(key: PRNGKeyArray, predators: int, stags: int) -> Draws:
    """The random numbers of one step."""
    uniform = jax.random.uniform(key, (predators + 5 * stags,))
    first, second, rest = jnp.split(uniform, (predators, predators + stags))
    return Draws(_order(first), _order(second), rest.reshape(stags, 4))


def _order(uniform: Float[Array, " n"]) -> Int[Array, " n"]:
    """The indices by size of their numbers, by counting: for few numbers many times as fast as a sort."""
    n = len(uniform)
    smaller = uniform[None] < uniform[:, None]
    smaller |= (uniform[None] == uniform[:, None]) & np.tri(n, k=-1, dtype=bool)
    rank = jnp.sum(smaller.astype(jnp.int32), axis=1)
    return jnp.zeros(n, jnp.int32).at[rank].set(jnp.arange(n, dtype=jnp.int32))


def scatter(key: PRNGKeyArray, size: int, count: int) -> Int[Array, "count 2"]:
    """``count`` different places, uniformly at random: the first steps of a Fisher-Yates shuffle of all cells."""
    other = jax.random.randint(key, (count,), jnp.arange(count), size**2)

    def swap(k: Int[Array, ""], cells: Int[Array, " C"]) -> Int[Array, " C"]:
        return cells.at[k].set(cells[other[k]]).at[other[k]].set(cells[k])

    cells = jax.lax.fori_loop(0, count, swap, jnp.arange(size**2, dtype=jnp.int32))[:count]
    return jnp.stack([cells // size, cells % size], -1)


def beside(place: Int[Array, "k 2"], others: Int[Array, "j 2"]) -> Bool[Array, "k j"]:
    """Whether two places are neighbours, which diagonal ones are not."""
    return jnp.abs(place[:, None] - others[None]).sum(-1) == 1


def _cells(place: Int[Array, "k 2"], size: int) -> Int[Array, " k"]:
    return (place[:, 0] + 1) * (size + 2) + place[:, 1] + 1


def _places(cell: Int[Array, " k"], size: int) -> Int[Array, "k 2"]:
    return jnp.stack([cell // (size + 2), cell % (size + 2)], -1) - 1


def _steps(size: int) -> Int[Array, " A"]:
    """What each action adds to a cell."""
    return jnp.asarray(MOVES @ np.array([size + 2, 1], np.int32))


def _taken(state: StagHuntState, size: int) -> Bool[Array, " C"]:
    margin = np.pad(np.zeros((size, size), bool), 1, constant_values=True).reshape(-1)
    taken = jnp.asarray(margin).at[_cells(state.predators, size)].max(state.active)
    return taken.at[_cells(state.stags, size)].max(state.present)


def hunt(draws: Draws, state: StagHuntState, action: Int[Array, " N"], size: int) -> StagHuntState:
    """The predators move in turn, each where it wants to go unless that cell is taken."""
    start = _cells(state.predators, size)
    goals = start + _steps(size)[action]

    def turn(k: Int[Array, ""], now: tuple[Array, Array]) -> tuple[Array, Array]:
        cells, taken = now
        i = draws.order[k]
        go = state.active[i] & ~taken[goals[i]]
        taken = taken.at[start[i]].min(~go).at[goals[i]].max(go)
        return cells.at[i].set(jnp.where(go, goals[i], start[i])), taken

    cells, _ = jax.lax.fori_loop(0, len(start), turn, (start, _taken(state, size)))
    return state._replace(predators=_places(cells, size))


def flee(draws: Draws, state: StagHuntState, catching: Bool[Array, " N"], size: int, needed: int) -> StagHuntState:
    """The stags' turns: one that is caught leaves the board with its catchers, another goes to a free cell beside it.

    Catching predators stand still and no stag moves before its turn, so who can catch whom is known from the start.
    """
    start, hunters = _cells(state.stags, size), _cells(state.predators, size)
    exits = start[:, None] + _steps(size)[None, :STAY]
    reach = beside(state.stags, state.predators) & state.present[:, None] & catching[None]

    def turn(k: Int[Array, ""], now: tuple[Array, StagHuntState, Array]) -> tuple[Array, StagHuntState, Array]:
        cells, state, taken = now
        j = draws.stag_order[k]
        catchers = reach[j] & state.active
        count = jnp.sum(catchers.astype(jnp.int32))
        caught = count >= needed
        taken = taken.at[hunters].min(~(catchers & caught))
        free = ~taken[exits[j]] & state.present[j] & ~caught
        best = exits[j, jnp.argmax(jnp.where(free, draws.wish[j], -1.0))]
        go = free.any()
        taken = taken.at[start[j]].min(~(go | caught)).at[best].max(go)
        after = state._replace(
            active=state.active & ~(catchers & caught),
            present=state.present.at[j].min(~caught),
            misses=state.misses + ((count > 0) & ~caught).astype(jnp.int32),
        )
        return cells.at[j].set(jnp.where(go, best, start[j])), after, taken

    cells, after, _ = jax.lax.fori_loop(0, len(start), turn, (start, state, _taken(state, size)))
    return after._replace(stags=_places(cells, size))
