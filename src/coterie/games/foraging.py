"""Level-based foraging: players with levels collect food together whose level none of them may reach alone.

The rules are those of lbforaging 2.0.0 (Christianos et al. 2020, Papoudakis et al. 2021), step for step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, CoterieError, Observation, Outcome, RewardKind, Scene, Spec
from coterie.games.foraging_rules import CHOICES, ForagingState, load, move, open_board
from coterie.games.foraging_scene import foraging_scene
from coterie.games.foraging_sight import everything, nearby, overview, valid
from coterie.games.options import number_within, one_of, variant, whole_at_least


@dataclass(frozen=True)
class Foraging:
    """Level-based foraging on a board of any size, with any number of players and food items.

    Food is collected when the levels of the players that load it add up to its own (Papoudakis et al. 2021). With
    normalised rewards all food together pays the team 1, and no episode pays more.

    Args:
        size: Edge of the square board.
        players: N, number of agents.
        food: M, number of food items; there are fewer where they do not fit.
        coop: Whether all food has the highest level, which takes all players, or any three of more.
        sight: How many cells far a player sees in each direction; None: everything.
        penalty: What a player pays for loading in vain.
        reward: ``team`` (all receive the sum) or ``individual``.
        normalised: Whether rewards are shares of all food, as the papers have it; else level times level of food.
        max_level: Highest level of a player; the lowest is 1.
        max_food_level: Highest level of food; None: the sum of the three lowest levels of players.
        mask: Whether moves off the board or onto food, and loading away from food, are illegal; else they do nothing.
        length: Steps after which an episode is truncated.
    """

    size: int = 8
    players: int = 2
    food: int = 2
    coop: bool = False
    sight: int | None = None
    penalty: float = 0.0
    reward: RewardKind = "team"
    normalised: bool = True
    max_level: int = 2
    max_food_level: int | None = None
    mask: bool = False
    length: int = 50

    def __post_init__(self) -> None:
        for name, least in (("size", 3), ("players", 1), ("food", 1), ("max_level", 1), ("length", 1)):
            whole_at_least(name, getattr(self, name), least)
        for name in ("sight", "max_food_level"):
            if getattr(self, name) is not None:
                whole_at_least(name, getattr(self, name), 1)
        number_within("penalty", self.penalty, 0, 1e6)
        one_of("reward", self.reward, ("team", "individual"))
        inner = (self.size - 2) ** 2
        if self.food > inner:
            raise CoterieError(
                f"food is {self.food}, but a board of size {self.size} has {inner} cells that are not at its edge: "
                "give a larger size, or less food"
            )
        if self.players >= self.size**2:
            raise CoterieError(
                f"{self.players} players leave no room on {self.size**2} cells: give a larger size, or fewer players"
            )

    @property
    def reach(self) -> int:
        """How far players see; from ``size - 1`` on, everything."""
        return self.size if self.sight is None else self.sight

    @property
    def spec(self) -> Spec:
        """What the game is. The optimum is unknown: time may be too short to collect everything."""
        n = self.players
        return Spec(
            agents=tuple(f"player_{i}" for i in range(n)),
            types=("player",) * n,
            observation_sizes=(3 * (self.food + n),) * n,
            action_spaces=(ActionSpace.discrete(CHOICES),) * n,
            state_size=3 * (self.food + n) + 2,
            horizon=self.length,
            reward=self.reward,
        )

    def reset(self, key: PRNGKeyArray) -> tuple[ForagingState, Observation]:
        """A new episode: the board of a newly made environment of lbforaging."""
        state = open_board(key, self.size, self.players, self.food, self.max_level, self.max_food_level, self.coop)
        return state, self.observe(state)

    def step(
        self, key: PRNGKeyArray, state: ForagingState, action: Int[Array, " N"]
    ) -> tuple[ForagingState, Observation, Outcome]:
        """All players move at once, then the food is loaded; nothing is random, so ``key`` is not used."""
        loads = load(state, action, self.normalised, self.penalty)
        time = state.time + 1
        earned = jnp.sum(loads.reward)
        after = state._replace(
            players=move(state, action, self.size),
            eaten=jnp.where(loads.collected, time, state.eaten),
            time=time,
            score=state.score + earned,
        )
        terminated = ~after.left.any()
        truncated = (time >= self.length) & ~terminated
        reward = jnp.broadcast_to(earned, loads.reward.shape) if self.reward == "team" else loads.reward
        there = jnp.sum((state.food_levels > 0).astype(jnp.float32))
        share = jnp.sum((after.eaten > 0).astype(jnp.float32)) / jnp.maximum(there, 1.0)
        return after, self.observe(after), Outcome(reward, terminated, truncated, {"collected": share})

    def observe(self, state: ForagingState) -> Observation:
        """What the team sees of a state.

        Everything is a triple of row, column and level: the food in sight row by row, then the player itself, then the
        other players in sight in order. Slots that are left over have (−1, −1, 0).
        """
        n = self.players
        local = everything(state) if self.reach >= self.size - 1 else nearby(state, self.reach)
        legal = valid(state, self.size) if self.mask else jnp.ones((n, CHOICES), bool)
        return Observation(local, overview(state, self.length), legal, jnp.ones(n, bool))

    def scene(self, state: ForagingState, action: np.ndarray | None) -> Scene:
        """The board, with the players that have just collected something, or tried in vain."""
        return foraging_scene(state, self.size, action)


def _map(size: int, players: int, food: int, coop: bool = False) -> Callable[..., Foraging]:
    """A function that opens a map; all of its settings can be changed."""
    items = f"{food} food item{'s' * (food > 1)}{' of the highest level' * coop}"
    first = f"Level-based foraging: {players} players, {size} × {size} cells, {items}."
    return variant(Foraging, first, size=size, players=players, food=food, coop=coop)


MAPS = {
    "5x5-2p-1f": _map(5, 2, 1),
    "5x5-2p-1f-coop": _map(5, 2, 1, coop=True),
    "5x5-2p-2f": _map(5, 2, 2),
    "8x8-2p-2f-coop": _map(8, 2, 2, coop=True),
    "8x8-3p-3f": _map(8, 3, 3),
    "10x10-3p-5f": _map(10, 3, 5),
    "10x10-5p-1f-coop": _map(10, 5, 1, coop=True),
    "10x10-5p-3f": _map(10, 5, 3),
    "10x10-8p-1f-coop": _map(10, 8, 1, coop=True),
    "15x15-8p-1f-coop": _map(15, 8, 1, coop=True),
}
"""The papers' maps, under the names that lbforaging gives them."""
GAMES = {f"foraging/{name}": opened for name, opened in MAPS.items()} | {"foraging/custom": Foraging}
"""The games of this file by name."""
