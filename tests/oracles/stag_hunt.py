"""The stag hunt once more, with dictionaries and loops: one entity after the other, one rule after the other."""

import numpy as np

RIGHT, DOWN, LEFT, UP, STAY, CATCH = range(6)
SHIFT = {RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1), UP: (-1, 0), STAY: (0, 0), CATCH: (0, 0)}


class Hunt:
    """A board in the midst of an episode; ``predators`` and ``stags`` map the number of whoever is left to a cell."""

    def __init__(self, game, predators, stags):
        self.game = game
        self.predators = {i: tuple(map(int, place)) for i, place in enumerate(predators)}
        self.stags = {j: tuple(map(int, place)) for j, place in enumerate(stags)}
        self.time = 0

    def inside(self, cell):
        return all(0 <= x < self.game.size for x in cell)

    def free(self, cell):
        return self.inside(cell) and cell not in self.predators.values() and cell not in self.stags.values()

    def step(self, actions, order, stag_order, wish):
        """Reward, terminated, truncated."""
        for i in order:
            if i in self.predators:
                goal = shifted(self.predators[i], actions[i])
                if self.free(goal):
                    self.predators[i] = goal
        reward = 0.0
        for j in stag_order:
            if j not in self.stags:
                continue
            ring = [shifted(self.stags[j], direction) for direction in (RIGHT, DOWN, LEFT, UP)]
            catchers = [i for i, cell in self.predators.items() if cell in ring and actions[i] == CATCH]
            if len(catchers) >= self.game.needed:
                reward += 10.0
                del self.stags[j]
                for i in catchers:
                    del self.predators[i]
                continue
            if catchers:
                reward += self.game.penalty
            open_cells = [(wish[j][direction], cell) for direction, cell in enumerate(ring) if self.free(cell)]
            if open_cells:
                self.stags[j] = max(open_cells)[1]
        self.time += 1
        over = not self.predators or not self.stags
        return reward, over, self.time >= self.game.length and not over

    def features(self, cell):
        """A predator, a stag, outside."""
        outside = self.game.walls and not self.inside(cell)
        return [float(cell in self.predators.values()), float(cell in self.stags.values()), float(outside)]

    def local(self, i):
        reach = range(-self.game.sight, self.game.sight + 1)
        if i not in self.predators:
            return np.zeros(3 * len(reach) ** 2)
        row, column = self.predators[i]
        return np.array([self.features((row + down, column + right)) for down in reach for right in reach]).reshape(-1)

    def state(self):
        edge = range(self.game.size)
        cells = [x for row in edge for column in edge for x in self.features((row, column))[:2]]
        return np.array([*cells, self.time / self.game.length])

    def legal(self, i):
        if i not in self.predators:
            return [action == STAY for action in range(6)]
        ring = [shifted(self.predators[i], direction) for direction in (RIGHT, DOWN, LEFT, UP)]
        return [*map(self.inside, ring), True, any(cell in self.stags.values() for cell in ring)]


def shifted(cell, action):
    down, right = SHIFT[int(action)]
    return cell[0] + down, cell[1] + right
