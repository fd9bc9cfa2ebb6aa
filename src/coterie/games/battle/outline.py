"""The ground of a battle as polygons."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from coterie.games.battle.terrain import BLOCK, Terrain, flagged, notches

Corner = tuple[int, int]
Loop = tuple[Corner, ...]


@lru_cache(maxsize=64)
def outlines(terrain: Terrain) -> tuple[Loop, ...]:
    """The borders of open ground: polygons with the ground on their left, so they are anticlockwise, holes clockwise.

    Cells and the open halves of blocks at steps are walked round one by one; where two meet, their borders cancel.
    """
    edges: set[tuple[Corner, Corner]] = set()
    for corners in (*_squares(terrain), *_triangles(terrain)):
        for start, end in zip(corners, (*corners[1:], corners[0]), strict=True):
            if (end, start) in edges:
                edges.remove((end, start))
            else:
                edges.add((start, end))
    following: dict[Corner, list[Corner]] = {}
    for start, end in sorted(edges):
        following.setdefault(start, []).append(end)
    loops = []
    while following:
        loops.append(_simple(_walk(following)))
    return tuple(loops)


def area(loop: Loop) -> float:
    """The area inside, negative for a hole."""
    ends = zip(loop, (*loop[1:], loop[0]), strict=True)
    return sum(x * to_y - to_x * y for (x, y), (to_x, to_y) in ends) / 2


def _squares(terrain: Terrain) -> Iterator[Loop]:
    """The corners of each open cell, anticlockwise."""
    for x, y in zip(*(places.tolist() for places in flagged(terrain).nonzero()), strict=True):
        yield (x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)


def _triangles(terrain: Terrain) -> Iterator[Loop]:
    """The corners of the open half of each block at a step, anticlockwise; its legs in pieces of one cell."""
    for x, y, east, north in notches(terrain) if terrain.corners else ():
        right_x, right_y = x + BLOCK * (east > 0), y + BLOCK * (north > 0)
        horizontal = [(right_x - east * i, right_y) for i in range(BLOCK + 1)]
        vertical = [(right_x, right_y - north * i) for i in range(BLOCK, 0, -1)]
        loop = (*vertical, *horizontal)
        yield loop if area(loop) > 0 else loop[::-1]


def _walk(following: dict[Corner, list[Corner]]) -> Loop:
    """Take one border out of the edges."""
    first = now = next(iter(following))
    loop = []
    while True:
        loop.append(now)
        ends = following[now]
        now, before = ends.pop(), now
        if not ends:
            del following[before]
        if now == first:
            return tuple(loop)


def _simple(loop: Loop) -> Loop:
    """The corners at which it turns."""
    around = zip((loop[-1], *loop[:-1]), loop, (*loop[1:], loop[0]), strict=True)
    return tuple(at for (ax, ay), at, (bx, by) in around
                 if (at[0] - ax) * (by - at[1]) != (at[1] - ay) * (bx - at[0]))  # fmt: skip
