"""A battle on a line with the interface of SMAC's ``StarCraft2Env`` and of SMACv2's wrapper, small enough for pencil
and paper: two allies against one enemy, nothing random but where the enemy starts."""

from typing import ClassVar

import numpy as np

NO_OP, STOP, NORTH, SOUTH, EAST, WEST, ATTACK = range(7)
ALLIES, RANGE, LENGTH, LIMIT = 2, 2, 12, 6
HEALTH, FOE_HEALTH = (2, 1), 4
MAX_REWARD = 10 + 200 + FOE_HEALTH


class StarCraft2Env:
    """Allies walk east and west and hit the enemy for 1 up to 2 cells away. The enemy hits the nearest ally as far off
    for 1 (the first of equals), else it walks towards it. Reward as SMAC's: damage + 10 for the kill + 200 for the win,
    scaled to 20.

    Args:
        map_name: Anything.
        seed: Moves the enemy's start from cell 4 to one of 4, 5, 6; None leaves it there.
        continuing_episode: Say in the info that the limit ended an episode.
        reward_sparse: 1 for a win, -1 for a defeat.
        reward_scale: Divide by the best return over 20.
        breaks_at: The step at which the game breaks off, as SMAC shows it.
    """

    made: ClassVar[list] = []

    def __init__(self, map_name="line", seed=None, continuing_episode=False, reward_sparse=False, reward_scale=True,
                 breaks_at=0, difficulty="7", game_version=None, **others):  # fmt: skip
        self.made.append({"map_name": map_name, "seed": seed, "difficulty": difficulty, **others})
        self.draw = None if seed is None else np.random.default_rng(seed)
        self.continuing, self.sparse, self.scale, self.breaks_at = (
            continuing_episode, reward_sparse, reward_scale, breaks_at)  # fmt: skip
        self.closed = False

    def get_env_info(self):
        return {"state_shape": 6, "obs_shape": 4, "n_actions": ATTACK + 1, "n_agents": ALLIES, "episode_limit": LIMIT}

    def reset(self, start=None):
        self.time, self.health, self.foe_health = 0, list(HEALTH), FOE_HEALTH
        self.at, self.foe = [0, 1], 4 + (0 if self.draw is None else int(self.draw.integers(3)))
        self.foe = self.foe if start is None else start
        return self.get_obs(), self.get_state()

    def get_obs(self):
        rows = [
            [h, x, self.foe_health, self.foe - x] if h else [0] * 4 for h, x in zip(self.health, self.at, strict=True)
        ]
        return [np.array(row, np.float32) for row in rows]

    def get_state(self):
        return np.array([*self.health, *self.at, self.foe_health, self.foe], np.float32)

    def get_avail_actions(self):
        return [self._legal(i) for i in range(ALLIES)]

    def _legal(self, i):
        if not self.health[i]:
            return [1] + [0] * ATTACK
        near = self.foe_health > 0 and abs(self.foe - self.at[i]) <= RANGE
        return [0, 1, 0, 0, int(self.at[i] < LENGTH), int(self.at[i] > 0), int(near)]

    def step(self, actions):
        assert len(actions) == ALLIES
        self.time += 1
        if self.time == self.breaks_at:
            return 0, True, {}
        for i, action in enumerate(actions):
            assert self._legal(i)[action], f"Agent {i} cannot perform action {action}"
        before = self.foe_health
        for i, action in enumerate(actions):
            self.at[i] += {EAST: 1, WEST: -1}.get(action, 0)
            self.foe_health = max(0, self.foe_health - (action == ATTACK))
        if self.foe_health:
            self._enemy()
        reward = before - self.foe_health + 10 * (before > 0 and self.foe_health == 0)
        won, lost = self.foe_health == 0, not any(self.health)
        reward = 0 if self.sparse else reward + 200 * won
        reward = 1 if self.sparse and won else -1 if self.sparse and lost else reward
        info = {"battle_won": won, "dead_allies": self.health.count(0), "dead_enemies": int(won)}
        over = won or lost
        if not over and self.time >= LIMIT:
            over = True
            info |= {"episode_limit": True} if self.continuing else {}
        return reward / (MAX_REWARD / 20 if self.scale else 1), over, info

    def _enemy(self):
        living = [i for i in range(ALLIES) if self.health[i]]
        near = min(living, key=lambda i: abs(self.foe - self.at[i]))
        gap = self.at[near] - self.foe
        if abs(gap) <= RANGE:
            self.health[near] -= 1
        else:
            self.foe += 1 if gap > 0 else -1

    def close(self):
        self.closed = True


class Inner:
    """A generator inside a distribution, as SMACv2 has them."""

    def __init__(self):
        self.rng = np.random.default_rng()

    def generate(self):
        return int(self.rng.integers(4, 10))


class Positions:
    """Draws where the enemy starts, as SMACv2's distributions draw positions."""

    def __init__(self):
        self.inner, self.rng = Inner(), np.random.default_rng()

    def generate(self):
        return {"start": self.inner.generate() + int(self.rng.integers(2))}


class StarCraftCapabilityEnvWrapper:
    """As SMACv2's: draws at every reset, with generators that no seed reaches."""

    def __init__(self, **options):
        self.env = StarCraft2Env(**options)
        self.env_key_to_distribution_map = {"start_positions": Positions()}

    def reset(self):
        drawn = {}
        for distribution in self.env_key_to_distribution_map.values():
            drawn |= distribution.generate()
        return self.env.reset(**drawn)

    def __getattr__(self, name):
        return getattr(self.env, name)
