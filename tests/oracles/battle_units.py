"""Units of battles in plain Python, from the sheet of facts."""

from math import hypot

COLUMNS = "health shield armour damage bonus versus hits period reach speed radius separation point scale flags"
SHEET = """
marine         45   0 0  6  0 -       1 0.8608 5    2.25   .375  .375 .05  15 light bio up
marauder      125   0 1 10 10 armored 1 1.5    6    2.25   .5625 .5   0    25 armored bio
medivac       150   0 1  0  0 -       0 0      4    2.75   .75   .75  .167 200 armored air heals
stalker        80  80 1 10  4 armored 1 1.44   6    2.9531 .625  .625 .167 35 armored up
zealot        100  50 1  8  0 -       2 1.2    .1   2.25   .5    .375 0    22 light bio
colossus      200 150 1 20  0 -       2 2.2    6    2.25   1     .75  .083 24 armored sweeps strides
zergling       35   0 0  5  0 -       1 0.696  .1   2.9531 .375  .375 .167 11 light bio heal
hydralisk      80   0 0 12  0 -       1 0.83   5    2.25   .625  .5   .208 10 light bio up heal
baneling       30   0 0 20 15 light   1 0.833  .25  2.5    .375  .375 0    1  bio blasts heal
spine_crawler 300   0 2 25  5 armored 1 1.6    7    0      .875  .875 .333 15 armored bio heal
"""
SECOND = 16  # loops


class Kind:
    """A row of the sheet."""

    def __init__(self, line):
        names = COLUMNS.split()
        self.name, *words = line.split()
        self.flags = set(words[len(names) - 1 :])
        rest = zip(names[:-1], words, strict=False)
        self.columns = {name: word if name == "versus" else float(word) for name, word in rest}

    def __getattr__(self, name):
        return self.columns[name]


KINDS = {kind.name: kind for kind in map(Kind, SHEET.strip().splitlines())}


class Unit:
    """Somebody on the field: ``ours`` or not, and its number in its side; ``life`` and ``ward`` are what is left."""

    x = y = life = ward = cooldown = hold = quiet = energy = 0.0
    loaded, target, shooter = True, -1, -1

    def __init__(self, kind, ours, number):
        self.kind, self.ours, self.number = KINDS[kind], ours, number

    def __getattr__(self, name):  # what belongs to the kind
        return getattr(self.__dict__["kind"], name)

    @property
    def alive(self):
        return self.life > 0

    def is_(self, flag):
        return flag in self.kind.flags


def away(a, b):
    return hypot(b.x - a.x, b.y - a.y)


def reach(a, b, weapon=None):
    """The distance of centres at which a weapon's range, from edge to edge, is used up."""
    return (a.reach if weapon is None else weapon) + a.radius + b.radius


def can_hit(a, b):
    return a.alive and b.alive and not a.is_("heals") and (a.is_("up") or not b.is_("air"))


def one_hit(a, b):
    return a.damage + (a.bonus if b.is_(a.versus) else 0)
