"""The particle world: discs pushed about a plane, with the physics of mpe2 (``_mpe_utils/core.py``).

One step, in this order: contact forces at the old positions, x <- x + v dt, v <- (1 - damping) v, v <- v + F dt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, RewardKind, Scene, Spec
from coterie.games.options import one_of, whole_at_least
from coterie.games.particle_scene import particle_scene

DT = 0.1
DAMPING = 0.25
SENSITIVITY = 5.0
CONTACT_FORCE = 100.0
CONTACT_MARGIN = 1e-3
MOVES = 5
ActionOption = Literal["discrete", "continuous"]


class ParticleState(NamedTuple):
    """Where everything is, how fast the agents are, steps taken and the mean agent's return so far."""

    position: Float[Array, "N 2"]
    velocity: Float[Array, "N 2"]
    landmarks: Float[Array, "L 2"]
    time: Int[Array, ""]
    score: Float[Array, ""]


class Verdict(NamedTuple):
    """What a task says of the positions after a step."""

    reward: Float[Array, " N"]
    success: Bool[Array, ""]
    info: Mapping[str, Float[Array, ""]]


class Task(Protocol):
    """What the agents of a particle world are asked to do."""

    @property
    def agents(self) -> int:
        """Number of agents."""
        ...

    @property
    def size(self) -> float:
        """Radius of an agent."""
        ...

    @property
    def reward(self) -> RewardKind:
        """Whether all agents receive the same number."""
        ...

    @property
    def vision(self) -> float | None:
        """Distance beyond which landmarks and agents are seen as zeros; None: no limit."""
        ...

    @property
    def observe_others(self) -> bool:
        """Whether agents see each other."""
        ...

    @property
    def landmarks(self) -> int:
        """Number of landmarks."""
        ...

    @property
    def draws(self) -> int:
        """How many random numbers placing the landmarks takes."""
        ...

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """Landmarks from independent uniform numbers in [-1, 1)."""
        ...

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """The places that the agents are to fill."""
        ...

    def judge(
        self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"], touching: Bool[Array, "N N"]
    ) -> Verdict:
        """Reward, success and diagnostics; ``touching`` says which other agents each agent collides with."""
        ...


def distances(
    points: Float[Array, "A 2"], others: Float[Array, "B 2"]
) -> tuple[Float[Array, "A B 2"], Float[Array, "A B"]]:
    """Vectors from each point to each other one, and their lengths."""
    offset = others[None] - points[:, None]
    return offset, jnp.sqrt(jnp.square(offset).sum(-1))


def push(action: Array, kind: ActionOption) -> Float[Array, "N 2"]:
    """The force of each agent's action: moves are none, left, right, down, up, or their weights in [0, 1]."""
    weight = jax.nn.one_hot(action, MOVES) if kind == "discrete" else jnp.clip(action, 0.0, 1.0)
    return SENSITIVITY * jnp.stack([weight[:, 2] - weight[:, 1], weight[:, 4] - weight[:, 3]], -1)


def contact(position: Float[Array, "N 2"], size: float) -> Float[Array, "N 2"]:
    """The sum of the soft contact forces on each agent.

    f(a, b) = 100 (x_a - x_b) / d * k log(1 + exp(-(d - 2 size) / k)) with d = |x_a - x_b| and k = 0.001. Agents at
    the very same place do not push each other (the reference divides by zero there).
    """
    offset, distance = distances(position, position)
    penetration = jax.nn.softplus((2 * size - distance) / CONTACT_MARGIN) * CONTACT_MARGIN
    strength = CONTACT_FORCE * penetration / jnp.where(distance > 0, distance, 1.0)
    return -(strength[..., None] * offset).sum(1)


def without_self(table: Float[Array, "N N 2"]) -> Float[Array, "N {N-1} 2"]:
    """Row i of the table without its entry i, by slices alone (a diagonal entry opens every stretch of N + 1)."""
    n = table.shape[0]
    return table.reshape(n * n, 2)[1:].reshape(n - 1, n + 1, 2)[:, :-1].reshape(n, n - 1, 2)


