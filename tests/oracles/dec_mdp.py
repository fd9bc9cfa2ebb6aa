"""A small tabular Dec-MDP solved exactly: returns, advantages and state distributions of softmax policies.

``logits`` is ``[N, S, A]``; joint actions are enumerated, and all arrays are float64 (inside ``jax.enable_x64``).
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np


class DecMdp:
    """Random transitions and rewards of either sign, full observation, ``agents`` agents of ``actions`` actions."""

    def __init__(self, seed, states=3, agents=2, actions=3, gamma=0.8):
        draw = np.random.default_rng(seed)
        self.joint = np.array(list(itertools.product(range(actions), repeat=agents)))
        self.transition = jnp.asarray(draw.dirichlet(np.full(states, 0.3), (states, len(self.joint))))
        self.reward = jnp.asarray(draw.normal(size=(states, len(self.joint))))
        self.start = jnp.asarray(draw.dirichlet(np.ones(states)))
        self.states, self.agents, self.actions, self.gamma = states, agents, actions, gamma

    def logits(self, seed):
        return jnp.asarray(np.random.default_rng(seed).normal(size=(self.agents, self.states, self.actions)))

    def log_probs(self, logits):
        """``[S, joint, N]``: each agent's log-probability of its part of each joint action."""
        log_p = jax.nn.log_softmax(logits, axis=-1)
        return jnp.stack([log_p[i][:, self.joint[:, i]] for i in range(self.agents)], axis=-1)

    def policy(self, logits):
        """``[S, joint]``."""
        return jnp.exp(self.log_probs(logits).sum(-1))

    def _solved(self, logits):
        pi = self.policy(logits)
        step = jnp.einsum("sa,sap->sp", pi, self.transition)
        return pi, jnp.eye(self.states) - self.gamma * step, (pi * self.reward).sum(1)

    def value(self, logits):
        _, system, reward = self._solved(logits)
        return jnp.linalg.solve(system, reward)

    def objective(self, logits):
        """J, the expected discounted return."""
        return self.start @ self.value(logits)

    def advantage(self, logits):
        """``[S, joint]``."""
        value = self.value(logits)
        return self.reward + self.gamma * self.transition @ value - value[:, None]

    def occupancy(self, logits):
        """The normalised discounted state distribution, (1 - gamma) sum_t gamma^t P_t."""
        _, system, _ = self._solved(logits)
        return (1 - self.gamma) * jnp.linalg.solve(system.T, self.start)
