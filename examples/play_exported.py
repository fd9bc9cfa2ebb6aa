"""Play an exported team on a machine without JAX.

    pip install onnxruntime mpe2
    python examples/play_exported.py runs/spread/export

The team was trained on particle/spread, which is mpe2's simple_spread_v3, and exported with coterie export runs/spread.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from mpe2 import simple_spread_v3

sessions = [onnxruntime.InferenceSession(str(path)) for path in Path(sys.argv[1]).glob("*.onnx")]
team = {json.loads(s.get_modelmeta().custom_metadata_map["coterie"])["agent"]: s for s in sessions}
returns = []
for episode in range(20):
    env = simple_spread_v3.parallel_env(N=len(team), max_cycles=25)
    seen, _ = env.reset(seed=episode)
    memories = {a: {i.name: np.zeros((1, i.shape[1]), np.float32) for i in team[a].get_inputs()[2:]} for a in team}
    returns.append(0.0)
    while env.agents:
        moves = {}
        for agent in env.agents:
            local = {"observation": seen[agent][None], "legal": np.ones((1, 5), bool)}
            _, action, *memory = team[agent].run(None, {**local, **memories[agent]})
            moves[agent], memories[agent] = int(action[0]), dict(zip(memories[agent], memory, strict=True))
        seen, rewards, *_ = env.step(moves)
        returns[-1] += sum(rewards.values())
print(f"mean return of {len(returns)} episodes: {np.mean(returns):.1f}")  # noqa: T201
