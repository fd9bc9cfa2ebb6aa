"""The ring: what it keeps, what it draws, what it weighs; and that learning is its draws, one after another."""

from collections import deque
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import compiled
from coterie.contracts import CoterieError
from coterie.games.probe_teams import continuous, memory, mixed, multi_discrete
from coterie.nets.networks import Network
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import Exact
from coterie.value import learner as module
from coterie.value.batch import cut
from coterie.value.learner import ValueLearner
from coterie.value.recipes import lenient_dqn, maddpg, recurrent, vdn
from coterie.value.replay import Replay
from tests.value.sequences import GRU, learn, rollout, small, spec, step

E, T = 3, 4
add, sample = (jax.jit(lambda ring, *args, name=name: getattr(ring, name)(*args), static_argnums=static)
               for name, static in (("add", ()), ("sample", 3)))  # fmt: skip


def opened(length, capacity=30):
    return ValueLearner(small(vdn(), length, replay=Replay(capacity, 8, 0)), spec()).checked()


def numbered(learner, state, iteration):
    """A rollout whose rewards say which step of which environment they are of, as do its observations."""
    number = np.float32(iteration * T + np.arange(T)[:, None] + 1000 * np.arange(E))
    ro = rollout(learner, state, iteration)
    mark = lambda x: jnp.broadcast_to(jnp.asarray(number)[:, :, None], x.shape)  # noqa: E731
    seen = ro.observation._replace(state=mark(ro.observation.state))
    return ro._replace(reward=mark(ro.reward), observation=seen), number


