"""Where units can walk on SMAC's maps: whole cells, half-open cells at the steps, quarter cells, half planes.

Cell (x, y) covers [x, x + 1) × [y, y + 1) of a map of 32 × 32; x runs east and y north. The cells are those that SMAC's
map files flag as walkable. What the files do not tell is how much of a cliff's corner can be walked; the house chose:
cliffs come in blocks of 2 × 2 cells, and a block in the inner corner of a step is open up to its diagonal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from coterie.contracts import CoterieError

SIZE = 32
"""Edge of every map, in cells."""
QUARTERS = 4
"""Quarter cells along the edge of a cell."""
BLOCK = 2
"""Edge of a block of cliff, in cells."""
_ROOT = 0.5**0.5
_COMPASS = np.array([[1, 0], [_ROOT, _ROOT], [0, 1], [-_ROOT, _ROOT], [-1, 0], [-_ROOT, -_ROOT], [0, -1],
                     [_ROOT, -_ROOT]])  # fmt: skip


@dataclass(frozen=True)
class Terrain:
    """Ground that can be walked, in bands from west to east.

    Args:
        bands: Of cells: first y, last y, and runs (first x, last x); all inclusive, whole numbers from 0 to 31.
        cliffs: Rectangles of cells (first x, last x, first y, last y) that nobody walks but colossi can stride.
        corners: Whether the blocks in the inner corners of steps are open up to their diagonal. Such a block starts at
            even x and y, is closed, and has one open block beside it and one above or below.
        convex: Whether the ground is the inside of ``half_planes``; unlike bays, such walls cost almost nothing.

    Raises:
        CoterieError: No ground at all, a range that leaves the map or runs backwards, or bays in convex ground.
    """

    bands: tuple[tuple[int, int, tuple[tuple[int, int], ...]], ...]
    cliffs: tuple[tuple[int, int, int, int], ...] = ()
    corners: bool = True
    convex: bool = False

    def __post_init__(self) -> None:
        for low, high, runs in self.bands:
            _range("a band of y", low, high)
            for first, last in runs:
                _range("a run of x", first, last)
        for west, east, south, north in self.cliffs:
            _range("a cliff's x", west, east)
            _range("a cliff's y", south, north)
        if not any(runs for _, _, runs in self.bands):
            raise CoterieError(
                "the terrain has no ground: give at least one band with a run, such as (8, 23, ((0, 31),))"
            )
        if self.convex and not (_within(half_planes(self), _centres(), 0.0) == fine(self)).all():
            raise CoterieError("the terrain has bays, so it is not convex: leave out convex, or fill the bays")


def _range(name: str, first: object, last: object) -> None:
    """Refuse what is no range of cells."""
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in (first, last))
    if not whole or not 0 <= first <= last < SIZE:  # pyright: ignore[reportOperatorIssue]
        raise CoterieError(
            f"{name} cannot go from {first!r} to {last!r}: "
            f"give whole numbers, the first not above the last, from 0 to {SIZE - 1}"
        )


def flagged(terrain: Terrain) -> Bool[np.ndarray, "32 32"]:
    """The cells of the bands."""
    found = np.zeros((SIZE, SIZE), bool)
    for low, high, runs in terrain.bands:
        for first, last in runs:
            found[first : last + 1, low : high + 1] = True
    return found


def notches(terrain: Terrain) -> Iterator[tuple[int, int, int, int]]:
    """Blocks in inner corners: first x, first y, and the direction (±1, ±1) of their open side."""
    blocks = flagged(terrain).reshape(SIZE // BLOCK, BLOCK, SIZE // BLOCK, BLOCK)
    ground = np.pad(blocks.all((1, 3)), 1)
    east = ground[2:, 1:-1].astype(int) - ground[:-2, 1:-1]  # 0 also between two open blocks: that is no corner
    north = ground[1:-1, 2:].astype(int) - ground[1:-1, :-2]
    for i, j in np.argwhere(~blocks.any((1, 3)) & (east != 0) & (north != 0)):
        yield BLOCK * int(i), BLOCK * int(j), int(east[i, j]), int(north[i, j])


def _centres() -> Float[np.ndarray, "128 128 2"]:
    """Centres of the quarter cells."""
    along = (np.arange(SIZE * QUARTERS) + 0.5) / QUARTERS
    return np.stack(np.meshgrid(along, along, indexing="ij"), -1)


@lru_cache(maxsize=64)
def fine(terrain: Terrain) -> Bool[np.ndarray, "128 128"]:
    """Which quarter cells [x, y] have an open centre; on the diagonal of a corner is open. Read-only."""
    found = flagged(terrain).repeat(QUARTERS, 0).repeat(QUARTERS, 1)
    edge = BLOCK * QUARTERS
    off = 2 * np.arange(edge) + 1 - edge  # from the block's middle to the centres, in eighths of a cell: exact
    for x, y, east, north in notches(terrain) if terrain.corners else ():
        x, y = x * QUARTERS, y * QUARTERS
        found[x : x + edge, y : y + edge] = east * off[:, None] + north * off >= 0
    found.setflags(write=False)
    return found


def cells(terrain: Terrain) -> Bool[np.ndarray, "32 32"]:
    """Which cells [x, y] the mask of moves takes as walkable: the open and the half-open ones."""
    return np.any(fine(terrain).reshape(SIZE, QUARTERS, SIZE, QUARTERS), (1, 3))


@lru_cache(maxsize=64)
def widened(terrain: Terrain) -> Terrain:
    """The same ground with its half-open cells open, so that narrow places are wider; convex ground as it is."""
    if terrain.convex:
        return terrain
    bands = []
    for y, row in enumerate(cells(terrain).T):
        ends = np.flatnonzero(np.diff(np.pad(row.astype(int), 1)))
        bands.append((y, y, tuple((int(first), int(end) - 1) for first, end in ends.reshape(-1, 2))))
    return replace(terrain, bands=tuple(bands), corners=False)


def half_planes(terrain: Terrain) -> Float[np.ndarray, "K 3"]:
    """Rows (a, b, c) of a convex terrain, which is where a·x + b·y <= c for all of them; (a, b) has length 1.

    All walls run along the axes or the diagonals, so c is the furthest that a corner of a cell reaches in each of eight
    directions. A diagonal that touches nothing but a right angle is left out.

    Raises:
        CoterieError: The terrain is not convex.
    """
    if not terrain.convex:
        raise CoterieError("the terrain is not convex, so half planes do not bound it: use fine, its quarter cells")
    origins = np.argwhere(flagged(terrain))
    corners = np.concatenate([origins + np.array([x, y]) for x in (0, 1) for y in (0, 1)])
    reach = (corners @ _COMPASS.T).max(0)
    square = (np.roll(reach, 1) + np.roll(reach, -1)) * _ROOT  # how far a right angle reaches on the diagonal
    kept = (np.arange(len(reach)) % 2 == 0) | (reach < square - 1e-9)
    return np.concatenate([_COMPASS, reach[:, None]], 1)[kept]


def _within(
    planes: Float[np.ndarray, "K 3"], points: Float[np.ndarray, "*n 2"], clearance: float
) -> Bool[np.ndarray, "*n"]:
    return np.all(points @ planes[:, :2].T <= planes[:, 2] - clearance + 1e-9, -1)


def open_at(terrain: Terrain, points: Float[np.ndarray, "*n 2"], clearance: float = 0.0) -> Bool[np.ndarray, "*n"]:
    """Whether each point is on open ground, and its distance to every wall is at least ``clearance`` cells.

    The distance is exact where the terrain is convex. Elsewhere eight points round about are looked up among the
    quarter cells.
    """
    if terrain.convex:
        return _within(half_planes(terrain), points, clearance)
    around = clearance * np.concatenate([np.zeros((1, 2)), _COMPASS])
    place = np.floor((points[..., None, :] + around) * QUARTERS).astype(int)
    there = np.all((place >= 0) & (place < SIZE * QUARTERS), -1)
    x, y = np.moveaxis(np.where(there[..., None], place, 0), -1, 0)
    return np.all(there & fine(terrain)[x, y], -1)


def reached(terrain: Terrain, start: tuple[float, float]) -> Bool[np.ndarray, "128 128"]:
    """The quarter cells of ``fine`` that one can walk to from ``start``, side by side; none if a wall is there."""
    if not open_at(terrain, np.array(start, float)):
        return np.zeros((SIZE * QUARTERS, SIZE * QUARTERS), bool)
    if terrain.convex:
        return fine(terrain)
    return _flooded(terrain, *_quarter(start))


def _quarter(point: tuple[float, float]) -> tuple[int, int]:
    """The quarter cell of a point; the map's far edges belong to the last ones."""
    x, y = (min(int(along * QUARTERS), SIZE * QUARTERS - 1) for along in point)
    return x, y


