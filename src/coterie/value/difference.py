"""The loss of value-based methods: what the temporal difference asks of utilities, mixing and central value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, Observation, Spec
from coterie.parts.fit import Stats
from coterie.value.batch import Sequences
from coterie.value.central import Nets, NoCentral, Now
from coterie.value.weighting import Errors, weigh

if TYPE_CHECKING:
    from coterie.value.recipes import ValueRecipe


class Difference(eqx.Module):
    """The loss of utilities, of their mixing, and of a central value."""

    recipe: ValueRecipe
    nets: Nets
    across: Across = eqx.field(static=True, default=HERE)

    def __call__(
        self, params: PyTree, target: PyTree, unit: Float[Array, ""], batch: Sequences, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Stats]:
        """The mean squared error of each slot, summed over slots, in ``unit``s of reward; figures of the batch.

        ``params`` and ``target`` are ``{"actor": ..., "critic": ...}``, the critic a dictionary of modules.
        """
        recipe, agents, seen = self.recipe, self.nets.agents, batch.observation
        raw, memory = agents.unroll(params["actor"], batch, batch.carry)
        following = stop_gradient(self.following(params, target, raw, memory, batch))
        y = targets(recipe, self.nets.spec, batch, following, unit)
        mixing = params["critic"].get("mixing", {})
        value = recipe.mixing(mixing, agents.mixture(raw, seen, batch.action, self.lasting))
        best = agents.best(stop_gradient(raw), seen.legal)
        counts = counted(self.nets.spec, seen, y)
        share = shares(counts, agents.tower.layout.slot_of, self.across)
        loss, own, central_best = jnp.zeros(()), True, None
        if not isinstance(recipe.central, NoCentral):
            mixed_best = recipe.mixing(mixing, agents.mixture(raw, seen, best))
            now = Now(batch, best, value, mixed_best, y)
            loss, own, central_best = recipe.central.judge(params["critic"], self.nets, now)
            loss = loss / jnp.maximum(self.across.sum(jnp.sum(counts)), 1.0)
        error = y - value
        promising = None if central_best is None else self._promising(batch, best, y, central_best)
        mercy = batch.mercy if isinstance(batch.mercy, jax.Array) else None
        weight = weigh(recipe.weighting, Errors(stop_gradient(error), mercy, promising), key)
        if own:
            loss = loss + jnp.sum(share * weight * jnp.square(error))
        count = jnp.maximum(self.across.sum(jnp.sum(counts)), 1.0)
        mean = lambda x: jnp.sum(counts * x) / count  # noqa: E731
        stats = {"td_error": unit * mean(jnp.abs(error)), "value_mean": unit * mean(value),
                 "target_mean": unit * mean(y), "weight_mean": mean(weight)}  # fmt: skip
        return loss, jax.tree.map(stop_gradient, stats)

    @property
    def lasting(self) -> bool:
        """Whether agents have values of their own that go on when they die, since the team goes on earning."""
        return self.nets.spec.reward == "team" and not self.recipe.mixing.team

    def following(
        self, params: PyTree, target: PyTree, raw: Array, memory: PyTree, batch: Sequences
    ) -> Float[Array, "L R M"]:
        """The target networks' value of every agent's best action after each step.

        ``raw`` and ``memory`` are those of the learning networks.
        """
        recipe, agents = self.recipe, self.nets.agents
        later = agents.after(target["actor"], *agents.unroll(target["actor"], batch, batch.carry), batch)
        chooser = agents.after(params["actor"], raw, memory, batch) if recipe.double else later
        action = agents.best(chooser, batch.final.legal)
        if isinstance(recipe.central, NoCentral):
            return recipe.mixing(
                target["critic"].get("mixing", {}), agents.mixture(later, batch.final, action, self.lasting)
            )
        return recipe.central.following(target["critic"], self.nets, batch, action)

    def _promising(self, batch: Sequences, best: Array, y: Array, central: Array) -> Bool[Array, "L R 1"]:
        alive = batch.observation.alive
        same = jnp.all((best == batch.action).reshape(*alive.shape, -1), -1) | ~alive  # the dead do nothing
        return jnp.all(same, -1, keepdims=True) | (y > central)


def earned(spec: Spec, reward: Float[Array, "*lead N"], values: int) -> Float[Array, "*lead M"]:
    """Rewards of M values: each agent's own, the team's, or the sum where a team has rewards for each agent."""
    if values == reward.shape[-1]:
        return reward
    return reward[..., :1] if spec.reward == "team" else jnp.sum(reward, -1, keepdims=True)


def counted(spec: Spec, seen: Observation, value: Float[Array, "L R M"]) -> Float[Array, "L R M"]:
    """1 where a value is learnt: always, but for the dead where agents have rewards of their own."""
    if value.shape[-1] > 1 and spec.reward == "individual":
        return seen.alive.astype(value.dtype)
    return jnp.ones_like(value)


def shares(counts: Float[Array, "L R M"], slot_of: tuple[int, ...], across: Across) -> Float[Array, "L R M"]:
    """The weight of every sample in the mean of its parameter slot, so that no slot's mean depends on another's agents.

    A team's value has one slot.
    """
    each = across.sum(jnp.sum(counts, (0, 1)))
    slots = np.asarray(slot_of) if len(slot_of) == len(each) else np.zeros(len(each), int)
    total = jnp.asarray(np.equal.outer(slots, slots), counts.dtype) @ each
    return counts / jnp.broadcast_to(jnp.maximum(total, 1.0), counts.shape)


def targets(
    recipe: Any, spec: Spec, batch: Sequences, following: Float[Array, "L R M"], unit: Float[Array, ""]
) -> Float[Array, "L R M"]:
    """Targets from the values of what follows, one for the team or one for each agent.

    Agents with rewards of their own earn nothing while they are dead, and those that are dead after a step have nothing
    more to expect; a team's reward goes on for all.
    """
    reward = earned(spec, batch.reward, following.shape[-1]) / unit
    if following.shape[-1] > 1 and spec.reward == "individual":
        reward = jnp.where(batch.observation.alive, reward, 0.0)
        following = jnp.where(batch.final.alive, following, 0.0)
    going = jnp.where(batch.terminated, 0.0, 1.0)[..., None]
    return recipe.objective(reward, recipe.gamma * going * following, batch.ends, recipe.gamma)
