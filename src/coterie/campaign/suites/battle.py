"""Battles (SMAC interface, our physics): the A2PO family on the maps of its paper that two cores carry."""

from coterie.campaign.claims import Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

PAPER = "Wang et al. 2023 (A2PO), table 5"
BUDGETS = {"3m": 200_000, "8m": 200_000, "2s3z": 300_000, "3s5z": 300_000, "MMM": 400_000, "5m_vs_6m": 600_000}
NUMBERS = {
    "gamma": 0.99, "entropy": 0.001, "actor_fit.rate": 5e-4, "rollout": 32, "minibatches": 2, "epochs": 5,
    "critic_epochs": 5,
    **{f"{who}.{field}": value for who in ("actor", "critic")
       for field, value in (("encoder", (64, 64)), ("activation", "relu"), ("norm", True))},
}  # fmt: skip


def better(method: str, over: str, says: str, published: str) -> Claim:
    """An ordering of the paper's, over all maps."""
    return Claim(f"{method} over {over}", says, PAPER, Improves(method, over, figure="won"), published)


suite = Suite(
    name="battle",
    about="MAPPO, CoPPO, HAPPO and A2PO, feed-forward, on battles: SMAC's interface, our physics. Not SMAC's results.",
    methods={
        **{name: Method(name, NUMBERS) for name in ("mappo", "coppo", "happo", "a2po")},
        "a2po-shared": Method("a2po", {**NUMBERS, "mode": "shared"}),
    },
    games={name: Arena(f"battle/{name}", laptop=steps, full=10_000_000, reference=20.0)
           for name, steps in BUDGETS.items()},
    laptop_seeds=3,
    full_seeds=10,
    points=10,
    episodes=64,
    claims=(
        better("a2po", "mappo", "A2PO wins more battles than MAPPO.", "97.4 and 91.1 % over twelve maps"),
        better("a2po", "coppo", "A2PO wins more battles than CoPPO.", "97.4 and 92.6 % over twelve maps"),
        better("a2po", "happo", "A2PO wins more battles than HAPPO.", "97.4 and 85.9 % over twelve maps"),
        better("a2po-shared", "mappo", "A2PO with shared parameters wins more than MAPPO.", "97.4 and 91.1 %"),
        better("coppo", "mappo", "CoPPO wins more battles than MAPPO.", "92.6 and 91.1 % over twelve maps"),
    ),
)  # fmt: skip
