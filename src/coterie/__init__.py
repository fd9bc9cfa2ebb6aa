"""Coterie trains teams: cooperative multi-agent reinforcement learning, every method a line-up of parts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from coterie.version import __version__

if TYPE_CHECKING:
    from coterie import recipes
    from coterie.api import Evaluation, Run, load, resume, train
    from coterie.catalogue import make
    from coterie.contracts import CoterieError
    from coterie.player import Policy

_HOME = {
    "Evaluation": "coterie.api", "Policy": "coterie.player", "Run": "coterie.api", "load": "coterie.api",
    "resume": "coterie.api", "train": "coterie.api", "make": "coterie.catalogue",
    "CoterieError": "coterie.contracts",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that ``import coterie`` costs nothing."""
    if name == "recipes":
        return import_module("coterie.recipes")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'coterie' has no attribute {name!r}")


__all__ = ["CoterieError", "Evaluation", "Policy", "Run", "__version__", "load", "make", "recipes", "resume", "train"]
