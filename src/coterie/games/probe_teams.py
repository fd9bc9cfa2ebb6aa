"""Probe games about what teams are made of: memory, mixed teams and deaths, boxes, several action components."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from coterie.contracts import ActionSpace, Observation, Spec
from coterie.games.options import whole_at_least
from coterie.games.probe_game import ProbeGame, ProbeState, alike, all_see

ILLEGAL = -10.0
"""What a mixed team is paid for an action that it was told not to choose."""

_MIXED_LEGAL = (((1, 1, 0, 0), (0, 1, 1, 0)), ((1, 0, 0, 0), (0, 1, 1, 1)))
"""Legal actions of scout and worker at step 0, and later."""


def _bit(state: ProbeState) -> Array:
    return (state.cue > 0).astype(jnp.int32)


@dataclass(frozen=True)
class MemoryRule:
    """A cue at step 0; ``delay`` steps later it is asked for, and the share of agents that name it is paid.

    Agents see (cue or 0, whether asked); the state (cue, time / delay) does not forget. With memory
    V(t) = gamma^(delay - t); without it no team gets more than 1/2 on average.
    """

    agents: int
    delay: int
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        return alike(self.agents, 2, ActionSpace.discrete(2), self.delay + 1, 1.0)

    def observe(self, state: ProbeState) -> Observation:
        """The cue at first, then nothing until the question."""
        start, asked = state.time == 0, (state.time == self.delay).astype(state.cue.dtype)
        seen = all_see(self.spec, jnp.stack([jnp.where(start, state.cue, 0.0), asked]))
        return seen._replace(state=jnp.stack([state.cue, state.time.astype(state.cue.dtype) / self.delay]))

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """The share of right answers when asked."""
        right = (action == _bit(state)).astype(state.cue.dtype).mean()
        return jnp.where(state.time == self.delay, right, 0.0)

    def best(self, state: ProbeState) -> Array:
        """The cue's action, 0 or 1."""
        return jnp.broadcast_to(_bit(state), (self.agents,))

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """Discounted once for each step before the question."""
        return jnp.ones_like(state.cue) * gamma ** (self.delay - state.time)


@dataclass(frozen=True)
class MixedRule:
    """A scout (sees 2 numbers, has 2 actions) and a worker (sees 3, has 4), for two steps.

    Step 0 pays 1 if the scout chooses 0 for cue -1 and 1 for cue 1, and the worker 1 or 2 likewise; its actions 0
    and 3 are illegal. The scout then dies: it sees zeros, and action 0 alone is legal. Step 1 pays 1 if the worker
    chooses 3; 0 is illegal. Whatever is illegal pays -10. V(0) = 1 + gamma and V(1) = 1.
    """

    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        names, spaces = ("scout", "worker"), (ActionSpace.discrete(2), ActionSpace.discrete(4))
        return Spec(names, names, (2, 3), spaces, state_size=2, horizon=2, optimum=2.0)

    def observe(self, state: ProbeState) -> Observation:
        """The scout sees (cue, 1) while it lives, the worker (cue, whether step 0, whether later)."""
        start = state.time == 0
        first = start.astype(state.cue.dtype)
        scout = jnp.stack([first * state.cue, first, jnp.zeros_like(first)])
        worker = jnp.stack([state.cue, first, 1 - first])
        legal = jnp.where(start, *(jnp.array(table, bool) for table in _MIXED_LEGAL))
        alive = jnp.stack([start, jnp.ones_like(start)])
        return Observation(jnp.stack([scout, worker]), jnp.stack([state.cue, first]), legal, alive)

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """Whether all living agents are right, or the price of an illegal action."""
        allowed = jnp.take_along_axis(self.observe(state).legal, action[:, None], 1).all()
        right = (action == self.best(state)).all().astype(state.cue.dtype)
        return jnp.where(allowed, right, ILLEGAL)

    def best(self, state: ProbeState) -> Array:
        """The right actions."""
        bit = _bit(state)
        return jnp.where(state.time == 0, jnp.stack([bit, 1 + bit]), jnp.array([0, 3]))

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """One for each step to come, discounted."""
        return jnp.where(state.time == 0, 1 + gamma, jnp.ones_like(state.cue))


