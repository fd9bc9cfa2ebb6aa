"""Critics of actions: values by loops, what targets read, and the pessimism about joint actions that nobody tried."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.value.actor_update import Marginal
from coterie.value.climb import Climb
from coterie.value.critic import JointAction, OwnAction
from coterie.value.difference import targets
from coterie.value.recipes import iddpg, omdpg
from tests.value.climbing import TYPES, climb, opened, plain_observation, stirred, twin
from tests.value.sequences import batch, spec, step

CRITICS = {
    "own action": OwnAction(2),
    "joint action": JointAction(ensemble=2),
    "joint action of each": JointAction(each=True, ensemble=2),
}


@pytest.mark.parametrize(
    ("critic", "sharing"),
    [
        ("own action", "none"),
        ("own action", "type"),
        ("joint action", "full"),
        ("joint action of each", "none"),
        ("joint action of each", "full"),
    ],
)
def test_values_equal_loops_over_copies_agents_and_samples(critic, sharing):
    learner, learning = opened(critic=CRITICS[critic], sharing=sharing)
    params, loops, draw = learning.critic["actions"], twin(learner, learning), np.random.default_rng(0)
    seen, value = batch(learner.spec, 2, 4, 0).observation, learner.critic
    action = draw.normal(size=(2, 4, 3, 3)).astype("f")
    pictures = draw.normal(size=(2, 4, 3, 3, 3)).astype("f")

    @jax.jit
    def both(params, action, pictures):
        arrays = seen.local, seen.state
        return value.joint(params, *arrays, action), value.seen(params, *arrays, pictures)

    joint, each = both(params, action, pictures)
    assert joint.shape == (2, 2, 4, 1 if critic == "joint action" else 3) and each.shape == (2, 2, 4, 3)
    view = plain_observation(seen)
    for (c, t, e, m), found in np.ndenumerate(joint):
        assert found == pytest.approx(loops.quality(loops.critic, c, view, t, e, m, action[t, e])[0], abs=1e-5)
    for (c, t, e, m), found in np.ndenumerate(each):
        assert found == pytest.approx(loops.quality(loops.critic, c, view, t, e, m, pictures[t, e, m])[0], abs=1e-5)
    assert np.abs(joint[0] - joint[1]).min() > 1e-4, "copies begin differently"


def test_independent_critics_see_their_own_action_only():
    learner, learning = opened(iddpg())
    seen, draw = batch(learner.spec, 2, 4, 0).observation, np.random.default_rng(0)
    action, params = draw.normal(size=(2, 4, 3, 3)).astype("f"), learning.critic["actions"]
    value = jax.jit(learner.critic.joint)
    before = value(params, seen.local, seen.state, action)
    other = action + np.array([0.0, 1.0, 0.0], "f")[:, None]
    after = value(params, seen.local, seen.state + 1.0, other)
    assert (np.abs(after - before) > 0).reshape(8, 3).any(0).tolist() == [False, True, False]
    np.testing.assert_array_equal(after[..., ::2], before[..., ::2])


def drawn_to(learner, target, seen, unit=2.0):
    """Targets, and the copies' values of the target actors' actions after each step."""

    return [np.asarray(x) for x in look(learner, target, seen, unit)]


@jax.jit
def look(learner, target, seen, unit):
    own = climb(learner)
    following = own.following(target, seen, jax.random.key(3))
    unrolled = learner.agents.unroll(target["actor"], seen, seen.carry)
    action = own.actions(learner.agents.after(target["actor"], *unrolled, seen), seen.final)
    copies = learner.critic.joint(target["critic"], seen.final.local, seen.final.state, action)
    return targets(learner.recipe, learner.spec, seen, following, unit), copies


def same_row(seen, rows):
    """The first sequence, as often as there are rows."""
    return jax.tree.map(lambda x: np.repeat(np.asarray(x)[:, :1], rows, 1), seen)


@pytest.mark.parametrize("each", [False, True])
def test_targets_look_beyond_the_clock_and_not_beyond_the_end(each):
    own = spec(3, types=TYPES, reward="individual" if each else "team")
    learner, learning = opened(own=own, critic=JointAction(each=each, ensemble=3))
    target = stirred({"actor": learning.actor, "critic": learning.critic["actions"]})
    seen = same_row(batch(learner.spec, 1, 4, 0, dead=0.0), 4)
    alive = np.array([[[True, False, True]] * 4])  # the second agent dies in this step
    ends = np.array([[[False, False, True, True]], [[False, True, False, True]]])
    seen = seen._replace(terminated=ends[0], truncated=ends[1], final=seen.final._replace(alive=alive))
    y, copies = drawn_to(learner, target, seen)
    least = copies.min(0)
    assert (copies[0] > least).any() and copies.shape == (3, 1, 4, 3 if each else 1)
    reward = seen.reward if each else seen.reward[..., :1]
    following = least * np.array([1, 0, 1]) if each else least
    wanted = reward / 2.0 + 0.95 * np.array([1, 1, 0, 0])[:, None] * following
    np.testing.assert_allclose(y, wanted, rtol=1e-5)
    later = seen._replace(final=seen.final._replace(state=seen.final.state + 1.0))
    moved = drawn_to(learner, target, later)[0] != y
    assert moved[0].any(-1).tolist() == [True, True, False, False]
    now = seen._replace(observation=seen.observation._replace(state=seen.observation.state + 1.0))
    np.testing.assert_array_equal(drawn_to(learner, target, now)[0], y)


class Showing(NamedTuple):
    """A critic whose values are the joint action itself."""

    part: JointAction = JointAction()

    def joint(self, params, local, state, action):
        return action.reshape(1, *action.shape[:2], -1)


def test_noise_on_target_actions_is_cut_and_stays_in_the_box():
    learner, learning = opened(kind="continuous", smoothing=0.2)
    seen = batch(learner.spec, 1, 2000, 0)
    shown = lambda own: Climb(own.recipe, own.agents, Showing())  # noqa: E731
    target = {"actor": stirred(learning.actor, size=0.5), "critic": ()}

    @jax.jit
    def both(learner, seen):
        still = replace(learner, recipe=replace(learner.recipe, smoothing=None))
        return [shown(own).following(target, seen, jax.random.key(0)) for own in (learner, still)]

    noisy, mean = (np.asarray(x).reshape(2000, 3, 2) for x in both(learner, seen))
    able = np.asarray(seen.final.legal & seen.final.alive[..., None])[0]
    assert not noisy[~able].any() and not mean[~able].any(), "the dead do nothing, nor do components that nobody has"
    noise = (noisy - mean)[able]
    assert np.abs(noisy).max() == 1.0 and np.abs(noise).max() == pytest.approx(0.5, abs=1e-6)
    inside = np.abs(mean[able]) < 0.4
    assert noise[inside].std() == pytest.approx(0.2, abs=0.02) and abs(noise[inside].mean()) < 0.02
    assert 0.005 < np.mean(np.abs(noise[inside]) > 0.4999) < 0.025  # of a normal 1.2 % lie beyond 2.5 deviations


def test_untried_joint_actions_are_greedy_completions_of_those_tried():
    learner, learning = opened(omdpg(), actor_update=Marginal(enumerated=0))
    seen = batch(learner.spec, 1, 200, 0, dead=0.0)

    @jax.jit
    def look(actor, critic):
        own = climb(learner)
        taken, raw = own.taken(seen), learner.agents.unroll(actor, seen, ())[0]
        return taken, own.actions(raw, seen.observation), own.untried(actor, critic, seen, taken, jax.random.key(0))

    taken, greedy, untried = map(np.asarray, look(learning.actor, learning.critic["actions"]))
    first = np.zeros(200, int)  # agents whose actions are the replay's, as far as one can tell
    for row in range(200):
        fits = [
            k for k in range(3)
            if (untried[0, row, :k] == taken[0, row, :k]).all() and (untried[0, row, k:] == greedy[0, row, k:]).all()
        ]  # fmt: skip
        first[row] = fits[-1]
    assert set(first) == {0, 1, 2}, "there is always a completion"


@jax.jit
def loss(learner, params, target, seen):
    """The critic's loss, its figures and its gradient."""
    value_loss = lambda p: climb(learner).value_loss(  # noqa: E731
        p, target, jnp.float32(1.0), stirred(target["actor"]), seen, jax.random.key(1)
    )
    return jax.value_and_grad(value_loss, has_aux=True)(params)


