"""Environments spread over devices: an update on the parts of a rollout, summed, is the update on the whole."""

from __future__ import annotations

import os
import subprocess
import sys
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
from coterie.training.engine import ENVIRONMENTS, advance, begin, device_mesh, place

GAME = make("particle/spread", length=5)


def learner(name: str, memory: int, environments: int = 4, **options: object) -> PolicyLearner:
    net = Network((8,), memory=memory)
    sizes = {"environments": environments, "rollout": 8, "epochs": 2, "critic_epochs": 2, "minibatches": 1}
    line = recipe(name, options)
    headed = replace(net, head=(8,) * len(line.critic.head)) if isinstance(line.critic, Network) else line.critic
    return PolicyLearner(replace(line, actor=net, critic=headed, **sizes), GAME.spec).checked()


LENIENT = {"weighting": "lenient", "weighting.forgive": "factor", "weighting.buckets": "64"}


@pytest.mark.parametrize(
    ("name", "memory", "options"),
    [("a2po", 4, {"mode": "shared"}), ("perla_mappo", 0, LENIENT)],
    ids=["a2po, recurrent", "perla with leniency"],
)
def test_an_update_on_two_devices_is_the_update_on_one(name, memory, options):
    assert_same_update(learner(name, memory, **options), 2)


EIGHT = """
import importlib.util, sys
import jax
spec = importlib.util.spec_from_file_location("devices", sys.argv[1])
test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(test)
assert len(jax.devices()) == 8
test.assert_same_update(test.learner("mappo", 0, 8), 8)
test.assert_every_episode_counts(8, (0, 1), 4)
"""


def test_eight_devices():
    """One seed's environments over eight devices, and two seeds over four each, in a process that has eight."""
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": "8"}
    done = subprocess.run([sys.executable, "-c", EIGHT, __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def assert_same_update(whole: PolicyLearner, devices: int) -> None:
    """Parameters to 2e-5, statistics to 2e-4: the sums are taken in another order."""
    environments = whole.sizes.environments
    state = whole.init(jax.random.key(0), environments)
    stage = open_stage(GAME, whole, jax.random.key(1), environments)
    _, rollout, _ = jax.jit(lambda s: scan(GAME, whole, s, stage, jax.random.key(2)))(state)
    one, metrics = jax.jit(whole.learn)(state, rollout, jax.random.key(3))

    rows, everywhere = PartitionSpec(None, ENVIRONMENTS), PartitionSpec()
    cut = jax.tree.map(lambda _: rows, rollout)  # [T, E, ...] and carries [chunks, E, ...]
    state_cut = jax.tree.map(lambda each: PartitionSpec(ENVIRONMENTS) if each else everywhere, whole.per_environment())
    mesh = Mesh(np.array(jax.devices()[:devices]), (ENVIRONMENTS,))
    parts = jax.shard_map(
        whole.spread(ENVIRONMENTS).learn, mesh=mesh, in_specs=(state_cut, cut, everywhere),
        out_specs=(state_cut, everywhere), check_vma=False,
    )  # fmt: skip
    two, summed = jax.jit(parts)(state, rollout, jax.random.key(3))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), one, two)
    for name in ("kl", "turn", "ratio_max", "gradient_norm", "clip_range"):
        np.testing.assert_allclose(metrics[name], summed[name], atol=2e-4, err_msg=name)


def test_training_on_two_devices_counts_every_episode_once():
    assert_every_episode_counts(4, (0,), 2)


def assert_every_episode_counts(environments: int, seeds: tuple[int, ...], devices: int) -> None:
    """After 8 steps one episode of 5 has ended everywhere, after 16 three."""
    team = learner("mappo", 0, environments)
    loops = place(begin(GAME, team, seeds), team, devices)
    loops, metrics = advance(GAME, team, loops, 2, "map", devices)
    assert np.asarray(metrics["episodes"]).tolist() == [[environments, 2 * environments]] * len(seeds)
    assert len(loops.stage.reset.addressable_shards) == devices * len(seeds)
    assert loops.stage.reset.shape == (len(seeds), environments)
    assert bool(jnp.isfinite(metrics["value_loss"]).all())


def test_devices_that_are_not_there_or_do_not_divide_are_refused():
    team = learner("mappo", 0)
    with pytest.raises(CoterieError, match="give a number from 1 to"):
        device_mesh(1, 99)
    with pytest.raises(CoterieError, match="do not divide the 4 environments"):
        place(begin(GAME, team, (0,)), team, 3)
