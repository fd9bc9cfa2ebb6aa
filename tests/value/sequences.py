"""Random batches for off-policy learners: deaths, illegal choices, ends of both kinds, agents of different sizes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from coterie.contracts import ActionSpace, Rollout
from coterie.nets.networks import Network
from coterie.value.batch import Sequences
from coterie.value.replay import Replay
from tests.policy.rollouts import led_to, observation
from tests.policy.rollouts import spec as discrete

SMALL = Network((6, 5), activation="relu")
GRU = Network((5,), memory=4, activation="relu")


def spec(agents=3, kind="discrete", types=None, reward="team"):
    """Agents of different observation and action sizes; at most five."""
    own = discrete(agents, types, reward)
    if kind == "multi_discrete":
        spaces = tuple(ActionSpace.multi_discrete(((2, 3), (3,), (3, 2))[i % 3]) for i in range(agents))
    elif kind == "continuous":
        boxes = ((-1.0,), (1.0,)), ((-1.0, -2.0), (1.0, 3.0))
        spaces = tuple(ActionSpace.continuous(*boxes[i % 2]) for i in range(agents))
    else:
        return own
    return replace(own, action_spaces=spaces)


def small(recipe, length=1, **changes):
    """A recipe with small networks, a replay of a few sequences, and rewards as they are."""
    cut = {"actor": SMALL, "critic_net": SMALL, "gain": 1.0, "environments": 3, "rollout": 4, "updates": 2,
           "replay": Replay(48, 8, 0), "chunk": length}  # fmt: skip
    return replace(recipe, **{**cut, **changes})


def actions(draw, own, legal):
    """Legal actions, all as likely; of boxes latents, some beyond the box."""
    legal = np.asarray(legal)
    if own.action_kind == "continuous":
        return jnp.asarray(np.where(legal, draw.uniform(-1.3, 1.3, legal.shape), 0.0), jnp.float32)
    return jnp.asarray(np.argmax(np.where(legal, draw.random(legal.shape), -1.0), -1), jnp.int32)


def batch(own, length, rows, seed, end=0.25, memory=0, mercy=0, **kwargs):
    """Sequences ``[L, R, ...]`` of anything: ``memory`` is H of random carries, ``mercy`` the M of random factors."""
    draw, lead = np.random.default_rng(seed), (length, rows)
    if own.action_kind == "continuous":
        kwargs["illegal"] = -1.0  # every agent keeps the components it has
    seen, final = (observation(draw, own, lead, **kwargs) for _ in range(2))
    reward = draw.normal(size=(*lead, own.n_agents))
    if own.reward == "team":
        reward[:] = reward[..., :1]
    terminated, truncated = (draw.random(lead) < end for _ in range(2))
    reset = np.concatenate([draw.random((1, rows)) < 0.5, (terminated | truncated)[:-1]])
    floats = lambda *shape: jnp.asarray(draw.normal(size=shape), jnp.float32)  # noqa: E731
    return Sequences(
        observation=seen,
        final=led_to(seen, final, reset),
        action=actions(draw, own, seen.legal),
        reward=jnp.asarray(reward, jnp.float32),
        terminated=jnp.asarray(terminated),
        truncated=jnp.asarray(truncated),
        reset=jnp.asarray(reset),
        carry=floats(rows, own.n_agents, memory) if memory else (),
        mercy=jnp.asarray(draw.random((*lead, mercy)), jnp.float32) if mercy else (),
    )


def rollout(learner, state, seed, **kwargs):
    """A rollout ``[T, E, ...]`` of random legal actions, as ``learn`` wants it; memories at chunk starts are random."""
    environments, steps, length = learner.sizes
    memory = learner.recipe.actor.memory
    got = batch(learner.spec, steps, environments, seed, **kwargs)
    draw = np.random.default_rng(seed + 1000)
    shape = (steps // length, environments, learner.spec.n_agents, memory)
    carry = jnp.asarray(draw.normal(size=shape), jnp.float32) if memory else ()
    dist, log_prob = behaviour(learner, state, got)
    return Rollout(
        got.observation, got.final, got.action, log_prob, dist, got.reward, got.terminated, got.truncated, got.reset,
        carry,
    )  # fmt: skip


@jax.jit
def behaviour(learner, state, got):
    """What the actors would draw from, as if each step were an episode's first, and of what was done."""
    lead = got.reset.shape
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), got.observation)
    dist, _ = learner.distribution(learner.policy(state), learner.carry(lead[0] * lead[1]), flat)
    dist = jax.tree.map(lambda x: x.reshape(*lead, *x.shape[1:]), dist)
    return dist, learner.family.log_prob(dist, got.action)


@jax.jit
def learn(learner, state, played, key):
    """One iteration, compiled once for each kind of learner."""
    return learner.learn(state, played, key)


@jax.jit
def step(learner, learning, seen, unit, key):
    """One gradient step on a given batch, compiled once for each kind of learner."""
    return learner.update(learning, seen, unit, key)
