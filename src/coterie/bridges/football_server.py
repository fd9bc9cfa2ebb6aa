"""Google Research Football behind two pipes: the half of the bridge that runs in football's own Python.

``python football_server.py OPTIONS`` with OPTIONS as JSON: ``scenario``, ``agents``, ``rewards``. It needs gfootball,
nothing of coterie, and any Python from 3.7 on. Every message, both ways, is two big-endian lengths, that many bytes of
JSON, and that many bytes of float32 numbers (``football_env`` holds the other half):

* it opens with ``{"agents", "features", "actions", "duration"}``, or with ``{"error", "missing"}``;
* ``{"reset": seed or null}`` is answered with a view, ``{"step": [action of each agent]}`` with a view and the outcome.

A view is ``{"score": [own, theirs]}`` and the features ``[agents, features]``; an outcome adds ``reward`` (one for each
agent), ``over`` and ``late`` (it is over because time ran out).
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys
from typing import Any, BinaryIO

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != HERE]  # its neighbours are not for us

HEAD = struct.Struct("!II")
"""Lengths of the two parts of a message."""


def send(pipe: BinaryIO, said: dict[str, Any], numbers: bytes = b"") -> None:
    """Write one message."""
    text = json.dumps(said).encode()
    pipe.write(HEAD.pack(len(text), len(numbers)) + text + numbers)
    pipe.flush()


def receive(pipe: BinaryIO) -> dict[str, Any] | None:
    """Read one message, which holds no numbers; None if the other side hung up."""
    head = pipe.read(HEAD.size)
    return json.loads(pipe.read(HEAD.unpack(head)[0]).decode()) if len(head) == HEAD.size else None


class Match:
    """One environment of gfootball, whose left team's players are the agents.

    Args:
        scenario: gfootball's name of it.
        agents: How many players of the left team are controlled.
        rewards: ``scoring`` or ``scoring,checkpoints``.
    """

    def __init__(self, scenario: str, agents: int, rewards: str) -> None:
        from gfootball.env import create_environment  # pyright: ignore[reportMissingImports]

        self.agents, self.goals, self.draw = agents, [0, 0], random.Random()
        self.env = create_environment(
            env_name=scenario,
            representation="simple115v2",
            rewards=rewards,
            number_of_left_players_agent_controls=agents,
        )
        self.config = self.env.unwrapped._config

    def facts(self) -> dict[str, int]:
        """What the other side needs to know before the first reset."""
        space = self.env.action_space
        return {
            "agents": self.agents,
            "features": int(self.env.observation_space.shape[-1]),
            "actions": int(space.nvec[0] if hasattr(space, "nvec") else space.n),
            "duration": int(self.config.ScenarioConfig().game_duration),
        }

    def reset(self, seed: int | None) -> tuple[dict[str, Any], Any]:
        """Begin an episode that depends on ``seed`` only, not on the episodes before it."""
        seed = self.draw.randrange(2**31) if seed is None else seed
        self.config["game_engine_random_seed"] = seed
        self.config["reverse_team_processing"] = bool(seed % 2)  # gfootball draws it once and keeps it
        self.config["episode_number"] = seed // 2 % 2  # its parity says who kicks off in whole matches
        features = self.env.reset()
        self.goals, _ = self._score()
        return {"score": self.goals}, features

    def _score(self) -> tuple[list[int], int]:
        """Goals of the left and the right team, and the steps that are left."""
        seen = self.env.unwrapped.observation()[0]
        return [int(goals) for goals in seen["score"]], int(seen["steps_left"])

    def step(self, actions: list[int]) -> tuple[dict[str, Any], Any]:
        """One step of all agents."""
        features, reward, over, _ = self.env.step(actions if self.agents > 1 else actions[0])
        before = self.goals
        self.goals, left = self._score()
        decided = self.goals != before and self.config.ScenarioConfig().end_episode_on_score
        return {
            "score": self.goals,
            "reward": [float(each) for each in (reward if self.agents > 1 else [reward])],
            "over": bool(over),
            "late": bool(over and left <= 0 and not decided),
        }, features


def end_with_parent() -> None:
    """Let Linux kill this process when the one that started it is gone, even while the engine hangs."""
    try:
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError, TypeError):
        return  # elsewhere the closed pipe ends it, after the step under way


def main(options: dict[str, Any]) -> None:
    """Play until the other side hangs up."""
    end_with_parent()
    inward, outward = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries greet on stdout
    try:
        match = Match(**options)
        send(outward, match.facts())
        while True:
            asked = receive(inward)
            if asked is None:
                return
            said, features = match.step(asked["step"]) if "step" in asked else match.reset(asked["reset"])
            send(outward, said, features.astype(">f4").tobytes())
    except (Exception, SystemExit) as error:
        send(outward, {"error": f"{type(error).__name__}: {error}", "missing": isinstance(error, ModuleNotFoundError)})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
