"""The ways round walls: for each cell, where to walk next on the shortest way to each other."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import KDTree

from coterie.games.battle.terrain import QUARTERS, SIZE, Terrain, cells, fine, open_at

CLEARANCE = 0.2
"""How far from walls a straight way keeps, so that who follows it does not scrape along."""
SAMPLES, GRAIN = 3, 8
"""Points that are looked at for each cell of the map's edge, and how finely they are told apart in a cell."""


class Ways(NamedTuple):
    """The next stop on the way from cell to cell.

    Args:
        number: The place of the nearest walkable cell in the lists below, by cell ``[x, y]``.
        x: A point of each walkable cell ``[C]``: the middle of what is open of it.
        y: The same, from below.
        stop: The place of the next stop, by where one wants to be and where one is; the former if it is in sight.
    """

    number: Int[np.ndarray, "32 32"]
    x: Float[np.ndarray, " C"]
    y: Float[np.ndarray, " C"]
    stop: Int[np.ndarray, "C C"]


@lru_cache(maxsize=64)
def ways(terrain: Terrain) -> Ways:
    """Shortest ways through the graph of cells that see each other (edges as long as the straight way)."""
    walkable = cells(terrain)
    places = np.argwhere(walkable)
    points = _middles(terrain, places)
    beside = np.abs(places[:, None] - places[None]).max(-1) <= 1  # needs no room, or narrow passes would be closed
    sees = _sight(terrain, points, CLEARANCE) | beside & _sight(terrain, points, 0.0)
    lengths = np.sqrt(np.square(points[:, None] - points[None]).sum(-1))
    _, before = shortest_path(np.where(sees, lengths, 0.0), method="D", directed=False, return_predecessors=True)
    own = np.arange(len(points))
    stop = np.where(before < 0, own[:, None], before)  # itself, and what cannot be reached: straight on
    everywhere = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij"), -1) + 0.5
    number = np.asarray(KDTree(points).query(everywhere)[1])
    number[walkable] = own
    x, y = points.T.astype(np.float32)
    return Ways(number.astype(np.int32), x, y, stop.astype(np.int32))


def _middles(terrain: Terrain, places: Int[np.ndarray, "C 2"]) -> Float[np.ndarray, "C 2"]:
    """The mean of the open quarters of each cell."""
    ground = fine(terrain).reshape(SIZE, QUARTERS, SIZE, QUARTERS)
    inner = (np.arange(QUARTERS) + 0.5) / QUARTERS
    quarters = ground[places[:, 0], :, places[:, 1], :]  # [C, across, up]
    count = quarters.sum((1, 2))
    off = np.stack([(quarters.sum(2) * inner).sum(1), (quarters.sum(1) * inner).sum(1)], -1)
    return places + off / count[:, None]


def _sight(terrain: Terrain, points: Float[np.ndarray, "C 2"], room: float) -> Bool[np.ndarray, "C C"]:
    """Whether the straight way between two points is open, with so much room at both sides."""
    along = (np.arange(SIZE * GRAIN) + 0.5) / GRAIN
    roomy = open_at(terrain, np.stack(np.meshgrid(along, along, indexing="ij"), -1), room).reshape(-1)
    shares = np.linspace(0, 1, SAMPLES * SIZE, dtype=np.float32)
    found = np.zeros((len(points), len(points)), bool)
    for i, start in enumerate(points.astype(np.float32)):
        line = (start + (points[:i].astype(np.float32) - start)[:, None] * shares[:, None]) * GRAIN
        place = line.astype(np.int32)
        found[i, :i] = roomy[place[..., 0] * (SIZE * GRAIN) + place[..., 1]].all(1)
    return found | found.T
