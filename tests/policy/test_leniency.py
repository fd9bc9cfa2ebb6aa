"""Leniency: temperatures by hand, masks in the mean, the hashes, and what it becomes at its ends."""

from dataclasses import replace
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import HERE, ActionSpace, CoterieError, Observation, Spec
from coterie.parts.leniency import Lenient, steps_to_the_end
from coterie.parts.state_index import CodeHash, Exact, SimHash
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import lenient_mappo, mappo, optimistic_mappo
from tests.policy.rollouts import E, learn, rollout, small, spec
from tests.policy.test_equivalences import updated

ONE = Spec(("a", "b"), ("t", "t"), (1, 1), (ActionSpace.discrete(2),) * 2, 2, 4)
OWN = replace(ONE, observation_sizes=(2, 2))


class Seen:
    """The few fields of a rollout that leniency reads."""

    def __init__(self, action, terminated):
        self.action = jnp.asarray(action, jnp.int32)
        self.terminated = jnp.asarray(terminated)
        self.truncated = jnp.zeros_like(self.terminated)
        alive = jnp.ones(self.action.shape[:3], bool)
        self.observation = Observation(jnp.zeros(()), jnp.zeros(()), jnp.zeros(()), alive)


def features(numbers):
    return jax.nn.one_hot(jnp.asarray(numbers), 2)


def test_a_schedule_by_hand():
    """Two environments, three steps; the first ends at step 1 and goes on, the second never ends."""
    part = Lenient(Exact(), rho=-0.5, base=0.8, ceiling_decay=0.9, repeats="each", forgive="factor")
    before = part.init(jax.random.key(0), ONE, 2)
    assert before.table.shape == (8,)
    seen = Seen([[[0, 1], [1, 1]], [[0, 1], [1, 1]], [[1, 0], [0, 0]]], [[False, False], [True, False], [True, False]])
    mercy = part.look(before, ONE, seen, features([[0, 0], [0, 0], [1, 1]]), jax.random.key(1))
    table = np.ones(8)
    table[1] *= np.exp(-0.5 * 0.8) * np.exp(-0.5)  # state 0, actions (0, 1): one step before the end, and at the end
    table[4 + 2] *= np.exp(-0.5)  # state 1, actions (1, 0), at an end
    np.testing.assert_allclose(mercy.after.table, table, rtol=1e-6)
    np.testing.assert_allclose(mercy.factor, np.exp(-1.0), rtol=1e-6)  # all was new when it was met
    assert float(mercy.after.ceiling) == pytest.approx(0.9)
    assert float(mercy.metrics["temperature_load"]) == 0.25 and float(mercy.metrics["temperature_mean"]) == 1.0
    again = part.look(mercy.after, ONE, seen, features([[0, 0], [0, 0], [1, 1]]), jax.random.key(1))
    met = np.minimum([[table[1], 1], [table[1], 1], [table[6], 1]], 0.9)
    np.testing.assert_allclose(again.factor[..., 0], np.exp(-met), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(again.metrics["temperature_histogram"]).sum(), 1.0, rtol=1e-6)
    once = replace(part, repeats="once").look(before, ONE, seen, features([[0, 0], [0, 0], [1, 1]]), jax.random.key(1))
    assert float(once.after.table[1]) == pytest.approx(np.exp(-0.5 * 0.9))


def test_each_agent_may_have_temperatures_of_its_own():
    """One environment that ends at its second step; agent 1 sees state 1 throughout, agent 0 state 0 and then 1."""
    part = Lenient(Exact(of="own"), rho=-0.5, base=0.8, repeats="each", forgive="factor")
    before = part.init(jax.random.key(0), OWN, 2)
    assert before.table.shape == (8,)  # two agents, two observations, two actions
    seen = Seen([[[0, 1]], [[1, 1]]], [[False], [True]])
    mercy = part.look(before, OWN, seen, features([[[0, 1]], [[1, 1]]]), jax.random.key(1))
    table = np.ones(8)
    table[0] *= np.exp(-0.5 * 0.8)  # agent 0 saw 0 and chose 0, one step before the end
    table[3] *= np.exp(-0.5)  # agent 0 saw 1 and chose 1 at the end
    table[4 + 3] *= np.exp(-0.5 * 1.8)  # agent 1 saw 1 and chose 1 twice
    np.testing.assert_allclose(mercy.after.table, table, rtol=1e-6)
    assert mercy.factor.shape == (2, 1, 2)