def pessimistic(weight, kappa=0.7):
    part = JointAction(ensemble=3, pessimism=weight, kappa=kappa)
    return opened(omdpg(), critic=part, actor_update=Marginal(enumerated=0))


def test_pessimistic_values_by_hand():
    """Weight 0 is the plain temporal difference, any other adds the distance from mean - kappa std of the targets."""
    (learner, learning), (none, _), (plain, _) = map(pessimistic, (0.6, 0.0, None))
    params, target = (
        learning.critic["actions"],
        {"actor": learning.actor, "critic": stirred(learning.critic["actions"])},
    )
    seen = batch(learner.spec, 2, 4, 0)

    @jax.jit
    def look(params):
        own, key = climb(learner), jax.random.split(jax.random.key(1))[1]
        untried = own.untried(stirred(learning.actor), params, seen, own.taken(seen), key)
        return learner.critic.joint(params, seen.observation.local, seen.observation.state, untried)

    old, now = (np.asarray(look(p)) for p in (target["critic"], params))
    wanted = np.mean(((now - (old.mean(0) - 0.7 * old.std(0))) ** 2).sum(0))
    found = [jax.device_get(loss(each, params, target, seen)) for each in (learner, none, plain)]
    ((whole, stats), _), ((zero, _), slope), ((without, _), expected) = found
    assert stats["pessimism_loss"] == pytest.approx(wanted, rel=1e-5)
    assert whole - without == pytest.approx(0.6 * wanted, rel=1e-4) and zero == pytest.approx(without, rel=1e-6)
    # Not to the bit: XLA orders the sums of two programs as it likes.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-7, rtol=1e-5), slope, expected)


