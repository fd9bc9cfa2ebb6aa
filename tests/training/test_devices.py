"""Environments spread over devices: the same learning, summed over devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import jax
jax.config.update("jax_num_cpu_devices", 2)
import json
from dataclasses import replace
import numpy as np
from coterie.catalogue import make, recipe
from coterie.nets.networks import Network
from coterie.policy.learner import PolicyLearner
from coterie.training.train import advance, begin, place

net = Network((8,), memory={memory})
line = replace(recipe({name!r}), actor=net, critic=net, environments=4, rollout=8, epochs=2, critic_epochs=2,
               minibatches=1)
game = make("particle/spread", length=5)
learner = PolicyLearner(line, game.spec).checked()
out = {{}}
for devices in (1, 2):
    loops = place(begin(game, learner, (0, 1)), learner, devices)
    rollout_key = np.asarray(jax.random.key_data(loops.key))
    loops, metrics = advance(game, learner, loops, 1, "map", devices)
    leaves = jax.tree.leaves((loops.learner.actor, loops.learner.critic))
    out[devices] = {{
        "finite": bool(all(np.isfinite(np.asarray(x)).all() for x in leaves)),
        "episodes": np.asarray(metrics["episodes"]).ravel().tolist(),
        "entropy": np.asarray(metrics["entropy"]).ravel().tolist(),
        "environments": loops.stage.reset.shape[1],
        "shards": len(loops.stage.reset.addressable_shards),
    }}
print(json.dumps(out))
"""


@pytest.mark.parametrize(("name", "memory"), [("mappo", 0), ("a2po", 4)])
def test_two_devices_learn_what_one_does(name, memory):
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    command = [sys.executable, "-c", PROGRAM.format(name=name, memory=memory)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=True)
    found = json.loads(done.stdout)
    one, two = found["1"], found["2"]
    assert one["finite"] and two["finite"]
    assert two["shards"] == 2 and two["environments"] == one["environments"] == 4
    assert one["episodes"] == two["episodes"]  # no episode is lost or counted twice
    assert two["entropy"] == pytest.approx(one["entropy"], abs=0.02)
