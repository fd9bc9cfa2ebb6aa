"""Small enough to try a campaign in ten minutes on two cores."""

from coterie.campaign.claims import Claim, Improves, Reaches
from coterie.campaign.suite import Arena, Method, Suite

suite = Suite(
    name="demo",
    about="Three methods of the A2PO family on two particle games and a matrix, small enough for two cores.",
    methods={"mappo": Method("mappo"), "happo": Method("happo"), "a2po": Method("a2po")},
    games={
        "particle/spread": Arena("particle/spread", laptop=320_000, full=10_000_000),
        "particle/line": Arena("particle/line", laptop=256_000, full=10_000_000),
        "matrix/penalty": Arena("matrix/penalty", laptop=128_000, full=500_000, options={"k": -50.0}),
    },
    laptop_seeds=5,
    full_seeds=10,
    claims=(
        Claim(
            name="spread is learnt",
            says="mappo closes at least half of the gap between a random team (-79) and a greedy assignment (-22).",
            source="this library's README",
            condition=Reaches("mappo", "particle/spread", -50.0),
            published="-41.7 after 500,000 steps",
        ),
        Claim(
            name="turns help on spread",
            says="Agents that move one after another learn faster than all at once.",
            source="Wang et al. 2023 (A2PO), sections 1 and 5",
            condition=Improves("a2po", "mappo", ("particle/spread",)),
        ),
    ),
)
