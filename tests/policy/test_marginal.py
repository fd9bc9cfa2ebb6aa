"""PERLA's critic: means over the others' policies against enumeration, and the variance that its paper states."""

from dataclasses import replace
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import ActionSpace
from coterie.nets.networks import Network
from coterie.policy.critic_input import GlobalState, Local, PolicyEmbedded
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import ippo, mappo, perla_ippo, perla_mappo
from tests.policy.rollouts import E, T, rollout, small, spec

HEADED = Network(encoder=(8,), head=(6,))


def opened(recipe, samples=7, enumerated=0, own=None, **changes):
    """A learner and its state, with weights of the actions large enough to matter."""
    part = replace(recipe.critic_input, samples=samples, enumerated=enumerated)
    learner = PolicyLearner(small(recipe, critic=HEADED, critic_input=part, **changes), own or spec()).checked()
    return learner, learner.init(jax.random.key(0), E)


@jax.jit
def values(learner, state, rollout, key):
    return learner.critic.values(state.critic, state.scale, state.memory, rollout, learner.others(state, rollout, key))


def by_hand(learner, state, x, agent, actions):
    """V(x, a^-i) of one row in NumPy: the head's first layer sees the features, the others' one-hots and the name."""
    n, a = 3, learner.spec.choices
    slot = (
        0 if isinstance(learner.recipe.critic_input.inner, GlobalState) else learner.critic.tower.layout.slot_of[agent]
    )
    params = jax.tree.map(lambda p: np.asarray(p[slot], np.float64), state.critic)
    if isinstance(learner.recipe.critic_input.inner, Local) and learner.critic.tower.layout.members > 1:
        x = np.concatenate([x, np.eye(n)[agent]])
    below = np.tanh(x @ params["encoder_0"]["weight"] + params["encoder_0"]["bias"])
    acts = np.zeros((n, a))
    for other in range(n):
        acts[other, actions[other]] = other != agent
    beside = np.concatenate([acts.ravel(), np.eye(n)[agent]])
    head = params["head_0"]
    above = np.tanh(np.concatenate([below, beside]) @ head["weight"] + head["bias"])
    return (above @ params["output"]["weight"] + params["output"]["bias"]).item()


def mean_by_hand(learner, state, x, agent, p):
    """The sum over all joint actions of all agents, its own included: V does not look at it."""
    total = 0.0
    for actions in product(range(learner.spec.choices), repeat=3):
        total += np.prod([p[i][a] for i, a in enumerate(actions)]) * by_hand(learner, state, x, agent, actions)
    return total


CASES = {"state": (perla_mappo(), "none"), "local, shared": (perla_ippo(), "full"), "local": (perla_ippo(), "none")}


@pytest.mark.parametrize("case", CASES)
def test_exact_values_are_sums_over_joint_actions(case):
    recipe, sharing = CASES[case]
    learner, state = opened(recipe, enumerated=9, sharing=sharing)
    seen = rollout(learner, state, 3, dead=0.0)
    found = values(learner, state, seen, jax.random.key(1))
    team = isinstance(recipe.critic_input.inner, GlobalState)

    def row(observation, t, e, i):
        return np.asarray(observation.state[t, e] if team else observation.local[t, e, i], np.float64)

    flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), seen.final)
    final, _ = learner.distribution(state.actor, (), flat)
    p, q = np.exp(seen.behaviour.log_p), np.exp(final.log_p).reshape(seen.behaviour.log_p.shape)
    for t, e, i in [(0, 0, 0), (1, 2, 1), (T - 1, 1, 2), (2, 0, 2)]:
        value = mean_by_hand(learner, state, row(seen.observation, t, e, i), i, p[t, e])
        assert found.value[t, e, i] == pytest.approx(value, abs=2e-5)
        raw = by_hand(learner, state, row(seen.observation, t, e, i), i, np.asarray(seen.action[t, e]))
        assert found.raw[t, e, i] == pytest.approx(raw, abs=2e-5)
    for t, e in zip(*np.nonzero(np.asarray(seen.cut)), strict=True):
        value = mean_by_hand(learner, state, row(seen.final, t, e, 1), 1, q[t, e])
        assert found.next_value[t, e, 1] == pytest.approx(value, abs=2e-5)
    inside = ~np.asarray(seen.cut)[:-1]
    np.testing.assert_array_equal(found.next_value[:-1][inside], found.value[1:][inside])


