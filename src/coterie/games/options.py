"""The options with which a game is opened: their checks, and variants of a game with other defaults.

Each failure is one line with what is wrong and what to give.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_type_hints

from coterie.contracts import CoterieError, Game, HostGame

Opened = TypeVar("Opened", bound=Game | HostGame)


def whole_at_least(name: str, value: object, least: int) -> None:
    """Raise CoterieError unless ``value`` is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CoterieError(f"{name} must be a whole number of at least {least}, not {value!r}")


def number_within(name: str, value: object, low: float, high: float) -> None:
    """Raise CoterieError unless ``value`` is a number between ``low`` and ``high``, bounds included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CoterieError(f"{name} must be a number between {low:g} and {high:g}, not {value!r}")


def one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise CoterieError unless ``value`` is one of the ``allowed`` words."""
    if value not in allowed:
        raise CoterieError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def variant(cls: type[Opened], first_line: str, hidden: Sequence[str] = (), **defaults: Any) -> Callable[..., Opened]:
    """A function that opens the game ``cls`` with other ``defaults``; every option but the ``hidden`` can be given.

    It has the options of ``cls`` with their types, and its documentation under another first line, so that
    ``coterie explain`` and the command line read it as they read the class.

    Args:
        cls: The game, a frozen dataclass.
        first_line: What the variant is.
        hidden: Options that are the variant, and so not asked for.
        defaults: The options that differ.

    Raises:
        CoterieError: The game refuses the defaults.
    """
    own, kinds = cls(**defaults), get_type_hints(cls)
    options = [one for one in inspect.signature(cls).parameters.values() if one.name not in hidden]
    shown = inspect.Signature([one.replace(default=getattr(own, one.name), annotation=kinds[one.name])
                               for one in options], return_annotation=cls)  # fmt: skip
    kept = {name: defaults[name] for name in hidden}

    def opened(*given: Any, **named: Any) -> Opened:
        whole = shown.bind(*given, **named)
        whole.apply_defaults()
        return cls(**kept, **whole.arguments)

    opened.__signature__ = shown  # pyright: ignore[reportFunctionMemberAccess]
    opened.__annotations__ = {**{name: one.annotation for name, one in shown.parameters.items()}, "return": cls}
    rest = "\n".join((cls.__doc__ or "").splitlines()[1:])
    for name in hidden:  # an entry goes on to the next that is as deep, or to the end of the list
        rest = re.sub(rf"^        {name}: .*\n(?:         .*\n)*", "", rest, flags=re.MULTILINE)
    opened.__doc__ = f"{first_line}\n{rest}"
    return opened
