"""Speed, measured: medians of repeated runs, compilation left out, beside the machine's own matrix-product peak."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from coterie.catalogue import jittable, recipe
from coterie.cli.screen import say, table
from coterie.contracts import CoterieError, Game
from coterie.fields import nearest
from coterie.games.scripted import random_team
from coterie.nets.networks import Network
from coterie.parts.tower import Tower
from coterie.policy.critic import SharedTrunk
from coterie.policy.learner import PolicyLearner
from coterie.policy.recipes import Recipe
from coterie.training.collect import scan
from coterie.training.engine import advance, begin, place
from coterie.training.evaluate import play

RECURRENT = Network(encoder=(128,), memory=128, head=(128,), activation="relu")
FORWARD = Network(encoder=(64, 64), activation="tanh")


class Work(NamedTuple):
    """A benchmark: a recipe at stated sizes on spread with some agents, trained on some seeds at once."""

    recipe: Recipe
    agents: int = 3
    seeds: int = 1
    devices: int = 1


def _sized(name: str, network: Network, environments: int, rollout: int, minibatches: int, **more: Any) -> Recipe:
    sizes = {"environments": environments, "rollout": rollout, "minibatches": minibatches, "actor": network,
             "critic": network, "epochs": 4, "critic_epochs": 4}  # fmt: skip
    line: Any = recipe(name)
    return replace(line, **sizes, **more)


def works() -> dict[str, Work]:
    """The benchmarks by name."""
    found = {}
    for environments, rollout in ((16, 128), (128, 25)):
        size, shape = f"{environments}x{rollout}", (RECURRENT, environments, rollout)
        found[f"recurrent-mappo-{size}"] = Work(_sized("mappo", *shape, 4))
        found[f"recurrent-ippo-{size}"] = Work(replace(_sized("ippo", *shape, 2), critic=SharedTrunk()))
        found[f"forward-ippo-{size}"] = Work(_sized("ippo", FORWARD, environments, rollout, 4))
        found[f"forward-mappo-{size}"] = Work(_sized("mappo", FORWARD, environments, rollout, 4))
    for agents in (3, 8):
        for name in ("mappo", "happo", "a2po"):
            line = _sized(name, FORWARD, 128, 25, 4, sharing="none")
            found[f"sequential-{name}-{agents}"] = Work(line, agents)
    for seeds in (1, 8):
        found[f"seeds-{seeds}"] = Work(_sized("mappo", FORWARD, 16, 128, 4), seeds=seeds)
        found[f"recurrent-seeds-{seeds}"] = Work(_sized("mappo", RECURRENT, 16, 128, 4), seeds=seeds)
    for name in [name for name in found if "seeds" not in name and name.startswith(("recurrent-", "forward-ippo"))]:
        found[f"devices-{name}"] = found[name]._replace(devices=2)
    return found


GROUPS = {
    "quick": ("forward-mappo-128x25", "recurrent-mappo-128x25", "sequential-a2po-3"),
    "recurrent": ("recurrent-",),
    "forward": ("forward-",),
    "sequential": ("sequential-",),
    "devices": ("devices-",),
    "seeds": ("seeds-", "recurrent-seeds-"),
    "all": ("",),
}


def chosen(what: str) -> dict[str, Work]:
    """The benchmarks of a group, or a single one."""
    found = works()
    if what in found:
        return {what: found[what]}
    prefixes = GROUPS.get(what, ())
    if not prefixes:
        raise CoterieError(f"there is no benchmark {what!r}: {nearest(what, [*GROUPS, *found])}")
    return {name: work for name, work in found.items() if name.startswith(prefixes)}


def median_seconds(call: Callable[[], PyTree], repeats: int) -> float:
    """Median wall-clock of ``repeats`` calls after one that compiles."""
    jax.block_until_ready(call())
    times = []
    for _ in range(repeats):
        clock = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - clock)
    return statistics.median(times)


def peak_gflops(repeats: int = 5) -> float:
    """The fastest float32 matrix product seen, in GFLOP/s."""
    rates = []
    for size in (512, 1024, 2048):
        a = jnp.asarray(np.random.default_rng(0).standard_normal((size, size)), jnp.float32)
        product = jax.jit(lambda x: x @ x)
        rates.append(2 * size**3 / median_seconds(lambda: product(a), repeats) / 1e9)  # noqa: B023
    return max(rates)


def update_flops(learner: PolicyLearner, agents: int) -> float:
    """Multiplications and additions of the matrix products of one update: forward once, backward twice."""
    line = learner.recipe
    samples = line.environments * line.rollout

    def products(tower: Tower) -> int:
        params = tower.init(jax.random.key(0))
        return sum(int(np.prod(leaf.shape[1:])) for leaf in jax.tree.leaves(params) if leaf.ndim == 3)

    critic = learner.critic.tower
    actor_rows = samples * agents * line.epochs
    apart = learner.critic.trunk is None
    critic_rows = samples * len(critic.layout.slot_of) * line.critic_epochs if apart else 0
    return 6.0 * (actor_rows * products(learner.actor) + critic_rows * products(critic))


def measure(work: Work, repeats: int) -> dict[str, Any]:
    """Medians of one benchmark: a whole iteration, and its split into environment, acting and update."""
    game: Game = jittable("particle/spread", agents=work.agents)
    learner = PolicyLearner(work.recipe, game.spec).checked()
    sizes, seeds = learner.sizes, tuple(range(work.seeds))
    steps = sizes.environments * sizes.rollout * work.seeds
    holder = [place(begin(game, learner, seeds), learner, work.devices)]

    def iteration() -> PyTree:
        holder[0], metrics = advance(game, learner, holder[0], 1, "map", work.devices)
        return metrics

    whole = median_seconds(iteration, repeats)
    out = {"steps_per_second": steps / whole, "milliseconds": 1e3 * whole, "steps": steps}
    if work.seeds > 1 or work.devices > 1:
        return out
    loop = jax.tree.map(lambda x: x[0], holder[0])
    collect = jax.jit(lambda loop: scan(game, learner, loop.learner, loop.stage, loop.key)[1])
    collected = median_seconds(lambda: collect(loop), repeats)
    rollout = collect(loop)
    learn = jax.jit(lambda loop, rollout: learner.learn(loop.learner, rollout, loop.key))
    update = median_seconds(lambda: learn(loop, rollout), repeats)
    team, rounds = random_team(game.spec), -(-sizes.rollout // game.spec.horizon)
    episodes = jax.jit(lambda key: play(game, team, key, sizes.environments))
    stepping = median_seconds(lambda: episodes(loop.key), repeats) * rounds
    flops = update_flops(learner, work.agents)
    out |= {"environment_ms": 1e3 * stepping, "act_ms": 1e3 * max(collected - stepping, 0.0), "update_ms": 1e3 * update}
    return out | {"update_gflops": flops / update / 1e9}


def bench(what: str, repeats: int, quiet: bool) -> dict[str, Any]:
    """Measure a group of benchmarks and print medians; ``list`` prints their names."""
    if what == "list":
        if not quiet:
            say(table("benchmarks", ["name"], [[name] for name in (*GROUPS, *works())]))
        return {"groups": list(GROUPS), "benchmarks": list(works())}
    if repeats < 1:
        raise CoterieError(f"--repeats is {repeats}: give at least 1")
    todo, results = chosen(what), {}
    for name, work in todo.items():
        peak = peak_gflops()
        results[name] = measure(work, repeats) | {"peak_gflops": peak}
        if "update_gflops" in results[name]:
            results[name]["share_of_peak"] = results[name]["update_gflops"] / peak
    if not quiet:
        columns = ["benchmark", "steps/s", "ms", "environment", "act", "update", "GFLOP/s", "of peak"]
        say(
            table(f"medians of {repeats}; milliseconds an iteration", columns, [_row(n, r) for n, r in results.items()])
        )
    return {"repeats": repeats, "devices": len(jax.devices()), "results": results}


def _row(name: str, result: dict[str, Any]) -> list[str]:
    def show(key: str, form: str = "{:.1f}") -> str:
        return form.format(result[key]) if key in result else "-"

    return [name, show("steps_per_second", "{:,.0f}"), show("milliseconds"), show("environment_ms"), show("act_ms"),
            show("update_ms"), show("update_gflops", "{:.0f}"), show("share_of_peak", "{:.0%}")]  # fmt: skip
