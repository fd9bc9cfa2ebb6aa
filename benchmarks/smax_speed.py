"""Steps per second of random play on SMAX: through the bridge, and JaxMARL's environment alone, in the same minute.

    python benchmarks/smax_speed.py --repeats 5

Four loops take turns in every round: JaxMARL's ``step_env`` alone (random actions, no masks, no reset); the bridge's
``step``, with masks, state, ends and ``won`` (random legal actions, no reset); and both as training has them, with
masks and automatic reset: JaxMARL's own ``step``, and the bridge's with resets by the collecting loop's rule. Medians
over the rounds go to ``benchmarks/results/smax_speed.json``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from coterie.bridges.jaxmarl import JaxmarlGame
from coterie.bridges.jaxmarl_upstream import as_upstream
from coterie.catalogue import make
from coterie.training.collect import where_row
from coterie.training.files import write_json

RESULTS = Path(__file__).parent / "results"
Loop = Callable[[jax.Array], Any]


def legal_action(key: jax.Array, legal: jax.Array) -> jax.Array:
    """A random legal choice for each agent."""
    return jnp.argmax(jnp.where(legal, jax.random.uniform(key, legal.shape), -1.0), -1)


def through_the_bridge(game: JaxmarlGame, environments: int, steps: int, again: bool) -> Loop:
    """The bridge's step, with resets if ``again``."""

    def one(now: Any, key: jax.Array) -> tuple[Any, None]:
        state, seen, total = now
        act, step, fresh = jax.random.split(key, 3)
        action = legal_action(act, seen.legal)
        after, final, outcome = jax.vmap(game.step)(jax.random.split(step, environments), state, action)
        total += jnp.sum(outcome.reward, 1) + jnp.sum(final.local, (1, 2)) + jnp.sum(final.state, 1)
        if again:
            opening = jax.vmap(game.reset)(jax.random.split(fresh, environments))
            after, final = where_row(outcome.terminated | outcome.truncated, opening, (after, final))
        return (after, final, total + outcome.info["won"]), None

    def run(key: jax.Array) -> Any:
        state, seen = jax.vmap(game.reset)(jax.random.split(key, environments))
        return jax.lax.scan(one, (state, seen, jnp.zeros(environments)), jax.random.split(key, steps))[0][2]

    return jax.jit(run)


def alone(env: Any, environments: int, steps: int, again: bool) -> Loop:
    """JaxMARL's ``step_env``, or its ``step`` with masks if ``again``."""
    agents, choices = env.agents, env.num_ally_actions

    def one(now: Any, key: jax.Array) -> tuple[Any, None]:
        state, total = now
        act, step = jax.random.split(key)
        if again:
            masks = jax.vmap(env.get_avail_actions)(state)
            action = legal_action(act, jnp.stack([masks[agent] for agent in agents], 1) > 0)
        else:
            action = jax.random.randint(act, (environments, len(agents)), 0, choices)
        given = {agent: action[:, i] for i, agent in enumerate(agents)}
        call = env.step if again else env.step_env
        seen, state, reward, *_ = jax.vmap(call)(jax.random.split(step, environments), state, given)
        for part in seen.values():
            total += jnp.sum(part, 1)
        return (state, total + reward[agents[0]]), None

    def run(key: jax.Array) -> Any:
        with as_upstream():
            _, state = jax.vmap(env.reset)(jax.random.split(key, environments))
            return jax.lax.scan(one, (state, jnp.zeros(environments)), jax.random.split(key, steps))[0][1]

    return jax.jit(run)


def rates(loops: dict[str, Loop], count: int, repeats: int) -> dict[str, list[float]]:
    """Steps per second of every loop in every round, after one call that compiles."""
    for call in loops.values():
        jax.block_until_ready(call(jax.random.key(0)))
    found: dict[str, list[float]] = {name: [] for name in loops}
    for round_ in range(repeats):
        for name, call in loops.items():
            clock = time.perf_counter()
            jax.block_until_ready(call(jax.random.key(round_)))
            found[name].append(count / (time.perf_counter() - clock))
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--environments", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--maps", nargs="*", default=["3m", "2s3z"])
    parser.add_argument("--file", type=Path, default=RESULTS / "smax_speed.json")
    given = parser.parse_args()
    document = {"repeats": given.repeats, "environments": given.environments, "steps": given.steps, "results": {}}
    sizes = (given.environments, given.steps)
    for name in given.maps:
        game = make(f"smax/{name}")
        assert isinstance(game, JaxmarlGame)
        loops = {"step_env": alone(game.env, *sizes, again=False),
                 "bridge": through_the_bridge(game, *sizes, again=False),
                 "step": alone(game.env, *sizes, again=True),
                 "bridge_and_reset": through_the_bridge(game, *sizes, again=True)}  # fmt: skip
        found = rates(loops, given.environments * given.steps, given.repeats)
        medians = {key: statistics.median(each) for key, each in found.items()}
        ratios = {
            f"{ours} over {theirs}": round(
                statistics.median(a / b for a, b in zip(found[ours], found[theirs], strict=True)), 3
            )
            for ours, theirs in (("bridge", "step_env"), ("bridge_and_reset", "step"))
        }
        document["results"][name] = {"steps_per_second": {key: round(x) for key, x in medians.items()}, **ratios}
        print(name, document["results"][name], flush=True)
    write_json(given.file, document)


if __name__ == "__main__":
    main()