@pytest.fixture(scope="module", params=[1, 2], ids=["steps", "pairs of steps"])
def rings(request):
    """The sequences' length, and the ring after each of five iterations with what it should hold."""
    length = request.param
    learner = opened(length)
    state, places = learner.init(jax.random.key(0), E), 30 // (E * length)
    ring = state.replay
    held, found = [deque(maxlen=places) for _ in range(E)], []
    for iteration in range(5):
        ro, number = numbered(learner, state, iteration)
        ring = add(learner.recipe.replay, ring, cut(ro, (), length))
        for e, t in np.ndindex(E, T // length):
            held[e].append(tuple(number[t * length : (t + 1) * length, e]))
        found.append((ring, [list(own) for own in held]))
    return learner.recipe.replay, length, found


def test_the_oldest_sequences_are_overwritten_in_order(rings):
    part, length, found = rings
    for iteration, (ring, held) in enumerate(found):
        stored = np.asarray(ring.experience.reward)[..., 0]
        places = 30 // (E * length)
        assert stored.shape == (E, places, length) and part.places(E, length) == places
        count, put = len(held[0]), (iteration + 1) * T // length
        first = put % places if put >= places else 0
        for e in range(E):
            assert [tuple(stored[e, (first + k) % places]) for k in range(count)] == held[e]
        assert float(part.filled(ring)) == pytest.approx(count / places)
    assert len(found[-1][1][0]) == places < 5 * T // length, "it has wrapped"


def test_drawn_uniformly_from_what_is_held_and_whole(rings):
    """Batches are [L, R, ...], and what belongs together stays together."""
    part, length, found = rings
    for ring, held in (found[0], found[1], found[-1]):
        drawn = sample(part, ring, jax.random.key(7), 6000)
        reward = np.asarray(drawn.reward)
        assert reward.shape == (length, 6000, 3) and drawn.reset.shape == (length, 6000)
        np.testing.assert_array_equal(drawn.observation.state[..., 0], reward[..., 0])
        items, counts = np.unique(reward[..., 0], axis=1, return_counts=True)
        assert sorted(map(tuple, items.T)) == sorted(item for own in held for item in own)
        wanted = 6000 / len(counts)
        square = ((counts - wanted) ** 2 / wanted).sum()
        freedom = len(counts) - 1
        assert square < freedom + 5 * np.sqrt(2 * freedom), "chi-square"


def test_rollouts_are_cut_with_the_memory_before_each_piece():
    """Sequence k of environment e holds steps 2k and 2k + 1, and the carry stored before step 2k."""
    learner = ValueLearner(small(vdn(), 2, actor=GRU), spec()).checked()
    ro = rollout(learner, learner.init(jax.random.key(0), E), 0)
    pieces = cut(ro, ro.reward[..., :1], 2)
    assert learner.sizes == (E, T, 2) and pieces.carry.shape == (E, 2, 3, 4)
    for e, k in np.ndindex(E, 2):
        for t in range(2):
            for ours, theirs in ((pieces.reward, ro.reward), (pieces.final.local, ro.final.local),
                                 (pieces.observation.legal, ro.observation.legal), (pieces.reset, ro.reset),
                                 (pieces.action, ro.action), (pieces.mercy, ro.reward[..., :1])):  # fmt: skip
                np.testing.assert_array_equal(ours[e, k, t], theirs[2 * k + t, e])
        np.testing.assert_array_equal(pieces.carry[e, k], ro.carry[k, e])


def by_formula(own, recipe, mercy):
    """Bytes as the page of the replay has them."""
    n, o, s, length = own.n_agents, own.observation_size, own.state_size, recipe.length
    a, d = int(np.prod(own.legal_shape)), int(np.prod(own.action_shape, dtype=int))
    step = 2 * (4 * (n * o + s) + n * (a + 1)) + 4 * n * (d + 1) + 3 + 4 * mercy
    return recipe.replay.capacity // length * (length * step + 4 * n * recipe.actor.memory)


WEIGHED = {
    "choices": (mixed(), vdn(), 0),
    "several choices": (multi_discrete(3), vdn(), 0),
    "memory": (memory(), recurrent(vdn(), 8), 0),
    "memory, leniency of each": (memory(), recurrent(lenient_dqn(), 8, 5), 2),
    "leniency of the team": (mixed(), replace(vdn(), weighting=Lenient(Exact())), 1),
    "boxes and memory": (continuous(2), recurrent(maddpg(), 4, 5), 0),
}


@pytest.mark.parametrize("case", WEIGHED)
def test_the_footprint_is_what_the_ring_weighs(case):
    game, recipe, mercy = WEIGHED[case]
    recipe = replace(recipe, environments=2, rollout=10, replay=Replay(200, 8, 0))
    recipe = replace(recipe, actor=replace(recipe.actor, encoder=(4,)), critic_net=Network((4,)))
    learner = ValueLearner(recipe, game.spec).checked()
    ring = learner.init(jax.random.key(0), 2).replay
    leaves = jax.tree.leaves(ring.experience)
    assert learner.footprint == sum(x.nbytes for x in leaves) == by_formula(game.spec, recipe, mercy)
    assert sum(x.nbytes for x in jax.tree.leaves(ring)) - learner.footprint < 16  # where it stands, and whether full
    places = recipe.replay.places(2, recipe.length)
    assert all(x.shape[:2] == (2, places) for x in leaves) and not any(np.asarray(x).any() for x in leaves)


def test_refused_where_it_does_not_fit(monkeypatch):
    """Two copies must fit, for every seed."""
    learner = opened(1)
    needed = learner.footprint
    monkeypatch.setattr(module, "memory", lambda: 6 * needed)
    learner.checked(3)
    with pytest.raises(CoterieError) as caught:
        learner.checked(4)
    line = str(caught.value)
    words = ("30 steps", f"{needed / 1e9:.3g} GB", "4 seeds", "2 times", f"{6 * needed / 1e9:.3g} GB are free",
             "replay.capacity", "fewer seeds")  # fmt: skip
    assert "\n" not in line and all(word in line for word in words), line
    monkeypatch.setattr(module, "memory", lambda: 0)  # the system does not tell
    learner.checked(1000)


def test_the_memory_is_that_of_the_device(monkeypatch):
    class Card:
        platform = "gpu"

        def memory_stats(self):
            return {"bytes_limit": 1000, "bytes_in_use": 300}

    monkeypatch.setattr(jax, "local_devices", lambda: [Card()])
    assert compiled.memory() == 700
    monkeypatch.undo()
    assert compiled.memory() > 1000  # this machine's


def test_learning_begins_after_the_warm_up():
    """Twelve steps an iteration, twenty before the first gradient step: none, then two."""
    learner = ValueLearner(small(vdn(), replay=Replay(48, 8, 20)), spec()).checked()
    first = learner.init(jax.random.key(0), E)
    ro = rollout(learner, first, 0)
    second, metrics = learn(learner, first, ro, jax.random.key(0))
    jax.tree.map(np.testing.assert_array_equal, second.learning, first.learning)
    silent = ("td_error", "value_mean", "target_mean", "gradient_norm", "weight_mean")
    assert not any(np.asarray(metrics[name]).any() for name in silent)
    assert int(second.steps) == 12 and float(metrics["replay_filled"]) == 0.25
    third, metrics = learn(learner, second, ro, jax.random.key(1))
    assert int(third.learning.count) == 2 and int(third.steps) == 24
    assert float(metrics["td_error"]) > 0 and int(metrics["guard"]) == len(learner.guarded)
    assert float(metrics["exploration"]) == pytest.approx(1.0 - 0.95 * 24 / 50_000)


def test_an_iteration_is_its_gradient_steps_one_after_another():
    learner = ValueLearner(small(vdn(), replay=Replay(48, 8, 20)), spec()).checked()
    state = learner.init(jax.random.key(0), E)
    state = state._replace(steps=jnp.int32(30))
    ro, key = rollout(learner, state, 3), jax.random.key(5)
    after, metrics = learn(learner, state, ro, key)
    ring, learning = add(learner.recipe.replay, state.replay, cut(ro, (), 1)), state.learning
    unit = np.sqrt(float(after.earned.square))
    errors = []
    for now in jax.random.split(key, learner.recipe.updates):
        draw, own = jax.random.split(now)
        drawn = sample(learner.recipe.replay, ring, draw, 8)
        learning, stats = step(learner, learning, drawn, jnp.float32(unit), own)
        errors.append(float(stats["td_error"]))
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6, rtol=1e-5), after.learning, learning)
    assert float(metrics["td_error"]) == pytest.approx(np.mean(errors), rel=1e-5)
