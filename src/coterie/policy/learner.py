"""The on-policy learner: estimate, then scan over turns, then fit the critic."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, CoterieError, Metrics, Observation, Rollout, Sizes, Spec, Step
from coterie.nets.distributions import Categorical, Gaussian, family
from coterie.nets.networks import Network
from coterie.nets.sharing import Layout, layout
from coterie.parts.cuts import at_cuts
from coterie.parts.leniency import Mercy
from coterie.parts.team import PolicyTeam
from coterie.parts.tower import Tower
from coterie.policy.critic import Critic, SharedTrunk, Values
from coterie.policy.critic_input import PolicyEmbedded
from coterie.policy.diagnostics import GUARDED, guard, summarise, together
from coterie.policy.estimator import Returns
from coterie.policy.marginal import Marginal, Others, width
from coterie.policy.pairing import check
from coterie.policy.recipes import Recipe
from coterie.policy.surrogate import KlPenalty
from coterie.policy.turn import Turns
from coterie.policy.weighting import lenient


class TrainState(NamedTuple):
    """All that learning changes: parameters, optimiser states ``[S, ...]``, normaliser, coefficients, memory.

    ``memory`` is the critic's recurrent state at the start of the next rollout, ``[E, M, H]`` or empty;
    ``temperatures`` a lenient weighting's table, or empty.
    """

    actor: PyTree
    actor_optimiser: PyTree
    critic: PyTree
    critic_optimiser: PyTree
    scale: PyTree
    coefficients: PyTree
    memory: PyTree
    temperatures: PyTree = ()


class PolicyLearner(eqx.Module):
    """A recipe at work on a game's spec."""

    recipe: Recipe
    spec: Spec = eqx.field(static=True)
    across: Across = eqx.field(static=True, default=HERE)

    @property
    def sizes(self) -> Sizes:
        """The rollouts that it learns from."""
        recipe = self.recipe
        return Sizes(recipe.environments, recipe.rollout, recipe.sequence(recipe.actor, recipe.rollout))

    @property
    def guarded(self) -> tuple[str, ...]:
        """Names of the quantities that must stay finite."""
        return GUARDED

    def spread(self, axis: str) -> PolicyLearner:
        """The same learner for environments spread over the devices of ``axis``.

        Raises:
            CoterieError: The surrogate takes the root of a mean over samples that no device has all of.
        """
        part = self.recipe.surrogate
        if isinstance(part, KlPenalty) and part.root is not None and part.root_of == "mean":
            raise CoterieError(
                "surrogate kl_penalty takes the root of a mean over all environments, which several devices do not "
                "see: leave out devices, or choose surrogate.root_of each"
            )
        return PolicyLearner(self.recipe, self.spec, Across(axis))

    def per_environment(self) -> TrainState:
        """Which parts of a training state have a leading axis E: the critic's memory."""
        return TrainState(*(False,) * 6, memory=True, temperatures=False)

    @property
    def family(self) -> Categorical | Gaussian:
        """The action distribution."""
        return family(self.spec, self.recipe.squash)

    @property
    def actor(self) -> Tower:
        """The policy networks."""
        slots = layout(self.recipe.sharing, self.spec)
        outputs = self.family.size + isinstance(self.recipe.critic, SharedTrunk)
        return Tower(self.recipe.actor, slots, self.spec.observation_size, outputs, self.recipe.gain)

    @property
    def critic(self) -> Critic:
        """The value networks, with their input and units."""
        recipe, spec = self.recipe, self.spec
        parts = (recipe.critic_input, recipe.value_norm, recipe.value_clip, recipe.huber)
        if isinstance(recipe.critic, SharedTrunk):
            return Critic(self.actor, *parts, recipe.critic, across=self.across)
        each = recipe.critic_input.per_agent
        slots = layout(recipe.sharing, spec) if each else Layout((0,))
        size, part = recipe.critic_input.size(spec), recipe.critic_input
        if isinstance(part, PolicyEmbedded):
            tower = Tower(recipe.critic, slots, size, 1, 1.0, width(self.family, spec.n_agents))
            marginal = Marginal(tower, self.family, spec.n_agents, part.samples, part.enumerated)
            return Critic(tower, *parts, marginal=marginal, across=self.across)
        heads = 1 if each or spec.reward == "team" else spec.n_agents
        return Critic(Tower(recipe.critic, slots, size, heads, 1.0), *parts, across=self.across)

    def init(self, key: PRNGKeyArray, environments: int) -> TrainState:
        """A fresh training state."""
        actor_key, critic_key = jax.random.split(key)
        tower, critic = self.actor, self.critic
        actor = {"net": tower.init(actor_key)}
        if self.family.log_std_shape:
            shape = (tower.layout.slots, *self.family.log_std_shape)
            actor["log_std"] = jnp.full(shape, self.recipe.log_std, jnp.float32)
        apart = isinstance(self.recipe.critic, Network)
        values = critic.tower.init(critic_key) if apart else {}
        groups = len(critic.tower.layout.slot_of)
        return TrainState(
            actor=actor,
            actor_optimiser=self.recipe.actor_fit.init(actor),
            critic=values,
            critic_optimiser=self.recipe.critic_fit.init(values) if apart else (),
            scale=self.recipe.value_norm.init(),
            coefficients=self.recipe.surrogate.init(tower.layout.slots),
            memory=self.recipe.critic.carry(environments, groups) if isinstance(self.recipe.critic, Network) else (),
            temperatures=self._temperatures(critic, key),
        )

    def _temperatures(self, critic: Critic, key: PRNGKeyArray) -> PyTree:
        if part := lenient(self.recipe.weighting):
            size = critic.feature_size if part.index.of == "critic" else part.seen_size(self.spec)
            return part.init(jax.random.fold_in(key, 1), self.spec, size)
        return ()

    def carry(self, environments: int) -> PyTree:
        """The actors' recurrent state at the start of an episode, ``[E, N, H]`` or empty."""
        return self.recipe.actor.carry(environments, self.spec.n_agents)

    def distribution(self, params: PyTree, carry: PyTree, observation: Observation) -> tuple[PyTree, PyTree]:
        """Distribution parameters ``[E, N, ...]`` for one step, and the next carry."""
        tower = self.actor
        still = jnp.zeros((1, observation.local.shape[0]), bool)
        raw, memory = tower.play(params["net"], carry, observation.local[None], still)
        log_std: Any = params["log_std"][jnp.asarray(tower.layout.slot_of)] if "log_std" in params else None
        return self.family.parameters(raw[0, ..., : self.family.size], observation.legal, log_std), jax.tree.map(
            lambda h: h[0], memory
        )

    preferences = distribution

    def act(self, state: TrainState, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> Step:
        """Sample from the behaviour policy; the extras are ``(action, log_prob, parameters)``, ``[E, N, ...]``."""
        params, carry = self.distribution(state.actor, carry, observation)
        latent = self.family.sample(key, params)
        return Step(self.family.action(latent), (latent, self.family.log_prob(params, latent), params), carry)

    def policy(self, state: TrainState) -> PyTree:
        """The part of a training state that playing needs: the actors' parameters."""
        return state.actor

    def play(self, params: PyTree, greedy: bool = True) -> PolicyTeam:
        """A team with the given actors' parameters."""
        return PolicyTeam(self, params, greedy)

    def team(self, state: TrainState, greedy: bool = True) -> PolicyTeam:
        """The policies of a training state as a team."""
        return PolicyTeam(self, state.actor, greedy)

    def checked(self) -> PolicyLearner:
        """Itself, if recipe and game go together; raises CoterieError naming the parts and the remedy if not."""
        check(self.recipe, self.spec)
        return self

    def learn(self, state: TrainState, rollout: Rollout, key: PRNGKeyArray) -> tuple[TrainState, Metrics]:
        """One iteration: values, advantages, the turns of the actors, the critic."""
        recipe, critic = self.recipe, self.critic
        turn_key, critic_key = jax.random.split(key)
        apart = critic.trunk is None
        params, memory = (state.critic, state.memory) if apart else (state.actor["net"], _first(rollout.carry))
        values = critic.values(params, state.scale, memory, rollout, self.others(state, rollout, key))
        returns = self.returns(rollout, values)
        mercy = self.mercy(state, rollout, values, key)
        turns = Turns(recipe, self.actor, self.family, critic, returns, rollout, values,
                      None if mercy is None else mercy.factor, self.across)  # fmt: skip
        progress = turns.start(state.actor, state.actor_optimiser, state.coefficients, state.critic,
                               state.critic_optimiser, state.scale)  # fmt: skip
        progress, reports = turns.run(progress, turn_key)
        target = turns.target(progress)
        if not apart:
            value_stats = reports.stats
        elif recipe.critic_turns == "after":
            progress, value_stats = turns.fit_critic(progress, target, recipe.critic_epochs, critic_key)
        else:
            value_stats = jax.tree.map(lambda s: s[-1], reports.critic)
        done = TrainState(
            actor=progress.actor,
            actor_optimiser=progress.actor_optimiser,
            critic=progress.critic,
            critic_optimiser=progress.critic_optimiser,
            scale=progress.scale,
            coefficients=progress.coefficients,
            memory=jax.tree.map(lambda h: h[-1], values.memory) if apart else (),
            temperatures=() if mercy is None else mercy.after,
        )
        metrics = summarise(turns, progress, reports, value_stats, target) | ({} if mercy is None else mercy.metrics)
        metrics["guard"] = guard(rollout, values.value, target, progress)
        return done, together(metrics, self.across)

    def mercy(self, state: TrainState, rollout: Rollout, values: Values, key: PRNGKeyArray) -> Mercy | None:
        """What a lenient weighting forgives of a rollout."""
        if (part := lenient(self.recipe.weighting)) is None:
            return None
        seen = part.seen(rollout.observation)
        if part.index.of == "critic":
            params = state.critic if self.critic.trunk is None else state.actor["net"]
            seen = self.critic.features(params, rollout, values)
        return part.look(state.temperatures, self.spec, rollout, seen, jax.random.fold_in(key, 2), self.across)

    def others(self, state: TrainState, rollout: Rollout, key: PRNGKeyArray) -> Others | None:
        """What a critic that reads the others' actions needs."""
        if self.critic.marginal is None:
            return None
        start, seen = _first(rollout.carry), rollout.observation.local
        memory = self.actor.play(state.actor["net"], start, seen, rollout.reset)[1]
        there = lambda carry, final: self.distribution(state.actor, carry, final)[0]  # noqa: E731
        final = at_cuts(there, _first(rollout.behaviour), memory, rollout.final, rollout.cut)
        return Others(final, self.across.key(jax.random.fold_in(key, 1)))

    def returns(self, rollout: Rollout, values: Values) -> Returns:
        """What the estimator reads; a team's reward stands once when there is one value for the team.

        With rewards of their own, agents that die have nothing more to expect, though the episode goes on.
        """
        reward: Float[Array, "T E M"] = rollout.reward[..., : values.value.shape[-1]]
        following = values.next_value
        if self.spec.reward == "individual":
            following = jnp.where(rollout.final.alive, following, 0.0)
        return Returns(reward, values.value, following, rollout.terminated, rollout.truncated)


def _first(carry: PyTree) -> PyTree:
    """The carries at the start of a rollout."""
    return jax.tree.map(lambda h: h[0], carry)
