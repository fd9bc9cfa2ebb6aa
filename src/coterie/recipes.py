"""Every recipe by name, and the two kinds that they are of; ``coterie.recipes`` in Python."""

from __future__ import annotations

from coterie.nets.networks import Network
from coterie.policy import recipes as on_policy
from coterie.policy.recipes import (
    Recipe,
    a2po,
    coppo,
    dpo,
    dpo_without_kl,
    dpo_without_sqrt,
    happo,
    ippo,
    ippo_kl,
    lenient_mappo,
    mappo,
    optimistic_mappo,
    perla_ippo,
    perla_mappo,
)
from coterie.value import recipes as off_policy
from coterie.value.recipes import (
    ValueRecipe,
    cwqmix,
    haddpg,
    hatd3,
    hysteretic_dqn,
    iddpg,
    iql,
    lenient_dqn,
    maddpg,
    omdpg,
    owqmix,
    qmix,
    qplex,
    qtran,
    vdn,
)

AnyRecipe = Recipe | ValueRecipe
"""An on-policy recipe, or an off-policy one."""

RECIPES = {**on_policy.RECIPES, **off_policy.RECIPES}
"""The functions that build them."""


def recurrent(recipe: AnyRecipe, width: int = 64, chunk: int = 0) -> AnyRecipe:
    """The same line-up with a GRU of ``width`` units in its agents, and in a critic that reads sequences."""
    if isinstance(recipe, ValueRecipe):
        return off_policy.recurrent(recipe, width, chunk)
    return on_policy.recurrent(recipe, width, chunk)


__all__ = [
    "RECIPES", "AnyRecipe", "Network", "Recipe", "ValueRecipe", "a2po", "coppo", "cwqmix", "dpo", "dpo_without_kl",
    "dpo_without_sqrt", "haddpg", "happo", "hatd3", "hysteretic_dqn", "iddpg", "ippo", "ippo_kl", "iql", "lenient_dqn",
    "lenient_mappo", "maddpg", "mappo", "omdpg", "optimistic_mappo", "owqmix", "perla_ippo", "perla_mappo", "qmix",
    "qplex", "qtran", "recurrent", "vdn",
]  # fmt: skip
