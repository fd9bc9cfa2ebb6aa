"""What every room of the house agrees on: spaces, observations, outcomes, rollouts, and the two protocols.

Axes: ``T`` time, ``E`` environments, ``N`` agents, ``O`` padded observation size, ``S`` state size,
``A`` padded number of choices, ``D`` padded number of action components. Agents are never merged into the
batch axis.
"""

from __future__ import annotations

from coterie.contracts.across import HERE, Across
from coterie.contracts.data import Metrics, Observation, Outcome, Rollout, Sizes, Step
from coterie.contracts.hosted import HostGame, Simulators, Turn
from coterie.contracts.protocols import Drawable, Game, Learner, Team
from coterie.contracts.scene import Scene, Shape
from coterie.contracts.spec import ActionKind, ActionSpace, RewardKind, Spec
from coterie.contracts.tables import Tables, Tabular
from coterie.errors import CoterieError

__all__ = [
    "HERE",
    "Across",
    "ActionKind",
    "ActionSpace",
    "CoterieError",
    "Drawable",
    "Game",
    "HostGame",
    "Learner",
    "Metrics",
    "Observation",
    "Outcome",
    "RewardKind",
    "Rollout",
    "Scene",
    "Shape",
    "Simulators",
    "Sizes",
    "Spec",
    "Step",
    "Tables",
    "Tabular",
    "Team",
    "Turn",
]
