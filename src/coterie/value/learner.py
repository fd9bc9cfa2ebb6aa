"""The off-policy learner: remember what was played, then take gradient steps on what is drawn from memory."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, PyTree

from coterie.compiled import memory
from coterie.contracts import HERE, Across, CoterieError, Metrics, Observation, Rollout, Sizes, Spec, Step
from coterie.nets.distributions import Categorical, Gaussian, family
from coterie.nets.sharing import layout
from coterie.parts.guard import first_bad
from coterie.parts.leniency import Lenient, Mercy
from coterie.parts.team import PolicyTeam
from coterie.parts.tower import Tower
from coterie.value.agents import Agents
from coterie.value.batch import Sequences, blank, cut
from coterie.value.central import Nets, NoCentral
from coterie.value.critic import ActionValue, JointAction, Utilities
from coterie.value.difference import earned
from coterie.value.exploration import ActorNoise
from coterie.value.pairing import check
from coterie.value.recipes import ValueRecipe
from coterie.value.scale import ByReturns, Earned
from coterie.value.update import Learning, Update

COPIES = 2
"""Copies of a replay that may be alive at once: seeds are stacked, and a checkpoint is written."""
GUARDED = ("observations", "rewards", "values", "value targets", "actor parameters", "critic parameters")


class TrainState(NamedTuple):
    """All that learning changes: parameters with their optimisers and targets, the replay, counts, temperatures.

    ``steps`` are environment steps so far, ``earned`` what the unit of rewards is made of.
    """

    learning: Learning
    replay: PyTree
    earned: PyTree
    steps: Int[Array, ""]
    temperatures: PyTree = ()


class ValueLearner(eqx.Module):
    """An off-policy recipe at work on a game's spec."""

    recipe: ValueRecipe
    spec: Spec = eqx.field(static=True)
    across: Across = eqx.field(static=True, default=HERE)

    @property
    def sizes(self) -> Sizes:
        """The rollouts that it learns from."""
        recipe = self.recipe
        return Sizes(recipe.environments, recipe.rollout, recipe.length if recipe.actor.memory else recipe.rollout)

    @property
    def guarded(self) -> tuple[str, ...]:
        """Names of the quantities that must stay finite."""
        return GUARDED

    def spread(self, axis: str) -> ValueLearner:
        """The same learner for environments, each with its ring, spread over the devices of ``axis``."""
        return ValueLearner(self.recipe, self.spec, Across(axis))

    def per_environment(self) -> TrainState:
        """Which parts of a training state have a leading axis E: the sequences of the replay."""
        still: Any = False
        earned = Earned(True, False, False) if isinstance(self.recipe.scale, ByReturns) else still  # type: ignore
        return TrainState(still, self.recipe.replay.per_environment(), earned, still, still)

    @property
    def family(self) -> Categorical | Gaussian:
        """The actions; of boxes in coordinates where [-1, 1] is the box."""
        return family(self.spec, "clip")

    @property
    def actor(self) -> Tower:
        """The agents' networks: utilities of their choices, or actions."""
        slots = layout(self.recipe.sharing, self.spec)
        return Tower(self.recipe.actor, slots, self.spec.observation_size, self.family.size, self.recipe.gain)

    @property
    def log_std(self) -> float:
        """Log standard deviation of the noise on actions of a box, where the box is [-1, 1]."""
        part = self.recipe.exploration
        return math.log(part.std) if isinstance(part, ActorNoise) else -math.inf

    @property
    def agents(self) -> Agents:
        """The same, over sequences."""
        return Agents(self.actor, self.family)

    @property
    def critic(self) -> ActionValue:
        """The critic of actions; for utilities the network of a joint value, as QTRAN needs it."""
        recipe = self.recipe
        part = JointAction() if isinstance(recipe.critic, Utilities) else recipe.critic
        return ActionValue(part, recipe.critic_net, self.spec, recipe.sharing, self.family.size)

    @property
    def values(self) -> int:
        """M: 1 where the team has a value, N where every agent has its own."""
        part = self.recipe.critic
        each = not self.recipe.mixing.team if isinstance(part, Utilities) else part.each
        return self.spec.n_agents if each else 1

    @property
    def update(self) -> Update:
        """One gradient step."""
        return Update(self.recipe, Nets(self.agents, self.critic, self.spec), self.across)

    def init(self, key: PRNGKeyArray, environments: int) -> TrainState:
        """A fresh training state."""
        actor_key, critic_key, table_key = jax.random.split(key, 3)
        recipe, nets = self.recipe, Nets(self.agents, self.critic, self.spec)
        if isinstance(recipe.critic, Utilities):
            mixing, central = jax.random.split(critic_key)
            mixed = recipe.mixing.init(mixing, self.spec, self.family.size)
            critic = {"mixing": mixed} if mixed else {}
            if not isinstance(recipe.central, NoCentral):
                critic |= recipe.central.init(central, nets)
        else:
            critic = {"actions": self.critic.init(critic_key)}
        part, temperatures = recipe.weighting, ()
        if isinstance(part, Lenient):
            temperatures = part.init(table_key, self.spec, part.seen_size(self.spec))
        replay = recipe.replay.init(self._example(), environments, recipe.length)
        learning = Learning.begin(recipe, self.actor.init(actor_key), critic)
        earned = recipe.scale.init(environments, self.values)
        return TrainState(learning, replay, earned, jnp.zeros((), jnp.int32), temperatures)

    def _example(self) -> Sequences:
        """A sequence ``[L, ...]`` of nothing, as the replay keeps them."""
        part, kept = self.recipe.weighting, 0
        if isinstance(part, Lenient):
            kept = self.spec.n_agents if part.index.of == "own" else 1
        return blank(self.spec, self.recipe.length, self.recipe.actor.carry(self.spec.n_agents), kept)

    @property
    def footprint(self) -> int:
        """Bytes of one seed's replay."""
        places = self.recipe.environments * self.recipe.replay.places(self.recipe.environments, self.recipe.length)
        leaves = jax.tree.leaves(jax.eval_shape(self._example))
        return places * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)

    def carry(self, environments: int) -> PyTree:
        """The agents' recurrent state at the start of an episode, ``[E, N, H]`` or empty."""
        return self.recipe.actor.carry(environments, self.spec.n_agents)

    def outputs(self, params: PyTree, carry: PyTree, observation: Observation) -> tuple[Array, PyTree]:
        """What the agents' networks put out ``[E, N, size]`` for one step, and the next carry."""
        still = jnp.zeros((1, observation.local.shape[0]), bool)
        raw, after = self.actor.play(params["net"], carry, observation.local[None], still)
        return raw[0], jax.tree.map(lambda h: h[0], after)

    def distribution(self, params: PyTree, carry: PyTree, observation: Observation) -> tuple[PyTree, PyTree]:
        """What actions are drawn from ``[E, N, ...]`` for one step, and the next carry."""
        raw, after = self.outputs(params, carry, observation)
        part = self.recipe.exploration
        return part.distribution(self.family, raw, observation.legal, params["level"]), after

    def preferences(self, params: PyTree, carry: PyTree, observation: Observation) -> tuple[PyTree, PyTree]:
        """What greedy agents choose by: utilities as log-probabilities of a softmax, or actions; and the next carry."""
        if isinstance(self.family, Gaussian):
            return self.distribution(params, carry, observation)
        raw, after = self.outputs(params, carry, observation)
        return self.family.parameters(raw, observation.legal), after

    def act(self, state: TrainState, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> Step:
        """Explore; the extras are ``(action, log_prob, parameters)``, ``[E, N, ...]``."""
        params = self.policy(state)
        dist, carry = self.distribution(params, carry, observation)
        latent = self.family.sample(key, dist)
        if isinstance(self.family, Gaussian) and isinstance(self.recipe.exploration, ActorNoise):
            anything = jax.random.uniform(jax.random.fold_in(key, 1), latent.shape, latent.dtype, -1.0, 1.0)
            anything = jnp.where(observation.legal, anything, 0.0)
            latent = jnp.where(params["level"] >= 1.0, anything, latent)
        return Step(self.family.action(latent), (latent, self.family.log_prob(dist, latent), dist), carry)

    def policy(self, state: TrainState) -> PyTree:
        """The part of a training state that playing needs: networks, and how much they explore."""
        return {"net": state.learning.actor, "level": self.recipe.exploration.level(state.steps)}

    def play(self, params: PyTree, greedy: bool = True) -> PolicyTeam:
        """A team with the given parameters; a greedy one does not explore."""
        return PolicyTeam(self, {**params, "level": jnp.zeros(())} if greedy else params, greedy)

    def team(self, state: TrainState, greedy: bool = True) -> PolicyTeam:
        """The agents of a training state as a team."""
        return self.play(self.policy(state), greedy)

    def checked(self, seeds: int = 1) -> ValueLearner:
        """Itself, if recipe and game go together and the replays of all seeds fit in memory.

        Raises:
            CoterieError: They do not; it names the parts, or the size, and the remedy.
        """
        check(self.recipe, self.spec)
        needed, free = seeds * self.footprint, memory()
        if free and COPIES * needed > free:
            raise CoterieError(
                f"the replay of {self.recipe.replay.capacity:,} steps takes {self.footprint / 1e9:.3g} GB for each of "
                f"{seeds} seeds, {COPIES} times while it is moved, and {free / 1e9:.3g} GB are free: give a smaller "
                "replay.capacity, or fewer seeds"
            )
        return self

    def learn(self, state: TrainState, rollout: Rollout, key: PRNGKeyArray) -> tuple[TrainState, Metrics]:
        """One iteration: remember the rollout, then ``updates`` gradient steps once the warm-up is over."""
        recipe = self.recipe
        mercy = self.mercy(state, rollout, key)
        kept = () if mercy is None else mercy.factor
        replay = recipe.replay.add(state.replay, cut(rollout, kept, recipe.length))
        fresh = self.across.sum(jnp.asarray(rollout.reset.size, jnp.int32))
        steps = state.steps + fresh
        reward = earned(self.spec, rollout.reward, self.values)
        ends = rollout.terminated | rollout.truncated
        sums: Any = recipe.scale.see(state.earned, reward, ends, recipe.gamma, self.across)
        unit, ready = recipe.scale.unit(sums), steps >= recipe.replay.warmup
        learning, stats = self.update.several(state.learning, replay, unit, ready, key)
        metrics = stats | {} if mercy is None else stats | mercy.metrics
        metrics |= {"exploration": recipe.exploration.level(steps), "replay_filled": recipe.replay.filled(replay)}
        if isinstance(self.family, Categorical) and len(self.family.legal_shape) == 1:
            each = jnp.mean(jnp.exp(rollout.behaviour.log_p), (0, 1))
            metrics["action_probability"] = self.across.mean(each)
        watched = (rollout.observation.local, rollout.reward, stats["value_mean"], stats["target_mean"],
                   learning.actor, learning.critic)  # fmt: skip
        metrics["guard"] = self.across.min(first_bad(*watched))
        return TrainState(learning, replay, sums, steps, () if mercy is None else mercy.after), metrics

    def mercy(self, state: TrainState, rollout: Rollout, key: PRNGKeyArray) -> Mercy | None:
        """What a lenient weighting leaves of each step if it turns out badly, and the temperatures after it."""
        part = self.recipe.weighting
        if not isinstance(part, Lenient):
            return None
        seen = part.seen(rollout.observation)
        return replace(part, forgive="factor").look(
            state.temperatures, self.spec, rollout, seen, jax.random.fold_in(key, 2), self.across
        )
