"""The agents' own networks over sequences: what they put out now, and after each step."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from coterie.contracts import Observation
from coterie.nets.distributions import ILLEGAL, Categorical, Choices, Gaussian
from coterie.parts.tower import Tower
from coterie.value.batch import Sequences
from coterie.value.mixing import Mixture


class Agents(eqx.Module):
    """A network for each parameter slot, and the actions that its outputs speak of."""

    tower: Tower
    family: Categorical | Gaussian = eqx.field(static=True)

    def unroll(self, params: PyTree, batch: Sequences, carry: PyTree) -> tuple[Float[Array, "L R N out"], PyTree]:
        """Outputs for every observation of the sequences, and the memory after each."""
        return self.tower.play(params, carry, batch.observation.local, batch.reset)

    def after(self, params: PyTree, memory: PyTree, batch: Sequences) -> Float[Array, "L R N out"]:
        """Outputs for the observation that every step led to, from the memory of that step: no loop over time."""
        x = batch.final.local
        length, rows = x.shape[:2]
        flat = x.reshape(1, length * rows, *x.shape[2:])
        carry = jax.tree.map(lambda h: h.reshape(length * rows, *h.shape[2:]), memory)
        raw, _ = self.tower.play(params, carry, flat, jnp.zeros((1, length * rows), bool))
        return raw.reshape(length, rows, *raw.shape[2:])

    def utilities(self, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"]) -> Any:
        """Utilities of all choices, so large a negative number where they are illegal that nobody chooses them."""
        return Choices(jnp.where(legal, raw.reshape(legal.shape), ILLEGAL))

    def best(self, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"]) -> Int[Array, "*action"]:
        """The best legal choices."""
        return self.family.mode(self.utilities(raw, legal))

    def mixture(self, raw: Float[Array, "L R N size"], seen: Observation, action: Int[Array, "*action"]) -> Mixture:
        """What a mixing reads of utilities; the dead have none."""
        alive = seen.alive.astype(raw.dtype)
        value = self.utilities(raw, seen.legal)
        chosen: Any = Choices(raw.reshape(seen.legal.shape))
        features = self.family.seen(action) * alive[..., None]
        return Mixture(
            chosen=self.family.log_prob(chosen, action) * alive,
            best=self.family.log_prob(value, self.family.mode(value)) * alive,
            state=seen.state,
            action=features.reshape(*features.shape[:-2], -1),
        )
