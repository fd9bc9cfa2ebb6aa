"""Battles (SMAC interface, our physics): the A2PO family on the maps of its paper that two cores carry."""

from coterie.campaign.claims import Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite
from coterie.campaign.suites.smax import NETS, NUMBERS

PAPER = "Wang et al. 2023 (A2PO), table 5"
BUDGETS = {"3m": 300_000, "8m": 300_000, "2s3z": 500_000, "3s5z": 500_000, "MMM": 500_000, "5m_vs_6m": 800_000}


def better(method: str, over: str, says: str, published: str) -> Claim:
    """An ordering of the paper's, over all maps."""
    return Claim(f"{method} over {over}", says, PAPER, Improves(method, over), published)


suite = Suite(
    name="battle",
    about="MAPPO, CoPPO, HAPPO and A2PO, feed-forward, on battles: SMAC's interface, our physics. Not SMAC's results.",
    methods={name: Method(name, {**NETS, **NUMBERS}) for name in ("mappo", "coppo", "happo", "a2po")},
    games={name: Arena(f"battle/{name}", laptop=steps, full=10_000_000, reference=20.0)
           for name, steps in BUDGETS.items()},
    laptop_seeds=3,
    full_seeds=10,
    points=20,
    episodes=128,
    claims=(
        better("a2po", "mappo", "A2PO wins more battles than MAPPO.", "97.4 and 91.1 % over twelve maps"),
        better("a2po", "coppo", "A2PO wins more battles than CoPPO.", "97.4 and 92.6 % over twelve maps"),
        better("a2po", "happo", "A2PO wins more battles than HAPPO.", "97.4 and 85.9 % over twelve maps"),
        better("coppo", "mappo", "CoPPO wins more battles than MAPPO.", "92.6 and 91.1 % over twelve maps"),
    ),
)  # fmt: skip
