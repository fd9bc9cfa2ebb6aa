"""The engine of jittable games: iterations of collecting and learning in one compiled program, for several seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PRNGKeyArray, PyTree

from coterie.contracts import CoterieError, Game, Learner, Metrics
from coterie.training.collect import Stage, open_stage, scan
from coterie.training.evaluate import Episodes, play

SeedAxis = Literal["map", "vmap"]
SEEDS, ENVIRONMENTS = "seeds", "environments"


class Loop(NamedTuple):
    """Everything one seed carries from iteration to iteration."""

    learner: PyTree
    stage: Stage
    key: PRNGKeyArray


class Engine(Protocol):
    """What training asks of whoever plays and learns, for all seeds at once."""

    @property
    def devices(self) -> int:
        """Devices that the program is cut over."""
        ...

    def begin(self) -> Loop:
        """The loops of all seeds before the first iteration, ``[S, ...]``."""
        ...

    def place(self, loops: Loop) -> Loop:
        """Loops from a file, where they have to be."""
        ...

    def advance(self, loops: Loop, length: int) -> tuple[Loop, Metrics]:
        """A chunk of ``length`` iterations: loops and metrics ``[S, length, ...]``."""
        ...

    def assess(self, states: PyTree, keys: PRNGKeyArray, episodes: int, greedy: bool) -> Episodes:
        """Whole episodes of every seed's team, ``[S, episodes]``."""
        ...

    def close(self) -> None:
        """End what it has opened."""
        ...


@dataclass(frozen=True)
class Compiled:
    """The engine of jittable games.

    Args:
        game: A jittable game.
        learner: The method.
        seeds: One loop for each.
        axis: Seeds one after another inside the program (``map``, same bytes as alone) or batched (``vmap``).
        spread: Devices over which each seed's environments are spread.
    """

    game: Game
    learner: Learner
    seeds: tuple[int, ...]
    axis: SeedAxis = "map"
    spread: int = 1

    @property
    def devices(self) -> int:
        """Devices that the program is cut over."""
        return device_mesh(len(self.seeds), self.spread).size

    def begin(self) -> Loop:
        """Fresh loops."""
        return begin(self.game, self.learner, self.seeds)

    def place(self, loops: Loop) -> Loop:
        """Each seed, and each of its environments, on its device."""
        return place(loops, self.learner, self.spread)

    def advance(self, loops: Loop, length: int) -> tuple[Loop, Metrics]:
        """A chunk of iterations, one compiled program."""
        return advance(self.game, self.learner, loops, length, self.axis, self.spread)

    def assess(self, states: PyTree, keys: PRNGKeyArray, episodes: int, greedy: bool) -> Episodes:
        """Whole episodes, one compiled program."""
        return assess(self.game, self.learner, states, keys, episodes, greedy)

    def close(self) -> None:
        """Nothing was opened."""


def begin(game: Game, learner: Learner, seeds: tuple[int, ...]) -> Loop:
    """The loops of all seeds before the first iteration, stacked ``[S, ...]``."""
    loops, environments = [], learner.sizes.environments
    for seed in seeds:
        init_key, stage_key, key = jax.random.split(jax.random.key(seed), 3)
        stage = _opened(game, learner, stage_key, environments)
        loops.append(Loop(learner.init(init_key, environments), stage, key))
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *loops)


@partial(jax.jit, static_argnums=(0, 3))
def _opened(game: Game, learner: Learner, key: PRNGKeyArray, environments: int) -> Stage:
    return open_stage(game, learner, key, environments)


def iterate(game: Game, learner: Learner, loop: Loop) -> tuple[Loop, Metrics]:
    """One iteration of one seed: collect, learn."""
    key, collect_key, learn_key = jax.random.split(loop.key, 3)
    collect_key = learner.across.key(collect_key)
    stage, rollout, ended = scan(game, learner, loop.learner, loop.stage, collect_key)
    state, metrics = learner.learn(loop.learner, rollout, learn_key)
    return Loop(state, stage, key), {**metrics, **learner.across.sum(ended)}


