"""Surrogate objectives: the loss of one sample of one agent, to be minimised."""

from __future__ import annotations

from typing import Literal, NamedTuple

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


class Sample(NamedTuple):
    """What a surrogate reads of each sample.

    ``kl`` is KL(old || new) of the whole distribution, ``weight`` 0 where the sample is not trained, ``clip`` the
    effective clip range, ``agents`` N.
    """

    log_ratio: Float[Array, "K L R M"]
    advantage: Float[Array, "K L R M"]
    inside: Float[Array, "K L R M"]
    outside: Float[Array, "K L R M"]
    kl: Float[Array, "K L R M"]
    weight: Float[Array, "K L R M"]
    clip: Float[Array, "K 1 1 M"]
    agents: int


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

    def loss(self, coefficients: tuple[()], sample: Sample) -> Float[Array, "K L R M"]:
        """The loss of each sample."""
        del coefficients
        weighted = jnp.exp(sample.log_ratio) * sample.inside
        clipped = jnp.clip(weighted, 1.0 - sample.clip, 1.0 + sample.clip)
        return -sample.outside * jnp.minimum(weighted * sample.advantage, clipped * sample.advantage)

    def adapt(self, coefficients: tuple[()], kl: Float[Array, "U K"], root: Float[Array, "U K"]) -> tuple[()]:
        """Nothing adapts."""
        del kl, root
        return coefficients

    def report(self, coefficients: tuple[()]) -> dict[str, Float[Array, " K"]]:
        """Nothing to report."""
        del coefficients
        return {}


class Coefficients(NamedTuple):
    """What the penalties are multiplied with, one of each for every slot."""

    root: Float[Array, " S"]
    kl: Float[Array, " S"]


def root_of(kl: Array) -> Array:
    """sqrt(KL) with a finite slope where KL is 0; rounding may leave it a little below."""
    return jnp.sqrt(jnp.maximum(kl, 0.0) + 1e-12)


class KlPenalty(eqx.Module):
    """DPO's surrogate: -l A / N + b1 sqrt(KL) + b2 KL, KL(old || new) of the whole distribution, b adaptive.

    Source: DPO (Su and Lu 2024), eq. 19 (the loss) and eq. 20 (the coefficients: doubled where the divergence exceeds
    ``band`` times its target, halved below the target over ``band``). Without ``root`` it is IPPO-KL's.

    Args:
        root: Initial b1, None for no square-root term.
        kl: Initial b2, None for no linear term.
        target: What KL is steered to.
        band: How far off the target is left alone, as a factor.
        factor: What a coefficient is multiplied or divided by.
        shared: Divide the policy term by the number of agents, as the paper does and its code does not.
        root_of: The square root of the ``mean`` KL of a minibatch (paper) or the mean of the roots of ``each`` sample's
            (code).
        statistic: ``epoch``: means over the last epoch, each slot its own, one test on KL for both coefficients
            (paper). ``code``: of the last gradient step, averaged over slots, and b1 follows the mean root with the
            root of the target.
        limits: Least and largest coefficient.
    """

    root: float | None = 0.01
    kl: float | None = 0.01
    target: float = 0.01
    band: float = 1.5
    factor: float = 2.0
    shared: bool = eqx.field(static=True, default=True)
    root_of: Literal["mean", "each"] = eqx.field(static=True, default="mean")
    statistic: Literal["epoch", "code"] = eqx.field(static=True, default="epoch")
    limits: tuple[float, ...] = eqx.field(static=True, default=())

    def init(self, slots: int) -> Coefficients:
        """The coefficients at the start; those of a term that is left out are 0 and stay so."""
        full = lambda value: jnp.full((slots,), 0.0 if value is None else value, jnp.float32)  # noqa: E731
        return Coefficients(full(self.root), full(self.kl))

    def range(
        self, turn: Array, turns: int, log_ratio: Float[Array, "T E N"], active: Bool[Array, " N"]
    ) -> Float[Array, " N"]:
        """Nothing is clipped."""
        del turn, turns, active
        return jnp.full((log_ratio.shape[-1],), jnp.inf, log_ratio.dtype)

    def loss(self, coefficients: Coefficients, sample: Sample) -> Float[Array, "K L R M"]:
        """The loss of each sample; the root of a mean stands in every sample that it is a mean of."""
        gain = sample.outside * jnp.exp(sample.log_ratio) * sample.inside * sample.advantage
        each = -gain / sample.agents if self.shared else -gain
        kl, weight = sample.kl, sample.weight
        wide = lambda b: b[:, None, None, None]  # noqa: E731
        if self.root is not None:
            count = jnp.maximum(jnp.sum(weight, (1, 2), keepdims=True), 1.0)
            mean = jnp.sum(weight * kl, (1, 2), keepdims=True) / count
            each = each + wide(coefficients.root) * root_of(mean if self.root_of == "mean" else kl)
        return each if self.kl is None else each + wide(coefficients.kl) * kl

    def adapt(self, coefficients: Coefficients, kl: Float[Array, "U K"], root: Float[Array, "U K"]) -> Coefficients:
        """The coefficients of the next iteration, from the last epoch's ``U`` gradient steps of each slot."""
        target, goal = jnp.asarray(self.target, kl.dtype), jnp.asarray(self.target, kl.dtype)
        if self.statistic == "code":
            seen = jnp.broadcast_to(jnp.mean(kl[-1]), kl.shape[1:])
            own, goal = jnp.broadcast_to(jnp.mean(root[-1]), kl.shape[1:]), jnp.sqrt(target)
        else:
            seen = own = jnp.mean(kl, axis=0)
        return Coefficients(self._step(coefficients.root, own, goal), self._step(coefficients.kl, seen, target))

    def _step(self, value: Float[Array, " K"], seen: Float[Array, " K"], target: Array) -> Float[Array, " K"]:
        more = jnp.where(seen > self.band * target, value * self.factor, value)
        new = jnp.where(seen < target / self.band, value / self.factor, more)
        # A term that is left out has the coefficient 0, and a limit must not bring it back.
        return jnp.where(value > 0, jnp.clip(new, *self.limits), value) if self.limits else new

    def report(self, coefficients: Coefficients) -> dict[str, Float[Array, " K"]]:
        """The coefficients by name."""
        found = {"root_coefficient": (self.root, coefficients.root), "kl_coefficient": (self.kl, coefficients.kl)}
        return {name: value for name, (initial, value) in found.items() if initial is not None}


Surrogate = Clip | KlPenalty
