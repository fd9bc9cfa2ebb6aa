"""Learnt policies at play."""

from __future__ import annotations

from typing import Protocol

import equinox as eqx
from jaxtyping import Array, PRNGKeyArray, PyTree

from coterie.contracts import Observation
from coterie.nets.distributions import Categorical, Gaussian


class Player(Protocol):
    """What a team needs of its learner."""

    @property
    def family(self) -> Categorical | Gaussian:
        """The action distribution."""
        ...

    def carry(self, environments: int) -> PyTree:
        """The recurrent state at the start of an episode."""
        ...

    def distribution(self, params: PyTree, carry: PyTree, observation: Observation) -> tuple[PyTree, PyTree]:
        """Distribution parameters of one step, and the next carry."""
        ...


class PolicyTeam(eqx.Module):
    """The decentralised policies of a training state, playing greedily or by sampling."""

    learner: Player
    params: PyTree
    greedy: bool = eqx.field(static=True)

    def carry(self, environments: int) -> PyTree:
        """The recurrent state at the start of an episode."""
        return self.learner.carry(environments)

    def act(self, carry: PyTree, observation: Observation, key: PRNGKeyArray) -> tuple[Array, PyTree]:
        """Actions ``[E, N, ...]`` and the next carry."""
        params, carry = self.learner.distribution(self.params, carry, observation)
        dist = self.learner.family
        latent = dist.mode(params) if self.greedy else dist.sample(key, params)
        return dist.action(latent), carry
