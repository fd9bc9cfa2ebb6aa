"""Who acts in a step of a ``ParallelEnv``. Worker processes read this, so nothing here imports JAX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coterie.errors import CoterieError


def acting(agents: Sequence[str], actions: Mapping[str, Any]) -> list[str]:
    """The agents of this step, each of which has an action.

    Raises:
        CoterieError: There is no episode, or an agent has no action.
    """
    if not agents:
        raise CoterieError("the episode is over, or has not begun: call reset")
    if missing := [agent for agent in agents if agent not in actions]:
        raise CoterieError(f"there is no action for {missing[0]}: give one for each of {', '.join(agents)}")
    return list(agents)
