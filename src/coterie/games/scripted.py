"""Teams that need no learning: yardsticks for those that do."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from coterie.contracts import CoterieError, Game, Observation, Spec, Team
from coterie.games.matching import optimal_matching
from coterie.games.particle import ParticleGame, distances
from coterie.games.stag_hunt import FEATURES, StagHunt
from coterie.games.stag_hunt_rules import CATCH, MOVES

LEAD = 0.2
"""Weight of the velocity in where an agent is bound: 0.175 is its drift in two steps, 0.4 until it rests."""
STROKE = 0.06
"""How far one full push is reckoned to carry an agent; in two steps it is 0.05."""
LOOKOUT = 0.7
"""Radius of the ring from which a team looks for landmarks."""


@dataclass(frozen=True)
class RandomTeam:
    """Uniform over legal choices, or uniform in the boxes.

    Args:
        spec: The game.
    """

    spec: Spec

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Array, tuple[()]]:
        """Actions ``[E, N, ...]``; padded components of a box stay 0."""
        if self.spec.action_kind != "continuous":
            return jax.random.categorical(key, jnp.where(observation.legal, 0.0, -jnp.inf)), carry
        low, high = np.zeros((2, self.spec.n_agents, self.spec.components), np.float32)
        for agent, space in enumerate(self.spec.action_spaces):
            low[agent, : space.components], high[agent, : space.components] = space.low, space.high
        share = jax.random.uniform(key, (len(observation.local), *low.shape))
        return jnp.asarray(low)[None] + share * jnp.asarray(high - low)[None], carry


@dataclass(frozen=True)
class GreedyAssignment:
    """Each agent heads for its own place under the matching of least total distance, braking in time.

    The team shares what its members see. While some landmark is seen by nobody, it stands out in a wide ring.

    Args:
        game: A particle game.
    """

    game: ParticleGame

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Array, tuple[()]]:
        """Actions ``[E, N]``, or ``[E, N, 5]`` if the game is continuous."""
        return jax.vmap(self._one)(observation.local), carry

    def _one(self, local: Float[Array, "N O"]) -> Array:
        task = self.game.task
        velocity, position = local[:, :2], local[:, 2:4]
        offset = local[:, 4 : 4 + 2 * task.landmarks].reshape(task.agents, task.landmarks, 2)
        seen = (offset != 0).any(-1, keepdims=True)
        landmarks = (offset + position[:, None]).mean(0, where=seen)
        angle = 2 * np.pi * np.arange(task.agents) / task.agents
        ring = jnp.asarray(LOOKOUT * np.stack([np.cos(angle), np.sin(angle)], -1), local.dtype)
        targets = jnp.where(seen.any(0).all(), task.targets(position, landmarks), ring)
        own = targets[optimal_matching(distances(position, targets)[1])]
        want = (own - position - LEAD * velocity) / STROKE
        if self.game.actions == "continuous":
            right, up = jnp.clip(want, -1.0, 1.0).T
            parts = (jnp.zeros_like(right), -right, right, -up, up)
            return jnp.maximum(jnp.stack(parts, -1), 0.0)
        moves = jnp.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], local.dtype)
        return jnp.argmin(jnp.square(want[:, None] - moves[None]).sum(-1), -1)


@dataclass(frozen=True)
class PackHunt:
    """Each predator goes to the nearest stag that it sees, and catches if enough predators stand beside the stag.

    It needs its own window only: all who stand beside a stag see each other, so they catch at once. While it sees
    no stag it walks at random.

    Args:
        game: A stag hunt with a sight of at least 2.
    """

    game: StagHunt

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Array, tuple[()]]:
        """Actions ``[E, N]``."""
        whim = jax.random.uniform(key, (*observation.alive.shape, len(MOVES)))
        reach = 2 * self.game.sight + 1
        windows = observation.local.reshape(*observation.alive.shape, reach, reach, FEATURES)
        worth = jax.vmap(jax.vmap(self._worth))(windows) + whim
        return jnp.argmax(jnp.where(observation.legal, worth, -jnp.inf), -1), carry

    def _worth(self, window: Float[Array, "W W 3"]) -> Float[Array, " A"]:
        """What each action is worth; a step nearer to a stag is worth 2, which outweighs any whim."""
        predators, stags = window[..., 0], window[..., 1]
        around = jnp.pad(predators, 1)
        company = around[2:, 1:-1] + around[:-2, 1:-1] + around[1:-1, 2:] + around[1:-1, :-2]
        row, column = np.mgrid[-self.game.sight : self.game.sight + 1, -self.game.sight : self.game.sight + 1]
        distance = np.abs(row - MOVES[:, :1, None]) + np.abs(column - MOVES[:, 1:, None])
        far = 4.0 * self.game.sight
        nearness = -2.0 * jnp.where(stags[None] > 0, jnp.asarray(distance, window.dtype), far).min((1, 2))
        beside = jnp.asarray(np.abs(row) + np.abs(column) == 1)
        surrounded = (beside & (stags > 0) & (company >= self.game.needed)).any()
        return nearness.at[CATCH].set(jnp.where(surrounded, jnp.inf, -jnp.inf))


def random_team(spec: Spec) -> Team:
    """A team that plays uniformly at random."""
    return RandomTeam(spec)


def greedy_assignment(game: Game) -> Team:
    """A strong team for particle games: optimal assignment to places, then straight there.

    Raises:
        CoterieError: If the game is not a particle game.
    """
    if not isinstance(game, ParticleGame):
        raise CoterieError(f"greedy_assignment plays particle games only, not {type(game).__name__}: use random_team")
    return GreedyAssignment(game)


def pack_hunt(game: Game) -> Team:
    """A strong team for the stag hunt: close in on the nearest stag, catch only in company.

    Raises:
        CoterieError: If the game is not a stag hunt, or predators do not see two cells far.
    """
    if not isinstance(game, StagHunt):
        raise CoterieError(f"pack_hunt plays the stag hunt only, not {type(game).__name__}: use random_team")
    if game.sight < 2:
        raise CoterieError(f"pack_hunt needs a sight of at least 2, not {game.sight}: use random_team")
    return PackHunt(game)
