"""DPO on its cooperative stochastic game, with its ablations and the exact optimum."""

from coterie.campaign.claims import Attains, Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

SOURCE = "Su and Lu 2024 (DPO), section 5.1"
SMALL = {"rollout": 30, "actor.encoder": (64, 64), "critic.encoder": (64, 64)}
GAMES = ("random 30x3x5", "random 30x3x5, another")

suite = Suite(
    name="stochastic",
    about="DPO, its two ablations (one is IPPO-KL), and IPPO on random cooperative stochastic games.",
    methods={
        "dpo": Method("dpo", {"surrogate.target": 0.1}),
        "dpo, released code": Method("dpo", {"official": True, "surrogate.target": 0.1}),
        "dpo_without_kl": Method("dpo_without_kl", {"surrogate.target": 0.1}),
        "ippo_kl": Method("ippo_kl", {"surrogate.target": 0.1}),
        "ippo": Method("ippo", {"sharing": "none"}),
        "ippo, shared": Method("ippo"),
    },
    games={
        GAMES[0]: Arena("stochastic/random", laptop=384_000, full=5_000_000, recipe=SMALL),
        GAMES[1]: Arena("stochastic/random", laptop=384_000, full=5_000_000, options={"seed": 1}, recipe=SMALL),
    },
    laptop_seeds=6,
    full_seeds=10,
    claims=(
        Claim("dpo over ippo", "DPO beats IPPO.", SOURCE, Improves("dpo", "ippo", GAMES)),
        Claim("dpo over ippo_kl", "DPO beats IPPO-KL.", SOURCE, Improves("dpo", "ippo_kl", GAMES)),
        Claim("both terms are needed", "DPO beats itself without the KL term.", SOURCE,
              Improves("dpo", "dpo_without_kl", GAMES)),
        Claim("the released code over ippo", "DPO as released beats IPPO.", SOURCE,
              Improves("dpo, released code", "ippo", GAMES)),
        *(Claim(f"dpo stays below the optimum of {game}", "No seed of DPO reaches 140 of the optimum's 147.", SOURCE,
                Attains("dpo", game, 140.0, high=0.0)) for game in GAMES),
    ),
)  # fmt: skip
