"""Recurrent agents: what was acted and what is learnt from are the same numbers, and sequences stand for themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.games.probe_teams import memory, mixed
from coterie.training.collect import open_stage, scan
from coterie.value.batch import cut
from coterie.value.learner import ValueLearner
from coterie.value.recipes import vdn
from tests.value.sequences import GRU, batch, small, spec

T, E = 12, 3
GAMES = {"memory": memory(delay=4), "mixed": mixed()}


@jax.jit
def replayed(learner, state, rollout):
    """What actions were drawn from, the same from the stored sequences, and how far utilities are from that otherwise.

    Otherwise: with resets, or the stored memories, left out.
    """
    pieces = cut(rollout, (), learner.recipe.length)
    flat = lambda x: jnp.swapaxes(x.reshape(-1, *x.shape[2:]), 0, 1)  # noqa: E731  [E, places, L, ...] as [L, R, ...]
    now = jax.tree.map(flat, pieces._replace(carry=()))
    now = now._replace(carry=jax.tree.map(lambda h: h.reshape(-1, *h.shape[2:]), pieces.carry))
    behaviour = cut(rollout._replace(reward=rollout.behaviour.log_p), (), learner.recipe.length).reward
    level = learner.policy(state)["level"]

    unroll = lambda now: learner.agents.unroll(state.learning.actor, now, now.carry)[0]  # noqa: E731
    raw = unroll(now)
    again = learner.recipe.exploration.distribution(learner.family, raw, now.observation.legal, level).log_p
    deaf, blank = (now._replace(**{name: jnp.zeros_like(getattr(now, name))}) for name in ("reset", "carry"))
    return flat(behaviour), again, jnp.stack([jnp.max(jnp.abs(unroll(x) - raw)) for x in (deaf, blank)])


@pytest.mark.parametrize(("name", "length"), [("memory", 4), ("mixed", 3)])
def test_learning_sees_what_was_acted(name, length):
    """Episodes of 5 or 2 steps: resets fall within sequences, and the second rollout opens in the middle of one."""
    game = GAMES[name]
    learner = ValueLearner(small(vdn(), length, actor=GRU, rollout=T, environments=E), game.spec).checked()
    state = learner.init(jax.random.key(0), E)
    state = state._replace(steps=jnp.int32(25_000))  # epsilon about a half: greedy choices show

    @jax.jit
    def played(learner, state, key):
        stage = open_stage(game, learner, key, E)
        stage, first, _ = scan(game, learner, state, stage, jax.random.fold_in(key, 1))
        return first, scan(game, learner, state, stage, jax.random.fold_in(key, 2))[1]

    gaps = np.zeros(2)
    for rollout in played(learner, state, jax.random.key(1)):
        acted, again, changed = replayed(learner, state, rollout)
        np.testing.assert_array_equal(jnp.exp(again), jnp.exp(acted))
        gaps = np.maximum(gaps, changed)
    assert (gaps > 1e-2).all(), "resets and memories matter"


def test_what_follows_a_step_is_seen_from_its_memory():
    """Values after each step equal stepping the network on: not where a task ended, where nothing follows."""
    learner = ValueLearner(small(vdn(), 4, actor=GRU), spec()).checked()
    params, now = learner.init(jax.random.key(0), E).learning.actor, batch(spec(), 4, 6, 2, memory=4)
    agents = learner.agents

    @jax.jit
    def found(agents, params, now):
        raw, after = agents.unroll(params, now, now.carry)
        return raw, after, agents.after(params, raw, after, now)

    raw, after, ahead = found(agents, params, now)
    step = jax.jit(
        lambda agents, params, carry, local: agents.tower.play(params, carry, local, jnp.zeros((1, 6), bool))
    )
    carry = now.carry
    for t in range(4):
        carry = jnp.where(now.reset[t][:, None, None], 0.0, carry)
        out, memories = step(agents, params, carry, now.observation.local[t : t + 1])
        np.testing.assert_allclose(raw[t], out[0], atol=1e-6)
        carry = memories[0]
        np.testing.assert_allclose(after[t], carry, atol=1e-6)
        later, _ = step(agents, params, carry, now.final.local[t : t + 1])
        on = ~np.asarray(now.terminated[t] & ~now.truncated[t])
        np.testing.assert_allclose(np.asarray(ahead[t])[on], np.asarray(later[0])[on], atol=1e-6)
