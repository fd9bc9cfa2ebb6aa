"""MaMuJoCo's teams as PettingZoo environments (extra: mujoco). Worker processes read this: nothing imports JAX."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coterie.bridges.mujoco_robots import Robot, robot_of, segments
from coterie.extras import require


def mamujoco(
    robot: str,
    partition: str,
    obsk: int = 1,
    version: str = "v5",
    global_categories: tuple[str, ...] = ("qpos", "qvel"),
    length: int = 1000,
) -> Any:
    """A robot whose joints are shared out among agents, as MaMuJoCo's ``ParallelEnv`` (Peng et al. 2021, FACMAC).

    Args:
        robot: Such as ``ant``.
        partition: Who has which joints, such as ``4x2``.
        obsk: How many joints far each agent sees along the robot's graph; 0: its own joints only.
        version: Of the Gymnasium environment that is cut: ``v4`` or ``v5``.
        global_categories: What all agents see of the robot's body: any of ``qpos`` and ``qvel``.
        length: Steps after which an episode is truncated.

    Raises:
        CoterieError: An extra is not installed, or the partition does not fit the robot.
    """
    found = robot_of(robot, partition)
    require("mujoco", "mujoco")
    with _silence():
        robotics = require("gymnasium_robotics", "mujoco")
        return robotics.mamujoco_v1.parallel_env(
            found.scenario,
            partition,
            agent_obsk=obsk,
            agent_factorization=_factorization(found, partition),
            global_categories=tuple(global_categories),
            gym_env=_body(found, robot, partition, version, length),
        )


def _body(found: Robot, robot: str, partition: str, version: str, length: int) -> Any:
    """The Gymnasium environment that is cut, without the checks that Gymnasium makes at every step."""
    gymnasium: Any = require("gymnasium", "mujoco")
    plain = {"max_episode_steps": length, "disable_env_checker": True}
    if not found.segments:
        return gymnasium.make(f"{found.scenario}-{version}", **plain)
    kind = found.scenario.removeprefix("ManySegment")
    package = "gymnasium_robotics.envs.multiagent_mujoco.many_segment_"
    drawing = require(f"{package}{kind.lower()}", "mujoco")
    with tempfile.TemporaryDirectory() as folder:  # MaMuJoCo writes into its own package, where workers collide
        file = str(Path(folder) / "robot.xml")
        drawing.gen_asset(n_segs=segments(robot, partition), asset_path=file)
        return gymnasium.make(f"{kind}-{version}", xml_file=file, **plain)


def _factorization(found: Robot, partition: str) -> dict[str, Any] | None:
    """What MaMuJoCo needs to know of a partition that is not its own: the joints of its graph, grouped."""
    groups = dict(found.added).get(partition)
    if groups is None:
        return None
    obsk: Any = require("gymnasium_robotics.envs.multiagent_mujoco.obsk", "mujoco")
    whole, edges, body = obsk.get_parts_and_edges(found.scenario, None)
    joints = {joint.label: joint for joint in sorted(whole[0], key=lambda joint: joint.qpos_ids)}
    groups = groups or tuple((label,) for label in joints)
    parts = [tuple(joints[label] for label in group) for group in groups]
    return {"partition": parts, "edges": edges, "globals": body}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without what Gymnasium-Robotics prints about other robots, Gymnasium about v4, and MuJoCo about their models.

    MuJoCo would also write a file MUJOCO_LOG.TXT into the working directory. What it has to say of a simulation
    is not held back.
    """
    mujoco: Any = require("mujoco", "mujoco")
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda text: None)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        mujoco.set_mju_user_warning(before)
