"""A ball on a line from -1 to 1, moved by 0.25 for every agent that goes right or left.

At 1 it is a goal for the left team, at -1 for the right one. ``academy_*`` ends with a goal, or when somebody slides
(the ball is lost); the others play on from the middle. Nobody looks at anything else.
"""

import os
import random
import time

import numpy as np

LEFT, RIGHT, CRASH, HANG, RAISE, SLIDE = 1, 5, 9, 10, 11, 16
"""Actions that do something; three of them wreck the game, if that is asked for."""
WRECKS = "FOOTBALL_WRECKS" in os.environ
DURATION = {"academy_3_vs_1_with_keeper": 8, "5_vs_5": 8}
FEATURES = 115


class Scenario:
    """gfootball's scenario, as far as the bridge reads it."""

    def __init__(self, level):
        self.game_duration, self.end_episode_on_score = DURATION[level], level.startswith("academy_")


class Config(dict):
    """gfootball's options, of which the bridge sets three."""

    def ScenarioConfig(self):
        return Scenario(self["level"])


class Space:
    """The space of one agent's actions, or of several."""

    def __init__(self, agents):
        if agents > 1:
            self.nvec = np.full(agents, 19)
        else:
            self.n = 19


class Shape:
    """The space of what is seen."""

    def __init__(self, *shape):
        self.shape = shape


class Environment:
    """One game; with one agent nothing has an axis for agents, as in gfootball."""

    def __init__(self, level, agents, checkpoints):
        self._config = Config(level=level)
        self.agents, self.checkpoints, self.unwrapped = agents, checkpoints, self
        self.action_space = Space(agents)
        self.observation_space = Shape(agents, FEATURES) if agents > 1 else Shape(FEATURES)

    def reset(self):
        draw = random.Random(self._config["game_engine_random_seed"])
        self.ball, self.noise = 0.0, draw.random()
        self.time, self.score, self.over = 0, [0, 0], False
        return self._features()

    def observation(self):
        left = DURATION[self._config["level"]] - max(self.time - 1, 0)  # the first step does not count
        return [{"score": self.score, "steps_left": left} for _ in range(self.agents)]

    def _features(self):
        rows = np.full((self.agents, FEATURES), -1.0, np.float32)
        rows[:, :3] = self.ball, self.noise, self.time
        rows[:, 10 : 10 + self.agents] = np.eye(self.agents)
        return rows if self.agents > 1 else rows[0]

    def step(self, actions):
        actions = actions if self.agents > 1 else [actions]
        assert len(actions) == self.agents
        assert not self.over
        if WRECKS and CRASH in actions:
            os.write(2, b"the engine is on fire\n")
            os.abort()
        if WRECKS and HANG in actions:
            time.sleep(60)
        if WRECKS and RAISE in actions:
            raise ValueError("no such\nmove")
        self.time += 1
        before, ends = self.score[0] - self.score[1], self._config.ScenarioConfig().end_episode_on_score
        self.ball += 0.25 * (actions.count(RIGHT) - actions.count(LEFT))
        reward = np.zeros(self.agents, np.float32)
        if self.checkpoints:
            reward += 0.1 * (np.array(actions) == RIGHT)
        if abs(self.ball) >= 1:
            self.score = [self.score[0] + (self.ball > 0), self.score[1] + (self.ball < 0)]
            self.over, self.ball = ends, 0.0
        reward += self.score[0] - self.score[1] - before
        self.over |= ends and SLIDE in actions
        self.over |= self.observation()[0]["steps_left"] <= 0
        return self._features(), reward if self.agents > 1 else reward[0], self.over, {}


def create_environment(env_name, representation, rewards, number_of_left_players_agent_controls):
    """As gfootball's, with the arguments that the bridge gives."""
    assert representation == "simple115v2"
    assert "scoring" in rewards.split(",")
    return Environment(env_name, number_of_left_players_agent_controls, "checkpoints" in rewards.split(","))
