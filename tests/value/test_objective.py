"""What values are drawn to: returns against loops, and targets by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.returns import lambda_return, n_step
from coterie.value.difference import Difference, earned, targets
from coterie.value.objective import NStep, TdLambda
from coterie.value.recipes import iql, vdn
from tests.oracles import estimators, returns
from tests.value.by_hand import OWN, batch, measured, opened, seen, utilities
from tests.value.sequences import batch as anything
from tests.value.sequences import spec

GAMMA = 0.9
EACH = replace(OWN, reward="individual")


def drawn(seed, length=7, rows=5, values=2):
    """Rewards, next values, and ends of both kinds, some at once."""
    draw = np.random.default_rng(seed)
    floats = (draw.normal(size=(length, rows, values)) for _ in range(2))
    return *floats, draw.random((length, rows)) < 0.2, draw.random((length, rows)) < 0.2


@pytest.mark.parametrize("steps", [1, 2, 3, 20])
def test_n_step_returns_equal_a_loop(steps):
    reward, after, terminated, truncated = drawn(steps)
    following = GAMMA * np.where(terminated[..., None], 0.0, after)
    found = jax.jit(n_step, static_argnums=4)(
        *(jnp.asarray(x, jnp.float32) for x in (reward, following)), jnp.asarray(terminated | truncated), GAMMA, steps
    )
    wanted = estimators.n_step(reward, np.zeros_like(reward), after, terminated, truncated, GAMMA, steps)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("trace", [0.0, 0.7, 1.0])
def test_lambda_returns_equal_a_loop(trace):
    reward, after, terminated, truncated = drawn(3)
    following = GAMMA * np.where(terminated[..., None], 0.0, after)
    found = jax.jit(lambda_return)(
        *(jnp.asarray(x, jnp.float32) for x in (reward, following)), jnp.asarray(terminated | truncated), GAMMA, trace
    )
    wanted = returns.lambda_return(reward, after, terminated, truncated, GAMMA, trace)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_their_ends_meet():
    """lambda = 0 is one step; lambda = 1 looks as far as more steps than there are."""
    reward, after, terminated, truncated = drawn(4)
    arrays = *(jnp.asarray(x, jnp.float32) for x in (reward, GAMMA * after)), jnp.asarray(terminated | truncated), GAMMA
    np.testing.assert_allclose(TdLambda(0.0)(*arrays), NStep(1)(*arrays), atol=1e-6)
    np.testing.assert_allclose(TdLambda(1.0)(*arrays), NStep(20)(*arrays), atol=1e-5)
    assert (NStep(1).sequential, NStep(2).sequential, TdLambda().sequential) == (False, True, True)


@pytest.mark.parametrize("objective", [NStep(), NStep(3), TdLambda(0.6)], ids=["one step", "three steps", "lambda"])
@pytest.mark.parametrize("kind", ["team", "apart"])
def test_targets_equal_a_loop(objective, kind):
    """Ends of both kinds, sequences that stop, units, rewards of a team's agents, and agents that die."""
    own, length, rows = spec(reward="individual"), 6, 4
    values = 1 if kind == "team" else 3
    draw, now = np.random.default_rng(5), anything(own, length, rows, 6, end=0.2)
    following = draw.normal(size=(length, rows, values)).astype(np.float32)
    recipe = replace(vdn() if kind == "team" else iql(), objective=objective, gamma=GAMMA)
    found = jax.jit(lambda *args: targets(recipe, own, *args))(now, following, jnp.float32(2.0))
    reward = np.asarray(now.reward) / 2.0
    reward = reward.sum(-1, keepdims=True) if kind == "team" else reward * np.asarray(now.observation.alive)
    after = following if kind == "team" else following * np.asarray(now.final.alive)
    ends = np.asarray(now.terminated), np.asarray(now.truncated)
    if isinstance(objective, TdLambda):
        wanted = returns.lambda_return(reward, after, *ends, GAMMA, objective.trace)
    else:
        wanted = estimators.n_step(reward, np.zeros_like(reward), after, *ends, GAMMA, objective.steps)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_rewards_of_the_team_and_of_each_agent():
    team, each = np.float32([[1.0, 1.0, 1.0]]), np.float32([[1.0, 2.0, 4.0]])
    np.testing.assert_array_equal(earned(spec(), jnp.asarray(team), 1), [[1.0]])
    np.testing.assert_array_equal(earned(spec(), jnp.asarray(team), 3), team)
    np.testing.assert_array_equal(earned(spec(reward="individual"), jnp.asarray(each), 1), [[7.0]])
    np.testing.assert_array_equal(earned(spec(reward="individual"), jnp.asarray(each), 3), each)


