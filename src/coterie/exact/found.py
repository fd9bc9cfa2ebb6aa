"""What a check finds, and how its numbers are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from coterie.exact.dec_mdp import DecMdp, Policies, Solved, joint
from coterie.exact.random_games import Case

Numbers = Float[np.ndarray, " B"]
NOISE = 1e-10
"""What rounding makes of zero, relative to the largest value of a game."""


@dataclass(frozen=True, eq=False)
class Found:
    """One number for each game.

    Args:
        printed: Of the claim as printed: left side over right side of an inequality, relative error of an equation.
        mended: The same with the constant that mends it.
        figures: Further numbers worth telling, by name.
    """

    printed: Numbers
    mended: Numbers | None = None
    figures: Mapping[str, Numbers] = field(default_factory=dict)


def ratio(left: Numbers, right: Numbers, scale: Numbers) -> Numbers:
    """``left / right``; what may be rounding beside ``scale`` is taken off the left side, or counts as 0."""
    small = left <= NOISE * (1 + scale)
    return np.where(small, 0.0, (left - NOISE / 1e4 * (1 + scale)) / np.where(small, 1.0, np.maximum(right, 1e-300)))


def error(found: np.ndarray, expected: np.ndarray, scale: Numbers) -> Numbers:
    """Largest difference of two arrays ``[B, ...]``, relative to ``scale``; floors of 1 keep zero games harmless."""
    return np.abs(found - expected).reshape(len(found), -1).max(-1) / np.maximum(scale, 1.0)


def largest(table: np.ndarray) -> Numbers:
    """Max |table| of each game."""
    return np.abs(table).reshape(len(table), -1).max(-1)


def distances(first: Policies, second: Policies) -> Float[np.ndarray, "N B"]:
    """alpha_i = max_s TV(first_i(. | s), second_i(. | s)), TV being half the L1 distance."""
    return np.stack([0.5 * np.abs(p - q).sum(-1).max(-1) for p, q in zip(first, second, strict=True)])


def divergences(old: Policies, new: Policies) -> Float[np.ndarray, "N B"]:
    """max_s KL(old_i(. | s) || new_i(. | s))."""
    return np.stack([(p * np.log(p / q)).sum(-1).max(-1) for p, q in zip(old, new, strict=True)])


def expected(game: DecMdp, occupancy: np.ndarray, policy: np.ndarray, table: np.ndarray) -> Numbers:
    """E[table] / (1 - gamma) over s ~ d, a ~ policy: a difference of returns where ``table`` is an advantage."""
    return np.einsum("bs,bsj,bsj->b", occupancy, policy, table) / (1 - game.gamma)


def stages(case: Case) -> list[Policies]:
    """pi-hat^0, ..., pi-hat^N of the sequential update (A2PO): the first i agents have moved."""
    return [case.new[:i] + case.old[i:] for i in range(case.game.agents + 1)]


def solved(case: Case) -> tuple[Solved, Solved]:
    """The old and the new team, solved."""
    return case.game.solve(joint(case.old)), case.game.solve(joint(case.new))
