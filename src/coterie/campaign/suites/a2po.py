"""The A2PO family side by side: one move for all, corrected ratios, one after another, and A2PO's two modes."""

from coterie.campaign.claims import Claim, Improves, Simulator
from coterie.campaign.suite import Arena, Method, Suite

PARTICLES = ("particle/spread", "particle/line", "particle/circle")

suite = Suite(
    name="a2po",
    about="MAPPO (shared and separate parameters), CoPPO, HAPPO and A2PO on cooperative particles and matrix games.",
    methods={
        "mappo": Method("mappo"),
        "mappo-apart": Method("mappo", {"sharing": "none"}),
        "coppo": Method("coppo"),
        "happo": Method("happo"),
        "a2po": Method("a2po"),
        "a2po-shared": Method("a2po", {"mode": "shared"}),
    },
    games={
        "matrix/climb": Arena("matrix/climb", laptop=128_000, full=1_000_000),
        "matrix/climbing": Arena("matrix/climbing", laptop=128_000, full=1_000_000),
        "matrix/penalty": Arena("matrix/penalty", laptop=128_000, full=1_000_000, options={"k": -50.0}),
        "particle/line": Arena("particle/line", laptop=384_000, full=10_000_000, options={"agents": 5}),
        "particle/circle": Arena("particle/circle", laptop=384_000, full=10_000_000, options={"agents": 5}),
        "particle/spread": Arena("particle/spread", laptop=512_000, full=10_000_000),
    },
    laptop_seeds=8,
    full_seeds=10,
    claims=(
        Claim(
            name="a2po over mappo",
            says="Agent-by-agent updates with the off-policy correction beat simultaneous ones.",
            source="Wang et al. 2023 (A2PO), section 5",
            condition=Improves("a2po", "mappo", PARTICLES),
        ),
        Claim(
            name="a2po over mappo, both with separate parameters",
            says="The gain over simultaneous updates is not that of separate parameters.",
            source="a control of ours",
            condition=Improves("a2po", "mappo-apart", PARTICLES),
        ),
        Claim(
            name="a2po over happo",
            says="The correction and the semi-greedy order beat a random sequence with uncorrected advantages.",
            source="Wang et al. 2023 (A2PO), section 5",
            condition=Improves("a2po", "happo", PARTICLES),
        ),
        Claim(
            name="a2po over coppo",
            says="Turns beat the simultaneous correction by the others' ratios.",
            source="Wang et al. 2023 (A2PO), section 5",
            condition=Improves("a2po", "coppo", PARTICLES),
        ),
        Claim(
            name="coppo over mappo",
            says="Weighting by the others' clipped ratios beats ignoring them.",
            source="Wu et al. 2021 (CoPPO), section 5",
            condition=Improves("coppo", "mappo", PARTICLES),
        ),
        Claim(
            name="a2po on SMAC",
            says="A2PO wins more battles of SMAC than CoPPO, MAPPO and HAPPO.",
            source="Wang et al. 2023 (A2PO), section 5",
            condition=Simulator("StarCraft II"),
            published="mean win rates 97.4, 92.6, 91.1 and 85.9 %",
        ),
    ),
)
