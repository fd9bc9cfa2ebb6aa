"""Battles by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coterie.games.battle.game import Battle
from coterie.games.battle.maps import MAPS
from coterie.games.options import variant


def told(allies: Sequence[str], enemies: Sequence[str]) -> str:
    """Who meets whom, in words."""
    ours, theirs = _counted(allies), _counted(enemies)
    return f"{ours} against as many" if sorted(allies) == sorted(enemies) else f"{ours} against {theirs}"


def _counted(units: Sequence[str]) -> str:
    numbers = {name: units.count(name) for name in dict.fromkeys(units)}
    words = [f"{number} {_plural(name) if number > 1 else name.replace('_', ' ')}" for name, number in numbers.items()]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _plural(name: str) -> str:
    return {"colossus": "colossi"}.get(name, f"{name.replace('_', ' ')}s")


def _map(name: str) -> Callable[..., Battle]:
    """A function that opens a map; all other options can be given."""
    battle = MAPS[name]
    first = f"Battle {name} (SMAC interface, our physics): {told(battle.ally_units, battle.enemy_units)}."
    return variant(Battle, first, hidden=("battle",), battle=battle)


GAMES: dict[str, Callable[..., Battle]] = {f"battle/{name}": _map(name) for name in MAPS}
"""SMAC's maps by name."""
