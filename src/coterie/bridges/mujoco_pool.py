"""MuJoCo teams stepped by EnvPool's threads (extras: mujoco, envpool)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt32

from coterie.bridges.mujoco_columns import Columns
from coterie.contracts import CoterieError, Observation, Turn
from coterie.cores import available
from coterie.extras import require

_NEVER = 2**31 - 1


class Epochs(NamedTuple):
    """What is saved of EnvPool's simulators, which cannot tell their state: seeds, and episodes since then."""

    seed: UInt32[np.ndarray, " E"]
    episodes: Int[np.ndarray, " E"]


def blank(environments: int) -> Epochs:
    """The epochs of environments that were never reset."""
    return Epochs(np.zeros(environments, np.uint32), np.zeros(environments, np.int32))


class Pool:
    """``E`` robots as a team's simulators, in two groups where ``E`` is even and at least 4.

    EnvPool's own time limit is switched off and steps are counted here: it calls an episode that ends in its last step
    truncated even where the robot fell in it. Finished rows are reset on their own as soon as they end, so no step is
    spent on a reset and the next action is always played.

    Args:
        task: EnvPool's name of the robot, such as ``Ant-v5``.
        columns: Who sees and moves what.
        environments: E.
        length: Steps after which an episode is truncated.
        threads: Threads that step a group; 0: one for each core that this process may use.
    """

    def __init__(self, task: str, columns: Columns, environments: int, length: int, threads: int = 0) -> None:
        self.task, self.columns, self.length = task, columns, length
        self.threads = threads or len(available())
        halves = 2 if environments >= 4 and environments % 2 == 0 else 1
        size = environments // halves
        self._groups = tuple(slice(i * size, (i + 1) * size) for i in range(halves))
        self._pools: list[Any] = []
        self._epochs = blank(environments)
        self._steps = np.zeros(environments, np.int64)

    @property
    def groups(self) -> tuple[slice, ...]:
        """The rows of each group."""
        return self._groups

    def reset(self, seeds: UInt32[np.ndarray, " E"]) -> Observation:
        """New simulators, one for each seed, and the first observations of their first episodes."""
        self.close()
        self._epochs = Epochs(np.array(seeds, np.uint32), np.ones(len(seeds), np.int32))
        self._steps[:] = 0
        self._pools = [self._open(self._epochs.seed[rows]) for rows in self._groups]
        for pool in self._pools:
            pool.async_reset()
        first = [self._sound(pool.recv()[0], None, group) for group, pool in enumerate(self._pools)]
        return self.columns.observe(np.concatenate(first))

    def _open(self, seeds: UInt32[np.ndarray, " R"]) -> Any:
        envpool: Any = require("envpool", "envpool")
        uncut = {"velocity_min": -np.inf, "velocity_max": np.inf} if np.isfinite(self.columns.limit).any() else {}
        return envpool.make(
            self.task,
            env_type="gymnasium",
            num_envs=len(seeds),
            env_seed=[int(seed) & _NEVER for seed in seeds],
            num_threads=min(self.threads, len(seeds)),
            max_episode_steps=_NEVER,
            **uncut,
        )

    def send(self, group: int, action: Float[np.ndarray, "R N D"]) -> None:
        """Start a step of a group; returns at once."""
        self._pools[group].send(self.columns.joint(action))

    def receive(self, group: int) -> Turn:
        """Wait for what was sent last; rows whose episode ended have begun the next one.

        Raises:
            CoterieError: A number is not finite; says which robot's, and at which step.
        """
        rows, pool = self._groups[group], self._pools[group]
        joint, reward, terminated, _, info = pool.recv()
        self._steps[rows] += 1
        self._sound(joint, reward, group)
        terminated = np.array(terminated, bool)
        truncated = (self._steps[rows] >= self.length) & ~terminated
        final = following = self.columns.observe(joint)
        ended = np.flatnonzero(terminated | truncated).astype(np.int32)
        if ended.size:
            joint = np.array(joint)
            joint[ended] = pool.reset(ended)[0]
            self._steps[rows.start + ended] = 0
            self._epochs.episodes[rows.start + ended] += 1
            following = self.columns.observe(self._sound(joint, None, group))
        n = self.columns.local.shape[0]
        return Turn(
            final=final,
            following=following,
            reward=np.repeat(np.asarray(reward, np.float32)[:, None], n, axis=1),
            terminated=terminated,
            truncated=truncated,
            lost=np.zeros(len(terminated), bool),
            info={"x_position": np.asarray(info["x_position"], np.float32)},
        )

    def _sound(self, joint: np.ndarray, reward: np.ndarray | None, group: int) -> np.ndarray:
        """``joint`` itself, if it and the rewards are finite."""
        if np.isfinite(joint.sum()) and (reward is None or np.isfinite(reward.sum())):
            return joint
        bad = ~np.isfinite(joint).all(1) | (False if reward is None else ~np.isfinite(reward))
        if not bad.any():  # finite numbers whose sum is not
            return joint
        row = self._groups[group].start + int(np.flatnonzero(bad)[0])
        raise CoterieError(
            f"{self.task} gave a number that is not finite in environment {row}, step {self._steps[row]} of episode "
            f"{self._epochs.episodes[row]}: lower the learning rate, or resume from an earlier checkpoint"
        )

    def state(self) -> Epochs:
        """Seeds, and how many episodes each has begun."""
        return Epochs(self._epochs.seed.copy(), self._epochs.episodes.copy())

    def restore(self, state: Epochs, observation: Observation) -> tuple[Observation, np.ndarray]:
        """New episodes in all rows, with seeds that follow from ``state``: EnvPool cannot go back to a state."""
        del observation
        pairs = zip(state.seed, state.episodes, strict=True)
        seeds = [np.random.SeedSequence((int(a), int(b))).generate_state(1)[0] for a, b in pairs]
        return self.reset(np.asarray(seeds, np.uint32)), np.ones(len(seeds), bool)

    def close(self) -> None:
        """End the simulators and their threads."""
        for pool in self._pools:
            pool.close()
        self._pools = []
