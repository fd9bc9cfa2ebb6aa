"""The replay: a ring of sequences for each environment, in device memory.

One item is a sequence of ``L`` steps (1 where nothing looks beyond a step) with the agents' memory before it. Bytes of
one seed:

    capacity / L * (L * step + memory)

    step   = 2 (4 (N O + S) + N (A + 1)) + 4 N (D + 1) + 3      observations before and after, action, reward, ends
    memory = 4 N H

with ``N`` agents that see ``O`` numbers, ``S`` numbers of state, ``A`` bytes of legal mask and ``D`` numbers of action
of each agent; lenient weightings keep ``4 M`` more for a step.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray, PyTree

from coterie.value.batch import Sequences, together


def _ring() -> Any:
    """flashbax, imported when it is needed: it takes half a second, and policy gradients need none of it."""
    from flashbax.buffers import trajectory_buffer

    return trajectory_buffer


class Replay(eqx.Module):
    """A ring of the last ``capacity`` steps; sequences are drawn from it uniformly, with replacement.

    The ring is flashbax's (Toledo et al. 2023). Recurrent agents go on from the memory that they had when they played
    (stored state: Kapturowski et al. 2019); a sequence that opens with an episode begins at zero.

    Args:
        capacity: Environment steps that are kept, over all environments.
        batch: Sequences of a gradient step.
        warmup: Environment steps before the first gradient step.
    """

    capacity: int = eqx.field(static=True, default=50_000)
    batch: int = eqx.field(static=True, default=128)
    warmup: int = eqx.field(static=True, default=1_000)

    def places(self, environments: int, length: int) -> int:
        """Sequences that the ring of one environment holds."""
        return self.capacity // (environments * length)

    def init(self, example: Sequences, environments: int, length: int) -> PyTree:
        """An empty ring for sequences like ``example`` ``[L, ...]``."""
        return _ring().init(example, environments, self.places(environments, length))

    def add(self, state: Any, new: Sequences) -> PyTree:
        """Put sequences ``[E, places, L, ...]`` in, over the oldest ones."""
        return _ring().add(state, new)

    def sample(self, state: Any, key: PRNGKeyArray, batch: int) -> Sequences:
        """A batch ``[L, R, ...]``."""
        with jax.numpy_rank_promotion("allow"):
            drawn = _ring().sample(state, key, batch, 1, 1).experience
        return together(jax.tree.map(lambda x: x[:, 0], drawn))

    def filled(self, state: Any) -> Array:
        """Share of the ring that is in use."""
        places = jax.tree.leaves(state.experience)[0].shape[1]
        return jnp.where(state.is_full, 1.0, state.current_index / places)

    def per_environment(self) -> PyTree:
        """The prefix tree of a ring: its sequences have a leading axis E."""
        return _ring().TrajectoryBufferState(experience=True, is_full=False, current_index=False)
