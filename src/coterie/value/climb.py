"""One gradient step of deterministic gradients: the critic's temporal difference, then the actors' climb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, Observation
from coterie.nets.distributions import ILLEGAL, Categorical
from coterie.parts.fit import Stats
from coterie.value.actor_update import Greedy, Marginal, Sequential, Situation, chosen_value
from coterie.value.agents import Agents
from coterie.value.batch import Sequences
from coterie.value.critic import ActionValue, JointAction
from coterie.value.difference import counted, shares, targets

if TYPE_CHECKING:
    from coterie.value.recipes import ValueRecipe


class Climb(eqx.Module):
    """Critics of actions, and actors that climb them."""

    recipe: ValueRecipe
    agents: Agents
    critic: ActionValue
    across: Across = eqx.field(static=True, default=HERE)

    @property
    def discrete(self) -> bool:
        """Whether actions are choices."""
        return isinstance(self.agents.family, Categorical)

    def actions(
        self, raw: Float[Array, "*lead N size"], seen: Observation, key: PRNGKeyArray | None = None
    ) -> Float[Array, "*lead N F"]:
        """Differentiable actions as a critic sees them; the dead do nothing.

        Boxes: tanh. Choices: the best one as a one-hot whose gradient is that of the softmax (straight-through), with
        Gumbel noise where there is a key (Jang et al. 2017).
        """
        alive = seen.alive.astype(raw.dtype)[..., None]
        if not self.discrete:
            return jnp.where(seen.legal, jnp.tanh(raw), 0.0) * alive
        logits = jnp.where(seen.legal, raw.reshape(seen.legal.shape), ILLEGAL)
        if key is not None:
            logits = jnp.where(seen.legal, logits + jax.random.gumbel(key, logits.shape), ILLEGAL)
        soft = jax.nn.softmax(logits, -1)
        hard = jax.nn.one_hot(jnp.argmax(logits, -1), logits.shape[-1], dtype=raw.dtype)
        return (hard + soft - stop_gradient(soft)).reshape(raw.shape) * alive

    def chances(self, raw: Float[Array, "*lead N A"], seen: Observation) -> Float[Array, "*lead N A"]:
        """The softmax that choices are drawn from, 0 for illegal ones."""
        return jax.nn.softmax(jnp.where(seen.legal, raw.reshape(seen.legal.shape), ILLEGAL), -1)

    def taken(self, batch: Sequences) -> Float[Array, "L R N F"]:
        """The replay's actions as a critic sees them."""
        return self.agents.family.seen(batch.action) * batch.observation.alive[..., None].astype(jnp.float32)

    def value_loss(
        self, params: PyTree, target: PyTree, unit: Array, actor: PyTree, batch: Sequences, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Stats]:
        """Squared errors of every copy, and its distance from the pessimistic value of untried joint actions."""
        recipe, critic, seen = self.recipe, self.critic, batch.observation
        noise_key, prefix_key = jax.random.split(key)
        following = stop_gradient(self.following(target, batch, noise_key))
        y = targets(recipe, critic.spec, batch, following, unit)
        taken = self.taken(batch)
        value = critic.joint(params, seen.local, seen.state, taken)
        counts = counted(critic.spec, seen, y)
        share = shares(counts, critic.tower.layout.slot_of, self.across)
        count = jnp.maximum(self.across.sum(jnp.sum(counts)), 1.0)
        mean = lambda x: jnp.sum(counts * x) / count  # noqa: E731
        loss = jnp.sum(share * jnp.sum(jnp.square(y[None] - value), 0))
        in_game = lambda x: unit * mean(x)  # noqa: E731
        stats = {"td_error": in_game(jnp.mean(jnp.abs(y[None] - value), 0)), "target_mean": in_game(y),
                 "value_mean": in_game(jnp.mean(value, 0)), "value_std": in_game(jnp.std(value, 0))}  # fmt: skip
        part = recipe.critic
        if isinstance(part, JointAction) and part.pessimism is not None:
            untried = stop_gradient(self.untried(actor, params, batch, taken, prefix_key))
            old = critic.joint(target["critic"], seen.local, seen.state, untried)
            low = stop_gradient(jnp.mean(old, 0) - part.kappa * jnp.std(old, 0))
            now = critic.joint(params, seen.local, seen.state, untried)
            gap = jnp.sum(jnp.square(now - low[None]), 0)
            loss = loss + part.pessimism * jnp.sum(share * gap)
            stats |= {"pessimism_loss": mean(gap), "untried_std": in_game(jnp.std(now, 0))}
        return loss, jax.tree.map(stop_gradient, stats)

    def following(self, target: PyTree, batch: Sequences, key: PRNGKeyArray) -> Float[Array, "L R M"]:
        """The least value of the target actors' actions after each step, with TD3's noise on boxes."""
        unrolled = self.agents.unroll(target["actor"], batch, batch.carry)
        action = self.actions(self.agents.after(target["actor"], *unrolled, batch), batch.final)
        if not self.discrete and self.recipe.smoothing is not None:
            noise = jax.random.normal(self.across.key(key), action.shape) * self.recipe.smoothing
            noise = jnp.clip(noise, -2.5 * self.recipe.smoothing, 2.5 * self.recipe.smoothing)
            able = batch.final.legal & batch.final.alive[..., None]
            action = jnp.where(able, jnp.clip(action + noise, -1.0, 1.0), 0.0)
        return jnp.min(self.critic.joint(target["critic"], batch.final.local, batch.final.state, action), 0)

    def untried(
        self, actor: PyTree, values: PyTree, batch: Sequences, taken: Array, key: PRNGKeyArray
    ) -> Float[Array, "L R N F"]:
        """Joint actions that actors climb at: those of one agent, drawn for each sample, as it takes them to be."""
        raw, _ = self.agents.unroll(actor, batch, batch.carry)
        held, part = self.actions(raw, batch.observation), self.recipe.actor_update
        if isinstance(part, Greedy | Sequential):
            return held
        now = Situation(held, held, taken, batch, self.critic, values, self.discrete)
        joint = part.joint(now, jax.random.fold_in(key, 1))
        agent = jax.random.randint(self.across.key(key), (*taken.shape[:2], 1, 1, 1), 0, taken.shape[2])
        return jnp.take_along_axis(joint, jnp.broadcast_to(agent, (*joint.shape[:2], 1, *joint.shape[3:])), 2)[:, :, 0]

    def ascend(
        self, actor: PyTree, optimiser: PyTree, values: PyTree, batch: Sequences, key: PRNGKeyArray
    ) -> tuple[PyTree, PyTree, Stats]:
        """The actors after one step up."""
        if isinstance(self.recipe.actor_update, Sequential):
            return self.in_turns(actor, optimiser, values, batch, key)
        (_, stats), slope = jax.value_and_grad(self.together, has_aux=True)(actor, values, batch, key)
        slope = self.across.sum(slope)
        actor, optimiser, norm = self.recipe.actor_fit.step(actor, optimiser, slope)
        return actor, optimiser, {**stats, "gradient_norm": norm[np.asarray(self.agents.tower.layout.slot_of)]}

    def together(
        self, actor: PyTree, values: PyTree, batch: Sequences, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Stats]:
        """Minus the mean value for each agent of its own live action, summed over agents."""
        part: Any = self.recipe.actor_update
        noise, order = jax.random.split(key)
        raw, _ = self.agents.unroll(actor, batch, batch.carry)
        live = self.actions(raw, batch.observation, self.across.key(noise))
        seen, taken = batch.observation, self.taken(batch)
        held = stop_gradient(self.actions(raw, seen))
        now = Situation(live, held, taken, batch, self.critic, values, self.discrete)
        if isinstance(part, Marginal) and part.expected(now):
            value = jnp.sum(self.chances(raw, seen) * stop_gradient(part.of_choices(now, order)), -1)
        else:
            value = chosen_value(self.critic.seen(values, seen.local, seen.state, part.joint(now, order)), part.by)
        alive = seen.alive.astype(value.dtype)
        count = jnp.maximum(self.across.sum(jnp.sum(alive, (0, 1))), 1.0)
        each = -jnp.sum(alive * value, (0, 1)) / count
        return jnp.sum(each), {"policy_loss": stop_gradient(each)}

    def in_turns(
        self, actor: PyTree, optimiser: PyTree, values: PyTree, batch: Sequences, key: PRNGKeyArray
    ) -> tuple[PyTree, PyTree, Stats]:
        """Each agent climbs against the others' current actions, those of the agents before it updated already."""
        tower, seen = self.agents.tower, batch.observation
        part: Any = self.recipe.actor_update
        n = seen.alive.shape[2]
        order_key, noise_key = jax.random.split(key)
        raw, _ = self.agents.unroll(actor, batch, batch.carry)
        current = stop_gradient(self.actions(raw, seen))
        marked, slot_of = tower.mark(seen.local), jnp.asarray(tower.layout.slot_of)

        def act(params: PyTree, agent: Array, key: PRNGKeyArray | None) -> Float[Array, "L R N F"]:
            """Everybody's action as this agent's network would have it: only the agent's own place is read."""
            carry = jax.tree.map(lambda h: jnp.take(h, agent, axis=1), batch.carry)
            raw, _ = tower.network.apply(params, carry, jnp.take(marked, agent, axis=2), batch.reset)
            return self.actions(jnp.repeat(raw[:, :, None], n, axis=2), seen, key)

        def turn(now: tuple[PyTree, PyTree, Array], x: tuple[Array, PRNGKeyArray]) -> tuple[Any, Any]:
            (actor, optimiser, current), (agent, key) = now, x
            own = (jnp.arange(n) == agent)[None, None, :, None]
            mine: Bool[Array, "L R"] = jnp.take(seen.alive, agent, axis=2)
            count = jnp.maximum(self.across.sum(jnp.sum(mine.astype(jnp.float32))), 1.0)
            slot = slot_of[agent]

            def loss(params: PyTree) -> Array:
                joint = jnp.where(own, act(params, agent, self.across.key(key)), current)
                value = chosen_value(self.critic.joint(values, seen.local, seen.state, joint), part.by)
                value = jnp.take(value, agent, axis=2) if self.critic.part.each else value[..., 0]
                return -jnp.sum(jnp.where(mine, value, 0.0)) / count

            params = jax.tree.map(lambda p: p[slot], actor)
            level, slope = jax.value_and_grad(loss)(params)
            slope = self.across.sum(slope)
            one = lambda tree: jax.tree.map(lambda leaf: leaf[None], tree)  # noqa: E731
            state = jax.tree.map(lambda p: p[slot], optimiser)
            moved, state, norm = self.recipe.actor_fit.step(one(params), one(state), one(slope))
            put = lambda old, new: jax.tree.map(lambda a, b: a.at[slot].set(b[0]), old, new)  # noqa: E731
            fresh = jax.tree.map(lambda p: p[0], moved)
            actor = put(actor, moved)
            if tower.layout.members > 1:  # others of the slot moved with it
                current = stop_gradient(self.actions(self.agents.unroll(actor, batch, batch.carry)[0], seen))
            else:
                current = stop_gradient(jnp.where(own, act(fresh, agent, None), current))
            return (actor, put(optimiser, state), current), (level, norm[0])

        order = jax.random.permutation(order_key, n)
        start = (actor, optimiser, current)
        (actor, optimiser, _), (levels, norms) = jax.lax.scan(turn, start, (order, jax.random.split(noise_key, n)))
        place = jnp.argsort(order)
        return actor, optimiser, {"policy_loss": levels[place], "gradient_norm": norms[place]}
