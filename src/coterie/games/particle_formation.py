"""Form a line or a circle in a particle world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from coterie.contracts import RewardKind
from coterie.games.matching import optimal_matching
from coterie.games.options import number_within
from coterie.games.particle import ActionOption, ParticleGame, Verdict, distances

LINE_LENGTH = 1.25
CIRCLE_RADIUS = 0.5
FILLED = 0.05
"""A place counts as filled by an agent this near."""


class Figure(Protocol):
    """A figure that agents are to form."""

    @property
    def landmarks(self) -> int:
        """Number of landmarks that define it."""
        ...

    @property
    def draws(self) -> int:
        """How many random numbers placing the landmarks takes."""
        ...

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """Landmarks from independent uniform numbers in [-1, 1)."""
        ...

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """The N places of the figure."""
        ...


@dataclass(frozen=True)
class LineFigure:
    """Evenly spaced places between two landmarks 1.25 apart."""

    landmarks: int = 2
    draws: int = 3

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """One landmark uniform in [-.25, .25)^2, the other at a random angle, turned by 5 degrees until inside."""
        first = 0.25 * uniform[:2]
        angle = jnp.pi * (uniform[2] + 1.0) + jnp.asarray(np.radians(5.0 * np.arange(72)), uniform.dtype)
        ends = first[None] + LINE_LENGTH * jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
        inside = (jnp.abs(ends) < 1.0).all(-1)
        return jnp.stack([first, ends[jnp.argmax(inside)]])

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """N evenly spaced places, the landmarks being the first and the last."""
        n = len(position)
        share = jnp.asarray(np.arange(n) / max(n - 1, 1), landmarks.dtype)[:, None]
        return landmarks[:1] + share * (landmarks[1:] - landmarks[:1])


@dataclass(frozen=True)
class CircleFigure:
    """Evenly spaced places on a circle of radius 0.5 around a landmark."""

    landmark_range: float = 0.25
    landmarks: int = 1
    draws: int = 2

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """The landmark uniform in [-landmark_range, landmark_range)^2."""
        return self.landmark_range * uniform[None]

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """N places, the first at the smallest angle in [0, 2 pi) at which an agent stands, then every 2 pi / N."""
        n = len(position)
        offset = position - landmarks
        angle = jnp.arctan2(offset[:, 1], offset[:, 0])
        smallest = jnp.where(angle < 0, angle + 2 * jnp.pi, angle).min()
        turned = smallest + jnp.asarray(2 * np.pi * np.arange(n) / n, position.dtype)
        return landmarks + CIRCLE_RADIUS * jnp.stack([jnp.cos(turned), jnp.sin(turned)], -1)


@dataclass(frozen=True)
class Formation:
    """Fill all places of a figure, whoever fills which.

    Every agent receives clip(-(1/N) sum_i min(d_i, distance_clip) - collision_penalty * P / (2N), -15, 15), with d_i
    the distances of the optimal matching of agents and places and P the number of ordered pairs of colliding
    agents, each agent with itself included (the official code of DPO).
    """

    figure: Figure
    agents: int = 5
    collision_penalty: float = 0.0
    distance_clip: float | None = None
    vision: float | None = 1.0
    observe_others: bool = True
    size: float = 0.03
    reward: RewardKind = "team"

    def __post_init__(self) -> None:
        number_within("collision_penalty", self.collision_penalty, 0, np.inf)
        for name in ("distance_clip", "vision"):
            if getattr(self, name) is not None:
                number_within(name, getattr(self, name), 0, np.inf)

    @property
    def landmarks(self) -> int:
        """Number of landmarks."""
        return self.figure.landmarks

    @property
    def draws(self) -> int:
        """How many random numbers placing the landmarks takes."""
        return self.figure.draws

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """Landmarks by the figure's law."""
        return self.figure.place(uniform)

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """The places of the figure."""
        return self.figure.targets(position, landmarks)

    def judge(
        self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"], touching: Bool[Array, "N N"]
    ) -> Verdict:
        """The reward above; success when every place is filled."""
        table = distances(position, self.targets(position, landmarks))[1]
        matched = jnp.take_along_axis(table, optimal_matching(table)[:, None], 1)[:, 0]
        counted = matched if self.distance_clip is None else jnp.minimum(matched, self.distance_clip)
        collisions = touching.sum().astype(position.dtype)
        penalty = self.collision_penalty * (collisions + self.agents) / (2 * self.agents)
        reward = jnp.clip(-counted.mean() - penalty, -15.0, 15.0)
        filled = matched < FILLED
        info = {"distance": matched.mean(), "collisions": collisions / 2, "covered": filled.mean()}
        return Verdict(jnp.broadcast_to(reward, (self.agents,)), filled.all(), info)


def line(
    agents: int = 5,
    collision_penalty: float = 0.0,
    distance_clip: float | None = None,
    vision: float | None = 1.0,
    observe_others: bool = True,
    actions: ActionOption = "discrete",
    length: int = 25,
    terminate_on_success: bool = False,
) -> ParticleGame:
    """Stand evenly spaced between two landmarks (DPO's ``formation_control_full``).

    The task that it comes from (Agarwal et al. 2019, mpe2's ``simple_line_v1``) is ``distance_clip=2, vision=None,
    observe_others=False, length=50, terminate_on_success=True``.

    Args:
        agents: Number of agents, and of places.
        collision_penalty: Price of each colliding pair, see ``Formation``.
        distance_clip: Count no agent as further than this from its place.
        vision: Landmarks and agents at least this far away are seen as zeros; None: no limit.
        observe_others: Whether agents see each other.
        actions: ``discrete`` (5 moves) or ``continuous`` (5 weights in [0, 1]).
        length: Steps after which an episode is truncated.
        terminate_on_success: End an episode when every place is filled.
    """
    task = Formation(LineFigure(), agents, collision_penalty, distance_clip, vision, observe_others)
    return ParticleGame(task, actions, length, terminate_on_success)


def circle(
    agents: int = 5,
    collision_penalty: float = 0.0,
    distance_clip: float | None = None,
    landmark_range: float = 0.25,
    vision: float | None = 1.0,
    observe_others: bool = True,
    actions: ActionOption = "discrete",
    length: int = 25,
    terminate_on_success: bool = False,
) -> ParticleGame:
    """Stand evenly spaced on a circle around a landmark (DPO's ``circle_control_full``).

    The task that it comes from (Agarwal et al. 2019, mpe2's ``simple_formation_v1``) is ``distance_clip=2,
    landmark_range=0.5, vision=None, observe_others=False, length=50, terminate_on_success=True``.

    Args:
        agents: Number of agents, and of places.
        collision_penalty: Price of each colliding pair, see ``Formation``.
        distance_clip: Count no agent as further than this from its place.
        landmark_range: The landmark is uniform in a square of this half edge.
        vision: Landmarks and agents at least this far away are seen as zeros; None: no limit.
        observe_others: Whether agents see each other.
        actions: ``discrete`` (5 moves) or ``continuous`` (5 weights in [0, 1]).
        length: Steps after which an episode is truncated.
        terminate_on_success: End an episode when every place is filled.
    """
    number_within("landmark_range", landmark_range, 0, 1)
    figure = CircleFigure(landmark_range)
    task = Formation(figure, agents, collision_penalty, distance_clip, vision, observe_others)
    return ParticleGame(task, actions, length, terminate_on_success)


GAMES = {"particle/line": line, "particle/circle": circle}
"""The games of this file by name."""
