"""One PettingZoo ``ParallelEnv`` that writes into arrays of fixed shapes, its promises checked at every step.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from coterie.bridges.layout import Layout, global_state
from coterie.bridges.spaces import MASK, Fault

Reward = Literal["individual", "team", "sum", "mean"]
"""Each agent its own; one that is the same for all; or the agents' sum or mean as the team's."""


class View(NamedTuple):
    """The arrays of one environment that are written in place: ``[N, O]``, ``[S]``, ``[N, D, A]``, ``[N]``."""

    local: np.ndarray
    state: np.ndarray
    legal: np.ndarray
    alive: np.ndarray


class Padded:
    """An environment that writes what it gives into rows of arrays.

    Args:
        env: A ``ParallelEnv``.
        seen: Its layout, as another copy of it gave.
        reward: Whose rewards are the agents'.
        metrics: Names of numbers in the infos to pass on.
    """

    def __init__(self, env: Any, seen: Layout, reward: Reward = "individual", metrics: tuple[str, ...] = ()) -> None:
        self.env, self.layout, self.reward, self.metrics = env, seen, reward, metrics
        self.legal, self.length = seen.legal, 0
        self.places = {agent: i for i, agent in enumerate(seen.agents)}

    def reset(self, seed: int, into: View) -> None:
        """Begin an episode and write its first observation."""
        observations, infos = self.env.reset(seed=seed)
        self.length = 0
        self._write(observations, infos, set(self.env.agents), into)

    def step(self, action: np.ndarray, into: View, reward: np.ndarray, info: np.ndarray) -> tuple[bool, bool]:
        """One step of the agents that are there: writes what it led to, tells ``(terminated, truncated)``."""
        acting, does, chosen = list(self.env.agents), self.layout.acts, {}
        for agent in acting:
            i = self.places[agent]
            mine = action[i]
            chosen[agent] = does[i].action(mine if mine.ndim == 0 else mine[: does[i].components])
        given = self.env.step(chosen)
        if not (isinstance(given, tuple) and len(given) == 5):
            raise Fault("has a step that does not give observations, rewards, terminations, truncations and infos")
        observations, rewards, terminated, truncated, infos = given
        self.length += 1
        # Some environments leave those who are done among their agents.
        there = {agent for agent in self.env.agents if not (terminated.get(agent) or truncated.get(agent))}
        over = not there
        timed = {agent for agent in acting if truncated.get(agent) and not terminated.get(agent)}
        self._write(observations, infos, there | timed if over else there, into, masked=not over)
        self._pay(rewards, acting, reward)
        for i, name in enumerate(self.metrics):
            info[i] = _figure(infos, name)
        late = bool(timed) if over else self.length >= self.layout.horizon
        return over and not late, late

    def _write(self, observations: Mapping, infos: Mapping, there: set, into: View, masked: bool = True) -> None:
        """Observations, masks and state; agents that are not there see zeros and may do all that they can."""
        layout = self.layout
        whole = len(there) == len(layout.agents)
        into.alive[...] = True
        if not whole:
            if unknown := there - self.places.keys():
                raise Fault(f"has an agent {min(map(str, unknown))} that is not in its possible_agents")
            into.local[...] = 0.0
        if layout.mask:
            into.legal[...] = self.legal
        for i, agent in enumerate(layout.agents):
            if not whole and agent not in there:
                into.alive[i] = False
                continue
            if agent not in observations:
                raise Fault(f"gave no observation for {agent}, which is among its agents")
            try:
                into.local[i, : layout.sees[i].size] = layout.sees[i].numbers(observations[agent])
                if masked and layout.mask:
                    self._mask(i, observations[agent], infos.get(agent), into.legal[i])
            except Fault as fault:
                raise Fault(f"{fault} (agent {agent})") from None
        if layout.own_state:
            state = global_state(self.env)
            if state is None or state.size != into.state.size:
                size = 0 if state is None else state.size
                raise Fault(f"gave a state of {size} numbers where it had {into.state.size} at first")
            into.state[...] = state

    def _mask(self, i: int, observation: Any, info: Any, into: np.ndarray) -> None:
        """What is legal for one agent; an agent whose space has no mask may do all that it can."""
        if self.layout.mask == "info":
            if not isinstance(info, Mapping) or MASK not in info:
                raise Fault(f"gave no {MASK} in its info, where it stood at the first reset")
            given = info[MASK]
        elif self.layout.sees[i].beside:
            given = observation[MASK]
        else:
            return
        rows = self.layout.acts[i].mask(given)
        into[: rows.shape[0], : rows.shape[1]] = rows

    def _pay(self, rewards: Mapping, acting: list, into: np.ndarray) -> None:
        """Rewards of those who acted; the others get none of their own."""
        into[...] = 0.0
        for agent in acting:
            if agent not in rewards:
                raise Fault(f"gave no reward for {agent}")
            value = rewards[agent]
            if not isinstance(value, float):
                array = np.asarray(value)
                if array.size != 1 or array.dtype.kind not in "fiub":
                    raise Fault(f"gave {agent} a reward of shape {array.shape} and dtype {array.dtype}, not one number")
                value = array.item()
            into[self.places[agent]] = value
        if self.reward == "individual" or not acting:
            return
        own = into[[self.places[agent] for agent in acting]]
        if self.reward == "team" and own.max() > own.min():
            raise Fault(
                f"gave its agents different rewards ({own.min():g} to {own.max():g}), and reward is team: set reward "
                "to individual, sum or mean"
            )
        into[...] = {"sum": own.sum(), "mean": own.mean(), "team": own[0]}[self.reward]


def _figure(infos: Mapping, name: str) -> float:
    """The first agent's number under ``name``; 0 where nobody has it."""
    return next((float(own[name]) for own in infos.values() if isinstance(own, Mapping) and name in own), 0.0)
