"""Mixings against sums written out, and what each promises: monotone, or one best joint action."""

from dataclasses import replace
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.contracts import ActionSpace, Observation
from coterie.nets.distributions import family
from coterie.nets.networks import Network
from coterie.nets.sharing import Layout
from coterie.parts.tower import Tower
from coterie.value.agents import Agents
from coterie.value.mixing import Apart, Duplex, Free, Mixture, Monotone, Total
from tests.oracles import mixing as oracle
from tests.oracles.tape import Var
from tests.policy.rollouts import spec

MIXINGS = {
    "apart": Apart(), "total": Total(), "monotone": Monotone(embed=4, hidden=5), "duplex": Duplex(kernels=3, hidden=5),
    "free": Free((6, 5)),
}  # fmt: skip
SIZE = 3  # choices of each agent
ROWS = 6


def parameters(part, seed, own=None):
    """Parameters that are nowhere 0."""
    own, draw = own or spec(), np.random.default_rng(seed)
    shapes = part.init(jax.random.key(0), own, SIZE)
    return jax.tree.map(lambda x: jnp.asarray(draw.normal(size=x.shape), jnp.float32), shapes)


def mixture(seed, agents=3, states=5):
    """Random utilities, the best of them no less than the chosen; every fifth agent is dead."""
    draw = np.random.default_rng(seed)
    alive = draw.random((1, ROWS, agents)) > 0.2
    chosen, more = draw.normal(size=(1, ROWS, agents)), draw.exponential(size=(1, ROWS, agents))
    action = np.eye(SIZE)[draw.integers(SIZE, size=(1, ROWS, agents))] * alive[..., None]
    parts = chosen * alive, (chosen + more) * alive, draw.normal(size=(1, ROWS, states)), action.reshape(1, ROWS, -1)
    return Mixture(*(jnp.asarray(x, jnp.float32) for x in parts))


def apply(part, params, now):
    return part(params, now)


apply = jax.jit(apply)


def slot(params):
    """The one slot, in tape numbers."""
    return jax.tree.map(lambda x: Var(np.asarray(x[0])), params)


def row(now, r):
    """One sample as the oracle takes it: state, chosen, best, actions."""
    chosen, best = ([Var(q) for q in np.asarray(x)[0, r]] for x in (now.chosen, now.best))
    actions = np.asarray(now.action)[0, r].reshape(len(chosen), -1)
    return np.asarray(now.state)[0, r], chosen, best, list(actions)


@pytest.mark.parametrize("kind", MIXINGS)
def test_a_mixing_equals_its_sums_written_out(kind):
    part = MIXINGS[kind]
    params, now = parameters(part, 1), mixture(2)
    found = np.asarray(apply(part, params, now))
    assert found.shape == (1, ROWS, 3 if kind == "apart" else 1)
    for r in range(ROWS):
        state, chosen, best, actions = row(now, r)
        wanted = oracle.mixed(kind, slot(params), state, chosen, best, actions)
        np.testing.assert_allclose(found[0, r], [v.value for v in wanted], rtol=1e-5, atol=1e-5)


def test_the_duplex_is_the_textbooks():
    """V_tot + sum_i lambda_i A_i; with no kernel's weight at all it is V_tot."""
    part = MIXINGS["duplex"]
    params, now = parameters(part, 3), mixture(4)
    found = np.asarray(apply(part, params, now))[0, :, 0]
    wanted, team = np.array([oracle.duplex_as_written(slot(params), *row(now, r)) for r in range(ROWS)]).T
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert (team >= wanted).all() and (team > wanted).any(), "advantages are never positive"


