"""Surrogate objectives: the loss of one sample of one agent, to be minimised."""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def ratio_proportional(
    log_ratio: Float[Array, "T E N"], active: Bool[Array, " N"], epsilon: Float[Array, ""] | float
) -> Float[Array, " N"]:
    """A2PO's clip range under shared parameters: eps_i ~ E[1 / prod_{j >= i} (1 + |1 - r^j|)], largest = epsilon.

    Agents are taken in index order, as the released code does; agents outside ``active`` are left out.
    """
    spread = jnp.where(active, jnp.log1p(jnp.abs(1.0 - jnp.exp(log_ratio))), 0.0)
    suffix = jnp.cumsum(spread[..., ::-1], axis=-1)[..., ::-1]
    weight = jnp.mean(jnp.exp(-suffix), axis=(0, 1))
    return epsilon * weight / jnp.max(jnp.where(active, weight, 0.0))


class Clip(eqx.Module):
    """PPO's clipped surrogate: -outside * min(l A, clip(l, 1 - eps, 1 + eps) A), l = ratio * inside.

    Source: Schulman et al. 2017, eq. 7; with weights: CoPPO eq. 11, HAPPO eq. 11, A2PO's practical objective.

    Args:
        epsilon: Clip range.
        adaptive: ``none``; ``position``: C(eps, k) = eps c + eps (1 - c) k / n for the k-th of n turns (A2PO);
            ``ratio``: the released A2PO code's range for shared parameters, see ``ratio_proportional``.
        floor: The c of ``position``.
    """

    epsilon: float = 0.2
    adaptive: Literal["none", "position", "ratio"] = eqx.field(static=True, default="none")
    floor: float = 0.5

    def init(self, slots: int) -> tuple[()]:
        """This surrogate has no coefficients to adapt."""
        del slots
        return ()

    def range(
        self, turn: Array, turns: int, log_ratio: Float[Array, "T E N"], active: Bool[Array, " N"]
    ) -> Float[Array, " N"]:
        """The effective clip range of each agent in the turn ``turn`` (from 0) of ``turns``."""
        whole = jnp.full((log_ratio.shape[-1],), self.epsilon, log_ratio.dtype)
        if self.adaptive == "position":
            return whole * (self.floor + (1.0 - self.floor) * (turn + 1).astype(whole.dtype) / turns)
        return ratio_proportional(log_ratio, active, self.epsilon) if self.adaptive == "ratio" else whole

    def loss(
        self,
        coefficients: tuple[()],
        clip: Float[Array, "K 1 1 M"],
        log_ratio: Float[Array, "K L R M"],
        advantage: Float[Array, "K L R M"],
        inside: Float[Array, "K L R M"],
        outside: Float[Array, "K L R M"],
        kl: Float[Array, "K L R M"],
    ) -> Float[Array, "K L R M"]:
        """The loss of each sample."""
        del coefficients, kl
        weighted = jnp.exp(log_ratio) * inside
        clipped = jnp.clip(weighted, 1.0 - clip, 1.0 + clip)
        return -outside * jnp.minimum(weighted * advantage, clipped * advantage)

    def adapt(self, coefficients: tuple[()], kl: Float[Array, " S"]) -> tuple[()]:
        """Nothing adapts."""
        del kl
        return coefficients


Surrogate = Clip
