"""The spaces of a JaxMARL environment as a spec, and its dictionaries of agents as padded arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from coterie.contracts import ActionSpace
from coterie.errors import CoterieError

STATE = "world_state"
"""Under this name some environments return a global state beside the observations."""


def action_space(agent: str, space: Any) -> ActionSpace:
    """An action space of JaxMARL.

    Raises:
        CoterieError: Neither discrete, multi-discrete nor a flat box with finite bounds.
    """
    kind = type(space).__name__
    if kind == "Discrete":
        return ActionSpace.discrete(int(space.n))
    if kind == "MultiDiscrete":
        return ActionSpace.multi_discrete(tuple(int(n) for n in np.asarray(space.num_categories)))
    if kind == "Box" and len(space.shape) == 1:
        low, high = (np.broadcast_to(np.asarray(bound, float), space.shape) for bound in (space.low, space.high))
        if np.isfinite(low).all() and np.isfinite(high).all():
            return ActionSpace.continuous(tuple(low.tolist()), tuple(high.tolist()))
    raise CoterieError(
        f"the actions of {agent} are a {kind} space, which cannot be batched: give a Discrete or MultiDiscrete space, "
        "or a one-dimensional Box with finite bounds"
    )


def observation_sizes(name: str, seen: Any, agents: Sequence[str]) -> tuple[int, ...]:
    """Numbers in each agent's observation, from the shapes that a reset returns.

    Raises:
        CoterieError: The observations are not one array under each agent's name.
    """
    if not isinstance(seen, Mapping) or any(agent not in seen for agent in agents):
        raise CoterieError(
            f"{name} does not return a dictionary with an observation for each of {', '.join(map(str, agents))}: "
            "wrap it so that it does"
        )
    parts = {agent: jax.tree.leaves(seen[agent]) for agent in agents}
    odd = [agent for agent, leaves in parts.items() if len(leaves) != 1]
    if odd:
        raise CoterieError(
            f"the observation of {odd[0]} has {len(parts[odd[0]])} arrays, which cannot be batched: wrap {name} "
            "so that it is one array"
        )
    return tuple(math.prod(parts[agent][0].shape) for agent in agents)


def local_of(seen: Mapping[str, Array], agents: Sequence[str], width: int) -> Float[Array, "N O"]:
    """Each agent's observation as a row, padded with zeros to ``width``."""
    rows = [jnp.ravel(seen[agent]).astype(jnp.float32) for agent in agents]
    return jnp.stack([jnp.pad(row, (0, width - row.size)) for row in rows])


def state_of(seen: Mapping[str, Array], agents: Sequence[str]) -> Float[Array, " S"]:
    """The environment's own global state where it returns one, else all observations in a row."""
    parts = [seen[STATE]] if STATE in seen else [seen[agent] for agent in agents]
    return jnp.concatenate([jnp.ravel(part).astype(jnp.float32) for part in parts])


def legal_of(masks: Mapping[str, Array], agents: Sequence[str], width: int) -> Bool[Array, "N A"]:
    """Masks of discrete actions as rows, padded with illegal choices to ``width``."""
    rows = [jnp.ravel(masks[agent]).astype(bool) for agent in agents]
    return jnp.stack([jnp.pad(row, (0, width - row.size)) for row in rows])


def actions_for(action: Array, agents: Sequence[str], spaces: Sequence[ActionSpace]) -> dict[str, Array]:
    """Padded joint actions as a dictionary, each of its agent's own size."""
    rows = zip(agents, spaces, strict=True)
    if spaces[0].kind == "discrete":
        return {agent: action[i] for i, (agent, _) in enumerate(rows)}
    return {agent: action[i, : space.components] for i, (agent, space) in enumerate(rows)}


def settled(state: PyTree) -> PyTree:
    """A state whose leaves are arrays, numbers of Python among them."""
    return jax.tree.map(jnp.asarray, state)
