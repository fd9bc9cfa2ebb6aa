"""Two agents with two choices whose utilities stand in the test: linear networks of an observation that is 1."""

import jax
import jax.numpy as jnp
import numpy as np

from coterie.contracts import ActionSpace, Observation, Spec
from coterie.nets.networks import Network
from coterie.value.batch import Sequences
from coterie.value.difference import Difference
from coterie.value.learner import ValueLearner
from tests.value.sequences import small

OWN = Spec(("a", "b"), ("t", "t"), (1, 1), (ActionSpace.discrete(2),) * 2, 1, 4)


def opened(recipe, length=1, own=OWN, **changes):
    linear = {"actor": Network(()), "critic_net": Network(()), "sharing": "none", "gamma": 0.5, "rollout": 12}
    return ValueLearner(small(recipe, length, **{**linear, **changes}), own).checked()


def linear(*columns, bias=None):
    """One slot of a network without hidden layers: ``columns[i]`` are the outputs of input i alone."""
    weight = jnp.asarray(columns, jnp.float32)
    return {"output": {"weight": weight[None], "bias": jnp.zeros((1, weight.shape[1])) if bias is None else bias}}


def utilities(a, b):
    """The agents' networks: what each choice is worth to a and to b."""
    return {"output": {"weight": jnp.asarray([[a], [b]], jnp.float32), "bias": jnp.zeros((2, 2))}}


def seen(lead, **changes):
    """Observations and states of 1; all are alive and all is legal."""
    every = Observation(*(np.ones((*lead, *shape), kind) for shape, kind in (
        ((2, 1), np.float32), ((1,), np.float32), ((2, 2), bool), ((2,), bool))))  # fmt: skip
    return every._replace(**{name: np.broadcast_to(x, getattr(every, name).shape) for name, x in changes.items()})


def batch(action, reward, terminated=None, truncated=None, alive=True, final=None):
    """Sequences ``[L, R]`` of joint actions ``[L, R, 2]``, with rewards of the team or of each agent."""
    action = np.asarray(action, np.int32)
    lead = action.shape[:2]
    reward = np.asarray(reward, np.float32)
    reward = np.stack([reward, reward], -1) if reward.shape == lead else reward
    ends = [np.zeros(lead, bool) if x is None else np.asarray(x, bool) for x in (terminated, truncated)]
    reset = np.concatenate([np.zeros((1, lead[1]), bool), (ends[0] | ends[1])[:-1]])
    final = seen(lead) if final is None else final
    return Sequences(seen(lead, alive=alive), final, action, reward, *ends, reset, (), ())


@jax.jit
def measured(learner, params, target, now):
    """The loss in units of 1, its figures, and the gradients by learning and by target networks."""
    loss = Difference(learner.recipe, learner.update.nets)
    arguments = params, target, jnp.ones(()), now, jax.random.key(0)
    (value, stats), slopes = jax.value_and_grad(loss, (0, 1), has_aux=True)(*arguments)
    return value, stats, *slopes