def test_variance_is_that_of_perlas_theorem_1():
    """Var(V^) = Var(V) / k + (k - 1) / k Var(V~), V~ the exact mean: over rows and draws, within 4 standard errors."""
    k, draws = 4, 4000
    learner, state = opened(perla_mappo(), samples=k)
    exact, _ = opened(perla_mappo(), enumerated=9)
    one, _ = opened(perla_mappo(), samples=1)
    seen = rollout(learner, state, 3, dead=0.0)

    @jax.jit
    def drawn(learner, keys):
        value = lambda key: learner.critic.values(  # noqa: E731
            state.critic, state.scale, (), seen, learner.others(state, seen, key)
        )
        return jax.vmap(lambda key: value(key).value[..., 0].ravel())(keys)

    keys = jax.random.split(jax.random.key(5), draws)
    many, single = drawn(learner, keys), drawn(one, keys)
    many, single = np.asarray(many), np.asarray(single)
    means = np.asarray(values(exact, state, seen, jax.random.key(0)).value[..., 0]).ravel()
    assert np.abs(many.mean(0) - means).max() < 4 * many.std(0).max() / np.sqrt(draws)
    stated = single.var() / k + (k - 1) / k * means.var()
    # The spread of a variance over draws: that of squared deviations within each row.
    off = np.square(many - means).std() / np.sqrt(draws), np.square(single - means).std() / np.sqrt(draws) / k
    assert abs(many.var() - stated) < 4 * sum(off)
    assert single.var() > 1.02 * many.var(), "else the test has no power"


def test_own_actions_do_not_matter_and_the_others_do():
    learner, state = opened(perla_mappo(), enumerated=9)
    seen = rollout(learner, state, 3)
    other = seen._replace(action=seen.action.at[..., 1].set(jnp.where(seen.action[..., 1] == 0, 1, 0)))
    a, b = (values(learner, state, x, jax.random.key(0)) for x in (seen, other))
    np.testing.assert_allclose(a.raw[..., 1], b.raw[..., 1], atol=1e-6)
    assert np.abs(a.raw[..., 0] - b.raw[..., 0]).min() > 1e-4
    np.testing.assert_array_equal(a.value, b.value)


@pytest.mark.parametrize("base", [ippo(), mappo()], ids=["ippo", "mappo"])
def test_without_weights_of_the_actions_it_is_the_base(base):
    """Values of the same network; MAPPO's one value of the team stands for every agent."""
    part = PolicyEmbedded(base.critic_input, 3, 0)
    learner, state = opened(replace(base, critic_input=part))
    plain = PolicyLearner(small(base, critic=HEADED), spec()).checked()
    cut = jax.tree.map(lambda p: p.copy(), state.critic)
    cut["head_0"]["weight"] = state.critic["head_0"]["weight"][:, :8]
    silent = jax.tree.map(lambda p: p.copy(), state.critic)
    silent["head_0"]["weight"] = silent["head_0"]["weight"].at[:, 8:].set(0.0)
    seen = rollout(learner, state, 3)
    ours = values(learner, state._replace(critic=silent), seen, jax.random.key(0))
    theirs = jax.jit(lambda p, r: plain.critic.values(p, state.scale, (), r))(cut, seen)
    for name in ("value", "next_value", "raw"):
        a, b = getattr(ours, name), getattr(theirs, name)
        rows = np.asarray(seen.cut | True) if name != "next_value" else np.asarray(~seen.terminated)
        np.testing.assert_allclose(a[rows], np.broadcast_to(b, a.shape)[rows], atol=1e-6)


@pytest.mark.parametrize("kind", ["multi_discrete", "continuous"])
def test_other_kinds_of_actions_are_drawn(kind):
    """The mean of many draws is near the mean over the drawn actions fed in one by one."""
    spaces = {"multi_discrete": ActionSpace.multi_discrete((2, 3)), "continuous": ActionSpace.continuous((-1,), (2,))}
    own = replace(spec(), action_spaces=(spaces[kind],) * 3)
    learner, state = opened(perla_mappo(), samples=400, own=own)
    marginal = learner.critic.marginal
    assert not marginal.exact
    raw = jnp.asarray(np.random.default_rng(0).normal(size=(T, E, 3, learner.family.size)), jnp.float32)
    legal = jnp.ones((T, E, *own.legal.shape), bool)
    dist = learner.family.parameters(raw, legal, jnp.zeros(1) if kind == "continuous" else None)
    pre = jnp.asarray(np.random.default_rng(1).normal(size=(1, T, E, 3, 6)), jnp.float32)
    mean = marginal.mean(state.critic, pre, dist, jax.random.key(0))
    each = [marginal.at(state.critic, pre, learner.family.sample(jax.random.key(i), dist)) for i in range(200)]
    spread = np.std(each, 0)
    assert (np.abs(np.mean(each, 0) - mean) < 5 * spread / np.sqrt(200 * 400 / 600)).all() and spread.min() > 1e-3
