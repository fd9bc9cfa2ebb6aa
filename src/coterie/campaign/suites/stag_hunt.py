"""The stag hunt with a penalty for catching alone: what optimism and leniency gain, and what they lose as it grows."""

from coterie.campaign.claims import Claim, Falls, Improves
from coterie.campaign.suite import Arena, Method, Suite

SOURCE = "Lenient policy gradients, stag hunt"
RHO = (0, -1, -2)
SMALL = {"environments": 64, "rollout": 50, "actor.encoder": (64, 64), "critic.encoder": (64, 64)}
MIDDLE = {"size": 7, "predators": 4, "stags": 4, "length": 50}


def arena(penalty: int) -> Arena:
    """Four predators on 7 x 7 cells; the 10 x 10 of the source is the default of ``grid/stag_hunt``."""
    return Arena("grid/stag_hunt", laptop=400_000, full=10_000_000, options={**MIDDLE, "penalty": penalty},
                 recipe=SMALL)  # fmt: skip


suite = Suite(
    name="stag_hunt",
    about="MAPPO, optimistic and lenient MAPPO hunting stags, which takes two, with a penalty for catching alone.",
    methods={
        "mappo": Method("mappo"),
        "optimistic_mappo": Method("optimistic_mappo"),
        "lenient_mappo": Method("lenient_mappo"),
        "lenient, codes": Method("lenient_mappo", {"weighting.index": "code_hash"}),
        "lenient, critic": Method("lenient_mappo", {"weighting.index.of": "critic"}),
    },
    games={f"rho {rho}": arena(rho) for rho in RHO},
    laptop_seeds=5,
    full_seeds=10,
    episodes=64,
    claims=(
        Claim("optimism helps under a penalty", "Optimistic MAPPO beats MAPPO with a penalty of 1 or 2.", SOURCE,
              Improves("optimistic_mappo", "mappo", ("rho -1", "rho -2"))),
        Claim("leniency helps under a penalty", "Lenient MAPPO beats MAPPO with a penalty of 1 or 2.", SOURCE,
              Improves("lenient_mappo", "mappo", ("rho -1", "rho -2"))),
        Claim("codes are not needed", "Hashes of codes are no better than hashes of raw states.", SOURCE,
              Improves("lenient_mappo", "lenient, codes", above=0.25)),
        Claim("the critic's layer will do", "Without a penalty, hashes of the critic's last layer are no worse than "
              "hashes of raw states.", SOURCE, Improves("lenient, critic", "lenient_mappo", ("rho 0",), above=0.25)),
        Claim("leniency keeps up with optimism", "Lenient MAPPO is no worse than optimistic MAPPO.", SOURCE,
              Improves("lenient_mappo", "optimistic_mappo", above=0.25)),
        *(Claim(f"{method} falls", "It loses much as the penalty grows.", SOURCE, Falls(method, ("rho 0", "rho -2")))
          for method in ("optimistic_mappo", "lenient_mappo")),
    ),
)  # fmt: skip
