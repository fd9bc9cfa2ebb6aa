"""Team games with one state: every agent picks an action, and a payoff of the joint action is paid to all.

The observation is the constant 1. An episode repeats the game ``length`` times and then terminates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, Scene, Spec, Tables
from coterie.contracts.tables import check_size
from coterie.games.matrix_scene import matrix_scene, row_scene
from coterie.games.options import number_within, whole_at_least


class Payoff(Protocol):
    """The rule of a one-state game."""

    @property
    def agents(self) -> int:
        """Number of agents."""
        ...

    @property
    def actions(self) -> int:
        """Number of actions of each agent."""
        ...

    @property
    def best(self) -> float:
        """The largest payoff."""
        ...

    def __call__(self, action: Int[Array, " N"]) -> Float[Array, ""]:
        """The payoff of a joint action."""
        ...


@dataclass(frozen=True)
class ClimbPayoff:
    """8 if all choose action 0, -12 if some but not all do, 0 if nobody does; no table, so any team size."""

    agents: int
    actions: int

    @property
    def best(self) -> float:
        """The largest payoff."""
        return 8.0

    def __call__(self, action: Int[Array, " N"]) -> Float[Array, ""]:
        """The payoff of a joint action."""
        first = action == 0
        return 20.0 * first.all().astype(float) - 12.0 * first.any().astype(float)


@dataclass(frozen=True)
class TablePayoff:
    """``rows[a][b]`` when the first agent chooses a and the second b."""

    rows: tuple[tuple[float, ...], ...]

    @property
    def agents(self) -> int:
        """Number of agents."""
        return 2

    @property
    def actions(self) -> int:
        """Number of actions of each agent."""
        return len(self.rows)

    @property
    def best(self) -> float:
        """The largest payoff."""
        return float(max(max(row) for row in self.rows))

    def __call__(self, action: Int[Array, " N"]) -> Float[Array, ""]:
        """The payoff of a joint action."""
        return jnp.asarray(self.rows, float)[action[0], action[1]]


class MatrixState(NamedTuple):
    """Steps taken, and the return so far."""

    time: Int[Array, ""]
    score: Float[Array, ""]


@dataclass(frozen=True)
class MatrixGame:
    """``length`` repetitions of a one-state game.

    Args:
        payoff: The rule.
        length: Steps of an episode, which terminates at the last.
    """

    payoff: Payoff
    length: int = 1

    def __post_init__(self) -> None:
        whole_at_least("agents", self.payoff.agents, 1)
        whole_at_least("actions", self.payoff.actions, 2)
        whole_at_least("length", self.length, 1)

    @property
    def spec(self) -> Spec:
        """What the game is; its optimum is the best payoff times the length."""
        n = self.payoff.agents
        return Spec(
            agents=tuple(f"agent_{i}" for i in range(n)),
            types=("agent",) * n,
            observation_sizes=(1,) * n,
            action_spaces=(ActionSpace.discrete(self.payoff.actions),) * n,
            state_size=1,
            horizon=self.length,
            optimum=self.payoff.best * self.length,
        )

    def _observation(self) -> Observation:
        n = self.payoff.agents
        return Observation(jnp.ones((n, 1)), jnp.ones(1), jnp.asarray(self.spec.legal), jnp.ones(n, bool))

    def reset(self, key: PRNGKeyArray) -> tuple[MatrixState, Observation]:
        """A new episode; nothing in it is random."""
        return MatrixState(jnp.zeros((), jnp.int32), jnp.zeros(())), self._observation()

    def step(
        self, key: PRNGKeyArray, state: MatrixState, action: Int[Array, " N"]
    ) -> tuple[MatrixState, Observation, Outcome]:
        """Pay the joint action ``[N]`` to every agent."""
        reward = self.payoff(action)
        after = MatrixState(state.time + 1, state.score + reward)
        everyone = jnp.broadcast_to(reward, (self.payoff.agents,))
        return after, self._observation(), Outcome(everyone, after.time >= self.length, jnp.zeros((), bool), {})

    def scene(self, state: MatrixState, action: np.ndarray | None) -> Scene:
        """The payoff matrix with the chosen cell marked (two agents), or the row of chosen actions."""
        caption = f"step {int(state.time)}   return {float(state.score):g}"
        chosen = None if action is None else tuple(int(a) for a in np.asarray(action))
        if self.payoff.agents != 2:
            return row_scene(self.payoff.agents, chosen, caption)
        return matrix_scene(self.table(), chosen, caption)

    def table(self) -> np.ndarray:
        """Payoffs of all joint actions, ``[A] * N``: for small games."""
        shape = (self.payoff.actions,) * self.payoff.agents
        joint = np.indices(shape, np.int32).reshape(len(shape), -1).T
        return np.asarray(jax.vmap(self.payoff)(jnp.asarray(joint)), np.float64).reshape(shape)

    def tables(self) -> Tables:
        """The game as one state that is never left; raises CoterieError where there are too many joint actions."""
        joint = self.payoff.actions**self.payoff.agents
        check_size(1, joint, "state")
        observations = jax.tree.map(lambda x: np.asarray(x)[None], self._observation())
        return Tables(self.table().reshape(1, -1), np.ones((1, joint, 1)), np.ones(1), self.length, observations)


def climb(agents: int = 2, actions: int = 3, length: int = 1) -> MatrixGame:
    """Climb together: 8 if all choose action 0, -12 if some but not all do, 0 if nobody does (PERLA, Table 1).

    With uniform play of n agents action 0 is better than another only if the others choose it with probability p,
    p / (1 - p) > 0.6^(1 / (n - 1)): 0.375 for two agents.

    Args:
        agents: Number of agents.
        actions: Number of actions of each agent.
        length: Steps of an episode.
    """
    return MatrixGame(ClimbPayoff(agents, actions), length)


def climbing(length: int = 1) -> MatrixGame:
    """The climbing game, optimum 11 beside payoffs of -30 (Claus and Boutilier 1998, as in OptiMAPPO).

    Args:
        length: Steps of an episode; the paper repeats it 25 times.
    """
    return MatrixGame(TablePayoff(((0, 6, 5), (-30, 7, 0), (11, -30, 0))), length)


def penalty(k: float = -100.0, length: int = 1) -> MatrixGame:
    """The penalty game: two optima of 10 that must not be mixed up (Claus and Boutilier 1998, as in OptiMAPPO).

    Args:
        k: The payoff of mixing them up, at most 0.
        length: Steps of an episode; the paper repeats it 25 times.
    """
    number_within("k", k, -np.inf, 0)
    return MatrixGame(TablePayoff(((k, 0, 10), (0, 2, 0), (10, 0, k))), length)


GAMES = {"matrix/climb": climb, "matrix/climbing": climbing, "matrix/penalty": penalty}
"""The games of this file by name."""
