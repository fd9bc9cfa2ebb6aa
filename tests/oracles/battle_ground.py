"""Walking, making room and walls, for the slow twin of battles."""

from math import hypot

from coterie.games.battle.terrain import fine
from tests.oracles.battle_units import SECOND, away


def cell(place):
    """The cell of a point; what is outside belongs to the cells at the edge."""
    return tuple(int(min(max(along, 0), 31)) for along in place)


class Ground:
    """What a battle does with places; units have ``x`` and ``y``."""

    def moving(self, wants):
        """Everybody who may walks, then all make room once, then walls hold them."""
        start, walks = {}, set()
        for unit in self.everybody:
            start[unit] = unit.x, unit.y
            if wants[unit] is None or not unit.alive or unit.hold > 0 or unit.speed == 0:
                continue
            walks.add(unit)
            x, y = self.stop(unit, *wants[unit])
            far = hypot(x - unit.x, y - unit.y)
            if far > 0:
                pace = min(unit.speed / SECOND, far) / far
                unit.x, unit.y = unit.x + pace * (x - unit.x), unit.y + pace * (y - unit.y)
        shoves = {unit: [self.shove(unit, other, walks) for other in self.everybody] for unit in self.everybody}
        for unit in self.everybody:
            if unit.speed > 0:  # a building stays
                unit.x += 0.5 * sum(x for x, _ in shoves[unit])
                unit.y += 0.5 * sum(y for _, y in shoves[unit])
            if unit.alive:
                unit.x, unit.y = self.held(unit, *start[unit])

    def stop(self, unit, x, y):
        """The next stop on the way to a place."""
        if self.ways is None or unit.is_("air") or unit.is_("strides"):
            return x, y
        there, here = (self.ways.number[cell(place)] for place in ((x, y), (unit.x, unit.y)))
        stop = self.ways.stop[there, here]
        return (x, y) if stop == there else (float(self.ways.x[stop]), float(self.ways.y[stop]))

    @staticmethod
    def shove(unit, other, walks):
        """Half of the overlap, all of it for who walks into one that stands and none for that one."""
        if unit is other or not (unit.alive and other.alive) or unit.is_("air") != other.is_("air"):
            return 0.0, 0.0
        room, far = unit.separation + other.separation, away(unit, other)
        if far >= room or far == 0:
            return 0.0, 0.0
        weight = 0.5 + 0.5 * (unit in walks) - 0.5 * (other in walks)
        return tuple(weight * (room - far) * d / far for d in (unit.x - other.x, unit.y - other.y))

    def held(self, unit, from_x, from_y):
        """Where a unit that went to (x, y) is stopped by a wall, or slides along it."""
        edge = 32 - 1e-3
        x, y = min(max(unit.x, 0.0), edge), min(max(unit.y, 0.0), edge)
        if unit.is_("air"):
            return x, y
        if self.planes is not None:
            for a, b, c in self.planes:
                beyond = max(a * x + b * y - (c - 1e-3), 0.0)
                x, y = x - a * beyond, y - b * beyond
            return x, y
        for place in ((x, y), (x, from_y), (from_x, y)):
            if self.open(unit, *place):
                return place
        return from_x, from_y

    def open(self, unit, x, y):
        """Whether there is ground for a walker, or a cliff for one who strides."""
        if fine(self.ground)[int(4 * x), int(4 * y)]:
            return True
        return unit.is_("strides") and any(
            west <= x < east + 1 and south <= y < north + 1 for west, east, south, north in self.ground.cliffs
        )
