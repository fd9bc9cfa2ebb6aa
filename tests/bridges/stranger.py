"""An environment of somebody else's that does as it should, until it does one thing that it should not."""

import os
import time
from pathlib import Path

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete

TROUBLES = ("exit", "raise", "hang", "nan", "infinite reward", "shape", "dtype", "out of space", "reward shape",
            "no reward", "stranger", "no observation", "no choice", "mask size", "no info", "different rewards",
            "no step")  # fmt: skip


class Stranger:
    """A ``ParallelEnv`` of two agents: ``a`` sees 2 numbers, ``b`` 3; ``b`` is away in some steps of every episode.

    Each agent sees the step, and a number drawn when the episode began; its reward is its action. From the ``episode``
    on, ``trouble`` happens at step 2 (if ``once``, a file, is not there yet).
    """

    def __init__(self, trouble="", episode=2, length=5, mask="", once="", away=(3,)):
        self.trouble, self.episode, self.max_cycles, self.mask, self.once, self.away = (
            trouble, episode, length, mask, once, away
        )  # fmt: skip
        self.possible_agents, self.metadata, self.episodes = ["a", "b"], {"name": "stranger"}, 0
        self.agents, self.unwrapped, self.step_count, self.drawn = [], self, 0, 0.0
        own = {"a": Box(-9, 9, (2,), np.float64), "b": Box(-9, 9, (3,), np.float32)}
        masked = {
            k: Dict({"observation": v, "action_mask": Box(0, 1, (self.size(k),), np.int8)}) for k, v in own.items()
        }
        self.spaces = masked if mask == "observation" else own
        self.acts = {"a": Discrete(2), "b": Discrete(3, start=1)}

    @staticmethod
    def size(agent):
        return {"a": 2, "b": 3}[agent]

    def observation_space(self, agent):
        return self.spaces[agent]

    def action_space(self, agent):
        return self.acts[agent]

    def happens(self, *names):
        due = self.trouble in names and self.episodes >= self.episode and self.step_count == 2
        if due and self.once:
            try:
                Path(self.once).touch(exist_ok=False)
            except FileExistsError:
                return False
        return due

    def reset(self, seed=None, options=None):
        self.episodes, self.step_count, self.agents = self.episodes + 1, 0, ["a", "b"]
        self.drawn = np.random.default_rng(seed).uniform(-5, 5)
        return self.seen(), self.infos()

    def mask_of(self, agent):
        mask = np.ones(self.size(agent), np.int8)
        mask[0] = self.step_count % 2 == 0
        if agent == "a":
            mask = np.zeros_like(mask) if self.happens("no choice") else mask
            mask = np.ones(7, np.int8) if self.happens("mask size") else mask
        return mask

    def infos(self):
        if self.mask != "info":
            return {agent: {"length": self.step_count} for agent in self.agents}
        gone = self.happens("no info")
        return {agent: {} if gone else {"action_mask": self.mask_of(agent)} for agent in self.agents}

    def seen(self):
        out = {agent: np.full(self.size(agent), self.drawn) for agent in self.agents}
        for agent in out:
            out[agent][0] = self.step_count
        if self.happens("nan"):
            out["b"][1] = np.nan
        if self.happens("out of space"):
            out["a"][1] = 10.0
        if self.happens("shape"):
            out["a"] = np.zeros(4)
        if self.happens("dtype"):
            out["a"] = np.array(["one", "two"])
        if self.mask == "observation":
            return {agent: {"observation": x, "action_mask": self.mask_of(agent)} for agent, x in out.items()}
        return out

    def step(self, actions):
        assert sorted(actions) == self.agents and all(self.acts[k].contains(a) for k, a in actions.items())
        self.step_count += 1
        if self.happens("exit"):
            os._exit(7)
        if self.happens("raise"):
            raise RuntimeError("the simulator\nlost its mind")
        if self.happens("hang"):
            time.sleep(60)
        before, late = list(self.agents), self.step_count == self.max_cycles
        rewards = {agent: float(actions[agent]) for agent in before}
        if self.happens("infinite reward"):
            rewards["a"] = np.inf
        if self.happens("reward shape"):
            rewards["a"] = np.zeros(2)
        if self.happens("no reward"):
            del rewards["a"]
        if self.happens("no step"):
            return {}, {}
        self.agents = ["a"] if self.step_count in self.away else ["a", "b"]
        if self.happens("stranger"):
            self.agents = ["a", "b", "c"]
        seen = self.seen() if "c" not in self.agents else {}
        if self.happens("no observation"):
            seen.pop("a")
        ended = {agent: agent not in self.agents for agent in before}
        infos = self.infos()
        self.agents = [] if late else self.agents
        return seen, rewards, ended, dict.fromkeys(before, late), infos

    def close(self):
        pass


def make(
    trouble: str = "", episode: int = 2, length: int = 5, mask: str = "", once: str = "", away: bool = True
) -> Stranger:
    if trouble and trouble not in TROUBLES:
        raise ValueError(f"there is no trouble {trouble!r}")
    return Stranger(trouble, episode, length, mask, once, (3,) if away else ())
