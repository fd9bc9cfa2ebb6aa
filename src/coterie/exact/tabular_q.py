"""Independent learners with a table for their own actions, on team games with one state, many seeds at once.

Every agent keeps Q_i(a_i) and sees nothing but its own action and the payoff r:

    Q_i(a_i) <- Q_i(a_i) + eta delta,  delta = r - Q_i(a_i)

- iql: eta = alpha.
- hysteretic_q: eta = alpha where delta >= 0, beta < alpha where delta < 0 (Matignon et al. 2007).
- lenient_q: eta = alpha, but a negative delta is forgotten with probability l = 1 - exp(-K T), T a temperature of the
  agent's own action that falls with each visit, T <- decay T (Panait et al. 2006; Wei and Luke 2016; l as in Palmer et
  al. 2018).

Arrays are ``[S, N, A]``: seeds, agents, actions, A the most that an agent has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from coterie.contracts import CoterieError


@dataclass(frozen=True)
class TabularQ:
    """How a table is updated; all three learners are this one with other numbers.

    Args:
        rate: alpha, above 0 and at most 1.
        down: beta, the rate of negative errors; from 0 to 1.
        start: T of every action at the start; 0 forgives nothing.
        scale: The K of l.
        decay: Factor of T at each visit, at most 1.
    """

    rate: float
    down: float
    start: float = 0.0
    scale: float = 1.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.rate <= 1.0 or not 0.0 <= self.down <= 1.0:
            raise CoterieError(f"the rates are {self.rate:g} up and {self.down:g} down: give alpha above 0 and at most "
                               "1, and beta from 0 to 1")  # fmt: skip
        if not (self.start >= 0.0 and self.scale >= 0.0 and 0.0 <= self.decay <= 1.0):
            raise CoterieError(f"temperature {self.start:g}, K {self.scale:g}, decay {self.decay:g}: give neither of "
                               "the first two below 0, and a decay from 0 to 1")  # fmt: skip

    def leniency(self, temperature: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
        """The chance that a negative error is forgotten, l = 1 - exp(-K T)."""
        return 1.0 - np.exp(-self.scale * temperature)


def iql(rate: float = 0.1) -> TabularQ:
    """Independent Q-learning: every error counts alike."""
    return TabularQ(rate, rate)


def hysteretic_q(rate: float = 0.1, down: float = 0.01) -> TabularQ:
    """Hysteretic Q-learning: negative errors have the smaller rate ``down`` (0: Lauer and Riedmiller 2000).

    Raises:
        CoterieError: ``down`` is the larger one.
    """
    learner = TabularQ(rate, down)
    if down > rate:
        raise CoterieError(f"hysteretic_q weighs bad news less: {down:g} is more than the rate of {rate:g}: give less")
    return learner


def lenient_q(rate: float = 0.1, start: float = 5.0, scale: float = 1.0, decay: float = 0.995) -> TabularQ:
    """Lenient Q-learning: negative errors are often forgotten as long as the action is new."""
    return TabularQ(rate, rate, start, scale, decay)


class Explore(Protocol):
    """How likely each action is, given the tables and the part of the run that is over."""

    def chances(
        self, tables: Float[np.ndarray, "S N A"], legal: Bool[np.ndarray, "N A"], progress: float
    ) -> Float[np.ndarray, "S N A"]:
        """The probability of every action; 0 where it is not legal."""
        ...


@dataclass(frozen=True)
class EpsilonGreedy:
    """A uniform action with probability epsilon, else one of the best (ties by lot); epsilon falls along a line.

    Args:
        first: epsilon at the start of the run.
        last: epsilon at its end.
    """

    first: float = 1.0
    last: float = 0.0

    def chances(
        self, tables: Float[np.ndarray, "S N A"], legal: Bool[np.ndarray, "N A"], progress: float
    ) -> Float[np.ndarray, "S N A"]:
        """The probability of every action; 0 where it is not legal."""
        epsilon = self.first + (self.last - self.first) * progress
        known = np.where(legal, tables, -np.inf)
        best = (known == known.max(-1, keepdims=True)).astype(float)
        return (1 - epsilon) * best / best.sum(-1, keepdims=True) + epsilon * legal / legal.sum(-1, keepdims=True)


@dataclass(frozen=True)
class Boltzmann:
    """Probabilities proportional to exp(Q / tau); tau falls by a constant factor.

    Args:
        first: tau at the start of the run, in units of the payoff.
        last: tau at its end, above 0.
    """

    first: float = 50.0
    last: float = 0.05

    def chances(
        self, tables: Float[np.ndarray, "S N A"], legal: Bool[np.ndarray, "N A"], progress: float
    ) -> Float[np.ndarray, "S N A"]:
        """The probability of every action; 0 where it is not legal."""
        tau = self.first * (self.last / self.first) ** progress
        known = np.where(legal, tables, -np.inf)
        raised = np.exp((known - known.max(-1, keepdims=True)) / tau)
        return raised / raised.sum(-1, keepdims=True)


class Learnt(NamedTuple):
    """What every seed ends with: its tables, the greedy joint action (of equals the first), and what that is worth."""

    tables: Float[np.ndarray, "S N A"]
    greedy: Int[np.ndarray, "S N"]
    payoff: Float[np.ndarray, " S"]
    optimal: Bool[np.ndarray, " S"]


def update(
    learner: TabularQ, tables: Float[np.ndarray, "S N A"], temperatures: Float[np.ndarray, "S N A"],
    action: Int[np.ndarray, "S N"], reward: Float[np.ndarray, " S"], drawn: Float[np.ndarray, "S N"],
) -> tuple[Float[np.ndarray, "S N A"], Float[np.ndarray, "S N A"]]:  # fmt: skip
    """One step of every agent: tables and temperatures after a joint action was paid.

    ``drawn`` are uniform numbers; a negative error is forgotten where its number is below l. The temperature falls
    after it was read, whether the error was forgotten or not.
    """
    place = action[..., None]
    value = np.take_along_axis(tables, place, -1)[..., 0]
    heat = np.take_along_axis(temperatures, place, -1)[..., 0]
    error = reward[:, None] - value
    kept = drawn >= learner.leniency(heat)
    rate = np.where(error >= 0, learner.rate, learner.down * kept)
    tables, temperatures = tables.copy(), temperatures.copy()
    np.put_along_axis(tables, place, (value + rate * error)[..., None], -1)
    np.put_along_axis(temperatures, place, (learner.decay * heat)[..., None], -1)
    return tables, temperatures


def numbers(seeds: Sequence[int], steps: int, agents: int) -> Float[np.ndarray, "T S D"]:
    """All random numbers of a run, uniform: for each step and seed N for the actions, N for leniency, 1 for the payoff.

    A seed has the same numbers alone and beside others.
    """
    return np.stack([np.random.default_rng(seed).random((steps, 2 * agents + 1)) for seed in seeds], axis=1)


def learn(
    learner: TabularQ, payoff: Float[np.ndarray, "..."], seeds: Sequence[int], steps: int = 5000,
    explore: Explore | None = None, swing: Float[np.ndarray, "..."] | None = None,
) -> Learnt:  # fmt: skip
    """Play a one-state game ``steps`` times from tables of zeros and learn from every payoff.

    Args:
        learner: Which.
        payoff: What each joint action pays every agent, ``[A_1, ..., A_N]``.
        seeds: One run for each, side by side.
        steps: How often the game is played.
        explore: How actions are chosen; epsilon-greedy from 1 to 0 unless told.
        swing: The payoff is ``payoff + swing`` or ``payoff - swing`` with equal chance, so its mean is ``payoff``;
            None pays ``payoff``.

    Raises:
        CoterieError: No seed, no step, or a swing of another shape.
    """
    explore, swing = explore or EpsilonGreedy(), np.zeros_like(payoff) if swing is None else swing
    if not len(seeds) or steps < 1 or swing.shape != payoff.shape:
        raise CoterieError(f"{len(seeds)} seeds, {steps} steps, payoffs {payoff.shape} that swing by {swing.shape}: "
                           "give a seed, a step, and two arrays of one shape")  # fmt: skip
    agents, most = payoff.ndim, max(payoff.shape)
    legal = np.arange(most) < np.array(payoff.shape)[:, None]
    tables = np.zeros((len(seeds), agents, most))
    temperatures = np.full_like(tables, learner.start)
    for step, drawn in enumerate(numbers(seeds, steps, agents)):
        chances = explore.chances(tables, legal, step / max(steps - 1, 1))
        action = _pick(chances, drawn[:, :agents])
        where = tuple(action.T)
        reward = payoff[where] + np.where(drawn[:, -1] < 0.5, swing[where], -swing[where])
        tables, temperatures = update(learner, tables, temperatures, action, reward, drawn[:, agents:-1])
    greedy = np.where(legal, tables, -np.inf).argmax(-1)
    paid = payoff[tuple(greedy.T)]
    return Learnt(tables, greedy, paid, paid == payoff.max())


def _pick(chances: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The actions in whose part of [0, 1) the numbers lie; never one of chance 0, whatever rounding does to the sum."""
    parts = chances.cumsum(-1)
    return (parts <= (drawn * parts[..., -1])[..., None]).sum(-1)


