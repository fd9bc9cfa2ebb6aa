"""A cooperative stochastic game with random rewards and transitions, and its exact optima (DPO, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, CoterieError, Observation, Outcome, Scene, Shape, Spec, Tables
from coterie.contracts.tables import ENTRIES, check_size
from coterie.games.options import whole_at_least

REWARD, LOGIT = 5.0, 4.0
INK, FAINT, MARK = "#333344", "#c8c8d4", "#4477aa"


class StochasticState(NamedTuple):
    """Where the team is, steps taken, and the return so far."""

    place: Int[Array, ""]
    time: Int[Array, ""]
    score: Float[Array, ""]


@dataclass(frozen=True)
class StochasticGame:
    """``states`` places; the joint action of all agents decides the reward and where the team goes next.

    Rewards are uniform in (-5, 5), transitions the softmax of logits that are uniform in (0, 4), drawn for each place
    and joint action from ``seed``. Every agent sees the place. The score of an episode is not discounted.

    Args:
        states: S, number of places; every episode starts in place 0.
        agents: N.
        actions: A, of each agent.
        seed: Which game.
        length: Steps of an episode, 0 for as many as there are places.
    """

    states: int = 30
    agents: int = 3
    actions: int = 5
    seed: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (("states", self.states, 2), ("agents", self.agents, 1), ("actions", self.actions, 2),
                                   ("seed", self.seed, 0), ("length", self.length, 0)):  # fmt: skip
            whole_at_least(name, value, least)
        if self.joint > 2**30:
            raise CoterieError(f"{self.agents} agents with {self.actions} actions have {self.joint:,} joint actions: "
                               "give fewer of either, at most 2^30 joint actions")  # fmt: skip

    @property
    def joint(self) -> int:
        """Number of joint actions."""
        return self.actions**self.agents

    @property
    def horizon(self) -> int:
        """Steps of an episode."""
        return self.length or self.states

    @property
    def tabular(self) -> bool:
        """Whether all transitions are kept as a table; if not, rows are drawn when they are needed."""
        return self.states * self.joint * self.states <= ENTRIES

    @property
    def spec(self) -> Spec:
        """What the game is; its optimum is that of the finite horizon, where the table fits."""
        return Spec(
            agents=tuple(f"agent_{i}" for i in range(self.agents)),
            types=("agent",) * self.agents,
            observation_sizes=(self.states,) * self.agents,
            action_spaces=(ActionSpace.discrete(self.actions),) * self.agents,
            state_size=self.states,
            horizon=self.horizon,
            optimum=finite_optimum(self) if self.tabular else None,
        )

    def row(self, place: Int[Array, ""], joint: Int[Array, ""]) -> tuple[Float[Array, ""], Float[Array, " S"]]:
        """Reward and next-place probabilities of one joint action (its number), drawn from the game's own key."""
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(self.seed), place), joint)
        pay, go = jax.random.split(key)
        reward = jax.random.uniform(pay, (), jnp.float32, -REWARD, REWARD)
        return reward, jax.nn.softmax(jax.random.uniform(go, (self.states,), jnp.float32, 0.0, LOGIT))

    def number(self, action: Int[Array, " N"]) -> Int[Array, ""]:
        """The number of a joint action, the first agent's choice counting most."""
        return jnp.sum(action * np.array([self.actions**i for i in reversed(range(self.agents))], np.int32))

    def _observation(self, place: Int[Array, ""]) -> Observation:
        seen = jax.nn.one_hot(place, self.states, dtype=jnp.float32)
        local = jnp.broadcast_to(seen, (self.agents, self.states))
        legal = jnp.ones((self.agents, self.actions), bool)
        return Observation(local, seen, legal, jnp.ones(self.agents, bool))

    def reset(self, key: PRNGKeyArray) -> tuple[StochasticState, Observation]:
        """A new episode in place 0."""
        start = jnp.zeros((), jnp.int32)
        return StochasticState(start, start, jnp.zeros(())), self._observation(start)

    def step(
        self, key: PRNGKeyArray, state: StochasticState, action: Int[Array, " N"]
    ) -> tuple[StochasticState, Observation, Outcome]:
        """Pay the joint action ``[N]`` to every agent and move on; the clock truncates the episode."""
        joint = self.number(action)
        if self.tabular:
            rewards, chances = table(self)
            reward, chance = jnp.asarray(rewards)[state.place, joint], jnp.asarray(chances)[state.place, joint]
        else:
            reward, chance = self.row(state.place, joint)
        threshold = jax.random.uniform(key) * jnp.sum(chance)
        place = jnp.minimum(jnp.sum((jnp.cumsum(chance) <= threshold).astype(jnp.int32)), self.states - 1)
        after = StochasticState(place, state.time + 1, state.score + reward)
        everyone = jnp.broadcast_to(reward, (self.agents,))
        outcome = Outcome(everyone, jnp.zeros((), bool), after.time >= self.horizon, {})
        return after, self._observation(place), outcome

    def tables(self) -> Tables:
        """The game in numbers; raises CoterieError where that would be too large."""
        rewards, chances = table(self)
        observations = jax.device_get(jax.vmap(self._observation)(jnp.arange(self.states)))
        return Tables(rewards, chances, np.eye(self.states)[0], self.horizon, observations)

    def scene(self, state: StochasticState, action: np.ndarray | None) -> Scene:
        """The places on a circle, the team's filled, with the joint action that led there."""
        shapes: list[Shape] = []
        for i in range(self.states):
            angle = pi / 2 - 2 * pi * i / self.states
            x, y, here = cos(angle), sin(angle), i == int(state.place)
            size = min(0.12, 2.4 / self.states)
            shapes.append(Shape("disc", x, y, size, MARK if here else FAINT))
            if here or self.states <= 40:
                shapes.append(Shape("text", 1.2 * x, 1.2 * y, 0.1, INK, text=str(i)))
        if action is not None:
            shapes.append(Shape("text", 0.0, 0.0, 0.16, INK, text=" ".join(str(int(a)) for a in np.asarray(action))))
        caption = f"step {int(state.time)}   return {float(state.score):.2f}"
        return Scene(tuple(shapes), (-1.4, -1.4, 1.4, 1.4), caption)


