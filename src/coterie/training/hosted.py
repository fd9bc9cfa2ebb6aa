"""The engine of games that the host steps: compiled acting and learning around simulators that are kept open."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray, PyTree

from coterie.contracts import HostGame, Learner, Metrics, Observation, Rollout, Simulators, Spec
from coterie.training.collect import Stage, hosted
from coterie.training.engine import Loop
from coterie.training.evaluate import SIDE_BY_SIDE, Episodes, host_play


class Hosted:
    """The engine of games that the host steps.

    Its simulators open when they are first needed, and go on where the loops say. Seeds take turns: while one learns,
    the next one plays.

    Args:
        game: The game.
        learner: The method.
        seeds: One loop, with its own simulators, for each.
    """

    devices = 1

    def __init__(self, game: HostGame, learner: Learner, seeds: tuple[int, ...]) -> None:
        self.game, self.learner, self.seeds = game, learner, seeds
        self._simulators: dict[int, Simulators] = {}
        self._judges: Simulators | None = None

    def begin(self) -> Loop:
        """Fresh loops; no simulator is opened yet, and the seeds of their episodes stand in the stage."""
        loops, environments = [], self.learner.sizes.environments
        for seed in self.seeds:
            init_key, stage_key, key = jax.random.split(jax.random.key(seed), 3)
            state = {
                "seeds": np.asarray(jax.random.bits(stage_key, (environments,), jnp.uint32)),
                "begun": np.zeros((), bool),
                "inside": self.game.blank(environments),
            }
            stage = Stage(state, blank(self.game.spec, environments), self.learner.carry(environments),
                          jnp.ones(environments, bool), jnp.zeros(environments))  # fmt: skip
            loops.append(Loop(self.learner.init(init_key, environments), stage, key))
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *loops)

    def place(self, loops: Loop) -> Loop:
        """As they are."""
        return loops

    def advance(self, loops: Loop, length: int) -> tuple[Loop, Metrics]:
        """A chunk of iterations."""
        count = len(self.seeds)
        now = [jax.tree.map(lambda x: x[s], loops) for s in range(count)]  # noqa: B023
        now = [loop._replace(stage=self._opened(s, jax.device_get(loop.stage))) for s, loop in enumerate(now)]
        found: list[list[Metrics]] = [[] for _ in now]
        for _ in range(length):
            for s, loop in enumerate(now):
                key, collect_key, learn_key = jax.random.split(loop.key, 3)
                stage, rollout, ended = hosted(
                    self.game, self._simulators[s], self.learner, loop.learner, loop.stage, collect_key
                )
                state, metrics = _learn(self.learner, loop.learner, rollout, learn_key)
                now[s] = Loop(state, stage, key)
                found[s].append({**metrics, **ended})
        kept = [loop._replace(stage=self._noted(s, loop.stage)) for s, loop in enumerate(now)]
        each = [jax.tree.map(lambda *steps: jnp.stack(steps), *rows) for rows in found]
        return stacked(kept), stacked(each)

    def _opened(self, s: int, stage: Stage) -> Stage:
        """The stage with its simulators open: begun, or brought back to where the stage says."""
        if s in self._simulators:
            return stage
        simulators = self._simulators[s] = self.game.open(len(stage.reset))
        if not stage.state["begun"]:
            return stage._replace(observation=simulators.reset(stage.state["seeds"]))
        observation, anew = simulators.restore(stage.state["inside"], stage.observation)
        if anew.any():
            warnings.warn(
                f"{anew.sum()} of {len(anew)} environments could not be brought back to where they were: they begin "
                "new episodes, and the run goes on otherwise than if it had not been stopped",
                stacklevel=2,
            )
        total = np.where(anew, np.float32(0), stage.total)
        return stage._replace(observation=observation, reset=stage.reset | anew, total=total)

    def _noted(self, s: int, stage: Stage) -> Stage:
        """The stage with all that its simulators need to come back."""
        inside = self._simulators[s].state()
        return stage._replace(state={**stage.state, "begun": np.ones((), bool), "inside": inside})

    def assess(self, states: PyTree, keys: PRNGKeyArray, episodes: int, greedy: bool) -> Episodes:
        """Whole episodes of every seed's team, in simulators of their own."""
        if self._judges is None:
            self._judges = self.game.open(min(episodes, SIDE_BY_SIDE))
        found = []
        for s, key in enumerate(keys):
            team = self.learner.team(jax.tree.map(lambda x: x[s], states), greedy)  # noqa: B023
            found.append(host_play(self.game, self._judges, team, key, episodes))
        return jax.tree.map(lambda *each: np.stack(each), *found)

    def close(self) -> None:
        """End every simulator."""
        for simulators in [*self._simulators.values(), *([self._judges] if self._judges else [])]:
            simulators.close()
        self._simulators, self._judges = {}, None


@partial(jax.jit, donate_argnums=1)
def _learn(learner: Learner, state: PyTree, rollout: Rollout, key: PRNGKeyArray) -> tuple[PyTree, Metrics]:
    return learner.learn(state, rollout, key)


def stacked(each: list[Any]) -> Any:
    """Trees of all seeds as one, ``[S, ...]``."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


def blank(spec: Spec, environments: int) -> Observation:
    """An observation of nothing, ``[E, ...]``: it says shapes and dtypes."""
    lead, n = (environments,), spec.n_agents
    return Observation(
        jnp.zeros((*lead, n, spec.observation_size)), jnp.zeros((*lead, spec.state_size)),
        jnp.zeros((*lead, n, *spec.legal_shape), bool), jnp.zeros((*lead, n), bool),
    )  # fmt: skip
