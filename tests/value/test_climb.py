"""Deterministic gradients: every method against plain loops, and choices that can be differentiated."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.fit import Adam
from coterie.value.actor_update import Marginal, Sequential, Simultaneous
from coterie.value.critic import JointAction
from coterie.value.recipes import haddpg, hatd3, iddpg, maddpg, omdpg
from tests.oracles.climb_twin import Method, Twin
from tests.value.climbing import FULL, NONE, PAIR, TYPES, climb, opened, plain, plain_batch
from tests.value.sequences import batch, spec, step

OMDPG = {"update": "marginal", "by": "least", "copies": 5, "pessimism": 0.1}
TWO = JointAction(ensemble=2)
TWO_EACH = JointAction(each=True, ensemble=2)
UNIT = 1.7

CASES = {
    "iddpg": ("continuous", iddpg(), Method(NONE, critic="own")),
    "iddpg, partly shared, choices, a reward each": (
        "discrete", replace(iddpg(), sharing=PAIR), Method(PAIR, critic="own"),
    ),
    "maddpg": ("continuous", maddpg(), Method(NONE, critic="each")),
    "maddpg, shared, choices, the others as they are, a reward each": (
        "discrete",
        replace(maddpg(), sharing="full", actor_update=Simultaneous("current", "least"), critic=TWO_EACH),
        Method(FULL, critic="each", others="current", by="least", copies=2),
    ),
    "haddpg": ("continuous", haddpg(), Method(NONE, update="sequential")),
    "haddpg, partly shared, choices": (
        "discrete", replace(haddpg(), sharing=PAIR), Method(PAIR, update="sequential"),
    ),
    "hatd3": ("continuous", hatd3(), Method(NONE, update="sequential", copies=2, smoothing=0.2, delay=2)),
    "hatd3, values of each, choices": (
        "discrete",
        replace(hatd3(), critic=TWO_EACH, actor_update=Sequential("least")),
        Method(NONE, critic="each", update="sequential", by="least", copies=2, delay=2),
    ),
    "omdpg": ("continuous", omdpg(), Method(PAIR, **OMDPG)),
    "omdpg, choices": ("discrete", omdpg(), Method(PAIR, **OMDPG)),
    "omdpg, choices, in random order after the actors": (
        "discrete",
        replace(omdpg(), critic=TWO, actor_update=Marginal("current", "random")),
        Method(PAIR, update="marginal", by="least", copies=2, prefix="current", order="random"),
    ),
}  # fmt: skip


def assert_same(found, wanted, **tolerance):
    for slot, params in enumerate(wanted):
        own = jax.tree.map(lambda leaf: leaf[slot], found)  # noqa: B023
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), own, params)


@pytest.mark.parametrize("case", CASES)
def test_three_gradient_steps_equal_plain_loops(case):
    kind, recipe, method = CASES[case]
    own = spec(3, kind, TYPES, "individual" if "a reward each" in case else "team")
    fits = {"actor_fit": Adam(3e-3, limit=0.05), "critic_fit": Adam(2e-3, limit=0.05)}
    learner, learning = opened(recipe, own=own, **fits)
    twin = Twin(method, own, plain(learning.actor), plain(learning.critic["actions"]))
    for update in range(3):
        seen, key, before = batch(own, 2, 4, update), jax.random.key(100 + update), learning
        learning, stats = jax.device_get(step(learner, learning, seen, jnp.float32(UNIT), key))
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
        else:
            np.testing.assert_allclose(stats["policy_loss"], twin.loss * method.delay, atol=1e-5)


def test_every_method_has_a_row():
    assert {recipe.name for _, recipe, _ in CASES.values()} == {"iddpg", "maddpg", "haddpg", "hatd3", "omdpg"}


def test_choices_are_one_hots_with_the_slope_of_the_softmax():
    learner, _ = opened(kind="multi_discrete")
    own, seen = climb(learner), batch(learner.spec, 2, 4, 0).observation
    raw = jnp.asarray(np.random.default_rng(0).normal(size=(2, 4, 3, 6)), jnp.float32)
    weight = jnp.asarray(np.random.default_rng(1).normal(size=(2, 4, 3, 6)), jnp.float32)

    @jax.jit
    def both(raw):
        value = lambda raw: jnp.sum(own.actions(raw, seen) * weight)  # noqa: E731
        return own.actions(raw, seen), jax.grad(value)(raw)

    action, slope = (np.asarray(x).reshape(2, 4, 3, 2, 3) for x in both(raw))
    legal, alive = np.asarray(seen.legal), np.asarray(seen.alive)
    logits = np.where(legal, np.asarray(raw, float).reshape(legal.shape), -np.inf)
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    best, w = np.eye(3)[logits.argmax(-1)], np.asarray(weight, float).reshape(legal.shape)
    there = alive[..., None, None]
    np.testing.assert_allclose(action, best * there, atol=1e-6)
    np.testing.assert_allclose(slope, p * (w - (p * w).sum(-1, keepdims=True)) * there, atol=1e-6)
    assert not action[~alive].any() and not slope[~alive].any() and not slope[~legal].any()


def test_gumbel_noise_draws_from_the_softmax():
    learner, _ = opened()
    seen = batch(learner.spec, 2, 4, 0, dead=0.0, illegal=0.3).observation
    many = jax.tree.map(lambda x: np.repeat(np.asarray(x)[:1, :1], 4000, 1), seen)
    raw = jnp.asarray(np.tile([0.5, -1.0, 1.0], (1, 4000, 3, 1)), jnp.float32)
    action = jax.jit(lambda key: climb(learner).actions(raw, many, key))(jax.random.key(0))
    share = np.asarray(action)[0].mean(0)
    p = np.exp(np.where(many.legal[0, 0], raw[0, 0], -np.inf))
    np.testing.assert_allclose(share, p / p.sum(-1, keepdims=True), atol=0.03)


def test_boxes_are_bounded_and_absent_components_and_the_dead_do_nothing():
    learner, _ = opened(kind="continuous")
    seen = batch(learner.spec, 2, 4, 0)
    view = seen.observation
    raw = jnp.asarray(3.0 * np.random.default_rng(0).normal(size=(2, 4, 3, 2)), jnp.float32)
    action, taken = (
        np.asarray(x) for x in jax.jit(lambda x: (climb(learner).actions(x, view), climb(learner).taken(seen)))(raw)
    )
    able = np.asarray(view.legal & view.alive[..., None])
    np.testing.assert_allclose(action, np.where(able, np.tanh(raw), 0.0), atol=1e-6)
    np.testing.assert_allclose(taken, np.where(able, np.clip(seen.action, -1.0, 1.0), 0.0), atol=1e-6)
    assert (np.abs(np.asarray(seen.action)) > 1.0).any(), "noise may lead out of the box, and the critic never sees it"
