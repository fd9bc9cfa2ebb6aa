"""Learning from one fixed set of joint actions, drawn uniformly: the batch mode of PERLA's matrix games.

Nothing is played while learning: every update sees the same samples, and the importance ratios are those of the policy
of now against the uniform one that drew them (Jafferjee et al. 2022, section 5).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from coterie.contracts import CoterieError, Game, Metrics, Rollout
from coterie.policy.learner import PolicyLearner


def uniform(game: Game, learner: PolicyLearner, key: PRNGKeyArray) -> Rollout:
    """As many joint actions as the learner has environments, each uniform among the legal ones, as a rollout.

    Args:
        game: A game of one step and discrete actions.
        learner: Feed-forward, with a rollout of one step.
        key: Source of every draw.

    Raises:
        CoterieError: An episode of the game is longer, its actions are no choices, or the learner wants other rollouts.
    """
    spec, sizes = game.spec, learner.sizes
    if spec.horizon != 1 or spec.action_kind != "discrete":
        raise CoterieError("a fixed batch needs a game of one step with discrete actions, such as matrix/climb")
    if sizes.rollout != 1 or jax.tree.leaves(learner.carry(1)):
        raise CoterieError(
            "a fixed batch has one step and no memory: give rollout 1, environments for its size, no memory"
        )
    start, act, step = jax.random.split(key, 3)
    state, seen = jax.vmap(game.reset)(jax.random.split(start, sizes.environments))
    family: Any = learner.family
    behaviour = family.parameters(jnp.zeros((sizes.environments, spec.n_agents, spec.choices)), seen.legal)
    action = family.sample(act, behaviour)
    _, final, outcome = jax.vmap(game.step)(jax.random.split(step, sizes.environments), state, action)
    log_prob = family.log_prob(behaviour, action)
    opened = jnp.ones(sizes.environments, bool)
    rows = Rollout(seen, final, action, log_prob, behaviour, outcome.reward, outcome.terminated, outcome.truncated,
                   opened, ())  # fmt: skip
    return jax.tree.map(lambda x: x[None], rows)


def learn(
    learner: PolicyLearner, state: PyTree, rollout: Rollout, key: PRNGKeyArray, iterations: int = 500
) -> tuple[PyTree, Metrics]:
    """``iterations`` updates on the same rollout, compiled as one program; metrics ``[iterations, ...]``."""

    def update(state: PyTree, key: PRNGKeyArray) -> tuple[PyTree, Metrics]:
        return learner.learn(state, rollout, key)

    return jax.lax.scan(update, state, jax.random.split(key, iterations))