@partial(jax.jit, static_argnums=(0, 3, 4, 5), donate_argnums=(2,))
def advance(
    game: Game, learner: Learner, loops: Loop, length: int, axis: SeedAxis = "map", devices: int = 1
) -> tuple[Loop, Metrics]:
    """A chunk of ``length`` iterations for all seeds: loops and metrics ``[S, length, ...]``.

    Seeds are spread over the devices, and on each device batched (``vmap``) or run one after another (``map``). With
    ``devices`` above 1 the environments of each seed are spread over that many, and gradients summed.
    """

    def one(learner: Learner, loop: Loop) -> tuple[Loop, Metrics]:
        return jax.lax.scan(lambda now, _: iterate(game, learner, now), loop, None, length=length)

    def share(learner: Learner, loops: Loop) -> tuple[Loop, Metrics]:
        each = partial(one, learner.spread(ENVIRONMENTS) if devices > 1 else learner)
        return jax.vmap(each)(loops) if axis == "vmap" else jax.lax.map(each, loops)

    mesh = device_mesh(loops.key.shape[0], devices)
    if mesh.size == 1:
        return share(learner, loops)
    cut = specs(learner, devices)
    seeds = PartitionSpec(SEEDS)
    spread = jax.shard_map(share, mesh=mesh, in_specs=(PartitionSpec(), cut), out_specs=(cut, seeds), check_vma=False)
    return spread(learner, loops)


@partial(jax.jit, static_argnums=(0, 4, 5))
def assess(game: Game, learner: Learner, state: PyTree, keys: PRNGKeyArray, episodes: int, greedy: bool) -> Episodes:
    """Evaluate the teams of all seeds, ``[S, episodes]``; ``keys`` are separate from training's."""

    def share(learner: Learner, both: tuple[PyTree, PRNGKeyArray]) -> Episodes:
        return jax.lax.map(lambda x: play(game, learner.team(x[0], greedy), x[1], episodes), both)

    mesh, seeds = device_mesh(keys.shape[0]), PartitionSpec(SEEDS)
    if mesh.size == 1:
        return share(learner, (state, keys))
    spread = jax.shard_map(share, mesh=mesh, in_specs=(PartitionSpec(), seeds), out_specs=seeds, check_vma=False)
    return spread(learner, (state, keys))


def device_mesh(seeds: int, devices: int = 1) -> Mesh:
    """Devices for ``seeds``, each on ``devices`` of them: as many rows as divide the seeds."""
    found = jax.devices()
    if devices < 1 or devices > len(found):
        raise CoterieError(
            f"devices is {devices} and there are {len(found)} here: give a number from 1 to {len(found)}"
        )
    rows = max(n for n in range(1, len(found) // devices + 1) if seeds % n == 0)
    return Mesh(np.array(found[: rows * devices]).reshape(rows, devices), (SEEDS, ENVIRONMENTS))


def specs(learner: Learner, devices: int) -> Any:
    """How loops ``[S, ...]`` are cut: seeds first and, over ``devices``, what has environments next."""
    whole = PartitionSpec(SEEDS)
    cut = PartitionSpec(SEEDS, ENVIRONMENTS) if devices > 1 else whole
    state = jax.tree.map(lambda each: cut if each else whole, learner.per_environment())
    stage: Any = cut
    key: Any = whole
    return Loop(state, stage, key)


def place(loops: Loop, learner: Learner, devices: int = 1) -> Loop:
    """Put each seed, and each of its environments, on its device."""
    environments = learner.sizes.environments
    if environments % devices:
        raise CoterieError(f"devices {devices} do not divide the {environments} environments: give a divisor")
    mesh = device_mesh(loops.key.shape[0], devices)
    cut = jax.tree.broadcast(specs(learner, devices), loops, is_leaf=lambda x: isinstance(x, PartitionSpec))
    return jax.tree.map(lambda x, spec: jax.device_put(x, NamedSharding(mesh, spec)), loops, cut)
