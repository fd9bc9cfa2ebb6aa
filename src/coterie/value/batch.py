"""What one gradient step sees: sequences out of the replay, time first as networks want them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from coterie.contracts import Observation, Rollout, Spec


class Sequences(NamedTuple):
    """``R`` sequences of ``L`` steps: in a batch ``[L, R, ...]``, in the replay ``[E, places, L, ...]``.

    ``final`` is the observation that each step led to, before any reset. ``carry`` is the agents' memory before the
    first step, ``[R, N, H]``. ``mercy`` is what a lenient weighting leaves of each bad outcome, ``[L, R, M]`` or empty.
    """

    observation: Observation
    final: Observation
    action: Array
    reward: Float[Array, "L R N"]
    terminated: Bool[Array, "L R"]
    truncated: Bool[Array, "L R"]
    reset: Bool[Array, "L R"]
    carry: PyTree
    mercy: PyTree

    @property
    def ends(self) -> Bool[Array, "L R"]:
        """Where an episode ends, for whatever reason."""
        return self.terminated | self.truncated


def blank(spec: Spec, length: int, carry: PyTree, kept: int) -> Sequences:
    """A sequence ``[L, ...]`` of nothing: shapes and dtypes; ``kept`` is the M of what leniency leaves, 0 for none."""
    n, lead = spec.n_agents, (length,)
    seen = Observation(
        jnp.zeros((*lead, n, spec.observation_size)), jnp.zeros((*lead, spec.state_size)),
        jnp.zeros((*lead, n, *spec.legal_shape), bool), jnp.zeros((*lead, n), bool),
    )  # fmt: skip
    kind, still = jnp.float32 if spec.action_kind == "continuous" else jnp.int32, jnp.zeros(lead, bool)
    action, reward = jnp.zeros((*lead, n, *spec.action_shape), kind), jnp.zeros((*lead, n))
    mercy = jnp.zeros((*lead, kept)) if kept else ()
    return Sequences(seen, seen, action, reward, still, still, still, carry, mercy)


def cut(rollout: Rollout, mercy: PyTree, length: int) -> Sequences:
    """A rollout ``[T, E, ...]`` as sequences ``[E, T / L, L, ...]``."""

    def pieces(x: Array) -> Array:
        steps, environments = x.shape[:2]
        return jnp.moveaxis(x.reshape(steps // length, length, environments, *x.shape[2:]), 2, 0)

    whole = Sequences(
        rollout.observation, rollout.final, rollout.action, rollout.reward, rollout.terminated, rollout.truncated,
        rollout.reset, (), mercy,
    )  # fmt: skip
    return jax.tree.map(pieces, whole)._replace(carry=jax.tree.map(lambda h: jnp.swapaxes(h, 0, 1), rollout.carry))


def together(drawn: Sequences) -> Sequences:
    """Drawn sequences ``[R, L, ...]`` as a batch ``[L, R, ...]``."""
    return jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), drawn._replace(carry=()))._replace(carry=drawn.carry)
