"""Weights of errors: how much an outcome counts that is worse than what was expected."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from coterie.parts.leniency import Lenient, what_is_left


class Errors(NamedTuple):
    """What a weighting reads: target minus value, what leniency left when the step was taken, and good signs.

    ``promising`` says where the joint action is every agent's best, or the target exceeds the central value of the best
    joint action; it is None without a central value.
    """

    error: Float[Array, "L R M"]
    mercy: Float[Array, "L R M"] | None
    promising: Bool[Array, "L R 1"] | None


class One(eqx.Module):
    """Every error counts once."""


class Hysteretic(eqx.Module):
    """``beta`` where the outcome is worse than expected (target < value), 1 elsewhere.

    Hysteretic Q-learning (Matignon et al. 2007; deep: Omidshafiei et al. 2017). Of a joint value it is the optimistic
    weighting of WQMIX (Rashid et al. 2020, eq. 7), whose alpha is ``beta``.
    """

    beta: float = 0.5


class Promising(eqx.Module):
    """1 where the joint action is the best one or its target exceeds the best one's central value, ``alpha`` elsewhere.

    The central weighting of WQMIX (Rashid et al. 2020, eq. 8): a joint action that may be better than the best known
    one counts in full.
    """

    alpha: float = 0.5


Weighting = One | Hysteretic | Promising | Lenient


def weigh(part: Weighting, errors: Errors, key: PRNGKeyArray) -> Float[Array, "L R M"]:
    """The weight of every error; ``key`` draws the mask of a lenient one."""
    one = jnp.ones_like(errors.error)
    if isinstance(part, Hysteretic):
        return what_is_left(errors.error, part.beta * one)
    if isinstance(part, Promising) and errors.promising is not None:
        return jnp.where(errors.promising, one, part.alpha * one)
    if isinstance(part, Lenient) and errors.mercy is not None:
        kept = errors.mercy
        if part.forgive == "mask":
            kept = (jax.random.uniform(key, kept.shape) >= 1.0 - kept).astype(one.dtype)
        return what_is_left(errors.error, kept)
    return one
