"""SMAX: whether MAPPO learns to win battles, and with how many steps."""

from coterie.campaign.claims import Attains, Claim
from coterie.campaign.suite import Arena, Method, Suite

NETS = {f"{who}.{field}": value for who in ("actor", "critic")
        for field, value in (("encoder", (128, 128)), ("activation", "relu"), ("norm", True))}  # fmt: skip
NUMBERS = {"gamma": 0.99, "entropy": 0.001, "actor_fit.rate": 5e-4, "rollout": 32, "minibatches": 2, "epochs": 10,
           "critic_epochs": 10}  # fmt: skip
NINE_IN_TEN = {"least": 0.9, "low": 1.0, "figure": "won"}
"""Every seed's greedy team wins nine battles in ten."""


def wins(game: str) -> Claim:
    """Every seed's greedy team wins nine battles in ten."""
    says = f"MAPPO learns to win nine battles in ten of SMAX {game}."
    return Claim(f"mappo wins {game}", says, "an aim of ours", Attains("mappo", game, **NINE_IN_TEN))


suite = Suite(
    name="smax",
    about="MAPPO, feed-forward, on battles of SMAX; results are not comparable with other simulators of such battles.",
    methods={"mappo": Method("mappo", {**NETS, **NUMBERS})},
    games={
        "3m": Arena("smax/3m", laptop=3_000_000, full=10_000_000, reference=2.0),
        "2s3z": Arena("smax/2s3z", laptop=800_000, full=10_000_000, reference=2.0),
    },
    laptop_seeds=3,
    full_seeds=10,
    episodes=256,
    claims=(wins("3m"), wins("2s3z")),
)
