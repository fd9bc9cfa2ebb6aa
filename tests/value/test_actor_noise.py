"""How actors explore: uniformly at first, then around what they think best."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.nets.distributions import Categorical, family
from coterie.value.exploration import ActorNoise
from coterie.value.learner import TrainState
from tests.value.climbing import opened
from tests.value.sequences import batch, spec

PART = ActorNoise(std=0.1, start=0.6, finish=0.1, steps=100.0, warmup=50.0)


def test_epsilon_stands_at_1_then_falls():
    level = PART.level(jnp.asarray([0, 49, 50, 100, 150, 1000]))
    np.testing.assert_allclose(level, [1.0, 1.0, 0.6, 0.35, 0.1, 0.1], rtol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_choices_are_drawn_from_the_softmax_mixed_with_uniform_ones(shape):
    draw = np.random.default_rng(0)
    raw, legal = draw.normal(size=(7, int(np.prod(shape)))).astype("f"), draw.random((7, *shape)) < 0.6
    legal[..., 0] |= ~legal.any(-1)
    for epsilon in (0.0, 0.3, 1.0):
        found = np.exp(PART.distribution(Categorical(shape), jnp.asarray(raw), jnp.asarray(legal), epsilon).log_p)
        p = np.where(legal, np.exp(raw.reshape(legal.shape)), 0.0)
        p, uniform = (x / x.sum(-1, keepdims=True) for x in (p, legal.astype(float)))
        np.testing.assert_allclose(found, (1 - epsilon) * p + epsilon * uniform, atol=1e-6)


def test_noise_on_boxes():
    own = spec(3, "continuous")
    raw = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3, 2)), jnp.float32)
    legal = jnp.broadcast_to(own.legal, (5, 3, 2))
    found = PART.distribution(family(own), raw, legal, 0.3)
    np.testing.assert_allclose(found.mean, np.where(own.legal[None], np.tanh(raw), 0.0), atol=1e-6)
    np.testing.assert_allclose(np.exp(found.log_std), np.broadcast_to(np.where(own.legal, 0.1, 1.0), (5, 3, 2)))
    np.testing.assert_array_equal(found.real, legal)


def test_a_team_of_actors_explores_and_a_greedy_one_does_not():
    own = spec(3, "continuous")
    learner, learning = opened(own=own, exploration=PART)
    one = batch(own, 2, 4, 0, dead=0.0).observation
    seen = jax.tree.map(lambda x: np.repeat(np.asarray(x)[0, :1], 2000, 0), one)

    @jax.jit
    def play(steps, key):
        state = TrainState(learning, (), (), steps)
        step = learner.act(state, (), seen, key)
        return step.action, step.extras[0], learner.team(state, greedy=True).act((), seen, key)[0]

    low, high = np.array([[-1, 0], [-1, -2], [-1, 0]]), np.array([[1, 0], [1, 3], [1, 0]])
    (early, _, greedy), (late, latent, still) = (
        [np.asarray(x) for x in play(jnp.int32(steps), jax.random.key(0))] for steps in (49, 50)
    )
    np.testing.assert_array_equal(greedy, still)
    assert (greedy == greedy[:1]).all(), "one observation, one action"
    assert (early >= low).all() and (early <= high).all() and not early[:, ~own.legal].any()
    share = ((early - low) / np.maximum(high - low, 1e-9))[:, own.legal]
    np.testing.assert_allclose(
        np.quantile(share, [0.1, 0.25, 0.5, 0.75, 0.9], 0),
        [[0.1] * 4, [0.25] * 4, [0.5] * 4, [0.75] * 4, [0.9] * 4],
        atol=0.05,
    )
    assert (late >= low).all() and (late <= high).all() and not late[:, ~own.legal].any()
    np.testing.assert_allclose(latent.std(0)[own.legal], 0.1, atol=0.01)
    unit = np.clip(latent.mean(0), -1, 1)
    np.testing.assert_allclose((low + high) / 2 + (high - low) / 2 * unit, greedy[0], atol=0.03)
