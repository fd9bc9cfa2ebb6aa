"""Spread against mpe2 itself: the same start and actions give the same observations, rewards and ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpe2 import simple_spread_v3

from coterie.contracts import CoterieError, Drawable, Game
from coterie.games.particle import ParticleState
from coterie.games.particle_spread import spread

EPISODES = 60


def reference_episode(env, start, actions, ratio):
    """One episode of mpe2 from a given start; everything [T, ...], the first observation apart."""
    env.reset(seed=0)
    inner = env.unwrapped
    inner.local_ratio = ratio
    entities = inner.world.agents + inner.world.landmarks
    for entity, place in zip(entities, np.concatenate([start.position, start.landmarks]), strict=True):
        entity.state.p_pos = np.array(place, np.float64)
    names = env.possible_agents
    first = np.stack([inner.observe(name) for name in names])
    steps = []
    for action in actions:
        local, reward, terminated, truncated, _ = env.step(dict(zip(names, action, strict=True)))
        columns = (local, reward, terminated, truncated)
        steps.append([*(np.array([column[name] for name in names]) for column in columns), inner.state()])
    return first, [np.stack(column) for column in zip(*steps, strict=True)]


def episodes(game, kind, seed):
    """Random starts and actions of EPISODES episodes, and what our game makes of them."""
    keys = jax.random.split(jax.random.key(seed), EPISODES)
    shape = (EPISODES, game.length, game.spec.n_agents)
    if kind == "discrete":
        actions = jax.random.randint(jax.random.key(seed + 1), shape, 0, 5)
    else:
        actions = jax.random.uniform(jax.random.key(seed + 1), (*shape, 5))

    def episode(key, plan):
        start, first = game.reset(key)

        def body(state, action):
            after, observation, outcome = game.step(key, state, action)
            return after, (state, observation, outcome)

        return start, first, jax.lax.scan(body, start, plan)[1]

    return actions, *jax.jit(jax.vmap(episode))(keys, actions)


@pytest.mark.parametrize(
    ("agents", "kind", "ratio"),
    [(3, "discrete", 0.5), (3, "discrete", None), (5, "discrete", 0.5), (5, "discrete", None), (3, "continuous", 0.25)],
)
def test_whole_episodes_equal_mpe2(agents, kind, ratio):
    with jax.enable_x64(True):
        game = spread(agents, ratio, "individual", kind)
        actions, *ours = episodes(game, kind, seed=agents)
        actions, start, first, (_, observation, outcome) = jax.device_get((actions, *ours))
    assert outcome.info["collisions"].sum() > 30
    env = simple_spread_v3.parallel_env(N=agents, max_cycles=game.length, continuous_actions=kind == "continuous")
    for e in range(EPISODES):
        begin = ParticleState(*(leaf[e] for leaf in start))
        theirs, (local, reward, terminated, truncated, state) = reference_episode(env, begin, actions[e], ratio)
        np.testing.assert_allclose(first.local[e], theirs, atol=1e-5)
        np.testing.assert_allclose(observation.local[e], local, atol=1e-5)
        np.testing.assert_allclose(observation.state[e], state, atol=1e-5)
        np.testing.assert_allclose(outcome.reward[e], reward, atol=1e-5)
        assert (outcome.terminated[e][:, None] == terminated).all()
        assert (outcome.truncated[e][:, None] == truncated).all()
    env.close()


@pytest.mark.parametrize("agents", [3, 5])
def test_single_precision_follows_each_step(agents):
    with jax.enable_x64(True):
        game = spread(agents, reward="individual")
        actions, _, _, (states, *exact) = jax.device_get(episodes(game, "discrete", seed=10 + agents))
    states = jax.tree.map(lambda x: jnp.asarray(x, jnp.float32 if x.dtype == np.float64 else x.dtype), states)
    step = jax.jit(jax.vmap(jax.vmap(game.step, (None, 0, 0)), (None, 0, 0)))
    _, observation, outcome = step(jax.random.key(0), states, jnp.asarray(actions))
    assert observation.local.dtype == outcome.reward.dtype == jnp.float32
    np.testing.assert_allclose(observation.local, exact[0].local, atol=1e-5)
    np.testing.assert_allclose(outcome.reward, exact[1].reward, atol=1e-5)


def test_reward_by_hand(state_at):
    # Agents 0 and 1 are 0.2 apart and touch; landmark distances are 0, 0.3 and 0.1.
    start = state_at([[0, 0], [0.2, 0], [1, 1]], [[0, 0], [0.5, 0], [1, 0.9]])
    noop = jnp.zeros(3, jnp.int32)
    own = spread(reward="individual").step(jax.random.key(0), start, noop)[2]
    np.testing.assert_allclose(own.reward, [-0.7, -0.7, -0.2], rtol=1e-5)
    team = spread().step(jax.random.key(0), start, noop)[2]
    np.testing.assert_allclose(team.reward, [-1.6] * 3, rtol=1e-5)
    assert team.info["collisions"] == 1
    np.testing.assert_allclose(team.info["distance"], 0.4 / 3, rtol=1e-5)
    apart = spread(local_ratio=0.0, reward="individual").step(jax.random.key(0), start, noop)[2]
    np.testing.assert_allclose(apart.reward, [-0.4] * 3, rtol=1e-5)


def test_success_ends_an_episode_only_before_the_clock(state_at):
    covered = state_at([[-0.9, 0], [0, 0], [0.9, 0]], [[0, 0.05], [-0.9, 0], [0.9, 0]])
    noop = jnp.zeros(3, jnp.int32)
    ends = {}
    for length in (1, 2):
        outcome = spread(length=length, terminate_on_success=True).step(jax.random.key(0), covered, noop)[2]
        ends[length] = bool(outcome.terminated), bool(outcome.truncated)
    assert ends == {1: (False, True), 2: (True, False)}
    assert not spread(length=2).step(jax.random.key(0), covered, noop)[2].terminated


def test_agents_in_one_place_stay_finite(state_at):
    after, observation, _ = spread(2).step(
        jax.random.key(0), state_at([[0, 0], [0, 0]], [[0, 1], [1, 0]]), jnp.zeros(2, jnp.int32)
    )
    assert jnp.isfinite(observation.local).all() and (after.velocity == 0).all()


@pytest.mark.parametrize("agents", [1, 2, 8])
@pytest.mark.parametrize("kind", ["discrete", "continuous"])
def test_protocol(agents, kind):
    game = spread(agents, actions=kind)
    assert isinstance(game, Game) and isinstance(game, Drawable)
    assert game == spread(agents, actions=kind) and hash(game) == hash(spread(agents, actions=kind))
    keys = jax.random.split(jax.random.key(0), 4)
    state, observation = jax.jit(jax.vmap(game.reset))(keys)
    assert observation.local.shape == (4, agents, 6 * agents) and observation.state.shape == (4, 6 * agents**2)
    assert observation.legal.all() and observation.alive.all()
    action = jnp.zeros((4, agents, *game.spec.action_shape), jnp.int32 if kind == "discrete" else float)
    after, _, outcome = jax.jit(jax.vmap(game.step))(keys, state, action)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), state) == jax.tree.map(lambda x: (x.shape, x.dtype), after)
    assert outcome.reward.shape == (4, agents) and (outcome.reward == outcome.reward[:, :1]).all()
    scene = game.scene(jax.device_get(jax.tree.map(lambda x: x[0], after)), None)
    assert [shape.kind for shape in scene.shapes].count("disc") == agents
    assert scene.caption.startswith("step 1   return -")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agents": 0}, "agents must be a whole number of at least 1, not 0"),
        ({"length": 0}, "length must be a whole number of at least 1, not 0"),
        ({"local_ratio": 1.5}, "local_ratio must be a number between 0 and 1, not 1.5"),
        ({"actions": "box"}, "actions must be one of discrete, continuous, not 'box'"),
        ({"reward": "mine"}, "reward must be one of team, individual, not 'mine'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(CoterieError, match=f"^{message}$"):
        spread(**options)
