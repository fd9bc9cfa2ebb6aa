"""Battles once more in plain Python: one unit after the other, one rule after the other, from the sheet of facts.

``Twin`` is one battle. It is set to a moment of the compiled game, plays one step of eight loops and can then be asked
for the mask, observations and state. Dice are given. Nothing here is fast, and nothing is shared with the compiled
rules but the ground and the ways round its walls.
"""

from math import hypot

from coterie.games.battle.terrain import half_planes
from coterie.games.battle.ways import ways
from tests.oracles.battle_ground import Ground
from tests.oracles.battle_told import Told
from tests.oracles.battle_units import KINDS, SECOND, Unit, away, can_hit, one_hit, reach


class Twin(Ground, Told):
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
