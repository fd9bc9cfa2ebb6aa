"""A team that forages without having learnt to: a yardstick for those that have."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from coterie.contracts import Observation, Team
from coterie.games.foraging import Foraging
from coterie.games.foraging_rules import CHOICES, EAST, LOAD, NORTH, SOUTH, WEST

SIDES = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)], np.int32)
"""Where players go, seen from the food: the first above it, the second below, and so on."""
WANDER = 0.15
"""How often a player does anything at all, so that nobody blocks the way for good."""


@dataclass(frozen=True)
class Gather:
    """All players go to the first food that they see, each to its own side of it, and load beside it.

    Without a limit of sight that is the same food for all. A player that sees none wanders.

    Args:
        game: A foraging game.
    """

    game: Foraging

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Int[Array, "E N"], tuple[()]]:
        """Actions ``[E, N]``."""
        n, own = self.game.players, 3 * self.game.food
        seen = observation.local.astype(jnp.int32)
        away = seen[..., :2] - seen[..., own : own + 2]
        down, across = jnp.moveaxis(away + jnp.asarray(SIDES[np.arange(n) % 4])[None], -1, 0)
        turn, stray, which = jax.random.split(key, 3)
        far = jnp.abs(down) + jnp.abs(across)
        vertical = jax.random.uniform(turn, far.shape) * far.astype(jnp.float32) < jnp.abs(down).astype(jnp.float32)
        action = jnp.where(vertical, jnp.where(down > 0, SOUTH, NORTH), jnp.where(across > 0, EAST, WEST))
        action = jnp.where(jnp.abs(away).sum(-1) == 1, LOAD, action)
        wander = (jax.random.uniform(stray, far.shape) < WANDER) | (seen[..., 2] == 0)
        return jnp.where(wander, jax.random.randint(which, far.shape, 0, CHOICES), action), carry


def gather(game: Foraging) -> Team:
    """The team that goes from food to food together."""
    return Gather(game)
