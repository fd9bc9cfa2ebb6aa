"""Line and circle: by hand, against mpe2's versions of the tasks they come from, and DPO's differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mpe2 import simple_formation_v1, simple_line_v1

from coterie.contracts import CoterieError
from coterie.games.particle import ParticleGame
from coterie.games.particle_formation import CircleFigure, Formation, LineFigure, circle, line

KEY = jax.random.key(0)
NOOP = jnp.zeros(5, jnp.int32)


def original(figure, size, agents=4):
    task = Formation(figure, agents, distance_clip=2.0, vision=None, observe_others=False, size=size)
    return ParticleGame(task, length=50, terminate_on_success=True)


def head_for(state, targets):
    """A discrete move of each agent along the larger part of its way to the place with its own number."""
    way = targets - state.position
    across = np.abs(way[:, 0]) > np.abs(way[:, 1])
    return np.where(across, np.where(way[:, 0] < 0, 1, 2), np.where(way[:, 1] < 0, 3, 4))


@pytest.mark.parametrize(
    ("module", "game"),
    [(simple_line_v1, original(LineFigure(), 0.03)), (simple_formation_v1, original(CircleFigure(0.5), 0.05))],
    ids=["line", "circle"],
)
def test_equal_to_mpe2(state_at, module, game):
    env = module.parallel_env(N=4, max_cycles=50, terminate_on_success=True)
    names = env.possible_agents
    with jax.enable_x64(True):
        step = jax.jit(game.step)
        for episode in range(8):
            theirs, _ = env.reset(seed=episode)
            world = env.unwrapped.world
            state = state_at(*([e.state.p_pos for e in entities] for entities in (world.agents, world.landmarks)))
            np.testing.assert_allclose(game.observe(state).local, [theirs[name] for name in names], atol=1e-5)
            random = np.random.default_rng(episode)
            over = False
            while not over:
                targets = np.asarray(game.task.targets(state.position, state.landmarks))
                wild = random.integers(0, 5, 4)
                action = np.where(random.random(4) < 0.5, wild, head_for(jax.device_get(state), targets))
                state, observation, outcome = step(KEY, state, jnp.asarray(action))
                theirs, reward, terminated, truncated, _ = env.step(dict(zip(names, action, strict=True)))
                np.testing.assert_allclose(observation.local, [theirs[name] for name in names], atol=1e-5)
                np.testing.assert_allclose(outcome.reward, [reward[name] for name in names], atol=1e-5)
                assert bool(outcome.terminated) == terminated[names[0]]
                assert bool(outcome.truncated) == truncated[names[0]]
                over = bool(outcome.terminated | outcome.truncated)
    env.close()


def test_line_by_hand(state_at):
    places = [[0, 0], [0.3125, 0], [0.625, 0], [0.9375, 0], [1.25, 0]]
    start = state_at([*places[1:], [0, 0.4]], [[0, 0], [1.25, 0]])
    np.testing.assert_allclose(LineFigure().targets(start.position, start.landmarks), places, atol=1e-6)
    _, _, outcome = line().step(KEY, start, NOOP)
    # The last agent is the only one out of place, 0.4 away from the free one.
    np.testing.assert_allclose(outcome.reward, np.full(5, -0.4 / 5), rtol=1e-6)
    np.testing.assert_allclose(outcome.info["covered"], 0.8)


def test_circle_by_hand(state_at):
    around = np.radians([30, 102, 174, 246, 318])
    start = state_at(0.5 * np.stack([np.cos(around), np.sin(around)], -1) + 0.1, [[0.1, 0.1]])
    _, _, outcome = circle(terminate_on_success=True).step(KEY, start, NOOP)
    np.testing.assert_allclose(outcome.reward, np.zeros(5), atol=1e-6)
    assert outcome.terminated and not outcome.truncated


def test_collisions_cost_each_ordered_pair_the_agent_itself_included(state_at):
    start = state_at([[0, 0], [0.05, 0], [0.625, 0], [0.9375, 0], [1.25, 0]], [[0, 0], [1.25, 0]])
    free = line().step(KEY, start, NOOP)[2]
    priced = line(collision_penalty=2.0).step(KEY, start, NOOP)[2]
    np.testing.assert_allclose(priced.reward - free.reward, np.full(5, -2.0 * (5 + 2) / 10), rtol=1e-5)
    assert priced.info["collisions"] == 1


def test_clips(state_at):
    far = state_at(100 * np.ones((5, 2)) + 0.2 * np.arange(5)[:, None], [[0, 0], [1.25, 0]])
    assert (line().step(KEY, far, NOOP)[2].reward == -15).all()
    assert (line(distance_clip=2.0).step(KEY, far, NOOP)[2].reward == -2).all()


def test_vision_hides_what_is_far(state_at):
    start = state_at([[0, 0], [0.9, 0], [0, 1.2], [-0.9, 0], [0, -1.2]], [[0, 0.5]])
    seen = circle().observe(start).local[0].reshape(-1, 2)
    # Velocity, position, landmark, the four others, their silence.
    expected = [[0, 0], [0, 0], [0, 0.5], [0.9, 0], [0, 0], [-0.9, 0], [0, 0], *[[0, 0]] * 4]
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    assert (circle(vision=None).observe(start).local[0].reshape(-1, 2)[4] == jnp.array([0, 1.2])).all()
    assert circle(observe_others=False).spec.observation_size == 6


@pytest.mark.parametrize("agents", [1, 2, 7])
@pytest.mark.parametrize("opener", [line, circle])
def test_any_number_of_agents(opener, agents):
    game = opener(agents)
    state, observation = jax.vmap(game.reset)(jax.random.split(KEY, 3))
    assert observation.local.shape == (3, agents, game.spec.observation_size)
    action = jnp.zeros((3, agents), jnp.int32)
    _, _, outcome = jax.jit(jax.vmap(game.step))(jax.random.split(KEY, 3), state, action)
    assert outcome.reward.shape == (3, agents) and (outcome.reward < 0).all()


def test_laws_of_the_landmarks():
    keys = jax.random.split(KEY, 500)
    ends = jax.device_get(jax.vmap(line().reset)(keys)[0].landmarks)
    assert np.abs(ends[:, 0]).max() < 0.25 and np.abs(ends[:, 0]).max() > 0.24
    assert np.abs(ends[:, 1]).max() < 1.0
    np.testing.assert_allclose(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1), 1.25, rtol=1e-5)
    centre = jax.device_get(jax.vmap(circle(landmark_range=0.5).reset)(keys)[0].landmarks)
    assert 0.48 < np.abs(centre).max() < 0.5


@pytest.mark.parametrize(
    ("opener", "options", "message"),
    [
        (line, {"agents": 0}, "agents must be a whole number of at least 1, not 0"),
        (line, {"collision_penalty": -1}, "collision_penalty must be a number between 0 and inf, not -1"),
        (circle, {"vision": -0.5}, "vision must be a number between 0 and inf, not -0.5"),
        (circle, {"landmark_range": 2}, "landmark_range must be a number between 0 and 1, not 2"),
        (circle, {"actions": "both"}, "actions must be one of discrete, continuous, not 'both'"),
    ],
)
def test_bad_options(opener, options, message):
    with pytest.raises(CoterieError, match=f"^{message}$"):
        opener(**options)