# Utilities of a and b: the learning network prefers 1 and 0, the target networks 0 and 1.
ONLINE, TARGET = utilities((1.0, 2.0), (4.0, 0.0)), utilities((5.0, 3.0), (10.0, 20.0))


@jax.jit
def following(learner, now):
    """The target networks' values of what follows, and the targets."""
    nets = learner.update.nets
    params, target = ({"actor": x, "critic": {}} for x in (ONLINE, TARGET))
    unrolled = nets.agents.unroll(params["actor"], now, now.carry)
    value = Difference(learner.recipe, nets).following(params, target, *unrolled, now)
    return value, targets(learner.recipe, learner.spec, now, value, jnp.float32(1.0))


def test_double_and_single_choices_by_hand():
    """Double: chosen by the learning network, valued by the target. gamma 0.5; row 1 terminates, row 2 is truncated."""
    now = batch([[[0, 0]] * 3], [[1.0, 1.0, 1.0]], [[False, True, False]], [[False, False, True]])
    value, y = following(opened(vdn()), now)
    np.testing.assert_array_equal(value[0, :, 0], [3.0 + 10.0] * 3)
    np.testing.assert_array_equal(y[0, :, 0], [1.0 + 6.5, 1.0, 1.0 + 6.5])
    value, y = following(opened(vdn(), double=False), now)
    np.testing.assert_array_equal(value[0, :, 0], [5.0 + 20.0] * 3)
    np.testing.assert_array_equal(y[0, :, 0], [13.5, 1.0, 13.5])


def test_following_choices_are_legal_and_the_dead_have_none():
    legal = np.ones((1, 2, 2, 2), bool)
    legal[0, 0, 0, 1] = False  # a may not take its best
    alive = np.array([[[True, True], [True, False]]])
    now = batch([[[0, 0]] * 2], [[0.0, 0.0]], final=seen((1, 2), legal=legal, alive=alive))
    value, _ = following(opened(vdn()), now)
    np.testing.assert_array_equal(value[0, :, 0], [5.0 + 10.0, 3.0])
    value, y = following(opened(iql(), own=EACH), now)
    np.testing.assert_array_equal(value[0, 0], [5.0, 10.0])
    np.testing.assert_array_equal(y[0], [[2.5, 5.0], [1.5, 0.0]])
    _, y = following(opened(iql()), now)
    np.testing.assert_array_equal(y[0], [[2.5, 5.0], [1.5, 5.0]])  # the team goes on to earn, whoever died


def test_a_truncated_step_is_worth_where_it_led_and_not_the_next_episode():
    """The next row opens an episode that sees 100; what the step led to sees 1."""
    final = seen((2, 1))
    now = batch([[[0, 0]], [[0, 0]]], [[0.0], [0.0]], truncated=[[True], [False]], final=final)
    local = np.array(now.observation.local)
    local[1] = 100.0
    now = now._replace(observation=now.observation._replace(local=local))
    for objective in (NStep(), NStep(2), TdLambda(0.5)):
        _, y = following(opened(vdn(), 2, objective=objective), now)
        np.testing.assert_array_equal(y[0, :, 0], [6.5])


def test_an_agent_that_died_earns_nothing_more():
    """b dies in the first step; the team goes on to earn 8. Of three steps only a is paid."""
    alive = np.array([[[True, True]], [[True, False]], [[True, False]]])
    after = seen((3, 1), alive=np.array([[[True, False]]] * 3))
    now = batch([[[0, 0]]] * 3, [[0.0], [8.0], [8.0]], [[False], [False], [True]], alive=alive, final=after)
    for objective, a in ((NStep(3), 0.5 * 8.0 + 0.25 * 8.0), (NStep(1), 0.5 * 3.0)):
        _, y = following(opened(iql(), 3, own=EACH, objective=objective), now)
        np.testing.assert_array_equal(y[0, 0], [a, 0.0])
    _, y = following(opened(iql(), 3, objective=NStep(3)), now)
    np.testing.assert_array_equal(y[0, 0], [6.0, 6.0])  # of a team's reward the dead are paid, too


def test_targets_are_held_still():
    """No gradient into target networks, and none through the targets into those that learn."""
    learner, now = opened(vdn()), batch([[[0, 1], [1, 1]]], [[1.0, 2.0]])
    params, target = ({"actor": x, "critic": {}} for x in (ONLINE, TARGET))
    _, _, own, other = measured(learner, params, target, now)
    assert not any(np.asarray(x).any() for x in jax.tree.leaves(other))
    # Errors 1 + 6.5 - (1 + 0) and 2 + 6.5 - (2 + 0), both 6.5; the mean of squares falls by 6.5 for each utility.
    np.testing.assert_array_equal(own["actor"]["output"]["weight"][:, 0], [[-6.5, -6.5], [0.0, -13.0]])
