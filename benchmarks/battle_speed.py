"""Steps per second of battles under a random team, with observations and automatic reset, and how long they compile.

    python benchmarks/battle_speed.py

Two devices of the CPU play half of the environments each. ``steps_per_second`` is the median over the repetitions by
the clock, ``steps_per_two_cpu_seconds`` by processor time: what two cores would do if nothing else ran.
``compile_seconds`` is for the whole loop, without any cache. ``bytes_per_environment`` counts a state and what is seen
of it, ``bytes_with_room`` also what the compiled loop needs while it runs. The results go to
``benchmarks/results/battle_speed.json``.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from foraging_speed import DEVICES, RESULTS, seconds, spread

from coterie.catalogue import jittable
from coterie.contracts import Game
from coterie.games.battle.maps import MAPS
from coterie.training.collect import where_row
from coterie.training.files import write_json


def play(game: Game, environments: int, steps: int, key: Any) -> Any:
    """So many steps of so many environments; what is returned depends on every observation and reward."""
    start, rest = jax.random.split(key)
    state, seen = jax.vmap(game.reset)(jax.random.split(start, environments))

    def step(now: Any, key: Any) -> tuple[Any, None]:
        state, seen, total = now
        act, fight, fresh = jax.random.split(key, 3)
        whims = jax.random.uniform(act, seen.legal.shape)
        action = jnp.argmax(jnp.where(seen.legal, whims, -1.0), -1)
        after, final, outcome = jax.vmap(game.step)(jax.random.split(fight, environments), state, action)
        total = total + outcome.reward[:, 0] + jnp.sum(final.local, (1, 2)) + jnp.sum(final.state, 1)
        opening = jax.vmap(game.reset)(jax.random.split(fresh, environments))
        after, final = where_row(outcome.terminated | outcome.truncated, opening, (after, final))
        return (after, final, total), None

    (_, seen, total), _ = jax.lax.scan(step, (state, seen, jnp.zeros(environments)), jax.random.split(rest, steps))
    return seen, total


def measure(name: str, environments: int, steps: int, repeats: int) -> dict[str, float]:
    """The figures of one map."""
    game = jittable(name)
    run, keys = spread(partial(play, game, environments // DEVICES, steps))
    lowered = run.lower(keys)
    clock = time.perf_counter()
    compiled = lowered.compile()
    compiling = time.perf_counter() - clock
    took, cpu = seconds(lambda: compiled(keys), repeats)
    count = environments * steps
    own = sum(
        leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(game.reset, jax.random.key(0)))
    )
    analysis = compiled.memory_analysis()
    room = analysis.temp_size_in_bytes / (environments // DEVICES) if analysis else 0
    return {"steps_per_second": count / took, "steps_per_two_cpu_seconds": 2 * count / cpu,
            "compile_seconds": compiling, "bytes_per_environment": own, "bytes_with_room": room}  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--environments", type=int, default=256)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--maps", nargs="*", default=[*MAPS, "protoss_5_vs_5", "terran_10_vs_11", "zerg_20_vs_23"])
    parser.add_argument("--file", type=Path, default=RESULTS / "battle_speed.json")
    given = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", DEVICES)
    document = {"repeats": given.repeats, "environments": given.environments, "steps": given.steps, "results": {}}
    for name in given.maps:
        found = measure(f"battle/{name}", given.environments, given.steps, given.repeats)
        document["results"][name] = {key: round(value, 1 if key == "compile_seconds" else None)
                                     for key, value in found.items()}  # fmt: skip
        print(name, document["results"][name], flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    main()
