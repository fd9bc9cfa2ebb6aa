"""Tabular Dec-MDPs solved exactly, and the claims of the papers checked on them by enumeration."""

from __future__ import annotations

from coterie.exact.convert import Exact, evaluate, from_game
from coterie.exact.dec_mdp import DecMdp, Solved, joint, softmax

__all__ = ["DecMdp", "Exact", "Solved", "evaluate", "from_game", "joint", "softmax"]