@dataclass(frozen=True)
class ContinuousRule:
    """One step in boxes: 1 - mean (a - cue / 2)^2 over all components is paid, so a = cue / 2 earns V(o) = 1.

    Agents with an even number have one component in [-1, 1], the others a second one in [-1, 2]. The observation is
    the cue; actions beyond a box are clipped to it.
    """

    agents: int
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        boxes = ActionSpace.continuous((-1.0,), (1.0,)), ActionSpace.continuous((-1.0, -1.0), (1.0, 2.0))
        same = alike(self.agents, 1, boxes[0], 1, 1.0)
        return replace(same, action_spaces=tuple(boxes[i % 2] for i in range(self.agents)))

    def observe(self, state: ProbeState) -> Observation:
        """The cue."""
        return all_see(self.spec, state.cue[None])

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """One less the mean squared distance from half the cue."""
        low, high = jnp.full_like(action, -1.0), jnp.ones_like(action).at[:, 1:].set(2.0)
        squares = jnp.square(jnp.clip(action, low, high) - state.cue / 2)
        return 1 - squares.mean(where=jnp.asarray(self.spec.legal))

    def best(self, state: ProbeState) -> Array:
        """Half the cue in every component."""
        return jnp.broadcast_to(state.cue / 2, (self.agents, *self.spec.action_shape))

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """1."""
        return jnp.ones_like(state.cue)


@dataclass(frozen=True)
class MultiDiscreteRule:
    """One step with several choices per agent: the share of right components is paid, V(o) = 1 for a best team.

    Agents with an even number have components of 2 and 3 choices, the others one of 3. Right in component d of agent
    i is (b + i + d) mod size, b = 0 for cue -1 and 1 for cue 1; the observation is the cue.
    """

    agents: int
    truncates: bool = False

    @property
    def spec(self) -> Spec:
        """What the game is."""
        spaces = ActionSpace.multi_discrete((2, 3)), ActionSpace.multi_discrete((3,))
        same = alike(self.agents, 1, spaces[0], 1, 1.0)
        return replace(same, action_spaces=tuple(spaces[i % 2] for i in range(self.agents)))

    def observe(self, state: ProbeState) -> Observation:
        """The cue."""
        return all_see(self.spec, state.cue[None])

    def pay(self, state: ProbeState, action: Array) -> Float[Array, ""]:
        """The share of right components, padded ones left out."""
        right = (action == self.best(state)).astype(state.cue.dtype)
        return right.mean(where=self._sizes() > 1)

    def best(self, state: ProbeState) -> Array:
        """The right choice of every component, 0 in padded ones."""
        agent, component = np.indices((self.agents, self.spec.components), np.int32)
        return (_bit(state) + jnp.asarray(agent + component)) % self._sizes()

    def value(self, state: ProbeState, gamma: float) -> Float[Array, ""]:
        """1."""
        return jnp.ones_like(state.cue)

    def _sizes(self) -> Int[Array, "N D"]:
        return jnp.asarray(self.spec.legal.sum(-1), jnp.int32)


def memory(agents: int = 2, delay: int = 2) -> ProbeGame:
    """A cue, ``delay`` steps to remember it, then the share of agents naming it is paid: V(t) = gamma^(delay - t)."""
    whole_at_least("agents", agents, 1)
    whole_at_least("delay", delay, 1)
    return ProbeGame(MemoryRule(agents, delay))


def mixed() -> ProbeGame:
    """A scout that dies and a worker, with illegal actions: V(0) = 1 + gamma and V(1) = 1."""
    return ProbeGame(MixedRule())


def continuous(agents: int = 2) -> ProbeGame:
    """One step in boxes of different sizes: V(o) = 1, earned by half the cue in every component."""
    whole_at_least("agents", agents, 1)
    return ProbeGame(ContinuousRule(agents))


def multi_discrete(agents: int = 2) -> ProbeGame:
    """One step with several choices per agent: V(o) = 1, earned by the right choice in every component."""
    whole_at_least("agents", agents, 1)
    return ProbeGame(MultiDiscreteRule(agents))


GAMES = {
    "probe/memory": memory,
    "probe/mixed": mixed,
    "probe/continuous": continuous,
    "probe/multi_discrete": multi_discrete,
}
"""The games of this file by name."""
