"""A stage for battles by hand: scenes of a few units, played step by step."""

from functools import partial

import jax
import numpy as np

from coterie.games.battle import Battle, BattleMap, Group

CAST = {"marine": 2, "marauder": 1, "medivac": 1, "stalker": 1, "zealot": 2, "colossus": 1, "zergling": 4,
        "hydralisk": 1, "baneling": 2, "spine_crawler": 1}  # fmt: skip
SIDES = [tuple(Group(unit, count, x, 16) for unit, count in CAST.items()) for x in (8, 24)]
STAGE = Battle(BattleMap(SIDES[0], SIDES[1], 1000, "strip", "PP", None), jitter=False)
"""Some of every kind on both sides, of which a scene keeps few; the enemies have nowhere to march."""
DUEL = Battle(BattleMap((Group("marine", 1, 9, 16),), (Group("marine", 1, 14, 16),), 9, "strip", "TT", None),
              jitter=False)  # fmt: skip
UNITS = [unit for unit, count in CAST.items() for _ in range(count)]
STOP, NORTH, SOUTH, EAST, WEST, AIM = range(1, 7)
NEVER = 1e6
IDLE = {"cooldown": NEVER}
"""Changes that keep somebody from fighting."""

reset = partial(jax.jit, static_argnums=0)(lambda game: game.reset(jax.random.key(0))[0])
observe = partial(jax.jit, static_argnums=0)(lambda game, state: game.observe(state))
advance = partial(jax.jit, static_argnums=0)(lambda game, state, action: game.step(jax.random.key(0), state, action))


class Scene:
    """A scene on STAGE: of each side those who are named, by kind, place and changes; the others are long dead."""

    def __init__(self, ours, theirs):
        state = jax.device_get(reset(STAGE))
        world = {name: np.array(column) for name, column in state.world._asdict().items()}
        full = {name: world[name].copy() for name in ("health", "shield")}
        for name in ("health", "shield", "loaded"):
            world[name][:] = 0
        self.who = []
        for first, actors in ((0, ours), (len(UNITS), theirs)):
            free = list(range(len(UNITS)))
            for kind, x, y, *changes in actors:
                i = next(i for i in free if UNITS[i] == kind)
                free.remove(i)
                self.who.append(first + i)
                values = {"health": full["health"][first + i], "shield": full["shield"][first + i]}
                for name, value in (values | {"x": x, "y": y, "loaded": True} | dict(*changes)).items():
                    world[name][first + i] = value
        self.state = state._replace(world=state.world._replace(**world))
        self.ours, self.theirs = self.who[: len(ours)], [i - len(UNITS) for i in self.who[len(ours) :]]
        self.earned = 0.0

    def play(self, *actions, steps=1):
        """Steps in which the allies do these things, or stop; the last of their results."""
        done = np.zeros(len(UNITS), np.int32)
        done[self.ours] = [*actions, *[STOP] * (len(self.ours) - len(actions))]
        for _ in range(steps):
            self.state, seen, outcome = jax.device_get(advance(STAGE, self.state, done))
            self.earned += outcome.reward[0]
        return seen, outcome

    def attack(self, j):
        """The action that attacks the enemy that was named at place j, or heals that ally."""
        return AIM + self.theirs[j]

    def heal(self, i):
        return AIM + self.ours[i]

    def __getattr__(self, name):  # a column of the world for those on the scene, in their order
        return np.asarray(getattr(self.state.world, name))[self.who]


def near(found, *wanted, tolerance=1e-3):
    np.testing.assert_allclose(found, wanted, atol=tolerance)


def aims(seen, scene, i):
    """Which of the other side somebody may attack."""
    return [bool(seen.legal[scene.ours[i], AIM + j]) for j in scene.theirs]
