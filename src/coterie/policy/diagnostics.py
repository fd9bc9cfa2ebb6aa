"""What trust-region users look for, per agent and update; and the guard against NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from coterie.contracts import Across, Metrics, Rollout
from coterie.nets.distributions import Categorical
from coterie.parts.guard import first_bad

if TYPE_CHECKING:
    from coterie.policy.turn import Progress, Report, Turns

GUARDED = ("observations", "rewards", "behaviour log-probabilities", "values", "value targets", "actor parameters",
           "critic parameters")  # fmt: skip


def guard(rollout: Rollout, value: Array, target: Array, progress: Progress) -> Int[Array, ""]:
    """Index into ``GUARDED`` of the first quantity that is not finite; its length if all are."""
    return first_bad(rollout.observation.local, rollout.reward, rollout.log_prob, value, target, progress.actor,
                     progress.critic)  # fmt: skip


def explained_variance(value: Float[Array, "T E M"], target: Float[Array, "T E M"]) -> Float[Array, " M"]:
    """1 - Var(target - value) / Var(target), for each value."""
    spread = jnp.var(target, axis=(0, 1))
    return 1.0 - jnp.var(target - value, axis=(0, 1)) / jnp.maximum(spread, 1e-8)


def summarise(
    turns: Turns, progress: Progress, reports: Report, critic: dict[str, Array], target: Float[Array, "T E M"]
) -> Metrics:
    """Per-agent figures ``[N]`` of the turns' last epochs, the order, the joint ratio and the critic's figures.

    Of discrete actions also the mean probability of each choice under the behaviour policy, ``[N, A]``: in a game of
    one state that is the policy.

    An agent that moved in several turns (shared blocks) reports its mean over them; names that end in ``max`` their
    largest.
    """
    layout = turns.tower.layout
    count, members = reports.active.shape[0], layout.members
    slots, active = reports.slots.reshape(-1), reports.active.reshape(-1, members)
    weight = active.astype(target.dtype)
    total = jnp.zeros((layout.slots, members), target.dtype).at[slots].add(weight)
    metrics: Metrics = {}
    for name, stat in reports.stats.items():
        if name in ("loss", "value_loss"):  # a sum over slots, and the critic's own figure that follows
            continue
        each = stat.reshape(-1, members)
        if name.endswith("max"):
            low = jnp.full_like(total, -jnp.inf)
            merged = low.at[slots].max(jnp.where(active, each, -jnp.inf))
        else:
            merged = jnp.zeros_like(total).at[slots].add(weight * each) / jnp.maximum(total, 1.0)
        metrics[name] = layout.restore(merged, 0)
    index = jnp.repeat(jnp.arange(count), reports.slots.shape[1])[:, None]
    first = jnp.full((layout.slots, members), count).at[slots].min(jnp.where(active, index, count))
    metrics["turn"] = layout.restore(first, 0)
    joint = metrics["joint_ratio_mean"], metrics["joint_ratio_max"]
    if turns.moving:
        joint = (jnp.exp(turns.joint(progress)),) * 2
    metrics |= {"joint_ratio_mean": jnp.mean(joint[0]), "joint_ratio_max": jnp.max(joint[1])}
    metrics["value_loss"] = jnp.mean(critic["value_loss"])
    metrics["value_gradient_norm"] = jnp.mean(critic["gradient_norm"])
    metrics["explained_variance"] = explained_variance(turns.values.value, target)
    metrics["value_mean"] = jnp.mean(turns.values.value)
    metrics["advantage_std"] = jnp.std(target - turns.values.value)
    if isinstance(turns.family, Categorical) and len(turns.family.legal_shape) == 1:
        metrics["action_probability"] = jnp.mean(jnp.exp(turns.rollout.behaviour.log_p), (0, 1))
    return metrics


def together(metrics: Metrics, across: Across) -> Metrics:
    """One device's metrics as the whole's: the largest of ``max``, the first bad quantity, means of the rest."""

    def merge(name: str) -> Array:
        x = metrics[name]
        if name == "guard":
            return across.min(x)
        return across.max(x) if name.endswith("max") else across.mean(x)

    return metrics if across.axis is None else {name: merge(name) for name in metrics}
