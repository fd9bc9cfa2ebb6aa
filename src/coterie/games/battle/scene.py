"""Drawings of battles: who stands where, who hits whom, and who is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coterie.contracts import Scene, Shape
from coterie.games.battle.combat import LINE
from coterie.games.battle.healing import FULL
from coterie.games.battle.legend import Symbol, legend
from coterie.games.battle.maps import BattleMap
from coterie.games.battle.outline import area, outlines
from coterie.games.battle.reward import result
from coterie.games.battle.roster import Roster
from coterie.games.battle.terrain import Terrain
from coterie.games.battle.units import BASE
from coterie.games.battle.world import World

# Colours of Paul Tol's schemes, distinct for every kind of colour vision; letters and bars differ too.
ALLY, ENEMY = "#4477aa", "#bb5566"
HEALTH, SHIELD, ENERGY, LACK, HEALS = "#228833", "#33bbee", "#aa3377", "#b4b4c0", "#228833"
GROUND, WALL, CLIFF, NEUTRAL, INK, PAPER = "#f4f4f0", "#dadae2", "#bcbcca", "#777788", "#333344", "#ffffff"
LETTERS = {
    "marine": "M", "marauder": "A", "medivac": "+", "stalker": "S", "zealot": "Z", "colossus": "C", "zergling": "L",
    "hydralisk": "H", "baneling": "B", "spine_crawler": "P",
}  # fmt: skip
CROSS = ((1, 0.7), (0.7, 1), (0, 0.3), (-0.7, 1), (-1, 0.7), (-0.3, 0), (-1, -0.7), (-0.7, -1), (0, -0.3), (0.7, -1),
         (1, -0.7), (0.3, 0))  # fmt: skip
MARGIN = 0.8
"""Cells round the ground that are in the picture."""
PIXELS = 312
"""Width of a picture that is not zoomed, about."""
NEAR = 1.0
"""Ranges that are shorter are not drawn."""
BAR = 0.15
"""Height of a bar in cells."""


@dataclass(frozen=True)
class Stage:
    """What is the same in all frames of a battle.

    Args:
        battle: Where they fight, and what holds there.
        units: All units by name, allies first.
        roster: Their attributes, NumPy arrays.
        limit: Steps until the time is over.
        ranges: Whether the ranges of weapons are drawn.
    """

    battle: BattleMap
    units: tuple[str, ...]
    roster: Roster
    limit: int
    ranges: bool = False

    @property
    def allies(self) -> int:
        """How many of the units are allies."""
        return len(self.battle.ally_units)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that the legend explains: also those that only another episode may have."""
        return self.battle.lot.kinds if self.battle.lot else tuple(dict.fromkeys(self.units))

    def color(self, i: int) -> str:
        """The colour of a unit's side."""
        return ALLY if i < self.allies else ENEMY


def battle_scene(stage: Stage, world: World, time: int, score: float) -> Scene:
    """A frame: the ground, units with what is left of them, and whom they hit or heal.

    Units are discs of their true size with the letter of their kind, allies blue, enemies red; bars above them are
    shield (or energy) and health. A line goes from each unit to the last that it hit in this step, or healed (green). A
    stroke across a colossus's line is what it burns, a large pale disc an explosion. The dead are crosses.

    Args:
        stage: The battle.
        world: Its concrete state.
        time: The step.
        score: The return so far.
    """
    columns: list[Any] = [np.asarray(column) for column in world]
    world = World(*columns)
    corners = np.concatenate([np.array(loop) for loop in outlines(stage.battle.ground)])
    (left, bottom), (right, top) = corners.min(0) - MARGIN, corners.max(0) + MARGIN
    zoom = float(np.clip((right - left) / 18, 1.0, 1.75))
    pixel = (right - left) / (PIXELS * zoom)
    shapes, low = legend(_entries(stage), left, right, bottom - 4 * pixel, 11.5 * pixel, INK)
    shapes += _land(stage.battle.ground, (left, bottom, right, top))
    # From north to south, for the bars above units; those in the air and colossi over the others.
    high = _column(stage.roster.flies) + 0.5 * _column(stage.roster.strides)
    alive = [int(i) for i in np.lexsort((-world.y, high)) if world.health[i] > 0]
    shapes += _marks(stage, world, alive)
    for i in alive:
        shapes += _unit(stage, world, i)
    shapes += _blows(stage, world, 1.4 * pixel)
    bounds = (float(left), float(low), float(right), float(top))
    return Scene(tuple(shapes), bounds, _caption(stage, world.health > 0, time, score), zoom)


