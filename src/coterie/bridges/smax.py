"""SMAX: battles on an empty square, written in JAX after those of StarCraft's micromanagement games (extra: jaxmarl).

It is part of JaxMARL (Rutherford et al. 2024) and a model of its own: no shields, armour, splash damage, healing or
terrain, and by default touching a wall kills. Results on it are not comparable with other simulators of such battles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PyTree

from coterie.bridges.jaxmarl import JaxmarlGame, JaxmarlState, Reading, Told, jaxmarl_game
from coterie.bridges.jaxmarl_upstream import build, upstream
from coterie.bridges.smax_scene import battle_scene
from coterie.errors import CoterieError
from coterie.fields import nearest
from coterie.games.options import number_within, one_of, whole_at_least
from coterie.games.sides import opposed

UNITS = ("marine", "marauder", "stalker", "zealot", "zergling", "hydralisk")
"""The units that SMAX models, in the order of its numbers."""
AttackMode = Literal["closest", "random"]


class Battle(NamedTuple):
    """Who meets whom; ``drawn``: unit types and places are drawn anew for every episode (those of SMACv2's rules)."""

    allies: tuple[str, ...]
    enemies: tuple[str, ...]
    drawn: bool = False


def _mirrored(*units: str) -> Battle:
    return Battle(units, units)


def _of(**numbers: int) -> tuple[str, ...]:
    return tuple(name for name, number in numbers.items() for _ in range(number))


MAPS = {
    "3m": _mirrored(*_of(marine=3)),
    "8m": _mirrored(*_of(marine=8)),
    "25m": _mirrored(*_of(marine=25)),
    "2s3z": _mirrored(*_of(stalker=2, zealot=3)),
    "3s5z": _mirrored(*_of(stalker=3, zealot=5)),
    "5m_vs_6m": Battle(_of(marine=5), _of(marine=6)),
    "8m_vs_9m": Battle(_of(marine=8), _of(marine=9)),
    "10m_vs_11m": Battle(_of(marine=10), _of(marine=11)),
    "27m_vs_30m": Battle(_of(marine=27), _of(marine=30)),
    "3s5z_vs_3s6z": Battle(_of(stalker=3, zealot=5), _of(stalker=3, zealot=6)),
    "3s_vs_5z": Battle(_of(stalker=3), _of(zealot=5)),
    "6h_vs_8z": Battle(_of(hydralisk=6), _of(zealot=8)),
    "2m_vs_1z": Battle(_of(marine=2), _of(zealot=1)),
    "corridor": Battle(_of(zealot=6), _of(zergling=24)),
    "smacv2_5_units": Battle(_of(marine=5), _of(marine=5), drawn=True),
    "smacv2_10_units": Battle(_of(marine=10), _of(marine=10), drawn=True),
    "smacv2_20_units": Battle(_of(marine=20), _of(marine=20), drawn=True),
}
"""JaxMARL's scenarios, and three more of units that it models: 2m_vs_1z, 8m_vs_9m, corridor (without its terrain)."""


def standing(env: Any, inside: PyTree) -> tuple[Bool[Array, " N"], Bool[Array, " M"]]:
    """Which allies and which enemies are alive."""
    alive = inside.state.unit_alive
    return alive[: env.num_allies], alive[env.num_allies :]


def _decided(env: Any, told: Told, late: Bool[Array, ""]) -> Bool[Array, ""]:
    """One side has nobody left."""
    del late
    allies, enemies = standing(env, told.inside)
    return ~allies.any() | ~enemies.any()


def _allies(env: Any, inside: PyTree) -> Bool[Array, " N"]:
    return standing(env, inside)[0]


def _result(env: Any, state: JaxmarlState) -> Mapping[str, Array]:
    """``won``: all enemies are dead and an ally is not; and the numbers of the dead."""
    allies, enemies = standing(env, state.inside)
    return {"won": allies.any() & ~enemies.any(), "dead_allies": jnp.sum(~allies), "dead_enemies": jnp.sum(~enemies)}


READING = Reading(over=_decided, alive=_allies, info=_result, scene=battle_scene)


@lru_cache(maxsize=64)
def _field(battle: Battle, length: int, options: tuple[tuple[str, Any], ...]) -> Any:
    """JaxMARL's environment; one object for equal arguments, so that games are equal and compiled once."""
    scenario = upstream("jaxmarl.environments.smax").Scenario
    numbers = [UNITS.index(name) for name in (*battle.allies, *battle.enemies)]
    with jax.ensure_compile_time_eval():
        types = jnp.asarray(np.array(numbers, np.uint8))
    drill = scenario(types, len(battle.allies), len(battle.enemies), battle.drawn, battle.drawn)
    return build("HeuristicEnemySMAX", scenario=drill, max_steps=length, **dict(options))


def battle(
    forces: Battle,
    attack_mode: AttackMode = "closest",
    enemy_shoots: bool = True,
    see_enemy_actions: bool = True,
    walls_cause_death: bool = True,
    win_bonus: float = 1.0,
    length: int = 100,
) -> JaxmarlGame:
    """A battle against JaxMARL's scripted enemy; the options are told at ``smax/3m``.

    Raises:
        CoterieError: Units that SMAX does not model, or an option out of range.
    """
    whole_at_least("length", length, 1)
    one_of("attack_mode", attack_mode, ("closest", "random"))
    number_within("win_bonus", win_bonus, 0, 1e6)
    for side in ("allies", "enemies"):
        if not getattr(forces, side):
            raise CoterieError(f"there are no {side}: name at least one unit")
        for unit in getattr(forces, side):
            if unit not in UNITS:
                raise CoterieError(f"SMAX has no unit {unit!r}: {nearest(unit, UNITS)}")
    options = {"attack_mode": attack_mode, "enemy_shoots": enemy_shoots, "see_enemy_actions": see_enemy_actions,
               "walls_cause_death": walls_cause_death, "won_battle_bonus": win_bonus}  # fmt: skip
    env = _field(forces, length, tuple(options.items()))
    types = ("unit",) * len(forces.allies) if forces.drawn else forces.allies
    return jaxmarl_game(env, length, "team", READING, types)


OPTIONS = """
    Each step lasts half a second. A unit goes one of four ways, stops, or attacks an enemy in range. The team is paid
    the share of the enemies' health that a step costs them, and a bonus for winning: all enemies dead, an ally alive.

    Args:
        attack_mode: Whether enemies attack the ``closest`` unit in range or a ``random`` one.
        enemy_shoots: Whether enemies attack at all.
        see_enemy_actions: Whether a unit sees what the enemies in sight did last.
        walls_cause_death: Whether touching the edge of the map kills.
        win_bonus: What winning pays.
        length: Steps after which an episode is truncated.
"""


def _map(name: str, forces: Battle) -> Callable[..., JaxmarlGame]:
    """A function that opens a map."""

    def opened(
        attack_mode: AttackMode = "closest",
        enemy_shoots: bool = True,
        see_enemy_actions: bool = True,
        walls_cause_death: bool = True,
        win_bonus: float = 1.0,
        length: int = 100,
    ) -> JaxmarlGame:
        return battle(forces, attack_mode, enemy_shoots, see_enemy_actions, walls_cause_death, win_bonus, length)

    opened.__doc__ = f"SMAX {name}: {told(forces)}.\n{OPTIONS}"
    return opened


def told(forces: Battle) -> str:
    """Who meets whom, in words."""
    if forces.drawn:
        n, m = len(forces.allies), len(forces.enemies)
        return f"{n} units against {m}, of types and in places drawn anew for every episode"
    return opposed(forces.allies, forces.enemies)


def custom(
    allies: tuple[str, ...] = ("marine", "marine"),
    enemies: tuple[str, ...] = ("zealot",),
    attack_mode: AttackMode = "closest",
    enemy_shoots: bool = True,
    see_enemy_actions: bool = True,
    walls_cause_death: bool = True,
    win_bonus: float = 1.0,
    length: int = 100,
) -> JaxmarlGame:
    """SMAX with any units of its six types: marine, marauder, stalker, zealot, zergling, hydralisk."""
    forces = Battle(tuple(allies), tuple(enemies))
    return battle(forces, attack_mode, enemy_shoots, see_enemy_actions, walls_cause_death, win_bonus, length)


_SIDES = "        allies: The team's units.\n        enemies: Those of the scripted enemy.\n"
custom.__doc__ = f"{custom.__doc__}\n{OPTIONS.replace('Args:' + chr(10), 'Args:' + chr(10) + _SIDES)}"

GAMES: dict[str, Callable[..., JaxmarlGame]] = {
    **{f"smax/{name}": _map(name, forces) for name, forces in MAPS.items()},
    "smax/custom": custom,
}
"""The games of this file by name."""