def test_pessimism_asks_nothing_where_copies_agree_with_their_targets():
    """std 0 and Q = Qbar: the term and its gradient are 0, at any weight."""
    (learner, learning), (plain, _) = pessimistic(5.0), pessimistic(None)
    one = jax.tree.map(lambda leaf: np.concatenate([leaf[:1]] * 3), learning.critic["actions"])
    target, seen = {"actor": learning.actor, "critic": one}, batch(learner.spec, 2, 4, 0)
    ((_, stats), slope), (_, wanted) = (loss(each, one, target, seen) for each in (learner, plain))
    assert stats["pessimism_loss"] < 1e-12 and stats["untried_std"] < 1e-6
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), slope, wanted)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(slope))


def test_independent_agents_are_not_told_what_others_earn():
    """With rewards of their own, one agent's reward reaches nobody else's critic or actor."""
    learner, learning = opened(iddpg(), own=replace(opened()[0].spec, reward="individual"))
    seen = batch(learner.spec, 2, 4, 0, dead=0.0)
    other = seen._replace(reward=seen.reward.at[..., 0].add(3.0))
    a, b = (step(learner, learning, x, jnp.float32(1.0), jax.random.key(0))[0] for x in (seen, other))
    pairs = zip(*(jax.tree.leaves((state.actor, state.critic)) for state in (a, b)), strict=True)
    moved = [(np.asarray(x) != np.asarray(y)).reshape(3, -1).any(1) for x, y in pairs]
    assert np.any(moved, 0).tolist() == [True, False, False]
