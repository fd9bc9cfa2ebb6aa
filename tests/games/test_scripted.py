"""Scripted teams: legal, inside their boxes, and good where they should be."""

import jax
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.games.matrix import climb
from coterie.games.particle_formation import circle, line
from coterie.games.particle_spread import spread
from coterie.games.probe_teams import continuous, mixed, multi_discrete
from coterie.games.scripted import greedy_assignment, random_team

EPISODES = 64


def mean_return(game, team):
    def play(key):
        start, actions = jax.random.split(key)
        state, observation = jax.vmap(game.reset)(jax.random.split(start, EPISODES))

        def body(now, key):
            action, _ = team.act((), now[1], key)
            state, observation, outcome = jax.vmap(game.step, (None, 0, 0))(key, now[0], action)
            return (state, observation), (outcome.reward.mean(), outcome.info["distance"].mean())

        _, (reward, distance) = jax.lax.scan(body, (state, observation), jax.random.split(actions, game.length))
        return reward.sum(), distance[-1]

    return map(float, jax.jit(play)(jax.random.key(0)))


@pytest.mark.parametrize("kind", ["discrete", "continuous"])
@pytest.mark.parametrize(("opener", "ratio"), [(spread, 0.5), (line, 0.4), (circle, 0.4)])
def test_greedy_assignment_fills_the_places(opener, ratio, kind):
    game = opener(actions=kind)
    reward, distance = mean_return(game, greedy_assignment(game))
    by_chance, _ = mean_return(game, random_team(game.spec))
    assert reward > ratio * by_chance
    assert distance < 0.08


@pytest.mark.parametrize("game", [mixed(), multi_discrete(3), climb(4, 5)])
def test_random_choices_are_legal_and_all_of_them_occur(game):
    _, observation = jax.vmap(game.reset)(jax.random.split(jax.random.key(0), 500))
    action, _ = random_team(game.spec).act((), observation, jax.random.key(1))
    assert action.shape == (500, game.spec.n_agents, *game.spec.action_shape)
    drawn = jax.nn.one_hot(action, game.spec.choices, dtype=bool)
    assert (drawn.any(0) == observation.legal[0]).all()


def test_random_boxes_are_filled():
    game = continuous(2)
    _, observation = jax.vmap(game.reset)(jax.random.split(jax.random.key(0), 2000))
    action, _ = random_team(game.spec).act((), observation, jax.random.key(1))
    np.testing.assert_allclose(action.min(0), [[-1, 0], [-1, -1]], atol=0.01)
    np.testing.assert_allclose(action.max(0), [[1, 0], [1, 2]], atol=0.01)


def test_greedy_assignment_needs_a_particle_game():
    with pytest.raises(CoterieError, match="plays particle games only, not MatrixGame: use random_team"):
        greedy_assignment(climb())


def test_carry_is_empty():
    assert random_team(climb().spec).carry(3) == greedy_assignment(spread()).carry(3) == ()