def _column(values: Any) -> Any:
    return np.asarray(values)[:, 0]


def _where(flags: Any) -> list[int]:
    return np.flatnonzero(flags).tolist()


def _place(world: World, i: int) -> tuple[float, float]:
    return round(float(world.x[i]), 2), round(float(world.y[i]), 2)


def _land(ground: Terrain, box: tuple[float, float, float, float]) -> Iterator[Shape]:
    """Walls all over, the ground on them, and cliffs and walls in it."""
    left, bottom, right, top = box
    yield _polygon(WALL, ((left, bottom), (right, bottom), (right, top), (left, top)))
    for loop in sorted(outlines(ground), key=area, reverse=True):
        yield _polygon(GROUND if area(loop) > 0 else WALL, loop)
    for west, east, south, north in ground.cliffs:
        yield _polygon(CLIFF, ((west, south), (east + 1, south), (east + 1, north + 1), (west, north + 1)))


def _polygon(color: str, corners: tuple[tuple[float, float], ...]) -> Shape:
    return Shape("polygon", 0.0, 0.0, 1.0, color, corners=tuple((float(x), float(y)) for x, y in corners))


def _marks(stage: Stage, world: World, alive: list[int]) -> Iterator[Shape]:
    """What lies under the units: the dead, explosions, ranges."""
    for i in _where(world.health <= 0):
        yield _dead(*_place(world, i), float(stage.roster.radius[i, 0]), stage.color(i))
    for i in _where(world.burst):
        yield Shape("disc", *_place(world, i), float(stage.roster.blast[i, 0]), stage.color(i), alpha=0.25)
    for i in alive if stage.ranges else ():
        radius, reach = (float(column[i, 0]) for column in (stage.roster.radius, stage.roster.reach))
        if reach >= NEAR:
            yield Shape("ring", *_place(world, i), radius + reach, stage.color(i), alpha=0.3)


def _dead(x: float, y: float, size: float, color: str) -> Shape:
    return Shape("polygon", x, y, 0.8 * size, color, corners=CROSS, alpha=0.45)


def _unit(stage: Stage, world: World, i: int) -> Iterator[Shape]:
    """Its disc, letter and bars: health, and above it shield or energy; no bars for who lacks nothing."""
    (x, y), roster = _place(world, i), stage.roster
    r, health, shield = (float(column[i, 0]) for column in (roster.radius, roster.health, roster.shield))
    yield Shape("disc", x, y, r, stage.color(i))
    yield Shape("text", x, y, 1.5 * r, PAPER, text=LETTERS[stage.units[i]])
    bars = [(HEALTH, world.health[i] / health)]
    if shield:
        bars.append((SHIELD, world.shield[i] / shield))
    if roster.energy[i, 0] > 0:
        bars.append((ENERGY, world.energy[i] / FULL))
    if any(share < 1 for _, share in bars):
        for row, (color, share) in enumerate(bars):
            yield from _bar(x, y + r + BAR * (0.7 + 1.2 * row), r, BAR, color, float(share))


