"""Google Research Football as a PettingZoo ``ParallelEnv``; the game runs in a Python of its own (``football_server``).

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Any

import numpy as np

from coterie.bridges import football_server
from coterie.bridges.acting import acting
from coterie.errors import CoterieError
from coterie.extras import require

ParallelEnv: Any = require("pettingzoo", "games").ParallelEnv
spaces: Any = require("gymnasium.spaces", "games")

VARIABLE = "COTERIE_FOOTBALL_PYTHON"
"""The environment variable that holds the path of football's Python."""
GUIDE = "docs/football.md"
START = 120.0
"""Seconds in which football has to be up."""
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""Variables that would show football's Python the packages of this one."""


class Server:
    """A process of football's Python that plays one match at a time.

    Args:
        python: Path or name of football's Python; empty for what ``COTERIE_FOOTBALL_PYTHON`` says.
        options: What ``football_server`` is started with.
        patience: Seconds that an answer may take.

    Raises:
        CoterieError: There is no such Python, or it cannot play; says what to do.
    """

    def __init__(self, python: str, options: dict[str, Any], patience: float = 30.0) -> None:
        path, self.patience, self._greeted = find(python), patience, 0
        self._last_words = tempfile.TemporaryFile()  # noqa: SIM115
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.process = subprocess.Popen(
            [path, football_server.__file__, json.dumps(options)],
            bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._last_words,
            env={"OMP_NUM_THREADS": "1", "PYGAME_HIDE_SUPPORT_PROMPT": "1", **environment},
        )  # fmt: skip
        try:
            self.facts, _ = self._answer(START)
        except RuntimeError as error:
            self.close()
            missing = isinstance(error, Refusal) and error.missing
            what = f"{path} cannot import gfootball ({error})" if missing else f"{path} does not start: {error}"
            raise CoterieError(f"{what}: install football there as {GUIDE} says") from None
        self._greeted = os.fstat(self._last_words.fileno()).st_size  # notices of what it imports are no last words

    def ask(self, message: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
        """The answer to a message: what was said, and the features ``[agents, features]``.

        Raises:
            RuntimeError: Football's process ended, hung, or raised; says which.
        """
        stdin = self.process.stdin
        assert stdin is not None
        with suppress(OSError):  # whether it arrived shows when the answer is read
            football_server.send(stdin, message)  # pyright: ignore[reportArgumentType]
        said, numbers = self._answer(self.patience)
        features = np.frombuffer(numbers, ">f4").astype(np.float32)
        return said, features.reshape(self.facts["agents"], self.facts["features"])

    def _answer(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        until = time.monotonic() + seconds
        text, numbers = football_server.HEAD.unpack(self._read(football_server.HEAD.size, until))
        said = json.loads(self._read(text, until))
        if "error" in said:
            raise Refusal(" ".join(said["error"].split()), said["missing"])
        return said, self._read(numbers, until)

    def _read(self, count: int, until: float) -> bytes:
        """Exactly ``count`` bytes, or RuntimeError."""
        stdout = self.process.stdout
        assert stdout is not None
        got = bytearray()
        while len(got) < count:
            ready, _, _ = select.select([stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.process.kill()
                raise RuntimeError("football's process did not answer in time and was killed")
            piece = os.read(stdout.fileno(), count - len(got))
            if not piece:
                raise RuntimeError(self._ended())
            got += piece
        return bytes(got)

    def _ended(self) -> str:
        code = self.process.wait()
        self._last_words.seek(self._greeted)
        words = self._last_words.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(words) if line.strip()), "it said nothing")
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return f"football's process ended ({how}): {last}"

    def close(self) -> None:
        """End the process."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        self.process.kill()
        self.process.wait()
        self._last_words.close()


class Refusal(RuntimeError):
    """What football itself raised; ``missing`` if a package is not installed there."""

    def __init__(self, text: str, missing: bool) -> None:
        super().__init__(text)
        self.missing = missing


def find(python: str) -> str:
    """The path of football's Python.

    Raises:
        CoterieError: Nobody said where it is, or nothing is there.
    """
    said = python or os.environ.get(VARIABLE, "")
    if not said:
        raise CoterieError(
            f"football runs in a Python of its own: give its path as python or in {VARIABLE} ({GUIDE} says how to "
            "install it)"
        )
    path = shutil.which(os.path.expanduser(said))
    if path is None:
        where = "python" if python else VARIABLE
        raise CoterieError(f"{where} is {said!r}, where there is no program: {GUIDE} says how to install football")
    return path


class FootballEnv(ParallelEnv):
    """A scenario of gfootball; the agents are players of the left team.

    Each agent sees the 115 numbers of ``simple115v2`` and chooses one of gfootball's 19 actions, all of which are
    always legal. The state is what all of them see, with a 1 for every controlled player. Rewards are each agent's own.
    An episode is truncated when the scenario's time is up; a goal, a lost ball or a ball out of play terminates it
    where the scenario says so. The infos hold ``scored`` (own goals), ``score_difference`` and ``won`` (it is
    positive).

    Args:
        scenario: gfootball's name of it, such as ``academy_3_vs_1_with_keeper``.
        agents: How many players are controlled.
        checkpoints: Also pay 0.1 for each of ten circles around the goal that an agent first enters with the ball.
        python: Football's Python; empty for what ``COTERIE_FOOTBALL_PYTHON`` says.
        patience: Seconds that a step may take.

    Raises:
        CoterieError: Football is not installed there.
    """

    metadata = {"name": "football", "render_modes": [], "is_parallelizable": True}  # noqa: RUF012
    render_mode = None

    def __init__(
        self, scenario: str, agents: int, checkpoints: bool = True, python: str = "", patience: float = 30.0
    ) -> None:
        rewards = "scoring,checkpoints" if checkpoints else "scoring"
        self.server = Server(python, {"scenario": scenario, "agents": agents, "rewards": rewards}, patience)
        facts = self.server.facts
        self.horizon = facts["duration"] + 1  # the step that begins an episode does not count in gfootball
        self.possible_agents = [f"player_{i}" for i in range(agents)]
        self.agents: list[str] = []
        self.observation_spaces = {
            agent: spaces.Box(-np.inf, np.inf, (facts["features"],), np.float32) for agent in self.possible_agents
        }
        self.action_spaces = {agent: spaces.Discrete(facts["actions"]) for agent in self.possible_agents}
        self._features = np.zeros((agents, facts["features"]), np.float32)

    def observation_space(self, agent: str) -> Any:
        """What ``agent`` sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """What ``agent`` can do."""
        return self.action_spaces[agent]

    def state(self) -> np.ndarray:
        """What all agents see; they differ in the player that is marked as their own, and here all of those are."""
        return self._features.max(0)

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """A new episode; with a seed it depends on nothing else."""
        del options
        _, self._features = self.server.ask({"reset": seed})
        self.agents = list(self.possible_agents)
        return self._seen(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of all players.

        Raises:
            CoterieError: An agent has no action, or there is no episode.
            RuntimeError: Football's process ended, hung, or raised.
        """
        agents = acting(self.agents, actions)
        said, self._features = self.server.ask({"step": [int(actions[agent]) for agent in agents]})
        ahead = said["score"][0] - said["score"][1]
        info = {"won": float(ahead > 0), "scored": float(said["score"][0]), "score_difference": float(ahead)}
        self.agents = [] if said["over"] else agents
        return (
            dict(zip(agents, self._features, strict=True)),
            dict(zip(agents, said["reward"], strict=True)),
            dict.fromkeys(agents, said["over"] and not said["late"]),
            dict.fromkeys(agents, said["late"]),
            {agent: dict(info) for agent in agents},
        )

    def _seen(self) -> dict[str, np.ndarray]:
        return dict(zip(self.possible_agents, self._features, strict=True))

    def render(self) -> None:
        """Nothing: gfootball draws with a screen only."""

    def close(self) -> None:
        """End football's process."""
        self.server.close()