def test_a_sum_and_a_monotone_mixture_by_hand():
    now = Mixture(*(jnp.asarray(x, jnp.float32) for x in ([[[1.5, -0.5]]], [[[2.0, 0.0]]], [[[2.0]]], [[[0.0] * 4]])))
    assert float(Total()({}, now)[0, 0, 0]) == 1.0
    np.testing.assert_array_equal(Apart()({}, now)[0, 0], [1.5, -0.5])
    part, own = Monotone(embed=1, hidden=1), replace(spec(2), state_size=1)
    ones = jax.tree.map(jnp.ones_like, part.init(jax.random.key(0), own, 2))
    # A hidden layer relu(2 + 1) = 3, so that both weights are 3 + 1 = 4, b_1 = 2 + 1, b_2 = 3 + 1.
    assert float(part(ones, now)[0, 0, 0]) == 4.0 * (4.0 * (1.5 - 0.5) + 3.0) + 4.0
    minus = ones | {"weight_1": jax.tree.map(lambda x: -x, ones["weight_1"])}
    # Its hidden layer is 0 and its output -1, whose size counts; likewise elu below 0.
    assert float(part(minus, now)[0, 0, 0]) == 4.0 * (1.0 * (1.5 - 0.5) + 3.0) + 4.0
    low = now._replace(chosen=now.chosen - 5.0)
    assert float(part(minus, low)[0, 0, 0]) == pytest.approx(4.0 * np.expm1(-9.0 + 3.0) + 4.0, abs=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.floats(0.0, 3.0))
def test_monotone_mixtures_never_fall_when_a_utility_rises(seed, agent, more):
    part = MIXINGS["monotone"]
    params, now = parameters(part, seed), mixture(seed + 1)
    higher = now._replace(chosen=now.chosen.at[..., agent].add(jnp.float32(more)))
    before, after = apply(part, params, now), apply(part, params, higher)
    assert (np.asarray(after) >= np.asarray(before) - 1e-5 * (1.0 + np.abs(before))).all()


def tables(seed, agents):
    """Every joint action of agents with SIZE choices as one row each, some illegal: utilities, actions, legality."""
    draw = np.random.default_rng(seed)
    table, legal = draw.normal(size=(agents, SIZE)), draw.random((agents, SIZE)) > 0.25
    legal[np.arange(agents), draw.integers(SIZE, size=agents)] = True
    joint = np.array([j for j in product(range(SIZE), repeat=agents) if legal[np.arange(agents), j].all()])
    return table, legal, joint


@pytest.mark.parametrize("agents", [2, 3])
@pytest.mark.parametrize("kind", ["total", "monotone", "duplex"])
def test_the_best_joint_action_is_every_agents_best(kind, agents):
    """Individual-global-max: the greatest Q_tot over all legal joint actions is where each agent takes its best."""
    part, own = MIXINGS[kind], spec(agents)
    evaluate = jax.jit(partial(part.__call__))
    for seed in range(8):
        params, (table, legal, joint) = parameters(part, seed, own), tables(seed, agents)
        best = np.argmax(np.where(legal, table, -np.inf), 1)
        rows = SIZE**agents
        padded = np.concatenate([joint, np.repeat(joint[:1], rows - len(joint), 0)])  # one shape, one program
        state = np.broadcast_to(np.random.default_rng(seed).normal(size=own.state_size), (1, rows, own.state_size))
        top = np.broadcast_to(table[np.arange(agents), best], (1, rows, agents))
        parts = table[np.arange(agents), padded][None], top, state, np.eye(SIZE)[padded].reshape(1, rows, -1)
        now = Mixture(*(jnp.asarray(x, jnp.float32) for x in parts))
        value = np.asarray(evaluate(params, now))[0, :, 0]
        found = tuple(padded[np.argmax(value)])
        assert found == tuple(best)
        if kind == "duplex":
            r = int(np.flatnonzero((padded == best).all(1))[0])
            team = oracle.duplex_as_written(slot(params), *row(now, r))[1]
            assert value[r] == pytest.approx(team, abs=1e-4), "at the best action Q_tot is V_tot"


def test_no_gradient_through_the_advantages_of_the_duplex():
    """By a chosen utility it is w_i alone, by the best one 0; lambda learns all the same."""
    part = MIXINGS["duplex"]
    params, now = parameters(part, 5), mixture(6)

    def total(params, chosen, best):
        return jnp.sum(part(params, now._replace(chosen=chosen, best=best)))

    by_params, by_chosen, by_best = jax.jit(jax.grad(total, (0, 1, 2)))(params, now.chosen, now.best)
    assert not np.asarray(by_best).any()
    for r in range(ROWS):
        weight = np.abs(oracle.network(slot(params)["weight"], row(now, r)[0])[0].value)
        np.testing.assert_allclose(by_chosen[0, r], weight, rtol=1e-4)
    for name in ("key", "agents", "actions"):
        assert all(np.asarray(x).any() for x in jax.tree.leaves(by_params[name])), name


