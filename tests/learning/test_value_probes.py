"""Every kind of off-policy method learns probe games to their exact values, from tiny replays in seconds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.training.engine import advance, begin
from coterie.training.train import check, schedule
from coterie.value.climb import Climb
from coterie.value.critic import Utilities
from coterie.value.learner import ValueLearner

GAMMA, ITERATIONS = 0.9, 40
BASE = {
    "environments": 16, "rollout": 4, "updates": 8, "replay.capacity": 1024, "replay.batch": 64, "replay.warmup": 128,
    "gamma": GAMMA, "actor.encoder": (16,), "critic_net.encoder": (16,), "actor_fit.rate": 0.01,
    "critic_fit.rate": 0.01, "exploration.steps": 1500.0,
}  # fmt: skip
UTILITIES = {"target.every": 20}
ACTORS = {"target.rate": 0.1, "exploration.warmup": 640.0, "replay.capacity": 8192, "critic_net.encoder": (32,)}
BOXES = {"actor_fit.rate": 0.003, "iterations": 150}


def learnt(recipe, game, **options):
    """Learner, training state and last metrics of a short run."""
    length = options.pop("iterations", ITERATIONS)
    line = catalogue.recipe(recipe)
    kind = UTILITIES if isinstance(line.critic, Utilities) else ACTORS
    game = catalogue.make(game)
    learner = ValueLearner(catalogue.recipe(recipe, {**BASE, **kind, **options}), game.spec).checked()
    loops = begin(game, learner, (0,))
    loops, metrics = advance(game, learner, loops, length, "map")
    check(metrics, learner, schedule((0,), 1, 1), 1)
    state = jax.tree.map(lambda x: x[0], loops.learner)
    return game, learner, state, jax.tree.map(lambda x: np.asarray(x)[0, -1], metrics)


@jax.jit
def looked(learner, state, seen):
    """The greedy team's actions ``[R, N, ...]``, and the value of them ``[R, M]`` in the game's unit."""
    learning, wide = state.learning, jax.tree.map(lambda x: x[None], seen)
    raw, _ = learner.actor.play(learning.actor, (), wide.local, jnp.zeros((1, 2), bool))
    if isinstance(learner.recipe.critic, Utilities):
        best = learner.agents.best(raw, wide.legal)
        mixture = learner.agents.mixture(raw, wide, best)
        value = learner.recipe.mixing(learning.critic.get("mixing", {}), mixture)
    else:
        action = Climb(learner.recipe, learner.agents, learner.critic).actions(raw, wide)
        value = learner.critic.joint(learning.critic["actions"], wide.local, wide.state, action)[0]
    action, _ = learner.team(state, greedy=True).act((), seen, jax.random.key(0))
    return action, value[0] * learner.recipe.scale.unit(state.earned)


def one_step(game, learner, state):
    """Rewards of the greedy team in games of one step, and what it thinks they are worth, for each cue ``[2, ...]``."""
    opened = jax.jit(lambda: jax.vmap(game.reset)(jax.vmap(jax.random.key)(jnp.arange(50))))
    start, seen = jax.device_get(opened())
    rows = np.array([np.flatnonzero(start.cue == cue)[0] for cue in (-1.0, 1.0)])
    start, seen = jax.tree.map(lambda x: x[rows], (start, seen))
    action, value = looked(learner, state, seen)
    return np.asarray(jax.jit(jax.vmap(game.rule.pay))(start, action)), np.asarray(value)


@pytest.mark.parametrize(
    ("recipe", "game"),
    [
        ("qmix", "joint"),
        ("qplex", "joint"),
        ("iql", "action"),
        ("omdpg", "joint"),
        ("maddpg", "continuous"),
        ("haddpg", "continuous"),
    ],
)
def test_a_team_finds_the_best_joint_action_and_what_it_is_worth(recipe, game):
    game, learner, state, _ = learnt(recipe, f"probe/{game}", **(BOXES if game == "continuous" else {}))
    reward, value = one_step(game, learner, state)
    np.testing.assert_allclose(reward, 1.0, atol=0.02)
    np.testing.assert_allclose(value, 1.0, atol=0.06)


@pytest.mark.parametrize(("game", "mean"), [("discount", (1 + GAMMA) / 2), ("truncation", 10.0)])
def test_values_are_told_in_the_units_of_the_game(game, mean):
    """No action changes them; of ``truncation`` the clock is no end: 1 / (1 - gamma)."""
    _, _, _, metrics = learnt("iql", f"probe/{game}", **{"target.every": 5})
    np.testing.assert_allclose(metrics["value_mean"], mean, rtol=0.03)
    np.testing.assert_allclose(metrics["target_mean"], mean, rtol=0.03)