def settled(
    payoff: Float[np.ndarray, "..."], others: Sequence[Float[np.ndarray, " A"]], ratio: float = 1.0,
    swing: Float[np.ndarray, "..."] | None = None,
) -> list[Float[np.ndarray, " A"]]:  # fmt: skip
    """Where the tables settle for small rates while every agent plays ``others[i]``, ``ratio`` being beta / alpha.

    The Q at which the expected update is 0: E[(r - Q)^+] = ratio E[(Q - r)^+], which is the mean for ratio 1, an
    expectile of the payoff for others, and tends to its maximum for ratio 0. A lenient agent whose temperature stays
    has ratio 1 - l.
    """
    spread = np.zeros_like(payoff) if swing is None else swing
    out = []
    for agent in range(payoff.ndim):
        weight = np.ones(())
        for other, policy in enumerate(others):
            weight = np.multiply.outer(weight, np.ones(1) if other == agent else policy)
        weight = np.broadcast_to(weight, payoff.shape)
        rows = [np.moveaxis(x, agent, 0).reshape(payoff.shape[agent], -1) for x in (payoff + spread, payoff - spread)]
        chance = np.moveaxis(weight, agent, 0).reshape(payoff.shape[agent], -1)
        out.append(_expectile(np.concatenate(rows, 1), np.concatenate([chance, chance], 1) / 2, ratio))
    return out


def _expectile(paid: np.ndarray, chance: np.ndarray, ratio: float) -> np.ndarray:
    """Newton's steps on a piecewise linear function that bends one way: from the mean they end without overshooting."""
    top = np.where(chance > 0, paid, -np.inf).max(-1)
    value = (chance * paid).sum(-1) / chance.sum(-1)
    while True:
        weight = chance * np.where(paid < value[:, None], ratio, 1.0)
        after = np.minimum((weight * paid).sum(-1) / weight.sum(-1), top)  # rounding must not pass the top: no weights
        if np.allclose(after, value, rtol=1e-13, atol=1e-13):
            return after
        value = after