def test_steps_to_the_end_restart_with_the_episode():
    done = jnp.asarray([[0], [0], [1], [0], [1], [0]], bool)
    np.testing.assert_allclose(steps_to_the_end(done, 0.5)[:, 0], [0.25, 0.5, 1.0, 0.5, 1.0, 0.0])


def test_the_mask_is_the_factor_in_the_mean():
    part = Lenient(Exact(), start=0.7, scale=1.3)
    before = part.init(jax.random.key(0), ONE, 2)
    seen = Seen(np.zeros((200, 300, 2)), np.zeros((200, 300), bool))
    mask = part.look(before, ONE, seen, features(np.zeros((200, 300), int)), jax.random.key(1)).factor
    kept = np.exp(-1.3 * 0.7)
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert abs(float(mask.mean()) - kept) < 4 * np.sqrt(kept * (1 - kept) / mask.size)


def test_exact_numbers_every_state_and_joint_action_once():
    part = Lenient(Exact())
    state, a, b = np.array(list(product(range(2), range(2), range(2)))).T
    place = part.bucket(ONE, (), features(state[None]), jnp.asarray(np.stack([a, b], -1)[None]))
    assert sorted(np.asarray(place).ravel()) == list(range(part.size(ONE)))


@pytest.mark.parametrize("bits", [8, 16])
def test_near_states_share_their_signs(bits):
    """P(all signs equal) = (1 - angle / pi) ** bits in the mean over projections."""
    angle, pairs = 0.1, 4000
    draw = np.random.default_rng(0)
    found = []
    for seed in range(40):
        projection = SimHash(bits=bits).init(jax.random.key(seed), 6)
        x = draw.normal(size=(pairs, 6))
        y = draw.normal(size=(pairs, 6))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        y -= (x * y).sum(1, keepdims=True) * x
        y = np.cos(angle) * x + np.sin(angle) * y / np.linalg.norm(y, axis=1, keepdims=True)
        numbers = SimHash(bits=bits).number(projection, jnp.asarray(np.stack([x, y]), jnp.float32))
        assert int(numbers.min()) >= 0 and int(numbers.max()) < 2**bits
        found.append(float((numbers[0] == numbers[1]).mean()))
    assert np.mean(found) == pytest.approx((1 - angle / np.pi) ** bits, abs=4 * np.std(found) / np.sqrt(40))


def test_joint_actions_spread_over_the_buckets():
    """Of 4096 joint actions of six agents in 65536 buckets, hardly more collide than would by chance (127)."""
    own = Spec(tuple("abcdef"), ("t",) * 6, (1,) * 6, (ActionSpace.discrete(4),) * 6, 2, 4)
    actions = np.array(list(product(range(4), repeat=6)))
    part = Lenient(SimHash())
    index = part.index.init(jax.random.key(0), 2)
    place = np.asarray(part.bucket(own, index, features(np.zeros((1, 4096), int)), jnp.asarray(actions[None])))
    assert 4096 - len(np.unique(place)) < 200