@lru_cache(maxsize=8)
def table(game: StochasticGame) -> tuple[Float[np.ndarray, "S J"], Float[np.ndarray, "S J S"]]:
    """Rewards and transition probabilities of every place and joint action.

    Raises:
        CoterieError: The table would be too large.
    """
    check_size(game.states, game.joint, "places")
    with jax.ensure_compile_time_eval():
        places, joints = jnp.arange(game.states), jnp.arange(game.joint)
        rows = jax.vmap(lambda s: jax.vmap(lambda a: game.row(s, a))(joints))
        rewards, chances = rows(places)
        return np.asarray(rewards), np.asarray(chances)


@lru_cache(maxsize=8)
def finite_optimum(game: StochasticGame) -> float:
    """The best expected return of an episode, by V_t(s) = max_a R(s, a) + sum_s' P(s' | s, a) V_{t+1}(s').

    It takes policies that know the time; see ``discounted_optimum`` for those that do not.
    """
    rewards, chances = (x.astype(np.float64) for x in table(game))
    value = np.zeros(game.states)
    for _ in range(game.horizon):
        value = (rewards + chances @ value).max(axis=1)
    return float(value[0])


def discounted_optimum(game: StochasticGame, gamma: float = 0.99) -> tuple[Float[np.ndarray, " S"], np.ndarray]:
    """The optimal discounted values ``[S]`` over an endless episode and a policy ``[S, N]`` that attains them.

    Raises:
        CoterieError: The table would be too large, or ``gamma`` is not below 1.
    """
    if not 0.0 <= gamma < 1.0:
        raise CoterieError(f"gamma is {gamma}: give a number of at least 0 and below 1")
    rewards, chances = (x.astype(np.float64) for x in table(game))
    choice = np.zeros(game.states, np.int64)
    while True:  # policy iteration: it ends, for there are finitely many policies and each is better than the last
        own = np.arange(game.states), choice
        value = np.linalg.solve(np.eye(game.states) - gamma * chances[own], rewards[own])
        quality = rewards + gamma * chances @ value
        better = np.where(quality.max(axis=1) > quality[own] + 1e-12, quality.argmax(axis=1), choice)
        if np.array_equal(better, choice):
            return value, np.stack(np.unravel_index(choice, (game.actions,) * game.agents), axis=1)
        choice = better


GAMES = {"stochastic/random": StochasticGame}
"""The games of this file by name."""
