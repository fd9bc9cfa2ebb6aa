"""What one gradient step of the actors minimises."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array, Bool, Float, PyTree

from coterie.contracts import HERE, Across
from coterie.nets.distributions import Categorical, Gaussian
from coterie.parts.fit import Batch, Stats
from coterie.parts.tower import Tower
from coterie.policy.critic import Critic
from coterie.policy.surrogate import Clip, Sample, Surrogate, root_of
from coterie.policy.weighting import Context, Weighting


def shape(advantage: Float[Array, "T E M"], leak: Array | float) -> Float[Array, "T E M"]:
    """max(leak A, A), 0 <= leak <= 1: bad outcomes, which may be the others' fault, count less (OptiMAPPO)."""
    return jnp.maximum(leak * advantage, advantage)


def normalise(
    advantage: Float[Array, "T E M"], alive: Bool[Array, "T E N"], over: str, across: Across = HERE
) -> Float[Array, "T E N"]:
    """Advantages of every agent with mean 0 and deviation 1 over the ``team``, per ``agent``, or as they are.

    Dead agents carry no weight. Per agent keeps independent learners independent. ``scale`` divides by the team's
    deviation and keeps every sign.
    """
    present = alive.astype(advantage.dtype)
    wide = jnp.broadcast_to(advantage, present.shape)
    if over == "none":
        return wide
    axes = (0, 1) if over == "agent" else (0, 1, 2)
    count = jnp.maximum(across.sum(jnp.sum(present, axes, keepdims=True)), 1.0)
    mean = across.sum(jnp.sum(present * wide, axes, keepdims=True)) / count
    variance = across.sum(jnp.sum(present * jnp.square(wide - mean), axes, keepdims=True)) / count
    centred = wide if over == "scale" else wide - mean
    return centred / (jnp.sqrt(variance) + 1e-5)


class Objective(eqx.Module):
    """The loss of a turn's agents on a batch ``[K, L, R, M, ...]``.

    A batch holds ``x`` (marked observations), ``legal``, ``action``, ``log_prob`` and ``behaviour`` of the rollout,
    ``carry``, ``reset``, ``present`` (agents that exist and live), ``weight`` (those of them that are trained),
    ``advantage``, ``carried`` (log of the product of the *other* agents' ratios when the turn began), ``rest`` (the
    same for the agents outside the turn), and with a shared trunk ``target`` and ``old`` values.
    """

    tower: Tower
    family: Categorical | Gaussian
    weighting: Weighting
    surrogate: Surrogate
    entropy: float
    critic: Critic

    def log_prob(self, params: PyTree, batch: Batch) -> tuple[Float[Array, "K L R M"], PyTree, Array]:
        """Log-probabilities of the rollout's actions under ``params``, the distributions, the network's last output."""
        carry = jax.tree.map(lambda h: h[:, 0], batch["carry"])
        raw, _ = self.tower.apply(params["net"], carry, batch["x"], batch["reset"][0])
        log_std: Any = params["log_std"][:, None, None, None, :] if "log_std" in params else None
        dist: Any = self.family.parameters(raw[..., : self.family.size], batch["legal"], log_std)
        return self.family.log_prob(dist, batch["action"]), dist, raw[..., -1]

    def __call__(
        self,
        params: PyTree,
        batch: Batch,
        total: Float[Array, " K"],
        clip: Float[Array, "K 1 1 M"],
        coefficients: PyTree,
    ) -> tuple[Array, Stats]:
        """The sum over slots of the mean loss of each slot's agents, and per-agent statistics ``[K, M]``.

        ``total`` is the weight of the batch in each slot, that of all devices together.
        """
        log_prob, dist, last = self.log_prob(params, batch)
        weight, advantage = batch["weight"], batch["advantage"]
        log_ratio = log_prob - batch["log_prob"]
        fresh = stop_gradient(log_ratio) * batch["present"]
        others = batch["rest"] + jnp.sum(fresh, axis=(0, 3), keepdims=True) - fresh
        inside, outside = self.weighting(Context(batch["carried"], others, advantage, clip, batch.get("mercy")))
        kl, entropy = self.family.kl(batch["behaviour"], dist), self.family.entropy(dist)
        agents = len(self.tower.layout.slot_of)
        sample = Sample(log_ratio, advantage, inside, outside, kl, weight, clip, agents)
        each = self.surrogate.loss(coefficients, sample)
        own, trunk = each, self.critic.trunk
        each = each - self.entropy * entropy
        value = jnp.zeros_like(each) if trunk is None else self.critic.loss(last, batch["old"], batch["target"])
        each = each if trunk is None else each + trunk.coefficient * value
        slot = jnp.sum(weight * each, (1, 2, 3)) / total
        count = jnp.maximum(jnp.sum(weight, (1, 2)), 1.0)

        def mean(x: Array) -> Array:
            return jnp.sum(weight * x, (1, 2)) / count

        ratio, joint = jnp.exp(fresh), jnp.exp(others + fresh)
        stats = {
            "policy_loss": mean(own),
            "value_loss": mean(value),
            "kl": mean(kl),
            "entropy": mean(entropy),
            "ratio_mean": mean(ratio),
            "ratio_max": jnp.max(ratio, (1, 2)),
            "joint_ratio_mean": mean(joint),
            "joint_ratio_max": jnp.max(joint, (1, 2)),
        }
        if "mercy" in batch:
            stats["forgiven"] = mean(1.0 - batch["mercy"])
        if isinstance(self.surrogate, Clip):
            stats["clip_fraction"] = mean((jnp.abs(ratio * inside - 1.0) > clip).astype(ratio.dtype))
        else:
            stats["root_kl"] = mean(root_of(kl))
        return jnp.sum(slot), jax.tree.map(stop_gradient, stats)
