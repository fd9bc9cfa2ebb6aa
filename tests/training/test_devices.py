"""Environments spread over devices: an update on the parts of a rollout, summed, is the update on the whole."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from coterie.catalogue import make, recipe
from coterie.contracts import CoterieError
from coterie.nets.networks import Network
from coterie.policy.learner import PolicyLearner
from coterie.training.collect import open_stage, scan
from coterie.training.train import ENVIRONMENTS, advance, begin, device_mesh, place

GAME = make("particle/spread", length=5)


def learner(name: str, memory: int, **options: object) -> PolicyLearner:
    net = Network((8,), memory=memory)
    sizes = {"environments": 4, "rollout": 8, "epochs": 2, "critic_epochs": 2, "minibatches": 1}
    return PolicyLearner(replace(recipe(name, options), actor=net, critic=net, **sizes), GAME.spec).checked()


@pytest.mark.parametrize(("name", "memory", "options"), [("mappo", 4, {}), ("a2po", 0, {"mode": "shared"})])
def test_an_update_on_two_devices_is_the_update_on_one(name, memory, options):
    whole = learner(name, memory, **options)
    state = whole.init(jax.random.key(0), 4)
    stage = open_stage(GAME, whole, jax.random.key(1), 4)
    _, rollout, _ = jax.jit(lambda s: scan(GAME, whole, s, stage, jax.random.key(2)))(state)
    one, metrics = jax.jit(whole.learn)(state, rollout, jax.random.key(3))

    rows, everywhere = PartitionSpec(None, ENVIRONMENTS), PartitionSpec()
    cut = jax.tree.map(lambda _: rows, rollout)  # [T, E, ...] and carries [chunks, E, ...]
    state_cut = jax.tree.map(lambda each: PartitionSpec(ENVIRONMENTS) if each else everywhere, whole.per_environment())
    mesh = Mesh(np.array(jax.devices()[:2]), (ENVIRONMENTS,))
    parts = jax.shard_map(
        whole.spread(ENVIRONMENTS).learn, mesh=mesh, in_specs=(state_cut, cut, everywhere),
        out_specs=(state_cut, everywhere), check_vma=False,
    )  # fmt: skip
    two, summed = jax.jit(parts)(state, rollout, jax.random.key(3))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), one, two)
    for name in ("kl", "turn", "ratio_max", "gradient_norm", "clip_range"):
        np.testing.assert_allclose(metrics[name], summed[name], atol=2e-4, err_msg=name)


def test_training_on_two_devices_counts_every_episode_once():
    team = learner("mappo", 0)
    episodes = []
    for devices in (1, 2):
        loops = place(begin(GAME, team, (0,)), team, devices)
        loops, metrics = advance(GAME, team, loops, 2, "map", devices)
        episodes.append(np.asarray(metrics["episodes"]).tolist())
        assert len(loops.stage.reset.addressable_shards) == devices and loops.stage.reset.shape == (1, 4)
        assert bool(jnp.isfinite(metrics["value_loss"]).all())
    assert episodes[0] == episodes[1] == [[4.0, 8.0]]


def test_devices_that_are_not_there_or_do_not_divide_are_refused():
    team = learner("mappo", 0)
    with pytest.raises(CoterieError, match="give a number from 1 to"):
        device_mesh(1, 99)
    with pytest.raises(CoterieError, match="do not divide the 4 environments"):
        place(begin(GAME, team, (0,)), team, 3)
