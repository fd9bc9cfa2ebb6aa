"""Milliseconds of one gradient of a network: what the hand-written backward pass, chunks and blocks of rows give.

    python benchmarks/nets.py --repeats 21

Alternatives are timed in turns, so that a busy neighbour slows all of them alike; a cell is the median and, in
brackets, the least of the repetitions. Each repetition takes four gradient steps in one compiled program, so that
buffers are allocated once, as in training. Prints the tables of ``docs/performance_notes_nets.md`` and writes them to
``benchmarks/results/nets.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from coterie.nets import networks
from coterie.nets.networks import Network
from coterie.nets.recurrent import gru

RESULTS = Path(__file__).parent / "results" / "nets.json"
STEPS = 4
INPUTS, OUTPUTS = 18, 5
Apply = Callable[[PyTree, PyTree, Array, Array], Array]


def plain_gru(
    x: Float[Array, "L R 3H"], reset: Bool[Array, "L R"], carry: Array, weight: Array, bias: Array
) -> Float[Array, "L R H"]:
    """The same recurrence for automatic differentiation."""
    size = carry.shape[-1]

    def step(h, now):
        x, reset = now
        h = jnp.where(reset[:, None], 0.0, h)
        projected = h @ weight
        gates = jax.nn.sigmoid(x[:, : 2 * size] + projected[:, : 2 * size])
        r, z = gates[:, :size], gates[:, size:]
        n = jnp.tanh(x[:, 2 * size :] + r * (projected[:, 2 * size :] + bias))
        h = n + z * (h - n)
        return h, h

    return jax.lax.scan(step, carry, (x, reset))[1]


def sequence(net: Network, params: PyTree, carry: PyTree, x: Array, reset: Array) -> Array:
    """The network over the whole sequence: input projections hoisted out of the loop."""
    return net.apply(params, carry, x, reset)[0]


def stepwise(net: Network, params: PyTree, carry: PyTree, x: Array, reset: Array) -> Array:
    """The whole network inside the scan over time."""

    def step(h, now):
        y, memory = net.apply(params, h, now[0][None], now[1][None])
        return memory[0], y[0]

    return jax.lax.scan(step, carry, (x, reset))[1]


def trainer(apply: Apply, block: int | None = None) -> Callable[[PyTree, PyTree, Array, Array, Array], PyTree]:
    """Gradient steps on a squared error, over all rows at once or summed over blocks of them."""

    def loss(params, carry, x, reset, target):
        return jnp.sum((apply(params, carry, x, reset) - target) ** 2)

    def gradient(params, carry, x, reset, target):
        if block is None:
            return jax.grad(loss)(params, carry, x, reset, target)
        cut = lambda a: a.reshape(1, -1, block, *a.shape[2:]).swapaxes(0, 1)  # noqa: E731
        add = lambda total, rows: (jax.tree.map(jnp.add, total, jax.grad(loss)(params, carry, *rows)), None)  # noqa: E731
        return jax.lax.scan(add, jax.tree.map(jnp.zeros_like, params), (cut(x), cut(reset), cut(target)))[0]

    def run(params, carry, x, reset, target):
        def step(params, _):
            slope = gradient(params, carry, x, reset, target)
            return jax.tree.map(lambda p, g: p - 1e-7 * g, params, slope), None

        return jax.lax.scan(step, params, None, length=STEPS)[0]

    return run


def compiled(run: Callable[..., PyTree], data: tuple, recurrence: Callable[..., Array]) -> Callable[..., PyTree]:
    """Compile ``run`` with ``recurrence`` as the network's memory; a ``run`` traced before would keep its own."""
    networks.gru = recurrence
    try:
        return jax.jit(run).lower(*data).compile()
    finally:
        networks.gru = gru


def race(runs: dict[str, Callable[..., PyTree]], data: tuple, repeats: int) -> dict[str, str]:
    """Milliseconds per gradient step of each alternative, in turns: "median (least)"."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run(*data))
            if turn > 0:
                times[name].append((time.perf_counter() - start) * 1e3 / STEPS)
    return {name: f"{np.median(taken):.2f} ({min(taken):.2f})" for name, taken in times.items()}


def problem(net: Network, length: int, rows: int) -> tuple:
    """Parameters, carry, inputs, resets (4 % of the steps) and targets."""
    draw = np.random.default_rng(0)
    x = jnp.asarray(draw.standard_normal((length, rows, INPUTS)), jnp.float32)
    target = jnp.asarray(draw.standard_normal((length, rows, OUTPUTS)), jnp.float32)
    reset = jnp.asarray(draw.random((length, rows)) < 0.04)
    return net.init(jax.random.key(0), INPUTS, OUTPUTS, 0.01), net.carry(rows), x, reset, target


def table(rows: list[dict[str, str]]) -> None:
    """Print one table in Markdown."""
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(row.values()) + " |")
    print(flush=True)


def recurrent(repeats: int) -> list[dict[str, str]]:
    """Encoder 128 (relu), GRU 128, dense 128, 5 outputs."""
    net, rows = Network((128,), 128, (128,), "relu"), []
    for length, width in ((128, 12), (128, 24), (32, 96), (16, 192), (25, 96)):
        data = problem(net, length, width)
        runs = {
            "all inside the scan": compiled(trainer(partial(stepwise, net)), data, plain_gru),
            "hoisted, automatic": compiled(trainer(partial(sequence, net)), data, plain_gru),
            "hoisted, own backward": compiled(trainer(partial(sequence, net)), data, gru),
        }
        rows.append({"L": str(length), "R": str(width), **race(runs, data, repeats)})
    return rows


def forward(repeats: int) -> list[dict[str, str]]:
    """The recurrence alone, forward: four passes over one sequence."""
    rows = []
    for length, width in ((128, 12), (128, 24), (32, 96), (16, 192)):
        draw = np.random.default_rng(0)
        x = jnp.asarray(draw.standard_normal((length, width, 384)), jnp.float32)
        weight = jnp.asarray(draw.standard_normal((128, 384)) / 12, jnp.float32)
        data = (x, jnp.zeros((length, width), bool), jnp.zeros((width, 128)), weight, jnp.zeros(128))

        def repeat(f, x, reset, h, weight, bias):
            return jax.lax.scan(lambda h, _: (f(x, reset, h, weight, bias)[-1], None), h, None, length=STEPS)[0]

        runs = {
            "one slice in the loop": jax.jit(partial(repeat, plain_gru)),
            "gates cut before it": jax.jit(partial(repeat, gru)),
        }
        rows.append({"L": str(length), "R": str(width), **race(runs, data, repeats)})
    return rows


def feed_forward(repeats: int) -> list[dict[str, str]]:
    """Dense 64, 64, 5 outputs: activations and blocks of rows."""
    rows = []
    for width in (512, 1024, 2048, 4096, 8192):
        data = problem(Network(), 1, width)
        runs = {kind: jax.jit(trainer(partial(sequence, Network(activation=kind)))) for kind in networks._ACTIVATIONS}
        for block in (256, 1024, 2048):
            name = f"tanh, blocks of {block}"
            runs[name] = jax.jit(trainer(partial(sequence, Network()), min(block, width)))
        rows.append({"rows": str(width), **race(runs, data, repeats)})
    return rows


def main() -> None:
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11, help="repetitions of each cell")
    repeats = parser.parse_args().repeats
    tables = {}
    for part in (recurrent, forward, feed_forward):
        print(f"{part.__doc__}\n")
        tables[part.__name__] = part(repeats)
        table(tables[part.__name__])
    RESULTS.write_text(json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
