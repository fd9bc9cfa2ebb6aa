"""A hard battle (SMAC interface, our physics), as far as two cores carry it."""

from coterie.campaign.claims import Attains, Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite
from coterie.campaign.suites.battle import NUMBERS, PAPER

GAME = "3s5z_vs_3s6z"

suite = Suite(
    name="battle_hard",
    about="MAPPO and A2PO on a battle against one zealot more: SMAC's interface, our physics. Not SMAC's results.",
    methods={name: Method(name, NUMBERS) for name in ("mappo", "a2po")},
    games={GAME: Arena(f"battle/{GAME}", laptop=1_000_000, full=20_000_000, reference=20.0)},
    laptop_seeds=3,
    full_seeds=10,
    points=20,
    episodes=64,
    claims=(
        Claim(
            "a2po wins",
            "A2PO wins half of the battles.",
            "an aim of ours",
            Attains("a2po", GAME, 0.5, 1.0, figure="won"),
        ),
        Claim("a2po over mappo", "A2PO wins more battles than MAPPO.", PAPER, Improves("a2po", "mappo", figure="won")),
    ),
)
