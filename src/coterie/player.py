"""One agent of a trained team, alone: what is deployed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray, PyTree

from coterie.contracts import CoterieError, Observation
from coterie.policy.learner import PolicyLearner
from coterie.value.learner import ValueLearner

Playing = PolicyLearner | ValueLearner
"""A learner of either kind."""


@partial(jax.jit, static_argnums=5)
def _decide(
    learner: Playing, params: PyTree, carry: PyTree, seen: Observation, key: PRNGKeyArray, greedy: bool
) -> tuple[Any, PyTree]:
    return learner.play(params, greedy).act(carry, seen, key)


@dataclass(frozen=True)
class Policy:
    """One agent's decentralised policy: it sees that agent's local observation (and its own memory) only."""

    learner: Playing
    params: PyTree
    agent: int

    def start(self) -> PyTree:
        """The memory at the start of an episode, ``[H]``; empty if the policy has none."""
        return jax.tree.map(lambda h: h[0, self.agent], self.learner.carry(1))

    def __call__(
        self, observation: Any, memory: PyTree = None, legal: Any = None, key: PRNGKeyArray | None = None
    ) -> Any:
        """The action for one local observation: greedy, or sampled if a key is given.

        Args:
            observation: What the agent sees, ``[O_i]`` (or padded, ``[O]``).
            memory: Of a recurrent policy: what the last call returned, ``start()`` at first.
            legal: Which choices are legal now, ``[A_i]`` or padded (``[D, A]`` where an action has components).
            key: Draws the action.

        Returns:
            The action; with a memory ``(action, memory)``.

        Raises:
            CoterieError: An array of another shape, or a recurrent policy without its memory.
        """
        learner, spec, agent = self.learner, self.learner.spec, self.agent
        carry = learner.carry(1)
        if memory is None and jax.tree.leaves(carry):
            raise CoterieError("this policy is recurrent: give memory=policy.start() first, then what it returned")
        if memory is not None:
            carry = jax.tree.map(lambda h, own: h.at[0, agent].set(own), carry, memory)
        n = spec.n_agents
        local = np.zeros((1, n, spec.observation_size), np.float32)
        size = self._fitting("observation", observation, (spec.observation_sizes[agent],), (spec.observation_size,))
        local[0, agent, : size.shape[0]] = size
        mask = np.array(spec.legal)[None]
        if legal is not None:
            own = spec.action_spaces[agent].legal_shape
            given = np.zeros(mask.shape[2:], bool)
            fits = self._fitting("legal", legal, own, given.shape)
            given[*(slice(length) for length in fits.shape)] = fits.astype(bool)
            real = tuple(slice(length) for length in own)
            mask[0, agent][real] &= given[real]
        state = np.zeros((1, spec.state_size), np.float32)
        seen = Observation(*map(jnp.asarray, (local, state, mask, np.ones((1, n), bool))))
        draw = jax.random.key(0) if key is None else key
        actions, carry = _decide(learner, self.params, carry, seen, draw, key is None)
        action = actions[0, agent]
        own = action[: spec.action_spaces[agent].components] if action.ndim else action
        return own if memory is None else (own, jax.tree.map(lambda h: h[0, agent], carry))

    def _fitting(self, name: str, value: Any, true: tuple[int, ...], padded: tuple[int, ...]) -> np.ndarray:
        array = np.asarray(value, np.float32)
        if array.shape not in (true, padded):
            agent = self.learner.spec.agents[self.agent]
            raise CoterieError(f"{name} of {agent} has shape {array.shape}: give {true}, or {padded} with padding")
        return array
