"""Learning from one fixed set of uniform joint actions."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.games.matrix import climb
from coterie.nets.networks import Network
from coterie.policy.batch import learn, uniform
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import mappo, optimistic_mappo
from coterie.policy.surrogate import KlPenalty

SMALL = {"actor": Network((8,)), "critic": Network((8,)), "rollout": 1, "environments": 300, "minibatches": 1,
         "epochs": 1, "critic_epochs": 1}  # fmt: skip

FREE = KlPenalty(root=None, kl=None, shared=False)  # no clip and no penalty


def test_the_samples_are_uniform_and_say_so():
    learner = PolicyLearner(replace(mappo(), **SMALL), climb().spec)
    batch = uniform(climb(), learner, jax.random.key(0))
    assert batch.action.shape == (1, 300, 2) and batch.terminated.all()
    np.testing.assert_allclose(batch.log_prob, -np.log(3.0), rtol=1e-6)
    np.testing.assert_allclose(batch.behaviour.log_p, -np.log(3.0), rtol=1e-6)
    counts = np.bincount(np.asarray(batch.action[0] @ np.array([3, 1])), minlength=9)
    assert ((counts - 300 / 9) ** 2 / (300 / 9)).sum() < 26.1  # chi-squared, 8 degrees of freedom: 1 in 1000
    both = (np.asarray(batch.action) == 0).sum(-1)
    np.testing.assert_array_equal(batch.reward[..., 0], np.where(both == 2, 8.0, np.where(both == 1, -12.0, 0.0)))


@pytest.mark.parametrize(("line", "first"), [(mappo(), False), (optimistic_mappo(), True)], ids=["mappo", "optimistic"])
def test_own_ratios_follow_the_mean_payoff_against_uniform_others(line, first):
    """Against uniform others action 0 is worth 8 / 3 - 8 < -4; only where bad outcomes are left out it is best."""
    learner = PolicyLearner(replace(line, **SMALL, surrogate=FREE), climb().spec).checked()
    batch = uniform(climb(), learner, jax.random.key(1))
    state, metrics = jax.jit(lambda s: learn(learner, s, batch, jax.random.key(2), 150))(
        learner.init(jax.random.key(0), 300)
    )
    assert metrics["kl"].shape == (150, 2)
    _, seen = climb().reset(jax.random.key(0))
    dist, _ = learner.distribution(state.actor, (), jax.tree.map(lambda x: x[None], seen))
    assert ((np.exp(dist.log_p[0, :, 0]) > 0.5) == first).all()


def test_other_games_are_refused():
    learner = PolicyLearner(replace(mappo(), **SMALL), climb().spec)
    with pytest.raises(CoterieError, match="game of one step"):
        uniform(climb(length=2), learner, jax.random.key(0))
    longer = PolicyLearner(replace(mappo(), **{**SMALL, "rollout": 2}), climb().spec)
    with pytest.raises(CoterieError, match="give rollout 1"):
        uniform(climb(), longer, jax.random.key(0))
