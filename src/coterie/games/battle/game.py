"""The battle as a game: SMAC's interface on the house's own physics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, Spec
from coterie.games.battle import engine, interface, reward
from coterie.games.battle.combat import Powers
from coterie.games.battle.interface import AIM, Telling, View
from coterie.games.battle.lanes import laned
from coterie.games.battle.layout import places
from coterie.games.battle.maps import MAPS, BattleMap, max_reward
from coterie.games.battle.physics import field
from coterie.games.battle.roster import Roster, fixed, part
from coterie.games.battle.terrain import cells
from coterie.games.battle.units import BALANCES, Balance
from coterie.games.battle.world import Cast, Orders, World
from coterie.games.options import one_of, whole_at_least

DELAY = (-1.0, 2.0)
"""Loops between which each attack's period varies."""
TIE = 1e-3
"""Largest share of a squared distance that decides between equals."""


class BattleState(NamedTuple):
    """A moment of one battle."""

    world: World
    goal: Float[Array, " 2"]
    """Where the enemies march."""
    last: Int[Array, " A"]
    """The last actions; -1 before the first."""
    time: Int[Array, ""]
    score: Float[Array, ""]
    """Return so far."""


@dataclass(frozen=True)
class Battle:
    """A battle of StarCraft's units: SMAC's interface, our physics; its results are never SMAC's.

    Each step lasts half a second, eight game loops. An ally goes one of four ways, stops, or attacks an enemy in range;
    a medivac heals an ally instead. The enemies march to where the allies start and fight whom they meet.

    Args:
        battle: Who fights whom, where.
        reward: ``dense`` (damage to enemies, deaths, winning) or ``sparse`` (1 for winning, -1 for losing).
        positive: Whether the dense reward leaves out the team's own losses.
        scaled: Whether the largest sum of damage, deaths and winning is 20.
        balance: Whose weapons: ``base``, which SMAC's maps depend on, or ``ladder``, of later multiplayer versions.
        see_last_actions: Whether allies see what those in sight did last.
        see_clock: Whether they see how much of the time is over.
        state_clock: Whether the state tells it.
        jitter: Whether attacks come at random up to a loop earlier and two later.
        length: Steps after which an episode is truncated; 0: the map's own.
    """

    battle: BattleMap = MAPS["3m"]
    reward: Literal["dense", "sparse"] = "dense"
    positive: bool = True
    scaled: bool = True
    balance: Balance = "base"
    see_last_actions: bool = False
    see_clock: bool = False
    state_clock: bool = False
    jitter: bool = True
    length: int = 0

    def __post_init__(self) -> None:
        one_of("reward", self.reward, ("dense", "sparse"))
        one_of("balance", self.balance, tuple(BALANCES))
        whole_at_least("length", self.length, 0)
        _ = self.places  # refuses what finds no place

    @property
    def allies(self) -> int:
        """A, the number of agents."""
        return len(self.battle.ally_units)

    @property
    def enemies(self) -> int:
        """E, the number of the scripted enemy's units."""
        return len(self.battle.enemy_units)

    @property
    def limit(self) -> int:
        """Steps after which an episode is truncated."""
        return self.length or self.battle.length

    @cached_property
    def units(self) -> tuple[str, ...]:
        """All units by name, allies first."""
        return self.battle.ally_units + self.battle.enemy_units

    @cached_property
    def roster(self) -> Roster:
        """Their attributes, NumPy arrays ``[N, 1]``."""
        return fixed(self.units, BALANCES[self.balance])

    @cached_property
    def places(self) -> Float[np.ndarray, "N 2"]:
        """Where they start."""
        return places(self.battle, BALANCES[self.balance]).astype(np.float32)

    @cached_property
    def cast(self) -> Cast:
        """What is known of the battle when it is built."""
        sides = (part(self.roster, slice(None, self.allies)), part(self.roster, slice(self.allies, None)))
        ours, theirs = (Powers(*(bool(np.any(column > 0)) for column in (side.sweep, side.blast, side.energy)))
                        for side in sides)  # fmt: skip
        order = self.battle.order
        return Cast(self.allies, ours, theirs, hunts=order == (), marches=bool(order))

    @cached_property
    def telling(self) -> Telling:
        """What the interface tells."""
        return Telling(self.battle.ally_shields, self.battle.enemy_shields, self.see_last_actions, self.see_clock,
                       self.state_clock)  # fmt: skip

    @property
    def spec(self) -> Spec:
        """What the game is. The optimum is unknown: with shields a win may pay more than 20."""
        names = self.battle.ally_units
        bits = len(self.battle.ally_types), len(self.battle.enemy_types)
        local, state = interface.sizes(self.telling, self.allies, self.enemies, *bits)
        return Spec(
            agents=tuple(f"{name}_{i}" for i, name in enumerate(names)),
            types=names,
            observation_sizes=(local,) * self.allies,
            action_spaces=(ActionSpace.discrete(AIM + self.enemies),) * self.allies,
            state_size=state,
            horizon=self.limit,
        )

    def reset(self, key: PRNGKeyArray) -> tuple[BattleState, Observation]:
        """A new episode: everybody in place, unhurt."""
        n, roster = len(self.units), Roster(*(column[:, 0] for column in self.roster))
        zeros = jnp.zeros(n)
        nobody = jnp.full(self.enemies, -1, jnp.int32)
        x, y = jnp.asarray(self.places.T)
        world = World(
            x, y, jnp.asarray(roster.health), jnp.asarray(roster.shield), zeros, zeros, zeros,
            jnp.asarray(roster.energy), jnp.ones(n, bool), nobody, nobody, jnp.full(n, -1, jnp.int32),
        )  # fmt: skip
        points = np.array(self.battle.order or ((0.0, 0.0),), np.float32)
        share = jax.random.uniform(key)
        goal = points[0] + share * (points[-1] - points[0])
        state = BattleState(world, goal, jnp.full(self.allies, -1, jnp.int32), jnp.zeros((), jnp.int32), jnp.zeros(()))
        return state, self.observe(state)

    def step(
        self, key: PRNGKeyArray, state: BattleState, action: Int[Array, " A"]
    ) -> tuple[BattleState, Observation, Outcome]:
        """Half a second of the battle."""
        before = state.world
        world = self._fight(before, self._orders(key, state, action))
        died = (before.health > 0) & (world.health <= 0)
        alive = world.health > 0
        heals, a = self.roster.heals[:, 0], self.allies
        end = reward.result(alive[:a], alive[a:], heals[:a], heals[a:], self.battle.healers_count)
        earned = self._earned(before, world, died, end)
        time = state.time + 1
        after = BattleState(world, state.goal, action.astype(jnp.int32), time, state.score + earned)
        gone = jnp.sum(~alive[:a]), jnp.sum(~alive[a:])
        info = {"won": end.won, "dead_allies": gone[0], "dead_enemies": gone[1]}
        info = {name: value.astype(jnp.float32) for name, value in info.items()}
        outcome = Outcome(jnp.broadcast_to(earned, a), end.over, (time >= self.limit) & ~end.over, info)
        return after, self.observe(after), outcome

    def observe(self, state: BattleState) -> Observation:
        """What the team sees of a state."""
        world, a = state.world, self.allies
        view = View(
            world.x, world.y, world.health, world.shield, world.cooldown, world.energy,
            _types(self.battle.ally_units, self.battle.ally_types),
            _types(self.battle.enemy_units, self.battle.enemy_types), state.last, state.time,
        )  # fmt: skip
        dx, dy, distance = interface.between(view, a)
        legal = interface.legal(view, self.roster, cells(self.battle.ground), distance)
        local = interface.observations(view, self.roster, self.telling, legal, self.limit, dx, dy, distance)
        overview = interface.overview(view, self.roster, self.telling, self.limit, AIM + self.enemies)
        return Observation(local, overview, legal, world.health[:a] > 0)

    @cached_property
    def _fight(self) -> Callable[[World, Orders], World]:
        ground = field(self.battle.ground)
        return laned(lambda world, orders: engine.advance(self.cast, ground, self.roster, world, orders))

    def _orders(self, key: PRNGKeyArray, state: BattleState, action: Int[Array, " A"]) -> Orders:
        """What the loops are given."""
        n = len(self.units)
        dice = jax.random.uniform(key, (n + self.allies,))
        low, high = DELAY
        delay = low + (high - low) * dice[:n] if self.jitter else jnp.zeros(n)
        north, south, east, west = ((action == 2 + i).astype(jnp.float32) for i in range(4))
        aim = jnp.where(action >= AIM, action - AIM, -1).astype(jnp.int32)
        return Orders(east - west, north - south, aim, state.goal[:1], state.goal[1:], delay, TIE * dice[n:])

    def _earned(self, before: World, after: World, died: Array, end: reward.Result) -> Float[Array, ""]:
        """The reward of a step."""
        scale = max_reward(self.battle, BALANCES[self.balance]) / reward.SCALE if self.scaled else 1.0
        if self.reward == "sparse":
            return (end.won * 1.0 - end.lost * 1.0) / scale
        vital = before.health + before.shield, after.health + after.shield
        gain = reward.dense(*vital, died, self.allies, self.positive)
        return (gain + reward.WIN * end.won) / scale


def _types(units: tuple[str, ...], order: tuple[str, ...]) -> Float[Array, "U bits"]:
    """One-hot rows of types; no columns where a map does not tell them."""
    rows = np.array([[name == kind for kind in order] for name in units], np.float32)
    return jnp.asarray(rows.reshape(len(units), len(order)))
