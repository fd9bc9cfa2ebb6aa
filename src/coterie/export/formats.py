"""The three ways to write one agent's policy down, and how each is read back and played."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from coterie.contracts import CoterieError
from coterie.export.agent import AgentPolicy
from coterie.export.forward import forward
from coterie.extras import require
from coterie.training.files import load_arrays, save_arrays, write_bytes, write_json

Step = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
"""One step of a batch, from named inputs to named outputs."""

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
"""Where a StableHLO file can be played."""

OPSET = 21
"""Version of ONNX's operators: not the converter's latest, so that runtimes from before it play the files too."""


class Format(NamedTuple):
    """A format: the ending of its files, how to write one, and how to open it as a step."""

    suffix: str
    write: Callable[[Path, AgentPolicy], None]
    open: Callable[[Path], Step]


def _traceable(policy: AgentPolicy) -> Callable[..., tuple[Any, ...]]:
    """The policy over ``jax.numpy``: inputs and outputs by position."""

    def step(*arrays: Any) -> tuple[Any, ...]:
        given = dict(zip(policy.inputs, arrays, strict=True))
        # Accelerators may multiply with fewer bits by default, and a file should not depend on who made it.
        with jax.default_matmul_precision("highest"):
            found = forward(jnp, policy.document, policy.arrays, given)
        return tuple(found[name] for name in policy.outputs)

    return step


def _shapes(policy: AgentPolicy, batch: Any) -> list[jax.ShapeDtypeStruct]:
    each = policy.document["inputs"]
    return [jax.ShapeDtypeStruct((batch, *one["shape"][1:]), np.dtype(one["dtype"])) for one in each]


def _write_safetensors(path: Path, policy: AgentPolicy) -> None:
    save_arrays(path, policy.arrays, policy.document)


def _open_safetensors(path: Path) -> Step:
    arrays, document = load_arrays(path)
    return lambda inputs: forward(np, document, arrays, inputs)


@contextmanager
def _anonymous() -> Iterator[None]:
    """Leave out which file and line an operation came from: a file would tell where its maker's Python is installed.

    JAX has no other switch for it than this setting, so it is put back at once.
    """
    name = "jax_traceback_in_locations_limit"
    before = jax.config.values[name]
    jax.config.update(name, 0)
    try:
        yield
    finally:
        jax.config.update(name, before)


def _write_stablehlo(path: Path, policy: AgentPolicy) -> None:
    from jax import export

    (batch,) = export.symbolic_shape("batch")
    with _anonymous():
        exported = export.export(jax.jit(_traceable(policy)), platforms=PLATFORMS)(*_shapes(policy, batch))
    write_bytes(path, bytes(exported.serialize()))
    write_json(path.with_suffix(".json"), policy.document)


def _open_stablehlo(path: Path) -> Step:
    from jax import export

    document = json.loads(path.with_suffix(".json").read_bytes())
    played = jax.jit(export.deserialize(bytearray(path.read_bytes())).call)
    inputs, outputs = ([each["name"] for each in document[side]] for side in ("inputs", "outputs"))

    def step(given: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        found = played(*(given[name] for name in inputs))
        return {name: np.asarray(x) for name, x in zip(outputs, found, strict=True)}

    return step


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter's log to those who have set up logging; it would set it up itself where nobody has."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        yield
    finally:
        root.removeHandler(silent)


def _write_onnx(path: Path, policy: AgentPolicy) -> None:
    require("onnxruntime", "onnx")  # first of all: jax2onnx needs it too
    onnx, name = require("onnx", "onnx"), policy.document["agent"]
    try:
        with _quiet():
            convert = require("jax2onnx", "onnx").to_onnx
            model = convert(_traceable(policy), _shapes(policy, "batch"), model_name=name, opset=OPSET)
    except NotImplementedError as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise CoterieError(
            f"jax2onnx cannot convert the policy of {name} ({reason}): choose safetensors or stablehlo"
        ) from error
    _rename(model.graph, policy)
    onnx.helper.set_model_props(model, {"coterie": json.dumps(policy.document, sort_keys=True)})
    model.doc_string = f"The policy of {name}, a function of what it alone sees; the rest is under coterie."
    write_bytes(path, model.SerializeToString(deterministic=True))


def _rename(graph: Any, policy: AgentPolicy) -> None:
    """Give the graph's inputs and outputs the names of the document."""
    sides = ((graph.input, policy.inputs), (graph.output, policy.outputs))
    names = {one.name: name for side, given in sides for one, name in zip(side, given, strict=True)}
    for one in (*graph.input, *graph.output, *graph.value_info):
        one.name = names.get(one.name, one.name)
    for node in graph.node:
        for side in (node.input, node.output):
            side[:] = [names.get(one, one) for one in side]


def _open_onnx(path: Path) -> Step:
    runtime = require("onnxruntime", "onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [each.name for each in session.get_outputs()]
    return lambda inputs: dict(zip(outputs, session.run(None, dict(inputs)), strict=True))


FORMATS = {
    "onnx": Format(".onnx", _write_onnx, _open_onnx),
    "safetensors": Format(".safetensors", _write_safetensors, _open_safetensors),
    "stablehlo": Format(".stablehlo", _write_stablehlo, _open_stablehlo),
}
"""The formats by name."""
