"""How much bad outcomes count: by hand, in the mean, as they were met; and methods that must be one another."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.leniency import Lenient
from coterie.parts.state_index import Exact
from coterie.value.learner import ValueLearner
from coterie.value.recipes import cwqmix, hysteretic_dqn, iql, lenient_dqn, owqmix, vdn
from coterie.value.weighting import Errors, Hysteretic, One, Promising, weigh
from tests.oracles.leniency import Temperatures
from tests.value.sequences import batch, learn, rollout, small, spec, step

KEY = jax.random.key(0)
ERROR = jnp.asarray([[[-2.0, 0.0, 3.0], [1.0, -0.5, -1e-6]]])


def test_hysteretic_weights_by_hand():
    errors = Errors(ERROR, None, None)
    np.testing.assert_array_equal(weigh(One(), errors, KEY), np.ones((1, 2, 3)))
    np.testing.assert_allclose(weigh(Hysteretic(0.25), errors, KEY), [[[0.25, 1.0, 1.0], [1.0, 0.25, 0.25]]])
    np.testing.assert_array_equal(weigh(Hysteretic(0.0), errors, KEY), [[[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]])


def test_promising_weights_by_hand():
    """They do not ask for the sign of the error."""
    errors = Errors(ERROR[..., :1], None, jnp.asarray([[[True], [False]]]))
    np.testing.assert_allclose(weigh(Promising(0.25), errors, KEY), [[[1.0], [0.25]]])


def test_lenient_factors_by_hand():
    """Agents with temperatures of their own, or one for the team."""
    mercy = jnp.asarray([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]])
    part = Lenient(forgive="factor")
    np.testing.assert_allclose(weigh(part, Errors(ERROR, mercy, None), KEY), [[[0.1, 1.0, 1.0], [1.0, 0.5, 0.6]]])
    team = weigh(part, Errors(ERROR[..., :1], mercy[..., 1:2], None), KEY)
    np.testing.assert_allclose(team, [[[0.2], [1.0]]])


def test_a_lenient_mask_is_the_factor_in_the_mean():
    """Drawn for every error anew, so that another gradient step may count what this one forgave."""
    mercy = jnp.broadcast_to(jnp.asarray([0.0, 0.3, 1.0]), (40, 500, 3))
    errors = Errors(-jnp.ones_like(mercy), mercy, None)
    mask = np.asarray(weigh(Lenient(), errors, KEY))
    assert set(np.unique(mask)) == {0.0, 1.0}
    np.testing.assert_allclose(mask.mean((0, 1)), [0.0, 0.3, 1.0], atol=4 * np.sqrt(0.3 * 0.7 / 20_000))
    assert (mask != np.asarray(weigh(Lenient(), errors, jax.random.key(1)))).any()
    np.testing.assert_array_equal(weigh(Lenient(), errors._replace(error=-errors.error), KEY), np.ones(mask.shape))


def opened(recipe, own):
    learner = ValueLearner(small(recipe), own).checked()
    return learner, learner.init(jax.random.key(0), learner.recipe.environments)


def stepped(recipe, own=None, mercy=None, **kwargs):
    """What two gradient steps on given batches come to, and the figures of the last."""
    learner, state = opened(recipe, own or spec())
    learning, stats = state.learning, {}
    for seed in range(2):
        seen = batch(learner.spec, 1, 8, seed, **kwargs)
        if mercy is not None:
            seen = seen._replace(mercy=jnp.full((1, 8, 3), mercy))
        learning, stats = step(learner, learning, seen, jnp.ones(()), jax.random.key(seed))
    return learning, stats


def equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def close(a, b):
    """XLA orders sums otherwise where a weight is no constant."""
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6, rtol=1e-5), a, b)


def test_hysteresis_and_leniency_end_at_independent_learning():
    """beta = 1 is IQL to the bit; so is leniency where nothing is forgiven, but for the order of sums."""
    base, _ = stepped(iql())
    equal(stepped(hysteretic_dqn(1.0))[0], base)
    learning, stats = stepped(lenient_dqn("factor"), mercy=1.0)
    assert float(stats["weight_mean"]) == 1.0
    close(learning, base)
    half, stats = stepped(hysteretic_dqn(0.5))
    assert 0.5 < float(stats["weight_mean"]) < 1.0
    close(stepped(lenient_dqn("factor"), mercy=0.5)[0], half)
    gap = jax.tree.map(lambda x, y: np.abs(x - y).max(), base.actor, half.actor)
    assert max(jax.tree.leaves(gap)) > 1e-5


def test_wqmix_without_weights_is_one_method():
    """alpha = 1: nothing but the weights tells the two apart, and all are 1."""
    assert replace(owqmix(1.0), name="cwqmix", weighting=cwqmix(1.0).weighting) == cwqmix(1.0)
    errors = Errors(ERROR[..., :1], None, jnp.asarray([[[True], [False]]]))
    for make in (owqmix, cwqmix):
        np.testing.assert_array_equal(weigh(make(1.0).weighting, errors, KEY), np.ones((1, 2, 1)))


def test_a_team_of_one_sums_nothing():
    """VDN with one agent is IQL with one agent."""
    equal(*(stepped(make(), spec(1), dead=-1.0)[0] for make in (vdn, iql)))


FEW = replace(spec(), observation_sizes=(2, 2, 2), state_size=2)
"""Few things to see: they are met again."""
NUMBERS = {"scale": 1.2, "start": 0.9, "rho": -1.0, "base": 0.8, "ceiling_decay": 0.9}


def played(recipe, iterations):
    """The state after iterations on rollouts that depend on nothing but their number, figures, and the rollouts."""
    learner, state = opened(recipe, FEW)
    metrics, seen = {}, []
    for seed in range(iterations):
        seen.append(rollout(learner, state, seed, dead=-1.0))
        state, metrics = learn(learner, state, seen[-1], jax.random.key(seed))
    return state, metrics, seen


def test_temperature_0_is_independent_learning():
    """Whole iterations: the temperatures' draws leave those of the replay as they are."""
    part = Lenient(Exact("own"), **NUMBERS | {"start": 0.0})
    ours, metrics, _ = played(replace(lenient_dqn(), weighting=part), 2)
    theirs, figures, _ = played(iql(), 2)
    close(ours.learning, theirs.learning)
    assert float(metrics["weight_mean"]) == 1.0 and float(metrics["temperature_mean"]) == 0.0
    np.testing.assert_allclose(metrics["td_error"], figures["td_error"], rtol=1e-5)
    assert int(ours.learning.count) == 4


