"""Battles once more in plain Python: one unit after the other, one rule after the other, from the sheet of facts.

``Twin`` is one battle. It is set to a moment of the compiled game, plays one step of eight loops and can then be asked
for the mask, observations and state. Dice are given. Nothing here is fast, and nothing is shared with the compiled
rules but the ground and the ways round its walls.
"""

from math import hypot

import numpy as np

from coterie.games.battle.terrain import cells, fine, half_planes
from coterie.games.battle.ways import ways

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


class Twin:
    """One battle; ``game`` is the compiled one, of which only the options are read."""

    def __init__(self, game):
        self.game, self.map = game, game.battle
        self.ours = [Unit(kind, True, i) for i, kind in enumerate(self.map.ally_units)]
        self.theirs = [Unit(kind, False, j) for j, kind in enumerate(self.map.enemy_units)]
        self.everybody = self.ours + self.theirs
        self.ground = game.ground
        self.planes = half_planes(self.ground) if self.ground.convex else None
        self.ways = None if self.ground.convex else ways(self.ground)

    def set(self, state):
        """Take over a moment of the compiled game."""
        world, names = state.world, list(KINDS)
        for n, unit in enumerate(self.everybody):
            unit.kind = KINDS[names[state.kind[n]]]
            unit.x, unit.y, unit.life, unit.ward = (float(v[n]) for v in (world.x, world.y, world.health, world.shield))
            unit.cooldown, unit.hold, unit.quiet, unit.energy = (
                float(v[n]) for v in (world.cooldown, world.hold, world.quiet, world.energy)
            )
            unit.loaded = bool(world.loaded[n])
        for j, unit in enumerate(self.theirs):
            unit.target, unit.shooter = int(world.target[j]), int(world.shooter[j])
        self.goal, self.time = tuple(map(float, state.goal)), int(state.time)
        self.last = [int(action) for action in state.last]

    # The fight

    def step(self, actions, delay, tie):
        """Reward, terminated, truncated."""
        before = [(unit.alive, unit.life + unit.ward) for unit in self.everybody]
        for _ in range(8):
            self.loop(actions, delay, tie)
        self.last_blasts()
        self.time += 1
        self.last = [int(action) for action in actions]
        end = self.end()
        return self.reward(before, end), end is not None, end is None and self.time >= self.game.limit

    def loop(self, actions, delay, tie):
        foes = {unit: self.theirs if unit.ours else self.ours for unit in self.everybody}
        aims = {}
        for unit in self.everybody:
            if unit.ours:
                aim = actions[unit.number] - 6
            elif unit.is_("heals"):
                continue
            else:
                aim = unit.target = self.chosen(unit, tie)
            if aim >= 0 and aim < len(foes[unit]) and can_hit(unit, foes[unit][aim]):
                aims[unit] = foes[unit][aim]
        close = {unit for unit, target in aims.items() if away(unit, target) <= reach(unit, target)}
        fires = {unit for unit in close if unit.cooldown <= 0}
        bursts = {unit for unit in self.everybody if unit.is_("blasts") and unit.loaded
                  and (unit in fires or not unit.alive)}  # fmt: skip
        blows = {unit: [] for unit in self.everybody}
        for unit in sorted(fires | bursts, key=lambda unit: unit.number):
            for other in foes[unit]:
                if unit.is_("blasts"):
                    hits = int(unit in bursts and self.blasted(unit, other))
                else:
                    swept = unit.is_("sweeps") and self.burnt(unit, aims[unit], other)
                    hits = int(unit.hits) * (swept or other is aims[unit])
                blows[other] += [one_hit(unit, other)] * hits
                if hits and unit.ours:
                    other.shooter = unit.number  # the last of several
        for unit in self.everybody:
            self.suffer(unit, blows[unit], unit in bursts)
            self.clocks(unit, unit in fires, delay)
        wants = {unit: self.wish(unit, actions, aims.get(unit), unit in close) for unit in self.everybody}
        self.healing(self.ours, actions, wants)
        self.healing(self.theirs, None, wants)
        self.moving(wants)

    def chosen(self, unit, tie):
        """Keep a target in the scan and a cell more; else the nearest in the scan; else whoever shot it lately."""
        scan = max(self.game.scan, unit.reach + 0.5)
        hunts = self.map.order == ()
        weak = [ally for ally in self.ours if can_hit(unit, ally) and away(unit, ally) <= reach(unit, ally)]
        if weak and self.game.difficulty == "hard":
            return min(weak, key=lambda ally: (ally.life + ally.ward) * (1 + tie[ally.number])).number
        seen = [
            ally for ally in self.ours if can_hit(unit, ally) and (hunts or away(unit, ally) <= reach(unit, ally, scan))
        ]
        kept = [ally for ally in self.ours if ally.number == unit.target and can_hit(unit, ally)]
        kept = [ally for ally in kept if hunts or away(unit, ally) <= reach(unit, ally, scan) + 1]
        if self.game.chase == "nearest" and seen:
            kept = [ally for ally in kept if away(unit, ally) <= reach(unit, ally)]
        if kept:
            return unit.target
        if seen:
            return min(seen, key=lambda ally: away(unit, ally) ** 2 * (1 + tie[ally.number])).number
        lately = unit.shooter >= 0 and unit.quiet < 5 * SECOND and self.game.difficulty != "easy"
        return unit.shooter if lately and can_hit(unit, self.ours[unit.shooter]) else -1

    def last_blasts(self):
        """Who was killed in the last loop explodes before the end is looked for."""
        blows = {unit: [] for unit in self.everybody}
        bursts = [unit for unit in self.everybody if unit.is_("blasts") and unit.loaded and not unit.alive]
        for unit in bursts:
            for other in self.theirs if unit.ours else self.ours:
                if self.blasted(unit, other):
                    blows[other].append(one_hit(unit, other))
                    if unit.ours:
                        other.shooter = unit.number
        for unit in self.everybody:
            quiet = unit.quiet
            self.wounds(unit, blows[unit])
            unit.quiet = 0 if blows[unit] else quiet
            unit.loaded = unit.loaded and unit not in bursts

    @staticmethod
    def blasted(unit, other):
        return not other.is_("air") and away(unit, other) <= 2.2 + other.radius

    @staticmethod
    def burnt(unit, target, other):
        """Whether a colossus' line through its target, 2.5 long and 0.3 wide, reaches somebody's body."""
        if other is target:
            return True
        if other.is_("air"):
            return False
        length = away(unit, target) + 1e-6
        ux, uy = (target.x - unit.x) / length, (target.y - unit.y) / length
        x, y = other.x - target.x, other.y - target.y
        return abs(x * ux + y * uy) <= 0.15 + other.radius and abs(y * ux - x * uy) <= 1.25 + 0.15 + other.radius

    @staticmethod
    def wounds(unit, blows):
        """Equal hits of the blows' mean: each on the shield first, and what is left on the health, less armour."""
        for _ in blows if unit.alive else ():
            hit = sum(blows) / len(blows)
            taken = min(unit.ward, hit)
            unit.ward -= taken
            if hit - taken > 1e-3:
                unit.life -= max(hit - taken - unit.armour, 0.5)
        unit.life = 0.0 if unit.life < 1e-3 else unit.life
        unit.ward = unit.ward if unit.alive else 0.0

    def suffer(self, unit, blows, bursts):
        self.wounds(unit, blows)
        unit.life = 0.0 if bursts else unit.life
        unit.quiet = 0 if blows else unit.quiet + 1
        if unit.alive and unit.quiet >= 10 * SECOND:
            unit.ward = min(unit.ward + 2 / SECOND, unit.shield)
        if unit.alive and unit.is_("heal"):
            unit.life = min(unit.life + 0.2734 / SECOND, unit.health)
        unit.ward = unit.ward if unit.alive else 0.0
        unit.loaded = unit.loaded and not bursts

    def clocks(self, unit, fires, delay):
        """The part of a loop that a shot came late is made good in the next period."""
        if fires:
            late = unit.cooldown if unit.cooldown > -1 else 0.0
            slow = 1.5 if not unit.ours and self.game.difficulty == "easy" else 1.0
            unit.cooldown = late + slow * unit.period * SECOND + delay[self.everybody.index(unit)]
        unit.cooldown -= 1
        unit.hold = unit.point * SECOND if fires else unit.hold - 1

    def wish(self, unit, actions, target, close):
        """Where a unit wants to be, or None."""
        if unit.ours:
            ways = {2: (0, 2), 3: (0, -2), 4: (2, 0), 5: (-2, 0)}
            if actions[unit.number] in ways:
                dx, dy = ways[actions[unit.number]]
                return unit.x + dx, unit.y + dy
        if target:
            return None if close else (target.x, target.y)
        if not unit.ours and self.map.order and hypot(self.goal[0] - unit.x, self.goal[1] - unit.y) > 0.5:
            return self.goal
        return None

    def healing(self, side, actions, wants):
        """9 life a second for 3 energy; enemy medivacs choose, and without a patient stay with their friends."""
        gifts, rate = {}, 9 / SECOND
        for unit in [unit for unit in side if unit.is_("heals") and unit.alive]:
            at_it = unit.cooldown == 0.0  # set to 1 a loop ago
            able = unit.energy >= (rate / 3 if at_it else 5)
            friends = [friend for friend in side if friend.alive and friend.is_("bio")]
            if actions is None:
                unit.target = aim = self.patient(unit, friends, able, at_it)
            else:
                aim = actions[unit.number] - 6
            patient = next((friend for friend in friends if friend.number == aim), None)
            near = patient is not None and away(unit, patient) <= reach(unit, patient)
            gift = min(rate, patient.health - patient.life) if patient is not None and near and able else 0.0
            gifts[unit] = (patient, gift)
            if patient is not None and not near:
                wants[unit] = (patient.x, patient.y)
            elif actions is None and patient is not None:
                wants[unit] = None
            elif actions is None and friends:
                wants[unit] = tuple(sum(getattr(f, axis) for f in friends) / len(friends) for axis in "xy")
        for unit, (patient, gift) in gifts.items():
            unit.energy = min(unit.energy - gift / 3 + 0.5625 / SECOND, 200)
            unit.cooldown = 1.0 if gift else 0.0
            if gift:
                patient.life = min(patient.life + gift, patient.health)

    @staticmethod
    def patient(unit, friends, able, at_it):
        hurt = [friend for friend in friends if friend.life < friend.health and able
                and away(unit, friend) <= reach(unit, friend, 6)]  # fmt: skip
        if at_it and any(friend.number == unit.target for friend in hurt):
            return unit.target
        urgency = {friend.number: friend.life / friend.health + 1e-4 * away(unit, friend) ** 2 for friend in hurt}
        return min(reversed(urgency), key=lambda number: round(urgency[number], 7), default=-1)

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

    # Reward and end

    def end(self):
        """-1, 1 or 0 at the end, None before it."""
        ours, theirs = ([unit for unit in side if unit.alive] for side in (self.ours, self.theirs))
        fighters = [unit for unit in ours if not unit.is_("heals")]
        if (not ours and theirs) or (not self.map.healers_count and not fighters):
            return -1
        last = theirs and all(unit.is_("heals") for unit in theirs) and not self.map.healers_count
        if (ours and not theirs) or last:
            return 1
        return 0 if not ours and not theirs else None

    def reward(self, before, end):
        game = self.game
        gain = 0.0
        for (lived, had), unit in zip(before, self.everybody, strict=True):
            if not lived:
                continue
            loss = had - (unit.life + unit.ward) + (0 if unit.alive else 10)
            if not unit.ours:
                gain += loss
            elif not game.positive:
                gain -= 0.5 * loss
        gain = abs(gain) if game.positive else gain
        if game.reward == "sparse":
            gain = end or 0
        elif end == 1:
            gain += 200
        most = 10 * len(self.theirs) + 200 + sum(unit.health + unit.shield for unit in self.theirs)
        return gain / (most / 20) if game.scaled else gain

    # The interface

    def mask(self, i):
        unit, n = self.ours[i], 6 + len(self.theirs)
        if not unit.alive:
            return [1] + [0] * (n - 1)
        found = [0, 1] + [0] * (n - 2)
        for action, (dx, dy) in enumerate([(0, 1), (0, -1), (1, 0), (-1, 0)], 2):
            x, y = int(unit.x + dx), int(unit.y + dy)
            found[action] = int(0 <= x < 32 and 0 <= y < 32 and bool(cells(self.ground)[x, y]))
        others = [ally for ally in self.ours if not ally.is_("heals")] if unit.is_("heals") else self.theirs
        for other in others:
            found[6 + other.number] = int(other.alive and away(unit, other) <= 6)
        return found

    def observation(self, i):
        unit = self.ours[i]
        mask, found = self.mask(i), []
        found += mask[2:6]
        for enemy in self.theirs:
            row = [mask[6 + enemy.number], *self.seen(unit, enemy)]
            found += self.if_seen(unit, enemy, row)
        for ally in self.ours:
            if ally is unit:
                continue
            row = [1, *self.seen(unit, ally)]
            if self.game.see_last_actions:
                row += self.action_bits(ally)
            found += self.if_seen(unit, ally, row)
        found += [unit.life / unit.health, *self.ward(unit), *self.bits(unit)]
        if self.game.see_clock:
            found.append(self.time / self.game.limit)
        return np.array(found) if unit.alive else np.zeros(len(found))

    @staticmethod
    def if_seen(unit, other, row):
        return row if other.alive and away(unit, other) < 9 else [0] * len(row)

    def seen(self, unit, other):
        place = [away(unit, other) / 9, (other.x - unit.x) / 9, (other.y - unit.y) / 9, other.life / other.health]
        return place + self.ward(other) + self.bits(other)

    def ward(self, unit):
        """The share of the shield, if the race has any."""
        if self.map.races[0 if unit.ours else 1] != "P":
            return []
        return [unit.ward / unit.shield if unit.shield else 0.0]

    def bits(self, unit):
        types = self.map.ally_types if unit.ours else self.map.enemy_types
        return [float(unit.name == name) for name in types]

    def action_bits(self, ally):
        return [float(self.last[ally.number] == action) for action in range(6 + len(self.theirs))]

    def state(self):
        found = []
        for unit in self.everybody:
            row = [unit.life / unit.health]
            if unit.ours:
                row.append((unit.energy if unit.is_("heals") else max(unit.cooldown, 0)) / unit.scale)
            row += [(unit.x - 16) / 32, (unit.y - 16) / 32, *self.ward(unit), *self.bits(unit)]
            found += row if unit.alive else [0] * len(row)
        for ally in self.ours:
            found += self.action_bits(ally)
        if self.game.state_clock:
            found.append(self.time / self.game.limit)
        return np.array(found)


def cell(place):
    """The cell of a point; what is outside belongs to the cells at the edge."""
    return tuple(int(min(max(along, 0), 31)) for along in place)
