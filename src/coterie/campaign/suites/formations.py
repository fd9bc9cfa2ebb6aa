"""DPO against IPPO where five agents take places: on a line, a circle, and spread over landmarks."""

from coterie.campaign.claims import Claim, Improves, Simulator
from coterie.campaign.suite import Arena, Method, Suite

SOURCE = "Su and Lu 2024 (DPO), section 5.2"
FIVE = {"agents": 5}
SMALL = {"actor.encoder": (64, 64), "critic.encoder": (64, 64)}

suite = Suite(
    name="formations",
    about="DPO, IPPO-KL and IPPO with separate parameters on formations of five agents.",
    methods={
        "dpo": Method("dpo"),
        "ippo_kl": Method("ippo_kl"),
        "ippo": Method("ippo", {"sharing": "none"}),
    },
    games={
        "particle/line": Arena("particle/line", laptop=512_000, full=10_000_000, options=FIVE, recipe=SMALL),
        "particle/circle": Arena("particle/circle", laptop=512_000, full=10_000_000, options=FIVE, recipe=SMALL),
        "particle/spread": Arena("particle/spread", laptop=512_000, full=10_000_000, options=FIVE, recipe=SMALL),
    },
    laptop_seeds=5,
    full_seeds=10,
    claims=(
        Claim("dpo over ippo", "DPO beats IPPO.", SOURCE, Improves("dpo", "ippo")),
        Claim("dpo over ippo_kl", "DPO beats IPPO-KL.", SOURCE, Improves("dpo", "ippo_kl")),
        Claim("dpo on SMAC", "DPO beats IPPO on SMAC.", "Su and Lu 2024 (DPO), section 5.4", Simulator("StarCraft II")),
        Claim("dpo on MuJoCo", "DPO beats IPPO on multi-agent MuJoCo.", "Su and Lu 2024 (DPO), section 5.3",
              Simulator("MuJoCo")),
    ),
)  # fmt: skip