@dataclass(frozen=True)
class ParticleGame:
    """A task in the particle world.

    Local observation: own velocity, own position, vectors to the landmarks and to the other agents, and two zeros
    of silent communication per other agent (all 2 numbers each). State: all local observations in a row.

    Args:
        task: What to do.
        actions: ``discrete`` (5 moves) or ``continuous`` (the weights of the 5 moves, in [0, 1]).
        length: Steps after which an episode is truncated.
        terminate_on_success: End an episode as soon as the task is fulfilled.
    """

    task: Task
    actions: ActionOption = "discrete"
    length: int = 25
    terminate_on_success: bool = False

    def __post_init__(self) -> None:
        whole_at_least("agents", self.task.agents, 1)
        whole_at_least("length", self.length, 1)
        one_of("actions", self.actions, ("discrete", "continuous"))
        one_of("reward", self.task.reward, ("team", "individual"))

    @property
    def spec(self) -> Spec:
        """What the game is."""
        n = self.task.agents
        size = 4 + 2 * self.task.landmarks + (4 * (n - 1) if self.task.observe_others else 0)
        box = ActionSpace.continuous((0.0,) * MOVES, (1.0,) * MOVES)
        return Spec(
            agents=tuple(f"agent_{i}" for i in range(n)),
            types=("agent",) * n,
            observation_sizes=(size,) * n,
            action_spaces=(ActionSpace.discrete(MOVES) if self.actions == "discrete" else box,) * n,
            state_size=n * size,
            horizon=self.length,
            reward=self.task.reward,
        )

    def reset(self, key: PRNGKeyArray) -> tuple[ParticleState, Observation]:
        """Agents uniform in [-1, 1)^2 and at rest, landmarks by the task's law; one random draw."""
        n = self.task.agents
        uniform = jax.random.uniform(key, (2 * n + self.task.draws,), minval=-1.0, maxval=1.0)
        position = uniform[: 2 * n].reshape(n, 2)
        landmarks = self.task.place(uniform[2 * n :])
        zero = jnp.zeros((), jnp.int32)
        state = ParticleState(position, jnp.zeros_like(position), landmarks, zero, jnp.zeros_like(uniform[0]))
        return state, self.observe(state)

    def step(
        self, key: PRNGKeyArray, state: ParticleState, action: Array
    ) -> tuple[ParticleState, Observation, Outcome]:
        """One step of physics, then the task's verdict; success ends an episode only before the clock does."""
        force = push(action, self.actions) + contact(state.position, self.task.size)
        position = state.position + state.velocity * DT
        velocity = state.velocity * (1 - DAMPING) + force * DT
        _, distance = distances(position, position)
        touching = (distance < 2 * self.task.size) & ~np.eye(self.task.agents, dtype=bool)
        verdict = self.task.judge(position, state.landmarks, touching)
        score = state.score + verdict.reward.mean()
        after = ParticleState(position, velocity, state.landmarks, state.time + 1, score)
        truncated = after.time >= self.length
        terminated = verdict.success & ~truncated if self.terminate_on_success else jnp.zeros((), bool)
        return after, self.observe(after), Outcome(verdict.reward, terminated, truncated, verdict.info)

    def observe(self, state: ParticleState) -> Observation:
        """What the team sees of a state."""
        n = self.task.agents
        seen = [self._visible(*distances(state.position, state.landmarks))]
        if self.task.observe_others:
            others = without_self(self._visible(*distances(state.position, state.position)))
            seen += [others, jnp.zeros_like(others)]
        parts = [state.velocity, state.position, *(part.reshape(n, -1) for part in seen)]
        local = jnp.concatenate(parts, -1)
        return Observation(local, local.reshape(-1), jnp.asarray(self.spec.legal), jnp.ones(n, bool))

    def _visible(self, offset: Float[Array, "N B 2"], distance: Float[Array, "N B"]) -> Float[Array, "N B 2"]:
        if self.task.vision is None:
            return offset
        return jnp.where((distance < self.task.vision)[..., None], offset, 0.0)

    def scene(self, state: ParticleState, action: np.ndarray | None) -> Scene:
        """Agents as discs, landmarks as squares, places to fill as rings; ``action`` is not drawn."""
        targets = self.task.targets(jnp.asarray(state.position), jnp.asarray(state.landmarks))
        caption = f"step {int(state.time)}   return {float(state.score):.2f}"
        return particle_scene(
            np.asarray(state.position), np.asarray(state.landmarks), np.asarray(targets), self.task.size, caption
        )
