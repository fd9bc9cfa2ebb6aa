"""Weights of a sample in an agent's loss: *inside* the clip (they multiply the ratio) or *outside* (the clipped term).

Shapes: ``K`` slots of the turn, ``L`` steps of a sequence, ``R`` sequences, ``M`` agents of a slot.
"""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from coterie.parts.leniency import Lenient, what_is_left
from coterie.policy.context import Context, Weights


def _bounded(log_product: Array, clip: Array | float | None) -> Array:
    product = jnp.exp(log_product)
    return product if clip is None else jnp.clip(product, 1.0 - clip, 1.0 + clip)


class One(eqx.Module):
    """Every sample counts once (IPPO, MAPPO)."""

    def __call__(self, context: Context) -> Weights:
        """Inside and outside weights."""
        one = jnp.ones_like(context.others)
        return one, one


class Others(eqx.Module):
    """CoPPO: g = clip(prod_{j != i} r^j, 1 - outer, 1 + outer), inside, stop-gradient.

    The product is taken under the current parameters at every gradient step. Source: CoPPO, eq. 11; A2PO slides,
    "Clip the joint action".
    """

    outer: float = 0.1

    def __call__(self, context: Context) -> Weights:
        """Inside and outside weights."""
        weight = _bounded(context.others, self.outer)
        return weight, jnp.ones_like(weight)


class Preceding(eqx.Module):
    """The product of the ratios of the agents that moved before: M = prod_{j in e} r^j, carried, stop-gradient.

    ``place="outside"`` without a clip is HAPPO's official factor (HAPPO, eq. 11); ``"inside"`` without a clip is
    A2PO's HAPPO baseline; ``"inside"`` with ``clip = epsilon / 2`` is A2PO (its g). ``adapted`` uses half of the
    agent's effective clip range instead of ``clip``, as A2PO's paper writes; its code keeps the constant.
    """

    clip: float | None = None
    place: Literal["inside", "outside"] = eqx.field(static=True, default="inside")
    adapted: bool = eqx.field(static=True, default=False)

    def __call__(self, context: Context) -> Weights:
        """Inside and outside weights."""
        weight = _bounded(context.carried, 0.5 * context.clip if self.adapted else self.clip)
        one = jnp.ones_like(weight)
        return (weight, one) if self.place == "inside" else (one, weight)


class Hysteretic(eqx.Module):
    """Bad outcomes count less: ``eta`` outside where the advantage is negative, 1 elsewhere.

    Source: hysteretic Q-learning (Matignon et al. 2007) and, as max(eta A, A), optimistic policy gradients (Zhao et
    al. 2024).
    The sign is that of the advantage after ``advantage_norm``: ``scale`` and ``none`` keep the sign of the outcome.
    """

    eta: float = 0.0

    def __call__(self, context: Context) -> Weights:
        """Inside and outside weights."""
        one = jnp.ones_like(context.others)
        return one, what_is_left(context.advantage, self.eta * one)


Single = One | Others | Preceding | Hysteretic | Lenient
"""A weighting that is no product."""


class Product(eqx.Module):
    """The product of several weightings, inside by inside and outside by outside."""

    parts: tuple[Single, ...] = ()

    def __call__(self, context: Context) -> Weights:
        """Inside and outside weights."""
        inside, outside = One()(context)
        for part in self.parts:
            a, b = part(context)
            inside, outside = inside * a, outside * b
        return inside, outside


def product(*parts: Single) -> Product:
    """The product of several weightings."""
    return Product(parts)


Weighting = Single | Product


def singles(weighting: Weighting) -> tuple[Single, ...]:
    """The factors of a product, or the weighting itself."""
    return weighting.parts if isinstance(weighting, Product) else (weighting,)


def lenient(weighting: Weighting) -> Lenient | None:
    """The lenient part, if there is one."""
    return next((part for part in singles(weighting) if isinstance(part, Lenient)), None)
