"""What each agent of a MuJoCo team sees and moves, as columns of the joint observation and the joint action."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from coterie.contracts import ActionSpace, Observation, Spec

LIMIT = 10.0
"""Gymnasium cuts the joint velocities of ``walker2d`` at this size; MaMuJoCo shows agents the uncut ones."""


class Columns(NamedTuple):
    """The arrays that turn joint observations into a team's, for all rows at once.

    ``local`` numbers the columns of each agent's observation, ``S`` (one beyond the last) where it is padded.
    ``actor`` and ``component`` say where each column of the joint action comes from; ``limit`` is the size at which
    each column of the joint observation is cut to give the state.
    """

    local: Int[np.ndarray, "N O"]
    actor: Int[np.ndarray, " D"]
    component: Int[np.ndarray, " D"]
    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]
    limit: Float[np.ndarray, " S"]
    legal: Bool[np.ndarray, "N D"]

    def observe(self, joint: Float[np.ndarray, "R S"]) -> Observation:
        """What the team sees where the joint observation (its velocities uncut) is ``joint``."""
        rows = joint.shape[0]
        wide = np.concatenate([joint, np.zeros((rows, 1))], axis=1).astype(np.float32)
        state = np.clip(joint, -self.limit, self.limit).astype(np.float32)
        n = self.local.shape[0]
        legal = np.broadcast_to(self.legal, (rows, *self.legal.shape))
        return Observation(wide[:, self.local], state, legal, np.ones((rows, n), bool))  # pyright: ignore

    def joint(self, action: Float[np.ndarray, "R N D"]) -> Float[np.ndarray, "R A"]:
        """The joint action, within its bounds."""
        chosen = np.asarray(action, np.float64)[:, self.actor, self.component]
        return np.clip(chosen, self.low, self.high)


def columns(env: Any) -> Columns:
    """The columns of a MaMuJoCo environment, from the map that MaMuJoCo makes of its own graph."""
    robot, agents = env.single_agent_env.unwrapped, env.possible_agents
    size = robot.observation_space.shape[0]
    own = [np.asarray(env.observation_factorization[agent]) for agent in agents]
    local = np.full((len(agents), max(map(len, own))), size)
    for i, index in enumerate(own):
        local[i, : len(index)] = index
    moves = [[joint.act_ids for joint in part] for part in env.agent_action_partitions]
    whose = sorted((column, i, j) for i, part in enumerate(moves) for j, column in enumerate(part))
    legal = np.arange(max(map(len, moves))) < np.asarray([[len(part)] for part in moves])
    limit = np.full(size, np.inf)
    if "Walker2d" in type(robot).__name__:
        limit[robot.observation_structure["qpos"] :] = LIMIT
    bounds = robot.action_space
    return Columns(local, np.asarray([i for _, i, _ in whose]), np.asarray([j for _, _, j in whose]),
                   bounds.low.astype(np.float64), bounds.high.astype(np.float64), limit, legal)  # fmt: skip


def spec_of(env: Any, length: int) -> Spec:
    """What the team is."""
    agents = tuple(env.possible_agents)
    sees = tuple(env.observation_space(agent).shape[0] for agent in agents)
    boxes = [env.action_space(agent) for agent in agents]
    moves = tuple(ActionSpace.continuous(tuple(box.low.tolist()), tuple(box.high.tolist())) for box in boxes)
    state = env.single_agent_env.observation_space.shape[0]
    return Spec(agents, ("agent",) * len(agents), sees, moves, state, length)
