"""Off-policy learning in one compiled program beside the same learner driven from a Python loop.

    python benchmarks/value_speed.py

Three-agent ``particle/spread``, agents with a GRU of 64 units, 8 environments of 25 steps an iteration, 32 sequences a
gradient step, after the warm-up; one gradient step an iteration, as parallel PyMARL takes one for each batch of
episodes, and eight. The loops do the same work with the same functions: a Python loop calls a compiled ``act`` and a
compiled step, of one environment after another (``plain``) or of all at once (``batched``), restarts finished episodes,
puts the rollout together, and calls the compiled update with the replay donated. The compiled program runs on one
device of the CPU, as ``coterie train`` does by default, and on two, as with ``--devices 2``: half of the environments,
of the replay and of every gradient step's sequences on each. All may use both cores. Medians of repetitions in turn; a
ratio is the median of the rounds' ratios to the program on one device or on two. Writes
``benchmarks/results/value_speed.json``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from coterie import catalogue
from coterie.compiled import cache
from coterie.contracts import Game, Rollout
from coterie.training.collect import where_row
from coterie.training.engine import Loop, advance, begin, place
from coterie.training.files import plain, write_json
from coterie.value.learner import ValueLearner

FILE = Path(__file__).parent / "results" / "value_speed.json"
SIZES = {"memory": 64, "environments": 8, "rollout": 25, "replay.warmup": 200}
UPDATES = (1, 8)
PROGRAMS = {"one device": 1, "two devices": 2}


class Naive:
    """The usual loop: Python steps compiled functions, all environments at once or one after another."""

    def __init__(self, game: Game, learner: ValueLearner, loop: Loop, batched: bool) -> None:
        self.learner, self.state, self.key, self.batched = learner, loop.learner, loop.key, batched
        self.act = jax.jit(learner.act)
        self.one, self.all = jax.jit(game.step), jax.jit(jax.vmap(game.step))
        self.reset = jax.jit(jax.vmap(game.reset))
        self.learn = jax.jit(learner.learn, donate_argnums=0)
        self.restart = jax.jit(where_row)
        count = learner.sizes.environments
        self.inside, self.seen = self.reset(jax.random.split(self.key, count))
        self.carry: Any = learner.carry(count)
        self.opens: Any = np.ones(count, bool)

    def step(self, keys: Any, inside: Any, action: Any) -> Any:
        """A step of every environment."""
        if self.batched:
            return self.all(keys, inside, action)
        row = lambda tree, e: jax.tree.map(lambda x: x[e], tree)  # noqa: E731
        each = [self.one(keys[e], row(inside, e), action[e]) for e in range(len(action))]
        return jax.tree.map(lambda *x: np.stack(x), *each)

    def iteration(self) -> None:
        """Collect and learn once."""
        count, steps, _ = self.learner.sizes
        start, rows = self.carry, []
        for _ in range(steps):
            self.key, act_key, step_key, reset_key = jax.random.split(self.key, 4)
            move = self.act(self.state, self.carry, self.seen, act_key)
            inside, final, outcome = self.step(jax.random.split(step_key, count), self.inside, move.action)
            done = np.asarray(outcome.terminated | outcome.truncated)
            latent, log_prob, behaviour = move.extras
            rows.append(Rollout(self.seen, final, latent, log_prob, behaviour, outcome.reward, outcome.terminated,
                                outcome.truncated, self.opens, ()))  # fmt: skip
            self.inside, self.seen, self.carry, self.opens = inside, final, move.carry, done
            if done.any():
                fresh = self.reset(jax.random.split(reset_key, count))
                old = (self.inside, self.seen, self.carry)
                new = (*fresh, self.learner.carry(count))
                self.inside, self.seen, self.carry = self.restart(jnp.asarray(done), new, old)
        whole: Any = jax.tree.map(lambda *x: jnp.asarray(np.stack([np.asarray(y) for y in x])), *rows)
        rollout = whole._replace(carry=jax.tree.map(lambda h: h[None], start))
        self.key, learn_key = jax.random.split(self.key)
        self.state, metrics = self.learn(self.state, rollout, learn_key)
        jax.block_until_ready(metrics)


def seconds(run: Any, iterations: int) -> float:
    """Of one iteration, in the mean of ``iterations``."""
    clock = time.perf_counter()
    run()
    return (time.perf_counter() - clock) / iterations


def measure(name: str, updates: int, rounds: int, iterations: int) -> dict[str, Any]:
    """Steps and gradient steps per second of all loops, and how much longer each takes than the compiled one."""
    game = catalogue.jittable("particle/spread")
    recipe = catalogue.recipe(name, {**SIZES, "updates": updates})
    learner: Any = catalogue.learner(recipe, game.spec)
    fresh = lambda: begin(game, learner, (0,))  # noqa: E731
    first = lambda: jax.tree.map(lambda x: jnp.array(x[0]), fresh())  # noqa: E731
    plain_loop, batched_loop = (Naive(game, learner, first(), batched) for batched in (False, True))
    held = {devices: place(fresh(), learner, devices) for devices in PROGRAMS.values()}

    def compiled(devices: int) -> None:
        held[devices], metrics = advance(game, learner, held[devices], iterations, "map", devices)
        jax.block_until_ready(metrics)

    def python(loop: Naive) -> None:
        for _ in range(iterations):
            loop.iteration()

    runs = {name: partial(compiled, devices) for name, devices in PROGRAMS.items()}
    runs |= {"batched": partial(python, batched_loop), "plain": partial(python, plain_loop)}
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run, iterations))
    steps = learner.sizes.environments * learner.sizes.rollout
    found: dict[str, Any] = {"updates_per_iteration": updates, "replay_bytes": learner.footprint}
    for name, each in times.items():
        middle = statistics.median(each)
        found[name] = {"steps_per_second": steps / middle, "updates_per_second": updates / middle}
        found[name]["ratio"] = {
            program: statistics.median(a / b for a, b in zip(each, times[program], strict=True)) for program in PROGRAMS
        }
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--iterations", type=int, default=40)
    given = parser.parse_args()
    cache()
    rows = {}
    for name in ("vdn", "qmix"):
        for updates in UPDATES:
            found = measure(name, updates, given.rounds, given.iterations)
            rows[f"{name}, {updates} updates"] = found
            print(name, updates, found, flush=True)
    write_json(FILE, plain({"sizes": SIZES, "rounds": given.rounds, "iterations": given.iterations, "rows": rows}))


if __name__ == "__main__":
    main()
