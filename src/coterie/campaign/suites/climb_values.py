"""Relative overgeneralisation in one state, for values and deterministic gradients."""

from typing import Any

from coterie.campaign.claims import Attains, Claim
from coterie.campaign.suite import Arena, Method, Suite

TABLE = {
    "actor.encoder": (32,),
    "environments": 16,
    "rollout": 4,
    "updates": 4,
    "replay.batch": 64,
    "replay.capacity": 20_000,
    "replay.warmup": 500,
    "exploration.steps": 8_000,
    "target.every": 50,
}
ACTORS = {**{key: value for key, value in TABLE.items() if key != "target.every"}, "critic_net.encoder": (32,),
          "exploration.warmup": 500, "target.rate": 0.02}  # fmt: skip
UNIFORM = {"exploration.finish": 1.0}
"""Joint actions stay uniform, as where the papers ask what a mixture can represent."""
EXPECTED = {"actor_update.prefix": "current", "actor_update.gradient": "expected"}
SMALL = {
    "qmix": {"mixing.embed": 8, "mixing.hidden": 16},
    "qplex": {"mixing.kernels": 4, "mixing.hidden": 16},
    "qtran": {"critic_net.encoder": (32,)},
}
WEIGHTED = {**SMALL["qmix"], "central.mixing.hidden": (32,), "alpha": 0.1}
OPTIMA = {"matrix/climb": 8.0, "matrix/climbing": 11.0, "matrix/penalty": 10.0}
MATIGNON, SON = "Matignon et al. 2007, section 4", "Son et al. 2019 (QTRAN), section 5.1"
CLAUS = "Claus and Boutilier 1998, section 4"
RASHID = "Rashid et al. 2020 (WQMIX), section 6"
PERLA = "Jafferjee et al. 2022 (PERLA), section 5.1"
FAILS, CLIMBS = {"high": 0.2}, {"low": 0.9}


def finds(method: str, game: str, says: str, source: str, shares: dict[str, Any]) -> Claim:
    """The share of seeds whose greedy team plays the optimum of ``game``."""
    return Claim(f"{method} on {game}", says, source, Attains(method, game, OPTIMA[game] - 0.01, **shares))


suite = Suite(
    name="climb_values",
    about="Which values and which deterministic gradients find an optimum that is punished when one agent misses it.",
    methods={
        "iql": Method("iql", TABLE),
        **{
            name: Method(name, {**TABLE, **UNIFORM, **SMALL.get(name, {})})
            for name in ("vdn", "qmix", "qplex", "qtran")
        },
        **{name: Method(name, {**TABLE, **UNIFORM, **WEIGHTED}) for name in ("owqmix", "cwqmix")},
        "hysteretic_dqn, 0.1": Method("hysteretic_dqn", {**TABLE, "beta": 0.1}),
        "hysteretic_dqn, 0.5": Method("hysteretic_dqn", TABLE),
        "lenient_dqn": Method("lenient_dqn", TABLE),
        "maddpg": Method("maddpg", ACTORS),
        "haddpg": Method("haddpg", ACTORS),
        "omdpg": Method("omdpg", {**ACTORS, "sharing": "none"}),
        "omdpg, current prefix": Method("omdpg", {**ACTORS, "sharing": "none", "actor_update.prefix": "current"}),
        "omdpg, expected": Method("omdpg", {**ACTORS, "sharing": "none", **EXPECTED}),
    },
    games={name: Arena(name, laptop=32_000, full=1_000_000) for name in OPTIMA},
    laptop_seeds=100,
    full_seeds=100,
    points=10,
    episodes=16,
    axis="vmap",
    claims=(
        finds("iql", "matrix/climbing", "Independent Q-learners do not find 11.", MATIGNON, FAILS),
        finds("hysteretic_dqn, 0.1", "matrix/climbing", "Hysteretic ones do.", MATIGNON, CLIMBS),
        finds(
            "lenient_dqn", "matrix/climb", "Lenient ones climb.", "Palmer et al. 2018; Lenient policy gradients", CLIMBS
        ),
        finds("lenient_dqn", "matrix/climbing", "So do lenient ones.", "Palmer et al. 2018", CLIMBS),
        finds("vdn", "matrix/climbing", "A sum of utilities cannot represent the game.", SON, FAILS),
        finds("qmix", "matrix/climbing", "Nor can a monotone mixture.", SON, FAILS),
        finds("qtran", "matrix/climbing", "QTRAN finds 11.", SON, CLIMBS),
        finds("qplex", "matrix/climbing", "QPLEX finds 11.", "Wang et al. 2021 (QPLEX), section 4.1", CLIMBS),
        finds("owqmix", "matrix/climbing", "Optimistic weights find 11.", RASHID, CLIMBS),
        finds("cwqmix", "matrix/climbing", "Central weights find 11.", RASHID, CLIMBS),
        finds("iql", "matrix/penalty", "Independent Q-learners avoid what mixing punishes.", CLAUS, FAILS),
        finds("hysteretic_dqn, 0.1", "matrix/penalty", "Hysteretic ones do not.", MATIGNON, CLIMBS),
        finds("vdn", "matrix/penalty", "A sum of utilities cannot represent two optima that do not mix.", SON, FAILS),
        finds("qmix", "matrix/penalty", "Nor can a monotone mixture.", SON, FAILS),
        finds("qtran", "matrix/penalty", "QTRAN finds 10.", SON, CLIMBS),
        finds("cwqmix", "matrix/penalty", "Central weights find 10.", RASHID, CLIMBS),
        *(
            finds(name, "matrix/climb", "It reaches 8 with two agents and three actions.", PERLA, CLIMBS)
            for name in ("qplex", "owqmix", "cwqmix")
        ),
        finds(
            "omdpg",
            "matrix/climbing",
            "Optimal marginal values reach the best joint action.",
            "OMDPG, Mechanism 1",
            CLIMBS,
        ),
        finds(
            "omdpg, expected",
            "matrix/climb",
            "They do where the prefix is what agents choose.",
            "a check of ours",
            CLIMBS,
        ),
    ),
)
