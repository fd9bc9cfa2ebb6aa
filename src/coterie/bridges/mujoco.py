"""MuJoCo teams: one robot whose joints are shared out among agents (extras: mujoco, and envpool for that path)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from jaxtyping import PyTree

from coterie.bridges.hosted import HostedGame, Hosting, hosted
from coterie.bridges.mamujoco import mamujoco
from coterie.bridges.mujoco_columns import Columns, columns, spec_of
from coterie.bridges.mujoco_pool import Pool, blank
from coterie.bridges.mujoco_robots import ROBOTS, robot_of
from coterie.contracts import CoterieError, Simulators, Spec
from coterie.extras import require
from coterie.games.options import one_of, variant, whole_at_least

GLOBAL = ("qpos", "qvel")
"""What all agents may see of a robot's body."""
METRICS = ("x_position",)
"""Reported at the end of an episode: how far the robot came, in metres."""


@dataclass(frozen=True)
class Mujoco:
    """A robot whose joints are shared out among agents; all receive the robot's reward (MaMuJoCo, Peng et al. 2021).

    Args:
        robot: Which robot.
        partition: Who has which joints, such as ``4x2``: four agents with two joints each.
        obsk: How many joints far each agent sees along the robot's graph; 0: its own joints only.
        version: Of the Gymnasium environment that is cut, ``v4`` or ``v5``.
        global_categories: What all agents see of the robot's body: ``qpos``, ``qvel``, both, or nothing.
        length: Steps after which an episode is truncated.
        path: ``mamujoco`` steps MaMuJoCo in worker processes; ``envpool`` steps EnvPool's robots and shows the agents
            the same columns, several times as fast.
        workers: Processes or threads; 0 for one on every core. The results do not depend on it.
    """

    robot: str = "hopper"
    partition: str = "3x1"
    obsk: int = 1
    version: Literal["v4", "v5"] = "v5"
    global_categories: tuple[str, ...] = GLOBAL
    length: int = 1000
    path: Literal["mamujoco", "envpool"] = "mamujoco"
    workers: int = 0

    def __post_init__(self) -> None:
        found = robot_of(self.robot, self.partition)
        for name, least in (("obsk", 0), ("length", 1), ("workers", 0)):
            whole_at_least(name, getattr(self, name), least)
        one_of("version", self.version, ("v4", "v5"))
        one_of("path", self.path, ("mamujoco", "envpool"))
        if len(set(self.global_categories) & set(GLOBAL)) < len(self.global_categories):
            raise CoterieError(f"global_categories are {self.global_categories}: give any of {', '.join(GLOBAL)}, once")
        if found.segments and self.version != "v5":
            raise CoterieError(f"{self.robot} is made of v5 robots only: leave out version")
        if self.path == "envpool" and found.segments:
            raise CoterieError(
                f"EnvPool has no robot of any number of segments such as {self.robot}: set path mamujoco"
            )
        if self.path == "envpool" and self.version != "v5":
            raise CoterieError("which columns agents see of a v4 robot is not known: set version v5, or path mamujoco")

    @property
    def spec(self) -> Spec:
        """What the game is; it takes a robot to know.

        Raises:
            CoterieError: An extra is not installed.
        """
        return _hosted(self).spec if self.path == "mamujoco" else _pooled(self)[0]

    def open(self, environments: int) -> Simulators:
        """``environments`` robots."""
        if self.path == "mamujoco":
            return _hosted(self).open(environments)
        task = f"{ROBOTS[self.robot].scenario}-{self.version}"
        return Pool(task, _pooled(self)[1], environments, self.length, self.workers)

    def blank(self, environments: int) -> PyTree:
        """What is saved of robots that were never reset."""
        return _hosted(self).blank(environments) if self.path == "mamujoco" else blank(environments)

    @property
    def _options(self) -> dict[str, object]:
        names = ("robot", "partition", "obsk", "version", "global_categories", "length")
        return {name: getattr(self, name) for name in names}


@lru_cache(maxsize=64)
def _hosted(game: Mujoco) -> HostedGame:
    """MaMuJoCo in worker processes."""
    how = Hosting(reward="team", horizon=game.length, metrics=METRICS, workers=game.workers, bounds=False)
    return hosted("coterie.bridges.mamujoco:mamujoco", game._options, how)


@lru_cache(maxsize=64)
def _pooled(game: Mujoco) -> tuple[Spec, Columns]:
    """What the team is, and who sees and moves which columns."""
    require("envpool", "envpool")
    env = mamujoco(game.robot, game.partition, game.obsk, game.version, game.global_categories, game.length)
    found = spec_of(env, game.length), columns(env)
    env.close()
    return found


def _team(robot: str, partition: str) -> Callable[..., Mujoco]:
    first = f"MuJoCo's {ROBOTS[robot].scenario} as a team, cut {partition}; all receive the robot's reward (MaMuJoCo)."
    return variant(Mujoco, first, robot=robot, partition=partition)


_LONG = {"manyagent-ant": ("2x3", "3x2", "6x1"), "manyagent-swimmer": ("4x2", "6x2", "8x2", "10x2")}
TEAMS = [(robot, partition) for robot, found in ROBOTS.items() for partition in found.partitions or _LONG[robot]]
"""Robots and partitions with a name of their own."""
GAMES = {f"mujoco/{robot}-{cut.replace('|', '-')}": _team(robot, cut) for robot, cut in TEAMS}
"""The games of this file by name; a name has a dash where MaMuJoCo's partition has a bar, which shells read."""
