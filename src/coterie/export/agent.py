"""One agent of a trained team as data: its arrays by name, and a document that says what to do with them.

Nothing of another agent goes in: the arrays are those of the agent's own parameter slot, and the only inputs are what
it sees, what it may do and what it remembers. ``forward`` plays the pair; every format is a way to write it down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import PyTree

from coterie.contracts import ActionSpace
from coterie.nets.distributions import ILLEGAL, Gaussian
from coterie.nets.networks import Network
from coterie.training.files import plain
from coterie.value.learner import ValueLearner
from coterie.version import __version__

if TYPE_CHECKING:
    from coterie.api import Run
    from coterie.player import Playing

FORMAT = 1
"""Version of the document."""

_EPSILON = 1e-5
"""What the network's feature norm adds to a variance; were it another, the check of the export would notice."""

Shape = tuple[int, ...]


class AgentPolicy(NamedTuple):
    """A document of JSON data, and the arrays that its layers name."""

    document: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs in order."""
        return [each["name"] for each in self.document["inputs"]]

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs in order."""
        return [each["name"] for each in self.document["outputs"]]


def describe(run: Run, params: PyTree, seed: int, agent: int, sampled: bool) -> AgentPolicy:
    """The policy of one agent.

    Args:
        run: The run, for its learner and its record.
        params: The actors' parameters of one seed, ``[S, ...]``.
        seed: That seed, for the record.
        agent: Which agent.
        sampled: Whether actions are drawn, with the randomness as an input, or greedy.
    """
    learner, spec = run.learner, run.learner.spec
    space = spec.action_spaces[agent]
    inputs, outputs = _signature(space, spec.observation_sizes[agent], learner.recipe.actor.memory, sampled)
    document = {
        "format": FORMAT,
        "coterie": __version__,
        "agent": spec.agents[agent],
        "index": agent,
        "team": list(spec.agents),
        "observation_size": spec.observation_sizes[agent],
        "action_space": {"kind": space.kind, "sizes": space.sizes, "low": space.low, "high": space.high},
        "actions": "sampled" if sampled else "greedy",
        "recipe": run.document["recipe"],
        "game": run.document["game"],
        "seed": seed,
        "inputs": inputs,
        "outputs": outputs,
        "layers": _layers(learner.recipe.actor, _tail(learner, agent), _bounded(learner)),
        "distribution": _distribution(learner, space),
    }
    return AgentPolicy(plain(document), _arrays(learner, params, agent))


def _signature(space: ActionSpace, observed: int, memory: int, sampled: bool) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs, each with its name, dtype and shape; the batch comes first."""
    box, own = space.kind == "continuous", space.legal_shape
    action = () if space.kind == "discrete" else (space.components,)
    inputs = [
        _array("observation", "float32", (observed,)),
        *([] if box else [_array("legal", "bool", own)]),
        *([_array("memory", "float32", (memory,))] if memory else []),
        *([_array("noise", "float32", action)] if sampled else []),
    ]
    outputs = [
        *[_array(name, "float32", own) for name in (("mean", "log_std") if box else ("logits",))],
        _array("action", "float32" if box else "int32", action),
        *([_array("next_memory", "float32", (memory,))] if memory else []),
    ]
    return inputs, outputs


def _array(name: str, dtype: str, shape: Shape) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": ["batch", *shape]}


def _tail(learner: Playing, agent: int) -> list[float]:
    """What the network sees after the agent's own observation: padding, and its index where parameters are shared."""
    spec = learner.spec
    padding = [0.0] * (spec.observation_size - spec.observation_sizes[agent])
    return padding + (np.eye(spec.n_agents)[agent].tolist() if learner.actor.marked else [])


def _bounded(learner: Playing) -> bool:
    """Whether the network puts out actions of a box themselves, bounded by tanh, and not the mean of a policy."""
    return isinstance(learner, ValueLearner) and isinstance(learner.family, Gaussian)


def _layers(network: Network, tail: list[float], bounded: bool) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = [{"kind": "append", "values": tail}] if tail else []
    if network.norm:
        layers.append({"kind": "norm", "name": "norm", "epsilon": _EPSILON})
    dense = {"kind": "dense", "activation": network.activation}
    layers += [{**dense, "name": f"encoder_{i}"} for i in range(len(network.encoder))]
    if network.memory:
        layers.append({"kind": "memory", "name": "memory"})
    layers += [{**dense, "name": f"head_{i}"} for i in range(len(network.head))]
    return [*layers, {"kind": "dense", "activation": "tanh" if bounded else "none", "name": "output"}]


def _distribution(learner: Playing, space: ActionSpace) -> dict[str, Any]:
    if isinstance(learner.family, Gaussian):
        return {"kind": "normal", "squash": learner.family.squash, "low": space.low, "high": space.high}
    return {"kind": "choices", "padded": learner.family.legal_shape, "sizes": space.sizes, "illegal": ILLEGAL}


def _arrays(learner: Playing, params: PyTree, agent: int) -> dict[str, np.ndarray]:
    """The agent's slot under the names of the network's layers, without the value of a critic that shares the trunk."""
    slot = learner.actor.layout.slot_of[agent]
    arrays = {
        f"{layer}.{part}": np.array(leaf[slot], np.float32)
        for layer, own in params["net"].items()
        for part, leaf in own.items()
    }
    for part in ("output.weight", "output.bias"):
        arrays[part] = np.ascontiguousarray(arrays[part][..., : learner.family.size])
    if "log_std" in params:
        arrays["log_std"] = np.array(params["log_std"][slot], np.float32)
    elif isinstance(learner, ValueLearner) and _bounded(learner):
        arrays["log_std"] = np.full(learner.family.size, learner.log_std, np.float32)
    return arrays
