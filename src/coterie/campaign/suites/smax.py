"""Battles on SMAX (never called SMAC): does a feed-forward MAPPO win nearly always (extra: jaxmarl)?"""

from coterie.campaign.claims import Attains, Claim
from coterie.campaign.suite import Arena, Method, Suite

NUMBERS = {
    "gamma": 0.99, "rollout": 32, "epochs": 10, "critic_epochs": 10, "minibatches": 2, "entropy": 0.001,
    "actor.norm": True, "critic.norm": True, "actor.activation": "relu", "critic.activation": "relu",
    "actor_fit.rate": 5e-4,
}  # fmt: skip
BUDGETS = {"smax/3m": 2_000_000, "smax/2s3z": 1_000_000}
WINNING = 1.9
"""A battle that is won pays 2, one that is lost at most 1 for the damage done: who returns this wins nine of ten."""

suite = Suite(
    name="smax",
    about="MAPPO against the heuristic enemy of SMAX; the win rate stands in every run's evaluation.",
    methods={"mappo": Method("mappo")},
    games={name: Arena(name, laptop=steps, full=10_000_000, recipe=NUMBERS) for name, steps in BUDGETS.items()},
    laptop_seeds=3,
    full_seeds=10,
    episodes=256,
    claims=tuple(
        Claim(f"mappo wins {name}", "MAPPO wins nine battles of ten in every seed.", "a check of ours",
              Attains("mappo", name, WINNING, low=1.0))
        for name in BUDGETS
    ),
)  # fmt: skip