def test_the_autoencoder_learns_and_then_freezes():
    part = CodeHash(code=8, hidden=16, rate=3e-3, until=20_000.0)
    draw = np.random.default_rng(0)
    x = jnp.asarray(draw.normal(size=(25, 64, 2)) @ draw.normal(size=(2, 6)), jnp.float32)  # two dimensions within six
    coder, step = part.init(jax.random.key(0), 6), jax.jit(lambda c, k: part.fit(c, x, k, HERE))

    def error(coder):
        rows = x.reshape(-1, 6)
        code = part.codes(coder.params, rows)
        inner = jnp.tanh(code @ coder.params["out"]["weight"] + coder.params["out"]["bias"][None])
        return float(
            jnp.mean((inner @ coder.params["back"]["weight"] + coder.params["back"]["bias"][None] - rows) ** 2)
        )

    first = error(coder)
    for i in range(13):
        coder = step(coder, jax.random.key(i))
    assert error(coder) < 0.8 * first and float(coder.seen) == 13 * 1600
    frozen = step(coder, jax.random.key(99))
    jax.tree.map(np.testing.assert_array_equal, frozen.params, coder.params)
    assert len(np.unique(part.number(coder, x))) > 4


def test_temperature_0_is_mappo_to_the_bit():
    line = lenient_mappo()
    ours, metrics = updated(replace(line, weighting=replace(line.weighting, start=0.0)))
    base, _ = updated(mappo())
    jax.tree.map(np.testing.assert_array_equal, ours._replace(temperatures=()), base)
    assert float(metrics["forgiven"].max()) == 0.0


def test_constant_leniency_by_its_factor_is_optimism():
    """T = 1 that never falls: eta = 1 - l = exp(-K T)."""
    part = Lenient(scale=0.9, rho=0.0, ceiling_decay=1.0, forgive="factor")
    ours, metrics = updated(replace(lenient_mappo(), weighting=part, advantage_norm="scale"))
    theirs, _ = updated(optimistic_mappo(float(np.exp(-0.9))))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), ours.actor, theirs.actor)
    assert 0.0 < float(metrics["forgiven"].mean()) < 1 - np.exp(-0.9)


@pytest.mark.parametrize("index", [Exact(), CodeHash("critic", code=4)])
def test_every_way_to_tell_states_apart_learns(index):
    line = replace(lenient_mappo(), weighting=Lenient(index, buckets=64))
    learner = PolicyLearner(small(line), spec()).checked()
    state = learner.init(jax.random.key(0), E)
    after, metrics = learn(learner, state, rollout(learner, state, 1), jax.random.key(1))
    assert int(metrics["guard"]) == len(learner.guarded)
    assert 0.0 < float(metrics["temperature_load"]) < 1.0 and float(after.temperatures.table.min()) < 1.0


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Lenient(buckets=0), ("weighting.buckets", "0", "at least 1")),
        (Lenient(rho=0.1), ("weighting.rho", "0.1", "grow")),
        (Lenient(base=1.5), ("weighting.base", "1.5")),
        (Lenient(ceiling_decay=1.1), ("weighting.ceiling_decay", "1.1")),
        (Lenient(start=-1.0), ("weighting.start", "-1.0")),
        (Lenient(SimHash(bits=0)), ("weighting.index.bits", "0", "1 to 30")),
        (Lenient(CodeHash(code=0)), ("weighting.index.code", "0")),
    ],
)
def test_refused_in_one_line(part, words):
    with pytest.raises(CoterieError) as caught:
        PolicyLearner(replace(lenient_mappo(), weighting=part), spec()).checked()
    line = str(caught.value)
    assert "\n" not in line and all(word in line for word in words), line


def test_what_has_no_table_is_refused():
    wide = Spec(tuple("abcdefgh"), ("t",) * 8, (1,) * 8, (ActionSpace.discrete(9),) * 8, 30, 4)
    with pytest.raises(
        CoterieError, match=r"exact needs 1,291,401,630 temperatures .* choose weighting.index sim_hash"
    ):
        PolicyLearner(replace(lenient_mappo(), weighting=Lenient(Exact())), wide).checked()
    box = replace(ONE, action_spaces=(ActionSpace.continuous((0.0,), (1.0,)),) * 2)
    with pytest.raises(CoterieError, match="continuous: choose weighting hysteretic"):
        PolicyLearner(lenient_mappo(), box).checked()
    with pytest.raises(CoterieError, match="no global state: choose weighting.index.of critic"):
        local = replace(lenient_mappo(), critic_input=mappo().critic_input)
        PolicyLearner(local, replace(ONE, state_size=0)).checked()
