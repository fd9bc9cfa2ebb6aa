"""SMAX: whether values learn to win battles, and with how many steps."""

from coterie.campaign.claims import Attains, Claim
from coterie.campaign.suite import Arena, Method, Suite
from coterie.campaign.suites.smax import NINE_IN_TEN

NUMBERS = {
    "gamma": 0.99, "actor.encoder": (128, 128), "actor.norm": True, "rollout": 32, "updates": 16,
    "actor_fit.rate": 3e-4, "critic_fit.rate": 3e-4, "actor_fit.halving": 30_000, "critic_fit.halving": 30_000,
    "replay.capacity": 200_000, "exploration.steps": 100_000, "exploration.finish": 0.02,
}  # fmt: skip
# SMAX's states hold positions in cells, up to 32: QMIX's mixture of them runs away unless they are normalised.


def wins(method: str) -> Claim:
    """Every seed's greedy team wins nine battles in ten."""
    says = f"{method.upper()} learns to win nine battles in ten of SMAX 3m."
    return Claim(f"{method} wins 3m", says, "an aim of ours", Attains(method, "3m", **NINE_IN_TEN))


suite = Suite(
    name="smax_values",
    about="VDN and QMIX, feed-forward, on a battle of SMAX; results are not comparable with other simulators.",
    methods={"vdn": Method("vdn", NUMBERS), "qmix": Method("qmix", {**NUMBERS, "mixing.norm": True})},
    games={"3m": Arena("smax/3m", laptop=1_600_000, full=10_000_000, reference=2.0)},
    laptop_seeds=3,
    full_seeds=10,
    points=10,
    episodes=2048,
    claims=(wins("vdn"), wins("qmix")),
)
