"""Environments that others wrote, as they are installed: a few iterations each, and what the bridge made of them."""

import json

import numpy as np
import pytest

import coterie
from coterie.catalogue import make, recipe

SMALL = {"environments": 4, "rollout": 10, "actor.encoder": (8,), "critic.encoder": (8,), "epochs": 1, "minibatches": 1}
GYM = {"disable_env_checker": True}
CASES = {
    # different observations and choices: a speaker that cannot move, a listener that cannot speak
    "speaker and listener": ("mpe2:simple_speaker_listener_v4.parallel_env", {"max_cycles": 8}, "mappo"),
    "reference": ("mpe2:simple_reference_v3.parallel_env", {"max_cycles": 8, "reward": "mean"}, "happo"),
    "continuous spread": ("mpe2:simple_spread_v3.parallel_env", {"continuous_actions": True, "N": 2}, "dpo"),
    "foraging": ("gymnasium:make", {"id": "lbforaging:Foraging-8x8-2p-2f-coop-v3", **GYM}, "ippo"),
    "warehouse": ("gymnasium:make", {"id": "rware:rware-tiny-2ag-v2", **GYM, "reward": "sum"}, "a2po"),
    "hopper": ("mujoco/hopper-3x1", {"path": "mamujoco"}, "mappo"),
    "dying archers": ("pettingzoo.butterfly:knights_archers_zombies_v11.parallel_env", {"max_cycles": 30}, "mappo"),
    "agents in turn": ("mpe2:simple_spread_v3.env", {"N": 2}, "coppo"),
    "one agent": ("gymnasium:make", {"id": "CartPole-v1"}, "ippo"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_trains(case, tmp_path):
    name, options, method = CASES[case]
    run = coterie.train(recipe(method, SMALL), name, out=tmp_path, steps=80, points=2, evaluations=1, episodes=2,
                        game_options={**options, "workers": 1})  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [40, 80] and all(row["lost"] == 0 for row in rows)
    spec = run.game.spec
    for agent, policy in enumerate(run.policies):
        action = np.asarray(policy(np.zeros(spec.observation_sizes[agent])))
        assert action.shape == (() if spec.action_kind == "discrete" else (spec.action_spaces[agent].components,))


def test_what_is_seen_of_them():
    speaker = make(CASES["speaker and listener"][0]).spec
    assert speaker.observation_sizes == (3, 11) and [s.sizes for s in speaker.action_spaces] == [(3,), (5,)]
    assert (speaker.state_size, speaker.horizon, speaker.types) == (14, 25, ("speaker", "listener"))
    warehouse = make("gymnasium:make", id="rware:rware-tiny-2ag-v2", **GYM, reward="sum").spec
    assert (warehouse.reward, warehouse.n_agents, warehouse.horizon) == ("team", 2, 500)
    archers = make(CASES["dying archers"][0], max_cycles=30).spec
    assert archers.types == ("archer", "archer", "knight", "knight") and archers.horizon == 30