@lru_cache(maxsize=64)
def _flooded(terrain: Terrain, x: int, y: int) -> Bool[np.ndarray, "128 128"]:
    ground, found = fine(terrain), np.zeros((SIZE * QUARTERS, SIZE * QUARTERS), bool)
    found[x, y] = ground[x, y]
    while True:
        grown = found.copy()
        grown[1:] |= found[:-1]
        grown[:-1] |= found[1:]
        grown[:, 1:] |= found[:, :-1]
        grown[:, :-1] |= found[:, 1:]
        grown &= ground
        if (grown == found).all():
            found.setflags(write=False)
            return found
        found = grown


def connected(terrain: Terrain, a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether one can walk from point ``a`` to ``b``; False also where a wall is at one of them."""
    if not open_at(terrain, np.array([a, b], float)).all():
        return False
    return terrain.convex or bool(reached(terrain, a)[_quarter(b)])


TERRAINS: dict[str, Terrain] = {
    "strip": Terrain(((8, 23, ((0, 31),)),), convex=True),
    "open": Terrain(((0, 31, ((0, 31),)),), convex=True),
    "octagon": Terrain(
        ((6, 7, ((10, 21),)), (8, 9, ((8, 23),)), (10, 21, ((6, 25),)), (22, 23, ((8, 23),)), (24, 25, ((10, 21),))),
        convex=True,
    ),
    "house": Terrain(((8, 19, ((8, 19),)), (20, 21, ((10, 17),)), (22, 23, ((12, 15),))), convex=True),
    "basin": Terrain(((8, 9, ((10, 19),)), (10, 17, ((8, 21),)), (18, 19, ((10, 19),))), convex=True),
    "ridge": Terrain(
        ((6, 7, ((4, 27),)), (8, 9, ((2, 29),)), (10, 11, ((0, 31),)), (12, 13, ((0, 3), (28, 31))),
         (14, 15, ((0, 31),)), (16, 17, ((2, 29),)), (18, 19, ((8, 23),))),
        cliffs=((4, 27, 12, 13),),
    ),
    "corridor": Terrain(
        ((2, 11, ((2, 11),)), (12, 13, ((12, 13),)), (14, 15, ((14, 25),)), (16, 17, ((14, 27),)),
         (18, 21, ((12, 29),)), (22, 23, ((14, 29),)), (24, 25, ((16, 29),)), (26, 27, ((18, 29),)),
         (28, 29, ((20, 29),)))
    ),
    "ravine": Terrain(
        ((2, 3, ((2, 7),)), (4, 7, ((2, 11),)), (8, 11, ((4, 15),)), (12, 15, ((8, 19),)), (16, 17, ((10, 19),)),
         (18, 21, ((14, 25),)), (22, 23, ((16, 29),)), (24, 27, ((20, 29),)), (28, 29, ((22, 29),)))
    ),
}  # fmt: skip
"""The ground of SMAC's maps by name. Heights are left out: there is no fog, so nobody is hidden by them."""
