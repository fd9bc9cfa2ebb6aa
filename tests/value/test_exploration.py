"""How much is explored when, what is drawn from, and that a greedy team does not explore."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.nets.distributions import ILLEGAL, Categorical
from coterie.value.exploration import EpsilonGreedy
from coterie.value.learner import ValueLearner
from coterie.value.recipes import RECIPES, vdn
from tests.policy.rollouts import observation
from tests.value.sequences import GRU, SMALL, small, spec


@pytest.mark.parametrize(
    ("part", "levels"),
    [
        (EpsilonGreedy(0.9, 0.1, 800.0), {0: 0.9, 200: 0.7, 400: 0.5, 800: 0.1, 5000: 0.1}),
        (EpsilonGreedy(0.0, 0.5, 10.0), {0: 0.0, 5: 0.25, 10: 0.5, 11: 0.5}),
    ],
)
def test_levels_by_hand(part, levels):
    """A straight line, then the end of it."""
    found = part.level(jnp.asarray(list(levels), jnp.int32))
    np.testing.assert_allclose(found, list(levels.values()), rtol=1e-6)


@jax.jit
def drawn_from(part, raw, legal, level):
    kind = Categorical(legal.shape[2:])
    return jnp.exp(part.distribution(kind, raw, legal, level).log_p)


RAW = jnp.asarray([[[3.0, 1.0, 2.0], [0.5, 4.0, 9.0]]])
LEGAL = jnp.asarray([[[True, True, True], [True, True, False]]])


def test_epsilon_greedy_by_hand():
    """Any legal choice has epsilon over their number; the rest is the best one's."""
    found = drawn_from(EpsilonGreedy(), RAW, LEGAL, 0.3)
    np.testing.assert_allclose(found, [[[0.8, 0.1, 0.1], [0.15, 0.85, 0.0]]], rtol=1e-6)
    np.testing.assert_allclose(drawn_from(EpsilonGreedy(), RAW, LEGAL, 0.0), [[[1, 0, 0], [0, 1, 0]]])


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0), st.booleans())
def test_probabilities_add_up_and_nothing_illegal_is_drawn(seed, level, several):
    draw = np.random.default_rng(seed)
    shape = (4, 3, 2, 5) if several else (4, 3, 5)
    legal = draw.random(shape) < 0.6
    legal[..., 2] |= ~legal.any(-1)
    raw = jnp.asarray(10.0 * draw.normal(size=(*shape[:2], int(np.prod(shape[2:])))), jnp.float32)
    p = np.asarray(drawn_from(EpsilonGreedy(), raw, jnp.asarray(legal), jnp.float32(level)))
    np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-5)
    assert (p[~legal] == 0.0).all()
    able = level / legal.sum(-1, keepdims=True)
    assert (p >= np.where(legal, able, 0.0) - 1e-6).all()


def test_where_nothing_is_legal_nothing_breaks():
    found = EpsilonGreedy().distribution(Categorical((3,)), RAW[:, :1], jnp.zeros((1, 1, 3), bool), 0.5)
    np.testing.assert_array_equal(found.log_p, jnp.full((1, 1, 3), ILLEGAL))
    assert Categorical((3,)).sample(jax.random.key(0), found).tolist() == [[0]]


def opened(recipe, kind="discrete", **changes):
    learner = ValueLearner(small(recipe, **changes), spec(kind=kind)).checked()
    return learner, learner.init(jax.random.key(0), 3)


@pytest.mark.parametrize(("kind", "net"), [("discrete", SMALL), ("multi_discrete", SMALL), ("discrete", GRU)])
def test_a_greedy_team_takes_the_best_utility_even_at_epsilon_1(kind, net):
    learner, state = opened(vdn(), kind, actor=net)
    now = observation(np.random.default_rng(0), learner.spec, (40,))
    assert float(learner.policy(state)["level"]) == 1.0

    @jax.jit
    def plays(learner, state, now, key):
        carry = learner.carry(now.alive.shape[0])
        raw, after = learner.outputs(learner.policy(state), carry, now)
        teams = [learner.team(state, greedy).act(carry, now, key) for greedy in (True, False)]
        return raw, after, *teams

    raw, after, (best, carry), (any_action, _) = plays(learner, state, now, jax.random.key(1))
    legal = np.asarray(now.legal)
    wanted = np.argmax(np.where(legal, np.asarray(raw).reshape(legal.shape), -np.inf), -1)
    np.testing.assert_array_equal(best, wanted)
    jax.tree.map(np.testing.assert_array_equal, carry, after)
    assert 0.1 < np.mean(np.asarray(any_action) == wanted) < 0.9, "the other team explores"
    assert np.take_along_axis(legal, np.asarray(any_action)[..., None], -1).all()


@pytest.mark.parametrize("name", RECIPES)
def test_everybody_explores_less_in_the_end(name):
    part = RECIPES[name]().exploration
    start, end = np.asarray(part.level(jnp.asarray([0, 10_000_000], jnp.int32)))
    assert start == 1.0 and end == pytest.approx(0.05)