def agents(own):
    tower = Tower(Network(()), Layout((0,) * own.n_agents), own.observation_size, family(own).size, 1.0)
    return Agents(tower, family(own))


@pytest.mark.parametrize("kind", MIXINGS)
def test_the_dead_contribute_nothing(kind):
    """Neither their utilities nor their actions are read, and of their own they have the value 0."""
    own, draw, part = spec(), np.random.default_rng(0), MIXINGS[kind]
    params = parameters(part, 7)
    alive = np.array([[[True, False, True], [False, False, False]]])
    seen = Observation(
        np.zeros((1, 2, 3, own.observation_size), np.float32), np.float32(draw.normal(size=(1, 2, 5))),
        np.ones((1, 2, 3, SIZE), bool), alive,
    )  # fmt: skip
    raw = np.float32(draw.normal(size=(1, 2, 3, SIZE)))
    other = np.where(alive[..., None], raw, 3 * raw + 1)
    action = np.int32(draw.integers(SIZE, size=(1, 2, 3)))
    elsewhere = np.where(alive, action, (action + 1) % SIZE)

    @jax.jit
    def mixed(params, raw, action):
        value = lambda raw: part(params, agents(own).mixture(raw, seen, action))  # noqa: E731
        return value(raw), jax.grad(lambda raw: jnp.sum(value(raw)))(raw)

    (a, slope), (b, _) = mixed(params, raw, action), mixed(params, other, elsewhere)
    np.testing.assert_array_equal(a, b)
    if kind in ("apart", "total"):
        assert not np.asarray(a)[0, 1].any()
    assert not np.asarray(slope)[~alive].any() and np.asarray(slope)[0, 0, 0].any()


def test_several_components_add_up():
    """The utility of a multi-discrete action is the sum over its components; the best takes the best of each."""
    pair = ActionSpace.multi_discrete((2, 3))
    own = replace(spec(2), action_spaces=(pair, pair))
    legal = np.broadcast_to(own.legal, (1, 1, *own.legal.shape))
    raw = jnp.asarray([[[[1.0, 2.0, 9.0, 4.0, 8.0, 6.0], [0.5, 0.25, 9.0, -1.0, -2.0, -3.0]]]])
    seen = Observation(jnp.zeros((1, 1, 2, 4)), jnp.zeros((1, 1, 5)), jnp.asarray(legal), jnp.ones((1, 1, 2), bool))
    now = jax.jit(agents(own).mixture)(raw, seen, jnp.asarray([[[[0, 2], [1, 1]]]]))
    np.testing.assert_array_equal(now.chosen[0, 0], [1.0 + 6.0, 0.25 - 2.0])
    np.testing.assert_array_equal(now.best[0, 0], [2.0 + 8.0, 0.5 - 1.0])
    np.testing.assert_array_equal(agents(own).best(raw, seen.legal)[0, 0], [[1, 1], [0, 0]])
    np.testing.assert_array_equal(now.action[0, 0], [1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0])


@pytest.mark.parametrize("kind", ["monotone", "duplex", "free"])
def test_a_normalised_state_has_neither_scale_nor_offset(kind):
    part, now = MIXINGS[kind], mixture(6)
    params, normed = parameters(part, 6), replace(part, norm=True)
    state = np.asarray(now.state)
    standard = (state - state.mean(-1, keepdims=True)) / state.std(-1, keepdims=True)
    by_hand = part(params, now._replace(state=jnp.asarray(standard)))
    np.testing.assert_allclose(normed(params, now), by_hand, rtol=2e-4, atol=1e-5)
    far = normed(params, now._replace(state=30.0 * now.state + 5.0))
    np.testing.assert_allclose(far, by_hand, rtol=2e-3, atol=1e-4)
