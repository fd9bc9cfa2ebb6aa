"""One turn: some agents improve their policies while the others stand still.

The same code serves simultaneous methods (one turn of everybody) and sequential ones (a scan over turns, each of
which sees what the turns before it did through the agents' log-ratios).
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, Rollout
from coterie.nets.distributions import Categorical, Gaussian
from coterie.parts.fit import Batch, Stats, fit, of_turn
from coterie.parts.leniency import what_is_left
from coterie.parts.tower import Tower, sequences, unsequences
from coterie.policy.critic import Critic, Values
from coterie.policy.estimator import Returns
from coterie.policy.objective import Objective, normalise, shape
from coterie.policy.order import Plan, choose, plan, unit_scores
from coterie.policy.recipes import Recipe


class Progress(NamedTuple):
    """What a turn hands to the next: parameters, and how far every agent has moved since the rollout.

    ``log_ratio`` is ``[S, L, R, M]``, zero for agents that have not moved.
    """

    actor: PyTree
    actor_optimiser: PyTree
    coefficients: PyTree
    critic: PyTree
    critic_optimiser: PyTree
    scale: PyTree
    log_ratio: Float[Array, "S L R M"]
    remaining: Bool[Array, " U"]


class Report(NamedTuple):
    """What a turn did: whose slots, which agents ``[K, M]``, their statistics ``[K, M]``, the critic's."""

    slots: Int[Array, " K"]
    active: Bool[Array, "K M"]
    stats: Stats
    critic: Stats


