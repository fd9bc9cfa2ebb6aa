"""Draw who moves which joint of MuJoCo's robots, by ``python docs/draw_mujoco.py`` (extra: mujoco).

Each disc is a joint with the number of the agent that moves it. The pose is the robot's first one, legs apart where
they would hide each other; it is seen from the side, the front or above.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from draw_games import draw

from coterie.bridges.mamujoco import mamujoco
from coterie.bridges.mujoco import GAMES
from coterie.contracts import Scene, Shape
from coterie.games.particle_scene import AGENT_COLORS

BODY, INK = "#c4c4cc", "#333344"
SIDE, FRONT, ABOVE = (0, 2), (1, 2), (0, 1)
VIEWS = {"ant": ABOVE, "humanoid": FRONT, "manyagent-ant": ABOVE, "manyagent-swimmer": ABOVE, "swimmer": ABOVE}
POSES = {"walker2d": {"thigh_joint": 0.4, "thigh_left_joint": -0.3}, "swimmer": {"motor1_rot": 0.4, "motor2_rot": 0.4}}
CAPSULE, PLANE = int(mujoco.mjtGeom.mjGEOM_CAPSULE), int(mujoco.mjtGeom.mjGEOM_PLANE)
COLORS = (*AGENT_COLORS, "#bbbbbb", "#994455", "#997700", "#6699cc", "#ee99aa", "#004488", "#117733", "#882255",
          "#ddaa33", "#44aa99", "#999933")  # fmt: skip


def bones(model: Any, data: Any, view: tuple[int, int]) -> list[Shape]:
    """The robot's body as thick lines and discs."""
    out = []
    for geom in range(model.ngeom):
        if model.geom_type[geom] == PLANE:
            continue
        middle, radius = data.geom_xpos[geom], float(model.geom_size[geom, 0])
        along = data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom, 1]
        ends = [(middle + sign * along)[list(view)] for sign in (-1, 1)]
        if model.geom_type[geom] == CAPSULE:
            (x, y), (to_x, to_y) = (map(float, end) for end in ends)
            out.append(Shape("line", x, y, 2 * radius, BODY, to=(to_x, to_y)))
        else:
            ends = [middle[list(view)]]
        out += [Shape("disc", float(x), float(y), radius, BODY) for x, y in ends]
    return out


def scene(robot: str, cut: str) -> Scene:
    """The robot with the joints of each agent."""
    env = mamujoco(robot, cut)
    body = env.single_agent_env.unwrapped
    model, data = body.model, mujoco.MjData(body.model)
    data.qpos[:] = body.init_qpos
    for name, angle in POSES.get(robot, {}).items():
        data.joint(name).qpos[:] = angle
    mujoco.mj_forward(model, data)
    view = VIEWS.get(robot, SIDE)
    shapes = bones(model, data, view)
    points = np.asarray([(shape.x, shape.y) for shape in shapes])
    low, high = points.min(0) - 0.15, points.max(0) + 0.15
    span = max(high[0] - low[0], 1.6 * (high[1] - low[1]))
    middle, taken = (low + high) / 2, list[np.ndarray]()
    size = float(span) * min(0.027, 0.4 / model.nu)
    for agent, joints in enumerate(env.agent_action_partitions):
        for joint in joints:
            at = data.xanchor[model.actuator_trnid[joint.act_ids, 0]][list(view)].copy()
            while any(np.abs(at - other).max() < 1.9 * size for other in taken):
                at[0] += 2 * size if at[0] >= middle[0] - 1e-6 else -2 * size
            taken.append(at)
            shapes.append(Shape("disc", float(at[0]), float(at[1]), size, COLORS[agent]))
            shapes.append(Shape("text", float(at[0]), float(at[1]), 1.3 * size, "#ffffff", text=str(agent)))
    env.close()
    half = np.asarray((span, span / 1.6)) / 2
    left, bottom, right, top = (float(x) for x in (*(middle - half), *(middle + half)))
    return Scene(tuple(shapes), (left, bottom, right, top), f"{len(env.possible_agents)} agents")


def main() -> None:
    """Draw them all."""
    for name, opened in GAMES.items():
        game = opened()
        draw(name, {f"{game.robot} {game.partition}": scene(game.robot, game.partition)})


if __name__ == "__main__":
    main()
