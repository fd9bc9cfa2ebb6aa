"""Learners of deterministic gradients cut small, their climbs and their twins."""

from dataclasses import replace

import jax
import numpy as np

from coterie.value.climb import Climb
from coterie.value.learner import ValueLearner
from coterie.value.recipes import maddpg
from coterie.value.update import Learning
from tests.oracles.climb_twin import Method, Twin
from tests.value.sequences import small, spec

NONE, PAIR, FULL = (0, 1, 2), (0, 1, 0), (0, 0, 0)
TYPES = ("a", "b", "a")
KINDS = {"OwnAction": "own", "JointAction": "joint"}


def opened(recipe=None, kind="discrete", agents=3, own=None, **changes):
    """Learner and fresh networks, without a replay."""
    own = own or spec(agents, kind, TYPES[:agents])
    learner = ValueLearner(small(recipe or maddpg(), **changes), own).checked()
    actor, critic = (part.init(jax.random.key(seed)) for seed, part in enumerate((learner.actor, learner.critic)))
    return learner, begin(learner.recipe, actor, {"actions": critic})


begin = jax.jit(Learning.begin)


def climb(learner):
    """What takes its gradient steps."""
    return Climb(learner.recipe, learner.agents, learner.critic)


def stirred(tree, seed=7, size=0.2):
    """Other numbers of the same shapes."""
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda x: x + size * draw.normal(size=x.shape).astype("f"), jax.device_get(tree))


def plain(tree):
    """Stacked parameters as one dictionary of float64 arrays for each slot."""
    tree = jax.device_get(tree)  # slices of arrays on the device would be compiled
    slots = len(tree["output"]["bias"])
    return [jax.tree.map(lambda leaf: np.asarray(leaf[slot], np.float64), tree) for slot in range(slots)]  # noqa: B023


def plain_observation(seen):
    return {name: np.asarray(x) for name, x in seen._asdict().items()}


def plain_batch(seen):
    rest = {name: np.asarray(getattr(seen, name)) for name in ("action", "reward", "terminated")}
    return {"observation": plain_observation(seen.observation), "final": plain_observation(seen.final), **rest}


def twin(learner, learning, **changes):
    """The plain loops over the same networks."""
    part = learner.recipe.critic
    kind = (
        "each" if getattr(part, "each", False) and type(part).__name__ == "JointAction" else KINDS[type(part).__name__]
    )
    method = Method(learner.actor.layout.slot_of, critic=kind, copies=part.ensemble)
    return Twin(replace(method, **changes), learner.spec, plain(learning.actor), plain(learning.critic["actions"]))
