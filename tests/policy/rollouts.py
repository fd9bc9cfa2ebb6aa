"""Random rollouts: ends of both kinds, dead agents, illegal actions, behaviour a little off the present policy."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from coterie.contracts import ActionSpace, Observation, Rollout, Spec
from coterie.nets.networks import Network

T, E = 4, 3
SMALL = Network(encoder=(8, 6))


def spec(agents=3, types=None, reward="team"):
    """Agents of different observation and action sizes."""
    sizes, spaces = (4, 3, 4, 2, 3), tuple(map(ActionSpace.discrete, (3, 2, 3, 3, 2)))
    names = tuple(f"agent_{i}" for i in range(agents))
    return Spec(names, types or ("agent",) * agents, sizes[:agents], spaces[:agents], 5, 10, reward)


def small(recipe, **changes):
    """A recipe cut down to a rollout of T steps of E environments."""
    cut = {"actor": SMALL, "critic": SMALL, "environments": E, "rollout": T, "gain": 1.0}
    return replace(recipe, **{**cut, "epochs": 3, "critic_epochs": 2, "minibatches": 2, **changes})


@jax.jit
def learn(learner, state, rollout, key):
    """One iteration, compiled once for each kind of learner."""
    return learner.learn(state, rollout, key)


def observation(draw, spec, lead, dead=0.2, illegal=0.3):
    """Every agent keeps one legal choice; all may die."""
    legal = np.asarray(spec.legal) & (draw.random((*lead, *spec.legal.shape)) > illegal)
    legal[..., 0] |= ~legal.any(-1)
    local = draw.normal(size=(*lead, spec.n_agents, spec.observation_size))
    for i, size in enumerate(spec.observation_sizes):
        local[..., i, size:] = 0.0
    alive = draw.random((*lead, spec.n_agents)) > dead
    state = draw.normal(size=(*lead, spec.state_size))
    floats = (jnp.asarray(x, jnp.float32) for x in (local, state))
    return Observation(*floats, jnp.asarray(legal), jnp.asarray(alive))


@jax.jit
def behaviour(learner, params, seen):
    """Distribution parameters of feed-forward actors for a whole rollout."""
    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), seen)
    dist, _ = learner.distribution(params, (), flat)
    return jax.tree.map(lambda x: x.reshape(*seen.alive.shape[:2], *x.shape[1:]), dist)


@partial(jax.jit, static_argnums=0)
def drawn(family, key, dist):
    """Actions, and their log-probabilities."""
    action = family.sample(key, dist)
    return action, family.log_prob(dist, action)


def led_to(seen, final, reset):
    """What each step led to: the next row where no episode ended, as every loop delivers it.

    In NumPy, which compiles nothing.
    """

    def one(later, last):
        ended = reset[1:].reshape(*reset[1:].shape, *(1,) * (last.ndim - 2))
        return jnp.asarray(np.concatenate([np.where(ended, last[:-1], later[1:]), last[-1:]]))

    reset, seen, final = jax.device_get((reset, seen, final))
    return jax.tree.map(one, seen, final)


def rollout(learner, state, seed, jitter=0.15, end=0.25, **kwargs):
    """A rollout of feed-forward actors; ``jitter`` moves the stored log-probabilities off the policy's."""
    draw, own = np.random.default_rng(seed), learner.spec
    seen, final = (observation(draw, own, (T, E), **kwargs) for _ in range(2))
    key = jax.random.key(seed)
    dist = behaviour(learner, state.actor, seen)
    action, log_prob = drawn(learner.family, key, dist)
    noise = np.asarray(jitter * draw.normal(size=(T, E, own.n_agents)), np.float32)
    reward = draw.normal(size=(T, E, own.n_agents))
    if own.reward == "team":
        reward[:] = reward[..., :1]
    terminated, truncated = (draw.random((T, E)) < end for _ in range(2))
    reset = np.concatenate([np.ones((1, E), bool), (terminated | truncated)[:-1]])
    final = led_to(seen, final, reset)
    log_prob = jnp.asarray(np.asarray(log_prob) + noise)
    reward, terminated, truncated, reset = map(jnp.asarray, (np.float32(reward), terminated, truncated, reset))
    return Rollout(seen, final, action, log_prob, dist, reward, terminated, truncated, reset, ())