class Turns(eqx.Module):
    """The turns of one iteration, over one rollout."""

    recipe: Recipe
    tower: Tower
    family: Categorical | Gaussian
    critic: Critic
    returns: Returns
    rollout: Rollout
    values: Values
    mercy: Float[Array, "T E M"] | None = None
    across: Across = eqx.field(static=True, default=HERE)

    @property
    def objective(self) -> Objective:
        """What the actors minimise."""
        recipe = self.recipe
        return Objective(self.tower, self.family, recipe.weighting, recipe.surrogate, recipe.entropy, self.critic)

    @property
    def length(self) -> int:
        """L of the actors: 1, or the chunk."""
        return self.recipe.sequence(self.recipe.actor)

    @property
    def plan(self) -> Plan:
        """Turns, units of a turn, and epochs."""
        return plan(self.recipe.order, self.tower.layout, self.recipe.epochs)

    @property
    def moving(self) -> bool:
        """Whether there are later turns that read the ratios of earlier ones (one turn leaves targets as they are)."""
        return self.plan.turns > 1

    def start(
        self, actor: PyTree, actor_optimiser: PyTree, coefficients: PyTree, critic: PyTree, critic_optimiser: PyTree,
        scale: PyTree,
    ) -> Progress:  # fmt: skip
        """Progress before the first turn."""
        slots = self.tower.layout
        rows = self.rollout.reset.size // self.length
        still = jnp.zeros((slots.slots, self.length, rows, slots.members), self.returns.value.dtype)
        units = slots.members if self.plan.blocks else slots.slots
        remaining = jnp.ones(units, bool)
        return Progress(actor, actor_optimiser, coefficients, critic, critic_optimiser, scale, still, remaining)

    def run(self, progress: Progress, key: PRNGKeyArray) -> tuple[Progress, Report]:
        """All turns; the reports are stacked over turns."""
        data, fixed = self.data(), None
        if not self.recipe.estimator.per_turn:
            fixed = self.estimate(progress, jnp.zeros((), jnp.int32))
        keys = jax.random.split(key, self.plan.turns)

        def turn(progress: Progress, x: tuple[Array, PRNGKeyArray]) -> tuple[Progress, Report]:
            estimate = self.estimate(progress, x[0]) if fixed is None else fixed
            return self.turn(progress, data, estimate, *x)

        if self.plan.turns == 1:
            progress, report = turn(progress, (jnp.zeros((), jnp.int32), keys[0]))
            return progress, jax.tree.map(lambda a: a[None], report)
        return jax.lax.scan(turn, progress, (jnp.arange(self.plan.turns), keys))

    def data(self) -> Batch:
        """The rollout as the actors' fit wants it: slot first, rows on axis 2."""
        rollout = self.rollout
        slots = lambda x: self.tower.arrange(sequences(x, self.length))  # noqa: E731
        starts = jax.tree.map(lambda h: h.reshape(-1, *h.shape[2:]), rollout.carry)
        valid = jnp.asarray(self.tower.layout.valid)[:, None, None, :]
        present = (slots(rollout.observation.alive) & valid).astype(rollout.reward.dtype)
        return {
            "x": slots(self.tower.mark(rollout.observation.local)),
            "legal": slots(rollout.observation.legal),
            "action": slots(rollout.action),
            "log_prob": slots(rollout.log_prob),
            "behaviour": jax.tree.map(slots, rollout.behaviour),
            "present": present,
            "carry": jax.tree.map(lambda h: h[:, None], self.tower.arrange_carry(starts)),
        }

    def joint(self, progress: Progress) -> Float[Array, "L R"]:
        """Log of the product of all agents' ratios as the turns so far left them."""
        return jnp.sum(progress.log_ratio, axis=(0, 3))

    def estimate(self, progress: Progress, turn: Int[Array, ""]) -> tuple[Array, Array]:
        """Advantages and value targets ``[T, E, M]`` under the policy as updated so far."""
        joint = unsequences(self.joint(progress), self.rollout.reset.shape[0])
        return self.recipe.estimator(self.returns, self.recipe.gamma, joint, turn)

    def targets(self, progress: Progress, target: Float[Array, "T E M"]) -> tuple[Progress, Batch]:
        """For a shared trunk: the normaliser after seeing the targets; targets and old values, slot first."""
        scale, _ = self.critic.rescale(progress.scale, self.rollout, target)
        both = {"target": self.critic.normaliser.normalise(scale, target), "old": self.values.raw}
        both = {name: self.tower.arrange(sequences(x, self.length)) for name, x in both.items()}
        return progress._replace(scale=scale), both

    def target(self, progress: Progress) -> Float[Array, "T E M"]:
        """The value target after all turns: that of the new joint policy where the estimator knows it."""
        return self.estimate(progress, jnp.asarray(self.plan.turns, jnp.int32))[1]

    def turn(
        self, progress: Progress, data: Batch, estimate: tuple[Array, Array], index: Int[Array, ""],
        key: PRNGKeyArray,
    ) -> tuple[Progress, Report]:  # fmt: skip
        """Choose who moves, fit them, and record how far they moved."""
        order_key, fit_key, critic_key = jax.random.split(key, 3)
        alive, leak = self.rollout.observation.alive, self.recipe.leak
        normal = normalise(shape(estimate[0], leak), alive, self.recipe.advantage_norm, self.across)
        progress, slots, active = self.select(progress, estimate[0], normal, order_key, index)
        whole = self.plan.members == self.tower.layout.slots or self.plan.blocks
        pick = lambda tree: tree if whole else jax.tree.map(lambda x: x[slots], tree)  # noqa: E731
        put = lambda old, new: new if whole else jax.tree.map(lambda a, b: a.at[slots].set(b), old, new)  # noqa: E731
        batch = pick(data)
        batch["weight"] = batch["present"] * active[:, None, None, :].astype(normal.dtype)
        batch["advantage"] = pick(self.tower.arrange(sequences(normal, self.length)))
        start = pick(progress.log_ratio)
        joint = self.joint(progress)[None, :, :, None]
        batch["carried"] = joint - start
        batch["rest"] = joint - jnp.sum(start, axis=(0, 3), keepdims=True)
        batch["reset"] = sequences(self.rollout.reset, self.length)[None]
        if self.mercy is not None:
            left = what_is_left(jnp.broadcast_to(estimate[0], alive.shape), self.mercy)
            batch["mercy"] = pick(self.tower.arrange(sequences(left, self.length)))
        if self.critic.trunk is not None:
            progress, values = self.targets(progress, estimate[1])
            batch |= pick(values)
        clip, coefficients = pick(self.clip(progress, active, index)), pick(progress.coefficients)

        def loss(params: PyTree, rows: Batch, total: Array) -> tuple[Array, Stats]:
            return self.objective(params, rows, total, clip, coefficients)

        fitted = fit(
            loss, self.recipe.actor_fit, pick(progress.actor), pick(progress.actor_optimiser), batch, fit_key,
            epochs=self.plan.epochs, minibatches=self.recipe.minibatches, across=self.across,
        )  # fmt: skip
        own = {name: value[None] for name, value in self.recipe.surrogate.report(coefficients).items()}
        stats = of_turn(fitted.stats | own, active.shape)
        if "clip_fraction" in stats:
            stats["clip_range"] = clip[:, 0, 0, :]
        coefficients = self.adapt(coefficients, fitted.stats, active)
        moved = progress.log_ratio
        if self.moving:
            log_prob = self.objective.log_prob(fitted.params, batch)[0]
            moved = put(moved, (log_prob - batch["log_prob"]) * batch["present"])
        progress = progress._replace(
            actor=put(progress.actor, fitted.params),
            actor_optimiser=put(progress.actor_optimiser, fitted.optimiser),
            coefficients=put(progress.coefficients, coefficients),
            log_ratio=moved,
        )
        value_stats = {}
        if self.recipe.critic_turns == "turn":
            share = -(-self.recipe.critic_epochs // self.plan.turns)
            progress, value_stats = self.fit_critic(progress, estimate[1], share, critic_key)
        return progress, Report(slots, active, stats, value_stats)

    def select(
        self, progress: Progress, advantage: Array, normal: Array, key: PRNGKeyArray, index: Int[Array, ""]
    ) -> tuple[Progress, Int[Array, " K"], Bool[Array, "K M"]]:
        """The slots that move in this turn and which of their agents are trained."""
        slots, order = self.tower.layout, self.recipe.order
        valid = jnp.asarray(slots.valid)
        if self.plan.turns == 1:
            return progress, jnp.arange(slots.slots), valid
        alive = self.rollout.observation.alive
        score = unit_scores(order, advantage, normal, self.values.raw, alive, slots, self.across)
        position = index % self.plan.lap
        remaining = jnp.where(position == 0, True, progress.remaining)
        choice, left = choose(order.priority(key, position, score), remaining, self.plan.members)
        progress = progress._replace(remaining=left)
        if self.plan.blocks:
            return progress, jnp.zeros(1, jnp.int32), ~left[None, :]
        return progress, choice.units, valid[choice.units] & choice.valid[:, None]

    def clip(self, progress: Progress, active: Bool[Array, "K M"], index: Int[Array, ""]) -> Float[Array, "S 1 1 M"]:
        """The effective clip range of every agent, slot first."""
        log_ratio = self.across.gather(self.tower.restore(progress.log_ratio), 1)
        mask = active[0] if self.plan.blocks else jnp.ones(log_ratio.shape[-1], bool)
        each = self.recipe.surrogate.range(index % self.plan.lap, self.plan.lap, log_ratio, mask)
        return self.tower.layout.arrange(each, 0)[:, None, None, :]

    def adapt(self, coefficients: PyTree, stats: Stats, active: Bool[Array, "K M"]) -> PyTree:
        """The surrogate's coefficients after a turn, from the divergences of its last epoch's steps."""
        share = active.astype(jnp.float32)[None]
        mean = lambda x: jnp.sum(self.across.mean(x) * share, -1) / jnp.maximum(jnp.sum(share, -1), 1.0)  # noqa: E731
        kl, root = mean(stats["kl"]), mean(stats.get("root_kl", stats["kl"]))
        return self.recipe.surrogate.adapt(coefficients, kl, root)

    def fit_critic(
        self, progress: Progress, target: Float[Array, "T E M"], epochs: int, key: PRNGKeyArray
    ) -> tuple[Progress, Stats]:
        """Fit the critic to ``target``; statistics are means over the last epoch."""
        fitted, scale = self.critic.fit(
            progress.critic, self.recipe.critic_fit, progress.critic_optimiser, progress.scale, self.rollout,
            self.values, target, key, length=self.recipe.sequence(self.recipe.critic), epochs=epochs,
            minibatches=self.recipe.minibatches,
        )  # fmt: skip
        progress = progress._replace(critic=fitted.params, critic_optimiser=fitted.optimiser, scale=scale)
        return progress, jax.tree.map(lambda s: jnp.mean(s, 0), fitted.stats)
