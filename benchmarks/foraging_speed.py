"""Steps per second of level-based foraging under a random team, with observations and automatic reset.

    python benchmarks/foraging_speed.py --repeats 15

Two devices of the CPU play half of the environments each. ``steps_per_second`` is the median over the repetitions by
the clock, ``steps_per_two_cpu_seconds`` the median by processor time: what two cores would do if nothing else ran.
What the parts cost shows when they are left out: ``no_reset`` never resets, ``actions_only`` draws actions and adds
them up. The results go to ``benchmarks/results/foraging_speed.json``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from coterie.catalogue import jittable
from coterie.contracts import Game
from coterie.games.foraging_rules import CHOICES
from coterie.training.collect import where_row
from coterie.training.files import write_json

RESULTS = Path(__file__).parent / "results"
DEVICES = 2


def play(game: Game, environments: int, steps: int, part: str, key: Any) -> Any:
    """So many steps of so many environments; what is returned depends on every observation and reward."""
    start, rest = jax.random.split(key)
    state, seen = jax.vmap(game.reset)(jax.random.split(start, environments))
    n = game.spec.n_agents

    def step(now: Any, key: Any) -> tuple[Any, None]:
        state, seen, total = now
        act, fresh = jax.random.split(key)
        action = (jax.random.bits(act, (environments, n)) % jnp.uint32(CHOICES)).astype(jnp.int32)
        if part == "actions_only":
            return (state, seen, total + jnp.sum(action, 1).astype(jnp.float32)), None
        after, final, outcome = jax.vmap(game.step, (None, 0, 0))(key, state, action)
        total = total + outcome.reward[:, 0] + jnp.sum(final.local, (1, 2)) + jnp.sum(final.state, 1)
        if part == "all":
            opening = jax.vmap(game.reset)(jax.random.split(fresh, environments))
            after, final = where_row(outcome.terminated | outcome.truncated, opening, (after, final))
        return (after, final, total), None

    (_, seen, total), _ = jax.lax.scan(step, (state, seen, jnp.zeros(environments)), jax.random.split(rest, steps))
    return seen, total


def seconds(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median of the clock and of the processor time of all threads, after one call that compiles."""
    jax.block_until_ready(call())
    clocks, spent = [], []
    for _ in range(repeats):
        clock, cpu = time.perf_counter(), time.process_time()
        jax.block_until_ready(call())
        clocks.append(time.perf_counter() - clock)
        spent.append(time.process_time() - cpu)
    return statistics.median(clocks), statistics.median(spent)


def spread(half: Callable[[Any], Any]) -> tuple[Any, Any]:
    """``half`` on every device at once, a compiled function of keys, and the keys."""
    mesh = jax.make_mesh((DEVICES,), ("device",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("device")
    run = jax.jit(jax.shard_map(lambda keys: half(keys[0]), mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False))
    return run, jax.device_put(jax.random.split(jax.random.key(0), DEVICES), jax.sharding.NamedSharding(mesh, spec))


def measure(name: str, environments: int, steps: int, part: str, repeats: int) -> dict[str, float]:
    """The figures of one map."""
    run, keys = spread(partial(play, jittable(name), environments // DEVICES, steps, part))
    clock, cpu = seconds(lambda: run(keys), repeats)
    count = environments * steps
    return {"steps_per_second": count / clock, "steps_per_two_cpu_seconds": 2 * count / cpu}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--environments", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--maps", nargs="*", default=["8x8-2p-2f-coop", "8x8-3p-3f", "15x15-8p-1f-coop"])
    parser.add_argument("--file", type=Path, default=RESULTS / "foraging_speed.json")
    given = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", DEVICES)
    document = {"repeats": given.repeats, "environments": given.environments, "steps": given.steps, "results": {}}
    for name in given.maps:
        for part in ("all", "no_reset", "actions_only"):
            found = measure(f"foraging/{name}", given.environments, given.steps, part, given.repeats)
            document["results"].setdefault(name, {})[part] = {key: round(value) for key, value in found.items()}
            print(name, part, {key: f"{value:,.0f}" for key, value in found.items()}, flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    main()
