"""Every method of deterministic gradients against plain loops: three gradient steps, parameters, moments, targets."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.fit import Adam
from coterie.value.actor_update import Marginal, Sequential, Simultaneous
from coterie.value.critic import JointAction
from coterie.value.learner import ValueLearner
from coterie.value.recipes import haddpg, hatd3, iddpg, maddpg, omdpg
from tests.oracles.climb_twin import Method, Twin
from tests.value.sequences import batch, small, spec, step

NONE, PAIR, FULL = (0, 1, 2), (0, 1, 0), (0, 0, 0)
TYPES = ("a", "b", "a")
OMDPG = {"update": "marginal", "by": "least", "copies": 5, "pessimism": 0.1}
ABLATED = JointAction(ensemble=2)
UNIT = 1.7

CASES = {
    "iddpg": ("continuous", iddpg(), Method(NONE, critic="own")),
    "iddpg, partly shared, choices, a reward each": (
        "discrete", replace(iddpg(), sharing=PAIR), Method(PAIR, critic="own"),
    ),
    "maddpg": ("continuous", maddpg(), Method(NONE, critic="each")),
    "maddpg, choices": ("discrete", maddpg(), Method(NONE, critic="each")),
    "maddpg, shared, the others as they are, a reward each": (
        "continuous",
        replace(maddpg(), sharing="full", actor_update=Simultaneous("current", "least"),
                critic=JointAction(each=True, ensemble=2)),
        Method(FULL, critic="each", others="current", by="least", copies=2),
    ),
    "haddpg": ("continuous", haddpg(), Method(NONE, update="sequential")),
    "haddpg, partly shared, choices": (
        "discrete", replace(haddpg(), sharing=PAIR), Method(PAIR, update="sequential"),
    ),
    "hatd3": ("continuous", hatd3(), Method(NONE, update="sequential", copies=2, smoothing=0.2, delay=2)),
    "hatd3, values of each, choices": (
        "discrete",
        replace(hatd3(), critic=JointAction(each=True, ensemble=2), actor_update=Sequential("least")),
        Method(NONE, critic="each", update="sequential", by="least", copies=2, delay=2),
    ),
    "omdpg": ("continuous", omdpg(), Method(PAIR, **OMDPG)),
    "omdpg, choices": ("discrete", omdpg(), Method(PAIR, **OMDPG)),
    "omdpg, choices, in random order after the actors": (
        "discrete",
        replace(omdpg(), critic=ABLATED, actor_update=Marginal("current", "random")),
        Method(PAIR, update="marginal", by="least", copies=2, prefix="current", order="random"),
    ),
    "omdpg, choices, the actors' future": (
        "discrete",
        replace(omdpg(), critic=ABLATED, actor_update=Marginal(enumerated=0, by="first")),
        Method(PAIR, update="marginal", copies=2, enumerated=False),
    ),
}  # fmt: skip


def plain(tree):
    """Stacked parameters as one dictionary of float64 arrays for each slot."""
    slots = len(tree["output"]["bias"])
    return [jax.tree.map(lambda leaf: np.asarray(leaf[slot], np.float64), tree) for slot in range(slots)]  # noqa: B023


def plain_batch(seen):
    view = lambda x: {k: np.asarray(v) for k, v in x._asdict().items()}  # noqa: E731
    rest = {k: np.asarray(getattr(seen, k)) for k in ("action", "reward", "terminated")}
    return {"observation": view(seen.observation), "final": view(seen.final), **rest}


def assert_same(found, wanted, **tolerance):
    for slot, params in enumerate(wanted):
        own = jax.tree.map(lambda leaf: leaf[slot], found)  # noqa: B023
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), own, params)


@pytest.mark.parametrize("case", CASES)
def test_three_gradient_steps_equal_plain_loops(case):
    kind, recipe, method = CASES[case]
    recipe = small(recipe, actor_fit=Adam(3e-3, limit=0.05), critic_fit=Adam(2e-3, limit=0.05))
    own = spec(3, kind, TYPES, "individual" if "a reward each" in case else "team")
    learner = ValueLearner(recipe, own).checked()
    learning = learner.init(jax.random.key(0), 1).learning
    twin = Twin(method, own, plain(learning.actor), plain(learning.critic["actions"]))
    for update in range(3):
        seen, key, before = batch(own, 2, 4, update), jax.random.key(100 + update), learning
        learning, stats = step(learner, learning, seen, jnp.float32(UNIT), key)
        twin.step(plain_batch(seen), UNIT, key)
        pairs = [
            (learning.actor, twin.actor),
            (learning.critic["actions"], twin.critic),
            (learning.target["actor"], twin.target_actor),
            (learning.target["critic"]["actions"], twin.target_critic),
        ]
        for found, wanted in pairs:
            assert_same(found, wanted, atol=1e-5)
        states = (learning.actor_optimiser, twin.actor_state), (learning.critic_optimiser["actions"], twin.critic_state)
        for found, wanted in states:
            assert found.count.tolist() == [state["count"] for state in wanted]
            for moment in ("mu", "nu"):  # Adam's steps hardly show the size of a gradient: its moments do
                assert_same(getattr(found, moment), [s[moment] for s in wanted], atol=1e-7, rtol=1e-3)
        if method.delay == 2 and update % 2 == 0:  # actors and targets wait, to the bit, and the critic does not
            still = lambda state: (state.actor, state.actor_optimiser, state.target)  # noqa: E731
            jax.tree.map(np.testing.assert_array_equal, still(learning), still(before))
            assert not stats["policy_loss"].any() and not stats["gradient_norm"].any()


def test_every_method_has_a_row():
    assert {recipe.name for _, recipe, _ in CASES.values()} == {"iddpg", "maddpg", "haddpg", "hatd3", "omdpg"}
