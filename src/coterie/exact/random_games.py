"""Random games and pairs of policies on which the claims are tried: sharp, lopsided and sometimes degenerate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from coterie.exact.dec_mdp import DecMdp, Policies

SIZES = tuple((states, actions) for states in (2, 3, 4) for actions in ((2, 2), (2, 3), (2, 2, 2)))
GAMMAS = (0.5, 0.9, 0.99)
MIXES = (0.01, 0.1, 0.5, 1.0)
FLOOR = 1e-3


@dataclass(frozen=True, eq=False)
class Case:
    """Games of one size, and what a claim may speak of: two team policies, free numbers, a rate.

    Args:
        game: ``B`` games side by side.
        old: The policies that the data come from.
        new: The policies that follow.
        table: Free numbers ``[B, S, J]``: an imperfect critic, features, a batch.
        rate: A number in (0, 1) for each game: a leniency, a step size.
    """

    game: DecMdp
    old: Policies
    new: Policies
    table: Float[np.ndarray, "B S J"]
    rate: Float[np.ndarray, " B"]

    @property
    def count(self) -> int:
        """B."""
        return self.table.shape[0]

    def one(self, index: int) -> Case:
        """A single game of them."""
        pick = slice(index, index + 1)
        game = replace(self.game, transition=self.game.transition[pick], reward=self.game.reward[pick],
                       start=self.game.start[pick])  # fmt: skip
        old, new = (tuple(p[pick] for p in policies) for policies in (self.old, self.new))
        return Case(game, old, new, self.table[pick], self.rate[pick])


def cases(games: int, seed: int) -> Iterator[Case]:
    """At least ``games`` games, evenly over all sizes and discounts; the same seed gives the same numbers."""
    kinds = [(states, actions, gamma) for states, actions in SIZES for gamma in GAMMAS]
    each = math.ceil(games / len(kinds))
    for number, (states, actions, gamma) in enumerate(kinds):
        yield random_case(np.random.default_rng([seed, number]), each, states, actions, gamma)


def random_case(draw: np.random.Generator, count: int, states: int, actions: tuple[int, ...], gamma: float) -> Case:
    """``count`` games of one size: nearly deterministic transitions, peaked policies, large and small steps.

    Transitions are Dirichlet(0.05); a fifth of the games falls apart into states that are never left. Rewards are
    normal, all negative, or plus or minus 1. The new policy mixes the old with another one by 0.01, 0.1, 0.5 or 1; in
    a quarter of the games one agent stays as it is.
    """
    joint = math.prod(actions)
    transition = draw.dirichlet(np.full(states, 0.05), (count, states, joint))
    alone = draw.random(count) < 0.2
    transition[alone] = np.broadcast_to(np.eye(states)[:, None], transition.shape[1:])
    size = (count, states, joint)
    rewards = np.stack([draw.normal(size=size), -draw.random(size), np.sign(draw.normal(size=size))])
    reward = rewards[draw.integers(3, size=count), np.arange(count)]
    game = DecMdp(transition, reward, draw.dirichlet(np.ones(states), count), gamma, actions)
    old = tuple(peaked(draw, count, states, own) for own in actions)
    mix = draw.choice(MIXES, count)[:, None, None]
    new = tuple((1 - mix) * p + mix * peaked(draw, count, states, own) for p, own in zip(old, actions, strict=True))
    still = np.where(draw.random(count) < 0.25, draw.integers(len(actions), size=count), -1)
    new = tuple(np.where((still == i)[:, None, None], p, q) for i, (p, q) in enumerate(zip(old, new, strict=True)))
    return Case(game, old, new, draw.normal(size=size), draw.uniform(0.05, 0.95, count))


def peaked(draw: np.random.Generator, count: int, states: int, actions: int) -> Float[np.ndarray, "B S A"]:
    """Policies near the corners; every action keeps a little probability, so that ratios and divergences exist."""
    rows = draw.dirichlet(np.full(actions, 0.3), (count, states))
    return (1 - FLOOR) * rows + FLOOR / actions
