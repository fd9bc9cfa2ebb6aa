"""The suite ``smax_values`` with learning rates that stay, at two budgets: what ``halving`` changes.

coterie campaign run benchmarks/smax_constant.py
"""

from dataclasses import replace

from coterie.campaign.suite import Arena, Method
from coterie.campaign.suites.smax_values import suite as halved

STILL = {"actor_fit.halving": 0, "critic_fit.halving": 0}

suite = replace(
    halved,
    name="smax_constant",
    about="VDN and QMIX, feed-forward, on a battle of SMAX, with learning rates that stay.",
    methods={name: Method(method.recipe, {**method.options, **STILL}) for name, method in halved.methods.items()},
    games={
        "3m": Arena("smax/3m", laptop=1_600_000, full=10_000_000, reference=2.0),
        "3m, longer": Arena("smax/3m", laptop=2_400_000, full=10_000_000, reference=2.0),
    },
    episodes=128,
    claims=(),
)
