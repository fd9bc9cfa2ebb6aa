"""The critic: values of a rollout, and the regression that fits them."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, Observation, Rollout
from coterie.nets.normaliser import NoNorm, ValueNorm
from coterie.parts.fit import Adam, Batch, Fitted, Stats, fit
from coterie.parts.tower import Tower, sequences
from coterie.policy.critic_input import CriticInput
from coterie.policy.marginal import Marginal, Others


class Values(NamedTuple):
    """Values under the critic that saw the rollout.

    ``value`` and ``next_value`` are in units of reward, ``[T, E, M]`` with M = 1 or N; ``raw`` is the network's
    own output for what it is trained on: ``value``, or the value at the actions taken. ``memory`` is the recurrent
    state before every step and after the last, ``[T + 1, E, M, H]`` or empty.
    """

    value: Float[Array, "T E M"]
    next_value: Float[Array, "T E M"]
    raw: Float[Array, "T E M"]
    memory: PyTree


class SharedTrunk(eqx.Module):
    """The value is one more output of the policy network, fitted with it: loss = policy + coefficient * value.

    Half the work of two networks, at the price of two aims for one set of weights (Mnih et al. 2016). For values of
    each agent's own observation.
    """

    coefficient: float = 0.5


class Critic(eqx.Module):
    """A tower that reads a critic input, in the units of a normaliser.

    With a ``trunk`` the tower is the policy's own and its last output is the value. With a ``marginal`` the values
    depend on the others' actions.
    """

    tower: Tower
    input: CriticInput
    normaliser: ValueNorm | NoNorm
    value_clip: float | None
    huber: float
    trunk: SharedTrunk | None = None
    marginal: Marginal | None = None
    across: Across = eqx.field(static=True, default=HERE)

    def outputs(
        self, params: PyTree, carry: PyTree, observation: Observation, reset: Bool[Array, "L R"]
    ) -> tuple[Float[Array, "L R M"], PyTree]:
        """Raw outputs (normalised values) and the memory after each observation."""
        y, memory = self.tower.play(params, carry, self.input(observation), reset)
        y = y if self.trunk is None else y[..., -1:]
        return y.reshape(*y.shape[:2], -1), memory

    def look(
        self, params: PyTree, carry: PyTree, observation: Observation, reset: Bool[Array, "L R"], dist: PyTree,
        action: Array | None, key: PRNGKeyArray | None,
    ) -> tuple[Float[Array, "L R M"], Float[Array, "L R M"], PyTree]:  # fmt: skip
        """The network's outputs (at ``action``, if it reads actions), their means over ``dist``, and the memory."""
        if self.marginal is None or key is None:
            raw, memory = self.outputs(params, carry, observation, reset)
            return raw, raw, memory
        x = self.tower.arrange(self.tower.mark(self.input(observation)))
        pre, memory = self.marginal.enter(params, self.tower.arrange_carry(carry), x, reset)
        mean = self.marginal.team(self.marginal.mean(params, pre, dist, key))
        memory = jax.tree.map(self.tower.restore, memory)
        if action is None:
            return mean, mean, memory
        return self.marginal.team(self.marginal.at(params, pre, action)), mean, memory

    def values(
        self, params: PyTree, scale: PyTree, memory: PyTree, rollout: Rollout, others: Others | None = None
    ) -> Values:
        """Values of every observation, and of what each step led to.

        The value of a next observation is that of the next row, but where the clock cut the episode, and at the end:
        there the final observation is evaluated (only there: a second pass over the whole would cost a tenth of a
        recurrent update). After a terminated step there is nothing to value and the number means nothing.
        """
        key = None if others is None else others.key
        raw, mean, after = self.look(
            params, memory, rollout.observation, rollout.reset, rollout.behaviour, rollout.action, key
        )
        steps, e = rollout.reset.shape
        cut = rollout.cut

        def at_end(_: None, now: tuple[PyTree, Observation, PyTree, Array, Array]) -> tuple[None, Array]:
            ahead, final, dist, needed, step = now
            one, dist = jax.tree.map(lambda x: x[None], (final, dist))
            own = None if key is None else jax.random.fold_in(key, step)
            value = lambda: self.look(params, ahead, one, jnp.zeros((1, e), bool), dist, None, own)[1][0]  # noqa: E731
            return None, jax.lax.cond(jnp.any(needed), value, lambda: jnp.zeros_like(raw[0]))

        ends = (after, rollout.final, () if others is None else others.final, cut, jnp.arange(steps))
        _, final = jax.lax.scan(at_end, None, ends)
        ahead = jnp.where(cut[..., None], final, jnp.concatenate([mean[1:], mean[-1:]]))
        trail = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), memory, after)
        unscale = lambda y: self.normaliser.denormalise(scale, y)  # noqa: E731
        return Values(unscale(mean), unscale(ahead), raw, trail)

    @property
    def feature_size(self) -> int:
        """Size of ``features``."""
        network = self.tower.network
        below = (network.memory,) if network.memory else network.encoder
        return (below[-1] if below else self.tower.inputs) * len(self.tower.layout.slot_of)

    def features(self, params: PyTree, rollout: Rollout, values: Values) -> Float[Array, "T E F"]:
        """What the critic makes of each observation below its head: its recurrent state or last hidden layer."""
        if self.tower.network.memory:
            made = values.memory[1:]
        else:
            made, _ = self.tower.play(params, (), self.input(rollout.observation), rollout.reset, "below")
        return made.reshape(*made.shape[:2], -1)

    def loss(self, y: Array, old: Array, target: Array) -> Array:
        """max(huber(y - z), huber(y_old + clip(y - y_old, +-value_clip) - z)), all in normalised units (MAPPO)."""
        each = self._huber(y - target)
        if self.value_clip is None:
            return each
        near = old + jnp.clip(y - old, -self.value_clip, self.value_clip)
        return jnp.maximum(each, self._huber(near - target))

    def _huber(self, error: Array) -> Array:
        size = jnp.abs(error)
        return jnp.where(size <= self.huber, 0.5 * size * size, self.huber * (size - 0.5 * self.huber))

    def rescale(self, scale: PyTree, rollout: Rollout, target: Float[Array, "T E M"]) -> tuple[PyTree, Array]:
        """The normaliser after seeing the targets, and the weight of each target: dead agents carry none."""
        alive = rollout.observation.alive
        each = alive if target.shape[-1] == alive.shape[-1] else jnp.any(alive, -1, keepdims=True)
        weight = each.astype(target.dtype)
        seen = self.across.gather(target, 1), self.across.gather(weight, 1)
        return self.normaliser.update(scale, *seen), weight

    def fit(
        self,
        params: PyTree,
        optimiser: Adam,
        state: PyTree,
        scale: PyTree,
        rollout: Rollout,
        values: Values,
        target: Float[Array, "T E M"],
        key: PRNGKeyArray,
        *,
        length: int,
        epochs: int,
        minibatches: int,
    ) -> tuple[Fitted, PyTree]:
        """Update the normaliser with the targets, then regress on them in normalised units, as MAPPO does."""
        scale, weight = self.rescale(scale, rollout, target)
        data = self._data(rollout, values, self.normaliser.normalise(scale, target), weight, length)

        def loss(params: PyTree, batch: Batch, count: Float[Array, " S"]) -> tuple[Array, Stats]:
            carry = jax.tree.map(lambda h: h[:, 0], batch["carry"])
            y = self._trained(params, carry, batch)
            each = self.loss(y, batch["old"], batch["target"])
            weight = batch["weight"]
            axes = (1, 2, 3, 4)
            total = jnp.sum(weight * each, axes)
            return jnp.sum(total / count), {"value_loss": total / jnp.maximum(jnp.sum(weight, axes), 1.0)}

        steps = {"epochs": epochs, "minibatches": minibatches}
        fitted = fit(loss, optimiser, params, state, data, key, **steps, across=self.across)
        return fitted, scale

    def _trained(self, params: PyTree, carry: PyTree, batch: Batch) -> Float[Array, "K L R M heads"]:
        """What is regressed on the targets."""
        if self.marginal is None:
            return self.tower.apply(params, carry, batch["x"], batch["reset"][0])[0]
        pre, _ = self.marginal.enter(params, carry, batch["x"], batch["reset"][0])
        return self.marginal.at(params, pre, batch["action"][0]).reshape(batch["old"].shape)

    def _data(self, rollout: Rollout, values: Values, target: Array, weight: Array, length: int) -> dict[str, PyTree]:
        heads = 1 if self.input.per_agent else target.shape[-1]

        def slots(x: Array) -> Array:
            cut = sequences(x, length)
            return self.tower.arrange(cut.reshape(*cut.shape[:2], -1, heads))

        extra: dict[str, PyTree] = {}
        real = jnp.asarray(self.tower.layout.valid, weight.dtype)[:, None, None, :, None]
        starts = jax.tree.map(lambda h: h[:-1:length].reshape(-1, *h.shape[2:]), values.memory)
        carry = jax.tree.map(lambda h: h[:, None], self.tower.arrange_carry(starts))
        features = sequences(self.tower.mark(self.input(rollout.observation)), length)
        if self.marginal is not None:
            extra["action"] = sequences(rollout.action, length)[None]
        return extra | {
            "x": self.tower.arrange(features),
            "reset": sequences(rollout.reset, length)[None],
            "carry": carry,
            "old": slots(values.raw),
            "target": slots(target),
            "weight": slots(weight) * real,
        }
