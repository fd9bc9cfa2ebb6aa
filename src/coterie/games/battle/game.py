"""The battle as a game: SMAC's interface on the house's own physics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, Scene, Spec
from coterie.games.battle.engine import advance
from coterie.games.battle.interface import AIM, Telling, View, ordered, seen, sizes, types
from coterie.games.battle.lanes import laned
from coterie.games.battle.layout import Formation, places
from coterie.games.battle.maps import MAPS, BattleMap
from coterie.games.battle.physics import field
from coterie.games.battle.reward import SCALE, WIN, Result, dense, largest, result
from coterie.games.battle.roster import SCAN, Roster, drawn, fixed, powers
from coterie.games.battle.scene import Stage, battle_scene
from coterie.games.battle.terrain import SIZE, Terrain, cells, widened
from coterie.games.battle.units import BALANCES, KINDS, Balance
from coterie.games.battle.world import MINDS, Cast, Orders, World, opening
from coterie.games.options import number_within, one_of, whole_at_least


class BattleState(NamedTuple):
    """A moment of one battle."""

    world: World
    kind: Int[Array, " N"]
    """What each unit is: a place in ``units.KINDS``."""
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
        scaled: Whether the largest sum of damage, deaths and winning is 20; as in SMAC it divides sparse rewards, too,
            so leave it off for 1 and -1.
        balance: Whose weapons: ``base``, which SMAC's maps depend on, or ``ladder``, of later multiplayer versions.
        see_last_actions: Whether allies see what those in sight did last.
        see_clock: Whether they see how much of the time is over.
        state_clock: Whether the state tells it.
        difficulty: ``easy`` (enemies take half as long again between attacks, and never go for whoever shoots them
            from afar), ``normal``, or ``hard`` (they attack the weakest in range).
        scan: Least range, edge to edge, in which enemies without a target look for one.
        chase: Whom an enemy goes for whose target is beyond its weapon's range: the ``first`` that it met, that
            target, as far as the scan and a cell more, or the ``nearest`` in the scan.
        formation: The lattice that units start on, ``hexagon`` or ``square``.
        corners: Whether the corners of steps in cliffs are ``half`` open or ``open``, which makes chokes wider.
        jitter: Whether attacks come at random up to a loop earlier and two later.
        length: Steps after which an episode is truncated; 0: the map's own.
        draw_ranges: Whether replays show the ranges of weapons.
    """

    battle: BattleMap = MAPS["3m"]
    reward: Literal["dense", "sparse"] = "dense"
    positive: bool = True
    scaled: bool = True
    balance: Balance = "base"
    see_last_actions: bool = False
    see_clock: bool = False
    state_clock: bool = False
    difficulty: Literal["easy", "normal", "hard"] = "normal"
    scan: float = SCAN
    chase: Literal["first", "nearest"] = "first"
    formation: Formation = "hexagon"
    corners: Literal["half", "open"] = "half"
    jitter: bool = True
    length: int = 0
    draw_ranges: bool = False

    def __post_init__(self) -> None:
        one_of("reward", self.reward, ("dense", "sparse"))
        one_of("balance", self.balance, tuple(BALANCES))
        one_of("difficulty", self.difficulty, tuple(MINDS))
        number_within("scan", self.scan, 0, SIZE)
        one_of("chase", self.chase, ("first", "nearest"))
        one_of("formation", self.formation, ("hexagon", "square"))
        one_of("corners", self.corners, ("half", "open"))
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
        """All units by name, allies first; where they are drawn, of the first kind."""
        return self.battle.ally_units + self.battle.enemy_units

    def roster(self, kind: Int[Array, " N"]) -> Roster:
        """The attributes of the units, ``[N, 1]``: NumPy arrays unless they are drawn."""
        units, lot = BALANCES[self.balance], self.battle.lot
        return drawn(kind[:, None], units, lot.kinds) if lot else fixed(self.units, units)

    @cached_property
    def places(self) -> Float[np.ndarray, "N 2"]:
        """Where they start."""
        return places(self.battle, BALANCES[self.balance], self.formation).astype(np.float32)

    @property
    def ground(self) -> Terrain:
        """Where one can walk."""
        return widened(self.battle.ground) if self.corners == "open" else self.battle.ground

    @cached_property
    def cast(self) -> Cast:
        """What is known of the battle when it is built."""
        ours, theirs = (powers(names, BALANCES[self.balance])
                        for names in (self.battle.ally_units, self.battle.enemy_units))  # fmt: skip
        if self.battle.lot:
            ours = theirs = powers(self.battle.lot.kinds, BALANCES[self.balance])
        order = self.battle.order
        mind = replace(MINDS[self.difficulty], scan=self.scan, hunts=order == (), turns=self.chase == "nearest")
        return Cast(self.allies, ours, theirs, marches=bool(order), mind=mind)

    @cached_property
    def telling(self) -> Telling:
        """What the interface tells."""
        return Telling(self.battle.ally_shields, self.battle.enemy_shields, self.see_last_actions, self.see_clock,
                       self.state_clock)  # fmt: skip

    @property
    def spec(self) -> Spec:
        """What the game is. The optimum is unknown: with shields a win may pay more than 20."""
        names = ("unit",) * self.allies if self.battle.lot else self.battle.ally_units
        bits = len(self.battle.ally_types), len(self.battle.enemy_types)
        local, state = sizes(self.telling, self.allies, self.enemies, *bits)
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
        where, who, place = jax.random.split(key, 3)
        lot, points = self.battle.lot, np.array(self.battle.order or ((0.0, 0.0),), np.float32)
        if lot:
            kind = lot.units(who, self.allies, self.enemies)
            x, y = lot.starts(place, self.allies, self.enemies)
            goal = jnp.stack([x[: self.allies].mean(), y[: self.allies].mean()])
        else:
            kind = jnp.asarray(np.array([KINDS.index(name) for name in self.units], np.int32))
            x, y = jnp.asarray(self.places.T)
            goal = points[0] + jax.random.uniform(where) * (points[-1] - points[0])
        world = opening(self.roster(kind), x, y, self.enemies)
        nobody, zero = jnp.full(self.allies, -1, jnp.int32), jnp.zeros((), jnp.int32)
        state = BattleState(world, kind, goal, nobody, zero, jnp.zeros(()))
        return state, self.observe(state)

    def step(
        self, key: PRNGKeyArray, state: BattleState, action: Int[Array, " A"]
    ) -> tuple[BattleState, Observation, Outcome]:
        """Half a second of the battle."""
        before, roster = state.world, self.roster(state.kind)
        orders = ordered(key, action, state.goal, len(self.units), self.jitter)
        world = self._fight(state.kind, before, orders)
        died = (before.health > 0) & (world.health <= 0)
        alive = world.health > 0
        heals, a = roster.heals[:, 0], self.allies
        end = result(alive[:a], alive[a:], heals[:a], heals[a:], self.battle.healers_count)
        earned = self._earned(roster, before, world, died, end)
        time = state.time + 1
        after = BattleState(world, state.kind, state.goal, action.astype(jnp.int32), time, state.score + earned)
        gone = jnp.sum(~alive[:a]), jnp.sum(~alive[a:])
        info = {"won": end.won, "dead_allies": gone[0], "dead_enemies": gone[1]}
        info = {name: value.astype(jnp.float32) for name, value in info.items()}
        outcome = Outcome(jnp.broadcast_to(earned, a), end.over, (time >= self.limit) & ~end.over, info)
        return after, self.observe(after), outcome

    def observe(self, state: BattleState) -> Observation:
        """What the team sees of a state."""
        world, roster, a = state.world, self.roster(state.kind), self.allies
        view = View(
            world.x, world.y, world.health, world.shield, world.cooldown, world.energy,
            types(state.kind[:a], self.battle.ally_types),
            types(state.kind[a:], self.battle.enemy_types), state.last, state.time,
        )  # fmt: skip
        return seen(view, roster, self.telling, cells(self.ground), self.limit)

    def scene(self, state: BattleState, action: np.ndarray | None) -> Scene:
        """The battlefield, with what the last step did to whom."""
        del action
        units = tuple(KINDS[number] for number in np.asarray(state.kind))
        roster = fixed(units, BALANCES[self.balance])
        stage = Stage(replace(self.battle, terrain=self.ground), units, roster, self.limit, self.draw_ranges)
        return battle_scene(stage, state.world, int(state.time), float(state.score))

    @cached_property
    def _fight(self) -> Callable[[Int[Array, " N"], World, Orders], World]:
        ground, units, lot = field(self.ground), BALANCES[self.balance], self.battle.lot

        def fight(kind: Int[Array, "N L"], world: World, orders: Orders) -> World:
            roster = drawn(kind, units, lot.kinds) if lot else fixed(self.units, units)
            return advance(self.cast, ground, roster, world, orders)

        return laned(fight)

    def _earned(self, roster: Roster, before: World, after: World, died: Array, end: Result) -> Float[Array, ""]:
        """The reward of a step."""
        scale = largest(roster, self.allies) / SCALE if self.scaled else 1.0
        if self.reward == "sparse":
            return (end.won.astype(jnp.float32) - end.lost.astype(jnp.float32)) / scale
        vital = before.health + before.shield, after.health + after.shield
        gain = dense(*vital, died, self.allies, self.positive)
        return (gain + jnp.where(end.won, WIN, 0.0)) / scale
