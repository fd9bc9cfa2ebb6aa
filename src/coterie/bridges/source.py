"""Where environments come from: ``module:factory`` or a Python function, and what it makes as a ``ParallelEnv``.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coterie.bridges.adapters import parallel
from coterie.errors import CoterieError
from coterie.fields import convert, nearest, parse


@dataclass(frozen=True)
class Source:
    """A function that makes environments, and the options it is called with.

    Args:
        factory: ``module:function``, or the function itself.
        options: Keyword arguments as pairs.
    """

    factory: str | Callable[..., Any]
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.factory if isinstance(self.factory, str) else getattr(self.factory, "__name__", "the factory")

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself; raises CoterieError if the name leads nowhere."""
        return load(self.factory) if isinstance(self.factory, str) else self.factory

    def make(self) -> Any:
        """A new environment as a PettingZoo ``ParallelEnv``.

        Raises:
            CoterieError: The factory does not exist or raises, or what it makes cannot be stepped by a team at once.
        """
        function = self.function
        try:
            env = function(**dict(self.options))
        except CoterieError:
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            raise CoterieError(
                f"{self.name} raised {type(error).__name__}: {text}; call it in Python to see where"
            ) from error
        return parallel(env, self.name)


def load(name: str) -> Callable[..., Any]:
    """The function that ``module:function`` names; the working directory is searched too.

    Raises:
        CoterieError: There is no such module or function, or the module raises when it is imported.
    """
    module, _, attribute = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        own = module == missing or module.startswith(f"{missing}.")
        hint = f"looked in {here} and the installed packages" if own else f"{module} imports it: install it"
        raise CoterieError(f"there is no module {missing!r}: {hint}") from error
    except Exception as error:
        raise CoterieError(f"the module {module} raised {type(error).__name__} when imported: {error}") from error
    for part in attribute.split("."):
        if not hasattr(found, part) and hasattr(found, "__path__"):
            with suppress(ImportError):  # a module inside the package, such as mpe2:simple_spread_v3.parallel_env
                importlib.import_module(f"{found.__name__}.{part}")
        if not hasattr(found, part):
            known = [each for each in dir(found) if callable(getattr(found, each)) and not each.startswith("_")]
            hint = nearest(part, known) if known else "it has no functions"
            raise CoterieError(f"{module} has no {part!r}: {hint}")
        found = getattr(found, part)
    if not callable(found):
        raise CoterieError(f"{name} is a {type(found).__name__}, not a function that makes an environment")
    return found


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function by name; none where Python cannot tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def options(function: Callable[..., Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """``given`` as keyword arguments of ``function``: text is read by its annotations, or as JSON where it has none.

    Raises:
        CoterieError: The function has no such option, or the value is of another type.
    """
    try:
        types = typing.get_type_hints(function)
    except (TypeError, ValueError, NameError):
        types = {}
    known = parameters(function)
    open_ended = not known or any(p.kind is p.VAR_KEYWORD for p in known.values())
    out = {}
    for key, value in given.items():
        if key not in known and not open_ended:
            raise CoterieError(f"{name} has no option {key!r}: {nearest(key, known)}")
        kind = types.get(key, Any)
        if kind is Any or not _readable(kind):
            out[key] = _literal(value)
        else:
            out[key] = (parse if isinstance(value, str) else convert)(key, kind, value)
    return out


def _readable(kind: Any) -> bool:
    """Whether the command line knows how to read this type."""
    return all(part in (int, float, bool, str, type(None)) for part in typing.get_args(kind) or (kind,))


def _literal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(value, value)
