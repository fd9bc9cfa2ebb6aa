"""Gradient steps on what is drawn from memory, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, CoterieError
from coterie.parts.fit import Stats
from coterie.value.batch import Sequences
from coterie.value.central import Nets
from coterie.value.climb import Climb
from coterie.value.critic import Utilities
from coterie.value.difference import Difference

if TYPE_CHECKING:
    from coterie.value.recipes import ValueRecipe


class Learning(NamedTuple):
    """Parameters, their optimisers, the targets that follow them, and the gradient steps so far."""

    actor: PyTree
    critic: PyTree
    actor_optimiser: PyTree
    critic_optimiser: PyTree
    target: PyTree
    count: Int[Array, ""]

    @staticmethod
    def begin(recipe: ValueRecipe, actor: PyTree, critic: PyTree) -> Learning:
        """Fresh optimisers, and targets that equal the parameters."""
        copy = jax.tree.map(jnp.array, {"actor": actor, "critic": critic})
        values = {name: recipe.critic_fit.init(module) for name, module in critic.items()}
        return Learning(actor, critic, recipe.actor_fit.init(actor), values, copy, jnp.zeros((), jnp.int32))


class Update(eqx.Module):
    """One gradient step of a recipe."""

    recipe: ValueRecipe
    nets: Nets
    across: Across = eqx.field(static=True, default=HERE)

    def several(
        self, learning: Learning, replay: PyTree, unit: Float[Array, ""], ready: Bool[Array, ""], key: PRNGKeyArray
    ) -> tuple[Learning, Stats]:
        """``updates`` steps, or none before the replay is ``ready``: then all figures are 0."""
        rows, left = divmod(self.recipe.replay.batch, self.across.count)
        if left:
            raise CoterieError(
                f"replay.batch {self.recipe.replay.batch} does not divide over {self.across.count} devices: give a "
                "multiple"
            )

        def step(learning: Learning, key: PRNGKeyArray) -> tuple[Learning, Stats]:
            draw, own = jax.random.split(key)
            return self(learning, self.recipe.replay.sample(replay, self.across.key(draw), rows), unit, own)

        def run(learning: Learning) -> tuple[Learning, Stats]:
            learning, stats = jax.lax.scan(step, learning, jax.random.split(key, self.recipe.updates))
            return learning, jax.tree.map(lambda x: jnp.mean(x, 0), stats)

        shapes = jax.eval_shape(run, learning)[1]
        none = lambda learning: (learning, jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes))  # noqa: E731
        learning, stats = jax.lax.cond(ready, run, none, learning)
        # Norms are of summed gradients; all other figures are a device's part of the mean over all rows.
        parts = {name: x for name, x in stats.items() if not name.endswith("gradient_norm")}
        return learning, {**stats, **self.across.sum(parts)}

    def __call__(
        self, learning: Learning, batch: Sequences, unit: Float[Array, ""], key: PRNGKeyArray
    ) -> tuple[Learning, Stats]:
        """The state after one gradient step, and figures of it."""
        if isinstance(self.recipe.critic, Utilities):
            return self.difference(learning, batch, unit, key)
        return self.climb(learning, batch, unit, key)

    def difference(
        self, learning: Learning, batch: Sequences, unit: Array, key: PRNGKeyArray
    ) -> tuple[Learning, Stats]:
        """A step of value-based methods: utilities, mixing and central value together."""
        recipe, loss = self.recipe, Difference(self.recipe, self.nets, self.across)
        params = {"actor": learning.actor, "critic": learning.critic}
        gradient = jax.grad(loss, has_aux=True)
        slope, stats = gradient(params, learning.target, unit, batch, self.across.key(key))
        slope = self.across.sum(slope)
        actor, actor_optimiser, norm = recipe.actor_fit.step(learning.actor, learning.actor_optimiser, slope["actor"])
        critic, critic_optimiser = {}, {}
        for name, module in learning.critic.items():  # each has slots of its own
            state = learning.critic_optimiser[name]
            critic[name], critic_optimiser[name], _ = recipe.critic_fit.step(module, state, slope["critic"][name])
        count = learning.count + 1
        target = recipe.target(learning.target, {"actor": actor, "critic": critic}, count)
        stats["gradient_norm"] = norm[np.asarray(self.nets.agents.tower.layout.slot_of)]
        return Learning(actor, critic, actor_optimiser, critic_optimiser, target, count), stats

    def climb(self, learning: Learning, batch: Sequences, unit: Array, key: PRNGKeyArray) -> tuple[Learning, Stats]:
        """A step of deterministic gradients: the critic, then, when they are due, actors and targets."""
        recipe = self.recipe
        value_key, actor_key = jax.random.split(key)
        climb = Climb(recipe, self.nets.agents, self.nets.joint, self.across)
        target = {"actor": learning.target["actor"], "critic": learning.target["critic"]["actions"]}
        gradient = jax.grad(climb.value_loss, has_aux=True)
        values = learning.critic["actions"]
        slope, stats = gradient(values, target, unit, learning.actor, batch, value_key)
        values, optimiser, norm = recipe.critic_fit.step(
            values, learning.critic_optimiser["actions"], self.across.sum(slope)
        )
        count = learning.count + 1
        stats["value_gradient_norm"] = jnp.mean(norm)

        def due(actor: PyTree, optimiser: PyTree, target: PyTree) -> tuple[PyTree, PyTree, PyTree, Stats]:
            actor, optimiser, own = climb.ascend(actor, optimiser, values, batch, actor_key)
            target = recipe.target(target, {"actor": actor, "critic": {"actions": values}}, count // recipe.delay)
            return actor, optimiser, target, own

        now = (learning.actor, learning.actor_optimiser, learning.target)
        if recipe.delay == 1:
            actor, actor_optimiser, target, own = due(*now)
        else:
            shapes = jax.eval_shape(due, *now)[3]
            still = lambda *now: (*now, jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes))  # noqa: E731
            actor, actor_optimiser, target, own = jax.lax.cond(count % recipe.delay == 0, due, still, *now)
            own = jax.tree.map(lambda x: x * float(recipe.delay), own)  # the mean over steps is that of those due
        state = Learning(actor, {"actions": values}, actor_optimiser, {"actions": optimiser}, target, count)
        return state, {**stats, **own}
