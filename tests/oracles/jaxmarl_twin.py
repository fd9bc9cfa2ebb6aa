"""JaxMARL's own environments, played agent by agent in Python beside a game of the bridge."""

import jax
import numpy as np

from coterie.bridges.jaxmarl_upstream import as_upstream


def compare(game, env, limit, episodes, seed=0):
    """Play random legal episodes of ``game`` and, by ``step_env`` with the same keys and actions, of ``env``.

    ``env`` must not stop by its own clock before ``limit``. Returns how the episodes ended: (steps, terminated) each.
    """
    reset, step, their_step = jax.jit(game.reset), jax.jit(game.step), jax.jit(env.step_env)
    draw, ended = np.random.default_rng(seed), []
    for key in jax.random.split(jax.random.key(seed), episodes):
        key, own = jax.random.split(key)
        state, seen = reset(own)
        with as_upstream():
            said, inside = env.reset(own)
        same_observation(game, seen, said)
        for time in range(1, limit + 1):
            key, own = jax.random.split(key)
            legal = np.asarray(seen.legal)
            joint = np.array([draw.choice(np.flatnonzero(row)) for row in legal], np.int32)
            state, seen, outcome = step(own, state, joint)
            with as_upstream():
                actions = dict(zip(env.agents, joint, strict=True))
                said, inside, reward, done, _ = their_step(own, inside, actions)
            same_observation(game, seen, said)
            wanted = np.array([reward[agent] for agent in env.agents], np.float32)
            np.testing.assert_allclose(outcome.reward, wanted, rtol=1e-5, atol=1e-6)
            over = bool(done["__all__"])
            if time < limit:
                assert bool(outcome.terminated) == over and not outcome.truncated
            else:
                assert outcome.terminated | outcome.truncated and not outcome.terminated & outcome.truncated
            if outcome.terminated:
                break
        ended.append((time, bool(outcome.terminated)))
    return ended


def same_observation(game, seen, said):
    """Each agent's numbers, then zeros; the state is the environment's own, or all observations in a row."""
    rows = [np.asarray(said[agent], np.float32).ravel() for agent in game.spec.agents]
    for mine, row in zip(np.asarray(seen.local), rows, strict=True):
        np.testing.assert_allclose(mine[: row.size], row, rtol=1e-5, atol=1e-6)
        assert not mine[row.size :].any()
    whole = np.asarray(said["world_state"]) if "world_state" in said else np.concatenate(rows)
    np.testing.assert_allclose(seen.state, whole, rtol=1e-5, atol=1e-6)
