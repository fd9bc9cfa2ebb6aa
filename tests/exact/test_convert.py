"""Games as tables, and trained teams evaluated exactly, against playing them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.contracts import CoterieError, Tabular
from coterie.exact.convert import evaluate, from_game
from coterie.games.matrix import climb
from coterie.games.stochastic import StochasticGame, discounted_optimum, finite_optimum
from coterie.policy.learner import PolicyLearner
from coterie.training.evaluate import play

SMALL = StochasticGame(states=4, agents=2, actions=2, seed=5)


def team_of(game, greedy, **options):
    recipe = catalogue.recipe("mappo", {"actor.encoder": "8", "critic.encoder": "8", "environments": "2", **options})
    learner = PolicyLearner(recipe, game.spec)
    state = learner.init(jax.random.key(3), 2)
    bent = lambda x: x + 0.3 * jnp.sin(jnp.arange(x.size, dtype=x.dtype)).reshape(x.shape)  # noqa: E731
    state = state._replace(actor=jax.tree.map(bent, state.actor))  # a fresh policy is nearly uniform
    return learner.team(state, greedy)


def test_the_tables_of_a_game_are_its_steps():
    game, known = SMALL, SMALL.tables()
    assert isinstance(game, Tabular) and known.horizon == 4
    state, seen = game.reset(jax.random.key(0))
    np.testing.assert_array_equal(known.observations.local[0], seen.local)
    for place in range(4):
        after, seen, outcome = game.step(jax.random.key(1), state._replace(place=jnp.asarray(place)), jnp.array([1, 0]))
        assert known.reward[place, 2] == outcome.reward[0]
        np.testing.assert_array_equal(known.observations.local[int(after.place)], seen.local)


def test_optima_are_those_that_the_games_know():
    found = evaluate([np.full((4, 2), 0.5)] * 2, SMALL)
    np.testing.assert_allclose(found.best_episode, finite_optimum(SMALL), rtol=1e-6)
    np.testing.assert_allclose(found.best_discounted, discounted_optimum(SMALL)[0][0], rtol=1e-6)
    game = climb(length=3)
    found = evaluate([np.full((1, 3), 1 / 3)] * 2, game, gamma=0.5)
    assert found.best_episode == game.spec.optimum == 24 and found.best_discounted == 16
    np.testing.assert_allclose([found.episode, found.discounted], [3 * -40 / 9, 2 * -40 / 9])  # -40 / 9 a step


@pytest.mark.parametrize("greedy", [False, True], ids=["sampled", "greedy"])
def test_a_team_is_worth_what_playing_it_brings(greedy):
    """20000 episodes, within 4 standard errors."""
    team = team_of(SMALL, greedy)
    played = np.asarray(jax.jit(lambda key: play(SMALL, team, key, 20_000))(jax.random.key(7)).returns)
    found = evaluate(team, SMALL)
    assert abs(played.mean() - found.episode) < 4 * played.std() / np.sqrt(len(played))
    assert found.episode < found.best_episode
    assert all((p.max() == 1.0) == greedy for p in found.policies)


def test_a_team_on_a_matrix_game_by_plain_enumeration():
    game = climb(length=2)
    team = team_of(game, greedy=False)
    found = evaluate(team, game)
    p, q = (policy[0] for policy in found.policies)
    one_step = sum(p[a] * q[b] * game.table()[a, b] for a in range(3) for b in range(3))
    np.testing.assert_allclose(found.episode, 2 * one_step)
    assert len({round(float(x), 6) for x in p}) == 3  # the team is not uniform, or this would say little


def test_a_function_of_observations_is_a_team():
    chances = lambda seen: np.stack([np.eye(2)[[0, 1, 1, 0]]] * 2, 1) + 0 * seen.local[..., :1]  # noqa: E731
    game = from_game(SMALL)
    found = evaluate(chances, SMALL)
    np.testing.assert_allclose(found.discounted, game.solve(game.deterministic(np.array([0, 3, 3, 0]))).objective)


def test_what_is_too_large_or_not_tabular_is_refused_in_one_line():
    large = StochasticGame(states=100, agents=6, actions=5)
    with pytest.raises(
        CoterieError, match=r"156,250,000 transitions, more than 2,000,000.*sample \(coterie evaluate\)$"
    ):
        evaluate([], large)
    with pytest.raises(CoterieError, match=r"^the table of 1 state and .* joint actions"):
        from_game(catalogue.make("matrix/climb", agents=20))
    with pytest.raises(CoterieError, match=r"cannot be written down, it has no tables\(\): sample it"):
        from_game(catalogue.make("particle/spread"))
    with pytest.raises(CoterieError, match=r"give \[\(4, 2\), \(4, 2\)\], states by actions"):
        evaluate([np.ones((4, 2))], SMALL)
    with pytest.raises(CoterieError, match="do not sum to 1"):
        evaluate([np.ones((4, 2))] * 2, SMALL)
    with pytest.raises(CoterieError, match="has a memory"):
        evaluate(team_of(SMALL, False, memory="4"), SMALL)
