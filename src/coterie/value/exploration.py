"""How agents try what they do not think best: every kind is a distribution, which is stored, sampled and judged."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from coterie.nets.distributions import ILLEGAL, Categorical, Choices, Gaussian, Normal


def _mixed(best: Float[Array, "*choices A"], legal: Bool[Array, "*choices A"], epsilon: Array) -> Choices:
    """``best`` with probability 1 - epsilon, any legal choice with epsilon."""
    able = legal.astype(best.dtype)
    uniform = able / jnp.maximum(jnp.sum(able, -1, keepdims=True), 1.0)
    p = (1.0 - epsilon) * best + epsilon * uniform
    return Choices(jnp.where(legal & (p > 0), jnp.log(jnp.maximum(p, 1e-30)), ILLEGAL))


def _falling(start: Array | float, finish: Array | float, share: Float[Array, "*seeds"]) -> Float[Array, "*seeds"]:
    """From ``start`` to ``finish`` as ``share`` goes from 0 to 1."""
    return start + (finish - start) * jnp.clip(share, 0.0, 1.0)


class EpsilonGreedy(eqx.Module):
    """The best choice with probability 1 - epsilon, else any legal one; epsilon falls linearly (Mnih et al. 2015).

    Args:
        start: Epsilon at the first step.
        finish: Epsilon in the end.
        steps: Environment steps, over all environments, in which it falls.
    """

    start: float = 1.0
    finish: float = 0.05
    steps: float = 50_000.0

    def level(self, steps: Int[Array, "*seeds"]) -> Float[Array, "*seeds"]:
        """Epsilon after so many environment steps."""
        return _falling(self.start, self.finish, steps.astype(jnp.float32) / self.steps)

    def distribution(
        self, family: Categorical | Gaussian, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"],
        level: Float[Array, ""] | float,
    ) -> Choices:  # fmt: skip
        """What is drawn from, given the utilities ``raw``."""
        value: Any = Choices(jnp.where(legal, raw.reshape(legal.shape), ILLEGAL))
        best = jax.nn.one_hot(family.mode(value), legal.shape[-1], dtype=jnp.float32)
        return _mixed(best, legal, jnp.asarray(level, jnp.float32))


class ActorNoise(eqx.Module):
    """Noise on an actor's actions: on boxes normal and cut to the box; choices are drawn from the softmax.

    Drawing from the softmax is what the Gumbel noise of the straight-through gradient does (Lowe et al. 2017); choices
    are mixed with epsilon of uniform ones, which falls linearly (FACMAC: Peng et al. 2021). Before ``warmup`` steps any
    action is as likely as any other.

    Args:
        std: Standard deviation on boxes, where a box is [-1, 1].
        start: Epsilon of choices after the warm-up; below 1.
        finish: Epsilon in the end.
        steps: Environment steps, over all environments, in which it falls.
        warmup: Environment steps of uniform actions.
    """

    std: float = 0.1
    start: float = 0.5
    finish: float = 0.05
    steps: float = 50_000.0
    warmup: float = 10_000.0

    def level(self, steps: Int[Array, "*seeds"]) -> Float[Array, "*seeds"]:
        """1 while actions are uniform, then the epsilon of choices."""
        now = steps.astype(jnp.float32)
        later = _falling(self.start, self.finish, (now - self.warmup) / self.steps)
        return jnp.where(now < self.warmup, 1.0, later)

    def distribution(
        self, family: Categorical | Gaussian, raw: Float[Array, "*lead size"], legal: Bool[Array, "*lead *choices"],
        level: Float[Array, ""] | float,
    ) -> Choices | Normal:  # fmt: skip
        """What is drawn from, given the actor's outputs; on boxes once the warm-up is over."""
        if isinstance(family, Categorical):
            soft = family.parameters(raw, legal)
            return _mixed(jnp.where(legal, jnp.exp(soft.log_p), 0.0), legal, jnp.asarray(level, jnp.float32))
        log_std = jnp.broadcast_to(jnp.log(jnp.asarray(self.std, jnp.float32)), raw.shape)
        return Normal(jnp.where(legal, jnp.tanh(raw), 0.0), jnp.where(legal, log_std, 0.0), legal)


Exploration = EpsilonGreedy | ActorNoise
