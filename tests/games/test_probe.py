"""Probe games: the protocol, and the stated values against the returns of the stated best teams."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import CoterieError, Game
from coterie.games import probe, probe_teams
from coterie.games.probe_game import ProbeState

OPENERS = {**probe.GAMES, **probe_teams.GAMES}
GAMMA = 0.9
SIZED = [OPENERS[name] for name in OPENERS if name != "probe/mixed"]
games = pytest.mark.parametrize("game", [opener() for opener in OPENERS.values()], ids=OPENERS.keys())


def state_of(time, cue):
    return ProbeState(jnp.array(time, jnp.int32), jnp.array(cue, float))


def play(game, cue):
    """States, rewards and outcomes of the best team in one episode."""
    state, step, steps = state_of(0, cue), jax.jit(game.step), []
    for _ in range(game.spec.horizon):
        after, observation, outcome = step(jax.random.key(0), state, game.rule.best(state))
        steps.append((state, observation, outcome))
        state = after
    return steps


@games
def test_protocol(game):
    spec = game.spec
    assert isinstance(game, Game)
    assert game == type(game)(game.rule) and hash(game) == hash(type(game)(game.rule))
    keys = jax.random.split(jax.random.key(0), 4)
    state, observation = jax.jit(jax.vmap(game.reset))(keys)
    action = jax.vmap(game.rule.best)(state)
    assert action.shape == (4, spec.n_agents, *spec.action_shape)
    after, later, outcome = jax.jit(jax.vmap(game.step))(keys, state, action)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), (state, observation)) == jax.tree.map(
        lambda x: (x.shape, x.dtype), (after, later)
    )
    assert observation.local.shape == (4, spec.n_agents, spec.observation_size)
    assert observation.local.dtype == observation.state.dtype == outcome.reward.dtype == jnp.float32
    assert observation.state.shape == (4, spec.state_size)
    assert observation.legal.shape == (4, spec.n_agents, *spec.legal_shape)
    assert observation.alive.shape == outcome.reward.shape == (4, spec.n_agents)
    assert observation.legal.dtype == observation.alive.dtype == outcome.terminated.dtype == jnp.bool_


@games
@pytest.mark.parametrize("cue", [-1.0, 1.0])
def test_value_is_the_discounted_return_of_the_best_team(game, cue):
    steps = play(game, cue)
    rewards = np.array([outcome.reward for _, _, outcome in steps])
    assert (rewards == rewards[:, :1]).all()
    rest = game.rule.value(steps[0][0], GAMMA) if game.rule.truncates else 0.0
    for (state, _, _), reward in zip(steps[::-1], rewards[::-1, 0], strict=True):
        rest = reward + GAMMA * rest
        np.testing.assert_allclose(game.rule.value(state, GAMMA), rest, rtol=1e-6)


@games
def test_optimum_and_ends(game):
    returns = []
    for cue in (-1.0, 1.0):
        steps = play(game, cue)
        returns.append(sum(float(outcome.reward[0]) for _, _, outcome in steps))
        ends = [(bool(outcome.terminated), bool(outcome.truncated)) for _, _, outcome in steps]
        assert ends[-1] == (not game.rule.truncates, game.rule.truncates)
        assert not any(map(any, ends[:-1]))
    assert np.mean(returns) == pytest.approx(game.spec.optimum)


@games
def test_best_actions_are_legal_and_the_dead_rest(game):
    for state, _, _ in play(game, 1.0):
        observation, best = game.rule.observe(state), game.rule.best(state)
        if game.spec.action_kind == "continuous":
            continue
        chosen = jnp.take_along_axis(observation.legal, best[..., None], -1)
        assert chosen.all()
        assert (observation.legal & ~jnp.asarray(game.spec.legal)).sum() == 0
        for agent, alive in enumerate(observation.alive):
            assert alive or observation.legal[agent].sum() == 1


def test_both_cues_are_drawn():
    _, observation = jax.vmap(probe.observation().reset)(jax.random.split(jax.random.key(1), 200))
    assert set(np.unique(observation.local)) == {-1.0, 1.0}
    assert abs(observation.local.mean()) < 0.2


def test_own_action_pays_its_share_and_joint_action_only_the_whole():
    some = jnp.array([1, 0, 1, 0])
    assert probe.action(4).rule.pay(state_of(0, -1), some) == 0.5
    assert probe.joint(4).rule.pay(state_of(0, 1), some) == 0.0
    assert probe.joint(4).rule.pay(state_of(0, -1), jnp.zeros(4, jnp.int32)) == 1.0


def test_memory_hides_the_cue_until_it_is_asked_for():
    game = probe_teams.memory(delay=3)
    seen = [game.rule.observe(state_of(time, -1)).local[0].tolist() for time in range(4)]
    assert seen == [[-1, 0], [0, 0], [0, 0], [0, 1]]
    assert game.rule.observe(state_of(2, -1)).state[0] == -1


def test_mixed_team_by_hand():
    rule = probe_teams.mixed().rule
    observation = rule.observe(state_of(1, 1))
    assert observation.alive.tolist() == [False, True]
    assert observation.local.tolist() == [[0, 0, 0], [1, 0, 1]]
    assert observation.legal.tolist() == [[True, False, False, False], [False, True, True, True]]
    pay = [float(rule.pay(state_of(0, -1), jnp.array(a))) for a in [[0, 1], [1, 1], [0, 2], [0, 0], [0, 3]]]
    assert pay == [1, 0, 0, -10, -10]
    assert rule.pay(state_of(1, 1), jnp.array([0, 3])) == 1
    assert rule.pay(state_of(1, 1), jnp.array([1, 3])) == -10


def test_boxes_and_components_by_hand():
    rule = probe_teams.continuous().rule
    # Component (1, 1) is 3, clipped to 2; component (0, 1) is padding.
    pay = rule.pay(state_of(0, 1), jnp.array([[0.5, 9.0], [0.5, 3.0]]))
    np.testing.assert_allclose(pay, 1 - 1.5**2 / 3, rtol=1e-6)
    rule = probe_teams.multi_discrete().rule
    assert rule.best(state_of(0, 1)).tolist() == [[1, 2], [2, 0]]
    np.testing.assert_allclose(rule.pay(state_of(0, 1), jnp.array([[1, 0], [2, 0]])), 2 / 3, rtol=1e-6)


@pytest.mark.parametrize("opener", SIZED)
def test_bad_options_are_refused_in_one_line(opener):
    with pytest.raises(CoterieError, match=r"^agents must be a whole number of at least 1, not 0$"):
        opener(agents=0)
