"""Tiny suites and campaigns."""

import pytest

from coterie.campaign import plan
from coterie.campaign.claims import Claim, Improves, Reaches, Simulator
from coterie.campaign.suite import Arena, Method, Suite

TINY = {"environments": 4, "rollout": 8, "minibatches": 1, "epochs": 1, "critic_epochs": 1}


def tiny_suite(**changes):
    fields = {
        "name": "tiny",
        "about": "Two methods on two matrices.",
        "methods": {"mappo": Method("mappo"), "slow": Method("mappo", {"actor_fit.rate": 1e-5})},
        "games": {
            "climb": Arena("matrix/climb", laptop=320, full=3200, recipe=TINY),
            "penalty": Arena("matrix/penalty", laptop=640, full=6400, options={"k": -10.0}, recipe=TINY),
        },
        "laptop_seeds": 2,
        "claims": (
            Claim("faster", "A larger rate learns more.", "arithmetic", Improves("mappo", "slow")),
            Claim("bounded", "Nothing is worse than the worst payoff.", "arithmetic", Reaches("mappo", "climb", -12.0)),
            Claim("war", "It wins battles.", "nobody", Simulator("StarCraft II"), published="100 %"),
        ),
        "points": 5,
        "episodes": 4,
    }
    return Suite(**{**fields, **changes})


@pytest.fixture
def suite():
    return tiny_suite


@pytest.fixture
def campaign(tmp_path):
    """A tiny campaign that is written down and not run."""
    return plan.claim_directory(tmp_path / "tiny", plan.describe(tiny_suite(), "laptop"))
