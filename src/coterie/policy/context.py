"""What a weighting reads and returns."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Array, Float

Weights = tuple[Float[Array, "K L R M"], Float[Array, "K L R M"]]
"""Inside and outside weights."""


class Context(NamedTuple):
    """What a weighting may read.

    Both logs are of the product of the *other* agents' ratios: ``carried`` as the preceding turns left them,
    ``others`` under the parameters of this very gradient step. ``clip`` is the effective clip range. ``mercy``, where
    the line-up has a lenient part, is what is left of each sample after forgiveness: 1 for every good outcome.
    """

    carried: Float[Array, "K L R M"]
    others: Float[Array, "K L R M"]
    advantage: Float[Array, "K L R M"]
    clip: Float[Array, "K 1 1 M"]
    mercy: Float[Array, "K L R M"] | None = None