def _blows(stage: Stage, world: World, width: float) -> Iterator[Shape]:
    """Lines from all who hit or healed to whom they did, and what colossi burn across."""
    heals, sweep, radius = (_column(stage.roster.heals), _column(stage.roster.sweep), _column(stage.roster.radius))
    for i in _where(world.victim >= 0):
        healer = bool(heals[i])
        j = int(world.victim[i]) + (0 if (i < stage.allies) == healer else stage.allies)
        start, end = (np.array(_place(world, k)) for k in (i, j))
        if not (distance := float(np.hypot(*(end - start)))):
            continue
        way = (end - start) / distance
        color = HEALS if healer else stage.color(i)
        # Not from middle to middle: letters stay legible, and a stroke is left of blows between neighbours.
        line = start + 0.6 * radius[i] * way, end - 0.4 * radius[j] * way
        yield _line(*line, 1.5 * width if healer else width, color, 0.8)
        if sweep[i] > 0:
            across = sweep[i] * np.array([-way[1], way[0]])
            yield _line(end - across, end + across, 2 * LINE, color, 0.5)


def _line(start: np.ndarray, end: np.ndarray, width: float, color: str, alpha: float) -> Shape:
    (x, y), (to_x, to_y) = start.round(2).tolist(), end.round(2).tolist()
    return Shape("line", x, y, width, color, to=(to_x, to_y), alpha=alpha)


def _bar(x: float, y: float, half: float, height: float, color: str, share: float) -> Iterator[Shape]:
    """A bar of which a share is coloured."""
    left, right, middle = (round(x + side * half, 2) for side in (-1, 1, 2 * min(share, 1.0) - 1))
    y = round(y, 2)
    if middle > left:
        yield Shape("line", left, y, height, color, to=(middle, y))
    if middle < right:
        yield Shape("line", middle, y, height, LACK, to=(right, y))


def _caption(stage: Stage, alive: Any, time: int, score: float) -> str:
    """The step, the return, who is left, and how it ended."""
    a, heals = stage.allies, _column(stage.roster.heals)
    end = result(alive[:a], alive[a:], heals[:a], heals[a:], stage.battle.healers_count)
    results = {"lost": end.lost, "won": end.won, "draw": end.drawn, "time over": time >= stage.limit}
    word = next((name for name, holds in results.items() if bool(holds)), "")
    said = f"step {time}   return {score:.2f}   {int(alive[:a].sum())} against {int(alive[a:].sum())}"
    return f"{said}   {word}" if word else said


def _entries(stage: Stage) -> list[tuple[Symbol, str]]:
    """What the legend has to explain in this battle."""

    def bar(color: str) -> Symbol:
        return lambda x, y, size: list(_bar(x, y, size, 0.6 * size, color, 0.7))

    def blow(color: str) -> Symbol:
        return lambda x, y, size: [Shape("line", x - size, y, 0.25 * size, color, to=(x + size, y))]

    def disc(color: str, text: str = "", alpha: float = 1.0) -> Symbol:
        letter = lambda x, y, size: [Shape("text", x, y, 1.3 * size, PAPER, text=text)] if text else []  # noqa: E731
        return lambda x, y, size: [Shape("disc", x, y, size, color, alpha=alpha), *letter(x, y, size)]

    kinds = [BASE[name] for name in stage.kinds]
    entries = [(disc(ALLY), "team"), (disc(ENEMY), "enemies"), (bar(HEALTH), "health, if hurt")]
    entries += [(bar(SHIELD), "shield")] * any(kind.shield > 0 for kind in kinds)
    entries += [(bar(ENERGY), "energy"), (blow(HEALS), "heals")] * any(kind.energy > 0 for kind in kinds)
    entries += [(blow(NEUTRAL), "hits")]
    entries += [(disc(ENEMY, alpha=0.25), "explosion")] * any(kind.blast > 0 for kind in kinds)
    entries += [(lambda x, y, size: [_dead(x, y, size, NEUTRAL)], "dead")]
    entries += [(lambda x, y, size: [Shape("ring", x, y, size, NEUTRAL, alpha=0.6)], "range")] * stage.ranges
    cliffs = bool(stage.battle.ground.cliffs)
    entries += [(lambda x, y, size: [Shape("square", x, y, 0.8 * size, CLIFF)], "cliff")] * cliffs
    return entries + [(disc(NEUTRAL, LETTERS[name]), name.replace("_", " ")) for name in stage.kinds]
