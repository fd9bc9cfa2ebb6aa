"""Games of the house under PettingZoo's own tests, and beside themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from coterie.bridges.pettingzoo import parallel_env
from coterie.catalogue import make
from coterie.contracts import CoterieError

GAMES = {
    "particle/spread": {"length": 6}, "matrix/climb": {"length": 3}, "stochastic/random": {"states": 4, "actions": 2},
    "grid/stag_hunt_small": {"length": 8}, "probe/mixed": {}, "probe/multi_discrete": {}, "probe/continuous": {},
}  # fmt: skip


@pytest.mark.parametrize("name", GAMES)
def test_passes_pettingzoos_tests(name):
    game = make(name, **GAMES[name])
    parallel_api_test(parallel_env(game), num_cycles=30)
    parallel_seed_test(lambda: parallel_env(game), num_cycles=10)


def test_it_is_the_same_game():
    """The same keys and actions give the same rewards, observations and ends."""
    game = make("grid/stag_hunt_small", penalty=-1.0, length=12)
    env, draw = parallel_env(game), np.random.default_rng(0)
    seen, _ = env.reset(seed=3)
    key, own = jax.random.split(jax.random.key(3))
    state, observation = game.reset(own)
    for _ in range(12):
        actions = {}
        for i, agent in enumerate(env.possible_agents):
            np.testing.assert_array_equal(seen[agent]["observation"], observation.local[i])
            np.testing.assert_array_equal(seen[agent]["action_mask"], observation.legal[i])
            actions[agent] = draw.choice(np.flatnonzero(seen[agent]["action_mask"]))
        np.testing.assert_allclose(env.state(), observation.state, rtol=1e-6)
        seen, rewards, terminated, truncated, info = env.step(actions)
        key, own = jax.random.split(key)
        joint = jnp.asarray([actions[agent] for agent in env.possible_agents], jnp.int32)
        state, observation, outcome = game.step(own, state, joint)
        assert list(rewards.values()) == outcome.reward.tolist()
        assert all(terminated.values()) == bool(outcome.terminated)
        assert all(each.keys() == outcome.info.keys() for each in info.values())
        if outcome.terminated or outcome.truncated:
            assert env.agents == [] and all(truncated.values()) == bool(outcome.truncated)
            break
    else:
        raise AssertionError("no end after the length of the game")


def test_the_dead_leave():
    """The scout of probe/mixed dies in the first step; the worker goes on without it."""
    env = parallel_env(make("probe/mixed"))
    seen, _ = env.reset(seed=0)
    first, _, ended, *_ = env.step({agent: np.flatnonzero(seen[agent]["action_mask"])[0] for agent in env.agents})
    assert set(first) == set(env.possible_agents)
    gone = [agent for agent, over in ended.items() if over]
    assert gone and env.agents == [agent for agent in env.possible_agents if agent not in gone]


def test_misuse_is_told_in_one_line():
    env = parallel_env(make("matrix/climb"))
    with pytest.raises(CoterieError, match="call reset"):
        env.step({})
    with pytest.raises(CoterieError, match="no state before the first reset"):
        env.state()
    env.reset()
    with pytest.raises(CoterieError, match="no action for agent_1: give one for each of agent_0, agent_1"):
        env.step({"agent_0": 0})
