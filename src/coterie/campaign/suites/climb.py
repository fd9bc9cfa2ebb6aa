"""Relative overgeneralisation in one state: who climbs, for two agents and more, three actions and more."""

from typing import Any

from coterie.campaign.claims import Attains, Claim
from coterie.campaign.suite import Arena, Method, Suite

PLAIN = {"actor.encoder": (32,), "critic.encoder": (32,), "environments": 64, "rollout": 4, "minibatches": 1}
HEADED = {**PLAIN, "critic.head": (32,)}
EXACT = {**PLAIN, "weighting.index": "exact"}
OPTIMA = {"matrix/climb": 8.0, "climb 2x10": 8.0, "climb 4x5": 8.0, "matrix/climbing": 11.0,
          "matrix/penalty": 10.0}  # fmt: skip
FAILS, CLIMBS = {"high": 0.2}, {"low": 0.9}


def finds(
    method: str, game: str, says: str, source: str, shares: dict[str, Any], published: str = "", name: str = ""
) -> Claim:
    """The share of seeds whose greedy team plays the optimum of ``game``."""
    condition = Attains(method, game, OPTIMA[game] - 0.01, **shares)
    return Claim(name or f"{method} on {game}", says, source, condition, published)


LENIENT, PERLA = "Lenient policy gradients, matrix games", "Jafferjee et al. 2022 (PERLA), Table 1"

suite = Suite(
    name="climb",
    about="Matrix games whose optimum is punished when one agent misses it, from the uniform start.",
    methods={
        "mappo": Method("mappo", PLAIN),
        "a2po": Method("a2po", PLAIN),
        "perla_mappo": Method("perla_mappo", HEADED),
        "perla_ippo": Method("perla_ippo", HEADED),
        "optimistic_mappo": Method("optimistic_mappo", PLAIN),
        "optimistic, released code": Method("optimistic_mappo", {**PLAIN, "norm": "after"}),
        "lenient_mappo": Method("lenient_mappo", EXACT),
    },
    games={
        "matrix/climb": Arena("matrix/climb", laptop=102_400, full=1_000_000),
        "climb 2x10": Arena("matrix/climb", laptop=102_400, full=1_000_000, options={"actions": 10}),
        "climb 4x5": Arena("matrix/climb", laptop=102_400, full=1_000_000, options={"agents": 4, "actions": 5}),
        "matrix/climbing": Arena("matrix/climbing", laptop=102_400, full=1_000_000),
        "matrix/penalty": Arena("matrix/penalty", laptop=102_400, full=1_000_000),
    },
    laptop_seeds=20,
    full_seeds=100,
    points=20,
    episodes=16,
    claims=(
        finds("mappo", "matrix/climb", "Vanilla MAPPO fails.", LENIENT, FAILS),
        finds("optimistic_mappo", "matrix/climb", "Optimistic MAPPO learns the best joint policy.", LENIENT, CLIMBS),
        finds("lenient_mappo", "matrix/climb", "Lenient MAPPO learns the best joint policy.", LENIENT, CLIMBS),
        finds("perla_mappo", "matrix/climb", "PERLA's policies reach 8 with two agents.", PERLA, CLIMBS, "8"),
        finds("mappo", "matrix/climb", "MAPPO's policies reach 8 with two agents.", PERLA, CLIMBS, "8",
              "mappo climbs matrix/climb"),
        finds("mappo", "climb 2x10", "MAPPO does not reach 8 with many actions.", PERLA, FAILS),
        finds("perla_mappo", "climb 2x10", "PERLA reaches 8 with many actions.", PERLA, CLIMBS, "8"),
        finds("mappo", "climb 4x5", "MAPPO does not reach 8 with many agents and actions.", PERLA, FAILS),
        finds("perla_mappo", "climb 4x5", "PERLA reaches 8 with many agents and actions.", PERLA, CLIMBS, "8"),
        finds("optimistic_mappo", "matrix/climbing", "Optimistic MAPPO finds 11.", "Zhao et al. 2024 (OptiMAPPO)",
              CLIMBS, "275 of 275 in 25 repetitions"),
        finds("optimistic_mappo", "matrix/penalty", "Optimistic MAPPO finds 10 where mixing costs 100.",
              "Zhao et al. 2024 (OptiMAPPO)", CLIMBS, "250 of 250 in 25 repetitions"),
    ),
)  # fmt: skip
