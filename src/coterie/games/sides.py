"""Who meets whom, in words."""

from __future__ import annotations

from collections.abc import Sequence

PLURALS = {"colossus": "colossi"}


def opposed(allies: Sequence[str], enemies: Sequence[str]) -> str:
    """Two sides of units by name, such as "2 stalkers and 3 zealots against as many"."""
    return f"{_counted(allies)} against {'as many' if sorted(allies) == sorted(enemies) else _counted(enemies)}"


def plural(name: str) -> str:
    """The name of several units of a kind."""
    return PLURALS.get(name, f"{name.replace('_', ' ')}s")


def _counted(units: Sequence[str]) -> str:
    numbers = {name: units.count(name) for name in dict.fromkeys(units)}
    words = [f"{number} {plural(name) if number > 1 else name.replace('_', ' ')}" for name, number in numbers.items()]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
