"""The agents' own networks over sequences: what they put out now, and after each step."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from coterie.contracts import Observation
from coterie.nets.distributions import ILLEGAL, Categorical, Choices, Gaussian
from coterie.parts.cuts import at_cuts
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

    def after(self, params: PyTree, raw: Float[Array, "L R N out"], memory: PyTree, batch: Sequences) -> Array:
        """Outputs for the observation that every step led to, from ``raw`` and the memory of ``unroll``.

        That is the next row's, but where the clock cut an episode, and at the end of the sequences. After a terminated
        step the numbers mean nothing.
        """
        still = jnp.zeros((1, raw.shape[1]), bool)
        there = lambda carry, final: self.tower.play(params, carry, final.local[None], still)[0][0]  # noqa: E731
        if raw.shape[0] == 1:
            return there(jax.tree.map(lambda h: h[0], memory), jax.tree.map(lambda x: x[0], batch.final))[None]
        cut = batch.truncated.at[-1].set(True)
        final = at_cuts(there, jnp.zeros_like(raw[0]), memory, batch.final, cut)
        return jnp.where(cut[..., None, None], final, jnp.concatenate([raw[1:], raw[-1:]]))

    def utilities(self, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"]) -> Any:
        """Utilities of all choices, so large a negative number where they are illegal that nobody chooses them."""
        return Choices(jnp.where(legal, raw.reshape(legal.shape), ILLEGAL))

    def best(self, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"]) -> Int[Array, "*action"]:
        """The best legal choices."""
        return self.family.mode(self.utilities(raw, legal))

    def mixture(
        self, raw: Float[Array, "L R N size"], seen: Observation, action: Int[Array, "*action"], dead: bool = False
    ) -> Mixture:
        """What a mixing reads of utilities; the dead have none, unless ``dead`` keeps them."""
        alive = jnp.ones_like(raw[..., 0]) if dead else seen.alive.astype(raw.dtype)
        value = self.utilities(raw, seen.legal)
        chosen: Any = Choices(raw.reshape(seen.legal.shape))
        features = self.family.seen(action) * alive[..., None]
        return Mixture(
            chosen=self.family.log_prob(chosen, action) * alive,
            best=self.family.log_prob(value, self.family.mode(value)) * alive,
            state=seen.state,
            action=features.reshape(*features.shape[:-2], -1),
        )
