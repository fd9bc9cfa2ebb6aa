"""What SMAC tells and pays, for the slow twin of battles."""

import numpy as np

from coterie.games.battle.terrain import cells
from tests.oracles.battle_units import away


class Told:
    """Ends, rewards, masks, observations and states of a battle."""

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
