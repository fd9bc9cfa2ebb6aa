"""Surrogates against a Dec-MDP in which every state and joint action is enumerated (float64)."""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.policy.surrogate import Clip, KlPenalty, Sample
from coterie.policy.weighting import Context, One, Others, Preceding, product
from tests.oracles.dec_mdp import DecMdp

WEIGHTINGS = {
    "one": One(),
    "others": Others(0.1),
    "others, outer 0": Others(0.0),
    "preceding, inside": Preceding(),
    "preceding, bounded": Preceding(clip=0.1),
    "preceding, half the range": Preceding(adapted=True),
    "preceding, outside": Preceding(place="outside"),
    "product": product(Others(0.1), Preceding(place="outside")),
}


@pytest.fixture(scope="module", autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def losses(game, weighting, new, old, moved=None, epsilon=0.2, surrogate=Clip(), coefficients=()):  # noqa: B008
    """``[S, joint, N]``: every agent's loss on every sample; ``moved`` are the logits that a turn began with."""
    now, behaviour = game.log_probs(new), game.log_probs(old)
    log_ratio = jnp.moveaxis(now - behaviour, -1, 0)[..., None]  # [K, L, R, M] = [N, S, joint, 1]
    fresh = jax.lax.stop_gradient(log_ratio)
    before = fresh * 0 if moved is None else jnp.moveaxis(game.log_probs(moved) - behaviour, -1, 0)[..., None]
    rest = lambda x: jnp.sum(x, axis=0, keepdims=True) - x  # noqa: E731
    advantage = jnp.broadcast_to(game.advantage(old)[None, :, :, None], log_ratio.shape)
    clip = jnp.full((game.agents, 1, 1, 1), epsilon)
    inside, outside = weighting(Context(rest(before), rest(fresh), advantage, clip))
    still, one = jnp.zeros_like(log_ratio), jnp.ones_like(log_ratio)
    sample = Sample(log_ratio, advantage, inside, outside, still, one, clip, game.agents)
    loss = surrogate.loss(coefficients, sample)
    return jnp.moveaxis(loss[..., 0], 0, -1)


def samples(game, old):
    """d(s) pi(a | s), the weight of every sample."""
    return game.occupancy(old)[:, None] * game.policy(old)


def test_the_oracle_agrees_with_itself():
    """E_pi[A] = 0, the start's value is the mean reward under d, and the performance difference lemma holds."""
    game = DecMdp(0)
    old, new = game.logits(0), game.logits(1)
    scale = 1 / (1 - game.gamma)
    np.testing.assert_allclose((game.policy(old) * game.advantage(old)).sum(1), 0.0, atol=1e-12)
    np.testing.assert_allclose(scale * (samples(game, old) * game.reward).sum(), game.objective(old), atol=1e-12)
    gained = scale * (samples(game, new) * game.advantage(old)).sum()
    np.testing.assert_allclose(game.objective(new) - game.objective(old), gained, atol=1e-12)


@cache
def enumerated(size):
    """A game, logits, the weight of every sample, and the gradient of the objective there."""
    game = DecMdp(1, *size)
    old = game.logits(2)
    weight = samples(game, old)[..., None]
    return game, old, weight, -(1 - game.gamma) * jax.jit(jax.grad(game.objective))(old)


@pytest.mark.parametrize("weighting", WEIGHTINGS.values(), ids=WEIGHTINGS)
@pytest.mark.parametrize("size", [(2, 2, 3), (3, 3, 2)], ids=["2 agents", "3 agents"])
def test_the_gradient_at_the_old_policy_is_the_policy_gradient(weighting, size):
    game, old, weight, exact = enumerated(size)
    slope = jax.grad(lambda new: jnp.sum(weight * losses(game, weighting, new, old)))(old)
    np.testing.assert_allclose(slope, exact, atol=1e-10)
    assert np.abs(exact).max() > 1e-3


@pytest.mark.parametrize("shared", [False, True], ids=["code", "paper"])
def test_without_coefficients_dpo_is_the_policy_gradient(shared):
    """Unclipped, and divided by the number of agents as the paper does."""
    game = DecMdp(1, 3, 3, 2)
    old, free = game.logits(2), KlPenalty(root=None, kl=None, shared=shared)
    weight = samples(game, old)[..., None]
    loss = lambda new: jnp.sum(weight * losses(game, One(), new, old, surrogate=free, coefficients=free.init(3)))  # noqa: E731
    exact = -(1 - game.gamma) * jax.grad(game.objective)(old) / (game.agents if shared else 1)
    np.testing.assert_allclose(jax.grad(loss)(old), exact, atol=1e-10)


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_after_others_moved_the_gradient_is_that_of_their_new_policies(place):
    """Without clipping: E_{d, pi-hat}[A grad log pi^i], the predecessors' actions drawn from their new policies."""
    game = DecMdp(3)
    old, other = game.logits(4), game.logits(5)
    moved = old.at[0].set(other[0])
    loss = lambda new: losses(game, Preceding(place=place), new, old, moved, epsilon=1e9)  # noqa: E731
    slope = jax.grad(lambda new: jnp.sum(samples(game, old) * loss(new)[..., 1]))(moved)
    drawn = game.occupancy(old)[:, None] * game.policy(moved) * game.advantage(old)
    exact = -jax.grad(lambda new: jnp.sum(drawn * game.log_probs(new)[..., 1]))(moved)
    np.testing.assert_allclose(slope, exact, atol=1e-10)
    assert not slope[0].any() and np.abs(exact).max() > 1e-3


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_happo_telescopes(order):
    """sum_i E_{d, pi}[(M r^i - M) A] = E_{d, pi-new}[A], M the ratios of those before i, in any order."""
    game = DecMdp(6, agents=3, actions=2)
    old, new = game.logits(7), game.logits(8)
    weight, total, moved = samples(game, old), 0.0, old
    for agent in order:
        after = moved.at[agent].set(new[agent])
        kwargs = {"moved": moved, "epsilon": 1e9}
        gains = [losses(game, Preceding(place="outside"), at, old, **kwargs)[..., agent] for at in (moved, after)]
        total += jnp.sum(weight * (gains[0] - gains[1]))
        moved = after
    exact = jnp.sum(game.occupancy(old)[:, None] * game.policy(new) * game.advantage(old))
    np.testing.assert_allclose(total, exact, atol=1e-12)
    assert abs(exact) > 1e-3


class TestCoppo:
    """The four checks, and the clipping."""

    @pytest.fixture(autouse=True)
    def opened(self, float64):
        self.game = DecMdp(9, agents=3, actions=2)
        self.old, self.new = self.game.logits(10), self.game.logits(10) + 0.3 * self.game.logits(11)

    def test_of_one_agent_it_is_ppo(self):
        game = DecMdp(9, agents=1)
        old, new = game.logits(10), game.logits(11)
        np.testing.assert_array_equal(losses(game, Others(0.1), new, old), losses(game, One(), new, old))

    def test_with_outer_range_0_it_is_mappo(self):
        args = self.game, Others(0.0), self.new, self.old
        np.testing.assert_array_equal(losses(*args), losses(self.game, One(), self.new, self.old))
        assert np.abs(losses(self.game, Others(0.1), self.new, self.old) - losses(*args)).max() > 1e-3

    def test_no_agent_differentiates_through_another(self):
        weight = samples(self.game, self.old)
        loss = lambda new, i: jnp.sum(weight * losses(self.game, Others(0.1), new, self.old)[..., i])  # noqa: E731
        for i in range(3):
            slope = jax.grad(loss)(self.new, i)
            assert [bool(slope[j].any()) for j in range(3)] == [j == i for j in range(3)]

    def test_without_clipping_the_gradients_are_that_of_the_joint_ratio(self):
        weight, far = samples(self.game, self.old), {"epsilon": 1e9}
        total = lambda new: jnp.sum(weight[..., None] * losses(self.game, Others(1e9), new, self.old, **far))  # noqa: E731

        def joint(new):
            ratio = self.game.policy(new) / self.game.policy(self.old)
            return -jnp.sum(weight * ratio * self.game.advantage(self.old))

        exact = jax.grad(joint)(self.new)
        np.testing.assert_allclose(jax.grad(total)(self.new), exact, atol=1e-10)
        assert np.abs(exact).max() > 1e-3

    def test_the_joint_ratio_is_clipped_twice(self):
        """l = r^i clip(prod_{j != i} r^j, 1 +- outer), then PPO's min with clip(l, 1 +- inner), sample by sample."""
        ratio = np.exp(self.game.log_probs(self.new) - self.game.log_probs(self.old))
        advantage, found = self.game.advantage(self.old), losses(self.game, Others(0.1), self.new, self.old)
        for s, a, i in np.ndindex(*found.shape):
            others = np.prod([ratio[s, a, j] for j in range(3) if j != i])
            joint = ratio[s, a, i] * min(max(others, 0.9), 1.1)
            expected = -min(joint * advantage[s, a], min(max(joint, 0.8), 1.2) * advantage[s, a])
            np.testing.assert_allclose(found[s, a, i], expected, rtol=1e-10)
