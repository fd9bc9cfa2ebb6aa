"""Matrix games by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import CoterieError, Drawable, Game
from coterie.games.matrix import GAMES, climb, climbing, penalty

KEY = jax.random.key(0)


@pytest.mark.parametrize(("action", "pay"), [([0, 0], 8), ([0, 1], -12), ([2, 0], -12), ([1, 2], 0), ([1, 1], 0)])
def test_climb_by_hand(action, pay):
    assert climb().payoff(jnp.array(action)) == pay


def test_climb_needs_no_table():
    game = climb(agents=20, actions=15)
    everyone = jnp.zeros(20, jnp.int32)
    assert game.payoff(everyone) == 8
    assert game.payoff(everyone.at[7].set(14)) == -12
    assert game.payoff(everyone + 14) == 0
    assert game.spec.legal.shape == (20, 15)


def test_tables():
    grid = [[float(climbing().payoff(jnp.array([a, b]))) for b in range(3)] for a in range(3)]
    assert grid == [[0, 6, 5], [-30, 7, 0], [11, -30, 0]]
    grid = [[float(penalty(k=-25).payoff(jnp.array([a, b]))) for b in range(3)] for a in range(3)]
    assert grid == [[-25, 0, 10], [0, 2, 0], [10, 0, -25]]


@pytest.mark.parametrize(("game", "optimum"), [(climb(length=3), 24), (climbing(25), 275), (penalty(-50, 25), 250)])
def test_episode_repeats_then_terminates(game, optimum):
    assert game.spec.optimum == optimum
    state, observation = game.reset(KEY)
    step = jax.jit(game.step)
    best = {8.0: [0, 0], 11.0: [2, 0], 10.0: [2, 0]}[game.payoff.best]
    paid = 0.0
    for time in range(1, game.length + 1):
        state, observation, outcome = step(KEY, state, jnp.array(best))
        assert (observation.local == 1).all() and (observation.state == 1).all()
        assert bool(outcome.terminated) == (time == game.length) and not outcome.truncated
        paid += float(outcome.reward[0])
    assert paid == optimum == state.score


@pytest.mark.parametrize("opener", GAMES.values())
def test_protocol(opener):
    game = opener()
    assert isinstance(game, Game) and isinstance(game, Drawable)
    assert game == opener() and hash(game) == hash(opener())
    state, observation = jax.vmap(game.reset)(jax.random.split(KEY, 3))
    assert observation.local.shape == (3, 2, 1) and observation.legal.shape == (3, 2, 3)
    after, _, outcome = jax.jit(jax.vmap(game.step))(jax.random.split(KEY, 3), state, jnp.zeros((3, 2), jnp.int32))
    assert outcome.reward.shape == (3, 2) and outcome.reward.dtype == jnp.float32
    assert jax.tree.map(lambda x: (x.shape, x.dtype), state) == jax.tree.map(lambda x: (x.shape, x.dtype), after)


def test_scene_marks_the_chosen_cell():
    game = climbing()
    state, _, _ = game.step(KEY, game.reset(KEY)[0], jnp.array([2, 1]))
    scene = game.scene(jax.device_get(state), np.array([2, 1]))
    marked = [shape for shape in scene.shapes if shape.kind == "square" and shape.size == 0.5]
    assert [(shape.x, shape.y) for shape in marked] == [(1, 0)]
    assert "return -30" in scene.caption
    assert {shape.text for shape in climb(5).scene(state, np.array([0, 1, 2, 0, 1])).shapes} >= {"0", "1", "2"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": 0}, "agents must be a whole number of at least 1, not 0"),
        ({"actions": 1}, "actions must be a whole number of at least 2, not 1"),
        ({"length": 0}, "length must be a whole number of at least 1, not 0"),
        ({"length": 2.5}, "length must be a whole number of at least 1, not 2.5"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(CoterieError, match=f"^{message}$"):
        climb(**options)


def test_penalty_must_not_pay():
    with pytest.raises(CoterieError, match="k must be a number between -inf and 0, not 5"):
        penalty(k=5)
