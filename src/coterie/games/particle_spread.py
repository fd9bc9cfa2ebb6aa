"""Spread over the landmarks of a particle world."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from coterie.contracts import RewardKind
from coterie.games.options import number_within
from coterie.games.particle import ActionOption, ParticleGame, Verdict, distances

COVERED = 0.1
"""A landmark counts as covered by an agent this near."""


@dataclass(frozen=True)
class Spread:
    """Cover every landmark, do not collide (mpe2 ``simple_spread_v3``).

    With d_l the distance of landmark l to the nearest agent and c_i the number of agents that i collides with,
    agent i's own reward is r_i = -(1 - local_ratio) sum_l d_l - local_ratio c_i; every agent of a team receives
    sum_i r_i. With local_ratio None, as in mpe2's worlds without a global reward, r_i = -c_i.
    """

    agents: int = 3
    local_ratio: float | None = 0.5
    reward: RewardKind = "team"
    size: float = 0.15
    vision: float | None = None
    observe_others: bool = True

    def __post_init__(self) -> None:
        if self.local_ratio is not None:
            number_within("local_ratio", self.local_ratio, 0, 1)

    @property
    def landmarks(self) -> int:
        """Number of landmarks."""
        return self.agents

    @property
    def draws(self) -> int:
        """How many random numbers placing the landmarks takes."""
        return 2 * self.agents

    def place(self, uniform: Float[Array, " draws"]) -> Float[Array, "L 2"]:
        """Landmarks uniform in [-1, 1)^2."""
        return uniform.reshape(-1, 2)

    def targets(self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"]) -> Float[Array, "N 2"]:
        """The landmarks themselves."""
        return landmarks

    def judge(
        self, position: Float[Array, "N 2"], landmarks: Float[Array, "L 2"], touching: Bool[Array, "N N"]
    ) -> Verdict:
        """The reward above; success when every landmark is covered."""
        nearest = distances(landmarks, position)[1].min(1)
        collisions = touching.sum(1).astype(position.dtype)
        ratio = 1.0 if self.local_ratio is None else self.local_ratio
        own = -(1 - ratio) * nearest.sum() - ratio * collisions
        reward = jnp.broadcast_to(own.sum(), own.shape) if self.reward == "team" else own
        covered = nearest < COVERED
        info = {"distance": nearest.mean(), "collisions": collisions.sum() / 2, "covered": covered.mean()}
        return Verdict(reward, covered.all(), info)


def spread(
    agents: int = 3,
    local_ratio: float | None = 0.5,
    reward: RewardKind = "team",
    actions: ActionOption = "discrete",
    length: int = 25,
    terminate_on_success: bool = False,
) -> ParticleGame:
    """Cover every landmark without colliding: step for step mpe2's ``simple_spread_v3``.

    Args:
        agents: Number of agents, and of landmarks.
        local_ratio: Weight of an agent's own collisions; the distances weigh the rest. None: collisions alone.
        reward: ``team`` pays every agent the sum of mpe2's rewards, ``individual`` pays each its own.
        actions: ``discrete`` (5 moves) or ``continuous`` (5 weights in [0, 1]).
        length: Steps after which an episode is truncated.
        terminate_on_success: End an episode when every landmark is covered.
    """
    return ParticleGame(Spread(agents, local_ratio, reward), actions, length, terminate_on_success)


GAMES = {"particle/spread": spread}
"""The games of this file by name."""
