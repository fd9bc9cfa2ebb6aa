"""Stag hunt: predators on a grid catch stags together, and a catch by too few may cost (Boehmer et al. 2020).

The rules are those of the relative overgeneralisation task in the released code of deep coordination graphs.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, CoterieError, Observation, Outcome, Scene, Spec
from coterie.games.options import number_within, variant, whole_at_least
from coterie.games.stag_hunt_rules import CATCH, MOVES, STAY, Draws, StagHuntState, beside, draw, flee, hunt, scatter
from coterie.games.stag_hunt_scene import stag_hunt_scene

PRIZE = 10.0
"""What the team is paid for a stag."""
FEATURES = 3
"""Of each cell in a window: a predator, a stag, outside of the board."""


@dataclass(frozen=True)
class StagHunt:
    """Hunt stags in a team: 10 for a stag that enough neighbours catch at once, ``penalty`` for one that too few do.

    The best imaginable return is 10 min(stags, predators // needed); what can be expected is less and unknown.

    Args:
        size: Edge of the square board.
        predators: N, number of agents.
        stags: M, number of stags.
        penalty: What the team is paid for each stag that is caught by too few, at most 0.
        needed: How many neighbours must catch a stag at once.
        sight: How many cells far a predator sees in each direction.
        length: Steps after which an episode is truncated.
        walls: Whether windows show what is outside of the board (in the original they do not).
    """

    size: int = 10
    predators: int = 8
    stags: int = 8
    penalty: float = 0.0
    needed: int = 2
    sight: int = 2
    length: int = 200
    walls: bool = False

    def __post_init__(self) -> None:
        for name, least in (("size", 2), ("predators", 1), ("stags", 1), ("needed", 1), ("sight", 1), ("length", 1)):
            whole_at_least(name, getattr(self, name), least)
        number_within("penalty", self.penalty, -1e6, 0)
        entities = self.predators + self.stags
        if entities > self.cells:
            raise CoterieError(
                f"{entities} predators and stags do not fit a board of {self.cells} cells: give a larger size, or fewer"
            )
        most = min(self.predators, 2 if self.size == 2 else 4)
        if self.needed > most:
            raise CoterieError(
                f"needed is {self.needed}, but at most {most} predators can stand next to a stag: give at most {most}"
            )

    @property
    def cells(self) -> int:
        """Number of cells of the board."""
        return self.size**2

    @property
    def spec(self) -> Spec:
        """What the game is; its optimum is unknown."""
        n = self.predators
        return Spec(
            agents=tuple(f"predator_{i}" for i in range(n)),
            types=("predator",) * n,
            observation_sizes=(FEATURES * (2 * self.sight + 1) ** 2,) * n,
            action_spaces=(ActionSpace.discrete(len(MOVES)),) * n,
            state_size=2 * self.cells + 1,
            horizon=self.length,
        )

    def reset(self, key: PRNGKeyArray) -> tuple[StagHuntState, Observation]:
        """A new episode: everybody in a cell of their own, uniformly at random."""
        n, m = self.predators, self.stags
        place = scatter(key, self.size, n + m)
        zero = jnp.zeros((), jnp.int32)
        state = StagHuntState(place[:n], place[n:], jnp.ones(n, bool), jnp.ones(m, bool), zero, zero, jnp.zeros(()))
        return state, self.observe(state)

    def step(
        self, key: PRNGKeyArray, state: StagHuntState, action: Int[Array, " N"]
    ) -> tuple[StagHuntState, Observation, Outcome]:
        """Predators move one by one in random order, then stag by stag is caught or moves, in random order too.

        An action that is not legal does nothing.
        """
        return self.resolve(draw(key, self.predators, self.stags), state, action)

    def resolve(
        self, draws: Draws, state: StagHuntState, action: Int[Array, " N"]
    ) -> tuple[StagHuntState, Observation, Outcome]:
        """The step with these random numbers."""
        moved = hunt(draws, state, action, self.size)
        after = flee(draws, moved, action == CATCH, self.size, self.needed)
        caught = jnp.sum((state.present & ~after.present).astype(jnp.float32))
        missed = (after.misses - state.misses).astype(jnp.float32)
        reward = PRIZE * caught + float(self.penalty) * missed
        after = after._replace(time=state.time + 1, score=state.score + reward)
        terminated = ~after.active.any() | ~after.present.any()
        truncated = (after.time >= self.length) & ~terminated
        gone = jnp.sum((~after.present).astype(jnp.float32))
        info = {"caught": gone, "misses": after.misses.astype(jnp.float32)}
        everyone = jnp.broadcast_to(reward, (self.predators,))
        return after, self.observe(after), Outcome(everyone, terminated, truncated, info)

    def observe(self, state: StagHuntState) -> Observation:
        """What the team sees of a state.

        A window has three features of each cell, row by row: a predator (the one that sees too), a stag, outside of the
        board. A predator that is gone sees zeros. The state has the first two of each cell of the board, then the share
        of the time that has passed.
        """
        board, inner = self._board(state), slice(self.sight, self.sight + self.size)
        local = jax.vmap(lambda corner: self._window(board, corner))(state.predators)
        time = state.time.astype(jnp.float32) / self.length
        everything = jnp.append(board[inner, inner, :2], time)
        return Observation(
            local * state.active[:, None].astype(jnp.float32), everything, self._legal(state), state.active
        )

    def _board(self, state: StagHuntState) -> Float[Array, "W W 3"]:
        """The features of all cells, with a margin as wide as predators see."""
        width = self.size + 2 * self.sight
        empty = np.zeros((width, width, FEATURES), np.float32)
        empty[..., 2] = np.pad(np.zeros((self.size, self.size)), self.sight, constant_values=float(self.walls))
        board = jnp.asarray(empty)
        everybody = ((state.predators, state.active), (state.stags, state.present))
        for feature, (place, there) in enumerate(everybody):
            row, column = (place + self.sight).T
            board = board.at[row, column, feature].max(there.astype(jnp.float32))
        return board

    def _window(self, board: Float[Array, "W W 3"], corner: Int[Array, "2"]) -> Float[Array, " O"]:
        reach = 2 * self.sight + 1
        zero = jnp.zeros((), corner.dtype)
        return jax.lax.dynamic_slice(board, (corner[0], corner[1], zero), (reach, reach, FEATURES)).reshape(-1)

    def _legal(self, state: StagHuntState) -> Bool[Array, "N A"]:
        """Moves that stay on the board, staying, and catching beside a stag; for whoever is gone, staying alone."""
        aim = state.predators[:, None] + jnp.asarray(MOVES)[None]
        inside = ((aim >= 0) & (aim < self.size)).all(-1)
        near = (beside(state.predators, state.stags) & state.present[None]).any(1)
        can = inside.at[:, CATCH].set(near) & state.active[:, None]
        return can.at[:, STAY].set(True)

    def scene(self, state: StagHuntState, action: np.ndarray | None) -> Scene:
        """The board, with the predators that just caught something together, or in vain."""
        return stag_hunt_scene(state, self.size, self.needed, action)


_SMALL = "The stag hunt on a small board: two predators after one stag."
stag_hunt_small = variant(StagHunt, _SMALL, size=5, predators=2, stags=1, length=50)
"""Opens it; every option can be changed."""
GAMES = {"grid/stag_hunt": StagHunt, "grid/stag_hunt_small": stag_hunt_small}
"""The games of this file by name."""
