"""Independent learners on level-based foraging, with PERLA's critic and without it."""

from coterie.campaign.claims import Attains, Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

SOURCE = "Jafferjee et al. 2022 (PERLA), section 6"
SMALL = {"rollout": 50, "actor.encoder": (64, 64), "critic.encoder": (64, 64)}
BUDGETS = {"5x5-2p-1f-coop": 512_000, "8x8-2p-2f-coop": 2_048_000, "10x10-3p-5f": 1_024_000}
MAPS = tuple(f"foraging/{name}" for name in BUDGETS)

suite = Suite(
    name="foraging",
    about="IPPO and PERLA-IPPO on three of the papers' foraging maps.",
    methods={
        "ippo": Method("ippo"),
        "perla_ippo": Method("perla_ippo", {"critic.encoder": (64,), "critic.head": (64,)}),
    },
    games={
        f"foraging/{name}": Arena(f"foraging/{name}", laptop=steps, full=20_000_000, recipe=SMALL)
        for name, steps in BUDGETS.items()
    },
    laptop_seeds=5,
    full_seeds=10,
    claims=(
        Claim("perla over ippo", "PERLA's critic makes independent learners better foragers.", SOURCE,
              Improves("perla_ippo", "ippo", MAPS)),
        *(Claim(f"perla never fails on {name.removeprefix('foraging/')}", "No seed of PERLA ends below 0.1.", SOURCE,
                Attains("perla_ippo", name, 0.1, low=1.0)) for name in MAPS),
    ),
)  # fmt: skip