@pytest.mark.parametrize("kind", ["own", "state"])
def test_leniency_is_stored_as_it_was_met(kind):
    """The replay keeps 1 - l at the visit, while temperatures go on falling; what is drawn brings it along."""
    recipe = replace(lenient_dqn() if kind == "own" else vdn(), weighting=Lenient(Exact(kind), **NUMBERS))
    state, _, seen = played(recipe, 3)
    numbers = {"decay" if name == "ceiling_decay" else name: x for name, x in NUMBERS.items()}
    who = range(3) if kind == "own" else [None]
    for column, agent in enumerate(who):
        twin, wanted = Temperatures(**numbers), []
        for now in seen:
            what = now.observation.state if agent is None else now.observation.local[:, :, agent]
            action = np.asarray(now.action if agent is None else now.action[:, :, agent : agent + 1])
            ends = {"terminated": np.asarray(now.terminated), "truncated": np.asarray(now.truncated)}
            ro = {"state": np.asarray(what), "action": action, **ends}
            wanted.append(twin.kept(ro))
            twin.cool(ro)
        stored = np.asarray(state.replay.experience.mercy)[:, :, 0, column]  # one step in a sequence
        np.testing.assert_allclose(stored[:, :12].T, np.concatenate(wanted), rtol=1e-5)
    assert len(np.unique(wanted[0])) == 1 < len(np.unique(wanted[2])), "all was new at first"
