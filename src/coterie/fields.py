"""Configuration as data: one reading of type annotations serves the command line, run files and explanations.

A *part* is a frozen dataclass (an Equinox module); where a field admits several parts, its annotation is their union
and a part goes by the snake-case name of its class. Nothing is ever imported or executed to read a configuration.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from coterie.errors import CoterieError

MANY = 60
"""Names that still fit into a message."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` or a short list of what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1, 0.5)
    if close:
        return f"did you mean {close[0]}?"
    return f"choose from {', '.join(names)}" if len(names) <= MANY else f"coterie list shows all {len(names)}"


def part_name(part: type) -> str:
    """The name of a part: ``PrecedingTrace`` -> ``preceding_trace``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", part.__name__).lower()


def hints(owner: type | Callable[..., Any]) -> dict[str, Any]:
    """Field or parameter names with their types."""
    found = typing.get_type_hints(owner)
    if isinstance(owner, type) and dataclasses.is_dataclass(owner):
        return {f.name: found[f.name] for f in dataclasses.fields(owner) if f.init}
    return {name: found[name] for name in inspect.signature(owner).parameters}


def choices(kind: Any) -> list[Any]:
    """The members of a union, or the type alone."""
    return list(get_args(kind)) if get_origin(kind) in (Union, types.UnionType) else [kind]


def parts(kind: Any) -> dict[str, type]:
    """The parts that a field of this type admits, by name."""
    return {part_name(k): k for k in choices(kind) if isinstance(k, type) and dataclasses.is_dataclass(k)}


def parse(name: str, kind: Any, text: str) -> Any:
    """``text`` from the command line as a value of type ``kind``; raises CoterieError naming the option."""
    try:
        return _first(_parse, kind, text)
    except ValueError:
        raise CoterieError(f"{name} cannot be {text!r}: give {describe(kind)}") from None


def _first(read: Callable[[Any, Any], Any], kind: Any, value: Any) -> Any:
    """``value`` as the first member of a union that it fits; any text is a name, so that comes last."""
    for option in sorted(choices(kind), key=lambda option: option is str):
        try:
            return read(option, value)
        except ValueError:
            continue
    raise ValueError(value)


def _parse(kind: Any, text: str) -> Any:
    if kind is type(None) and text.lower() == "none":
        return None
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is int:
        return _whole(text)
    if kind is float and math.isfinite(float(text)):
        return float(text)
    if kind is str:
        return text
    if get_origin(kind) is tuple:
        items = [item.strip() for item in text.strip("()[]").split(",")]
        return tuple(_first(_parse, get_args(kind)[0], item) for item in items if item)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and text == part_name(kind):
        return kind()
    raise ValueError(text)


def _whole(text: str) -> int:
    """``1_000_000`` or ``1e6``."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise ValueError(text) from None
        return int(number)


def convert(name: str, kind: Any, value: Any) -> Any:
    """``value``, given in Python or read from JSON, as a value of type ``kind``; raises CoterieError naming it."""
    try:
        return _first(_convert, kind, value)
    except ValueError:
        raise CoterieError(f"{name} cannot be {value!r}: give {describe(kind)}") from None


def _convert(kind: Any, value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is Any or (kind in (type(None), bool, str) and isinstance(value, kind)):
        return value
    if kind is int and number and isinstance(value, int):
        return value
    if kind is float and number and math.isfinite(value):
        return float(value)
    if get_origin(kind) is Literal and isinstance(value, str) and value in get_args(kind):
        return value
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(_first(_convert, get_args(kind)[0], item) for item in value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, kind):
        return value
    raise ValueError(value)


def describe(kind: Any) -> str:
    """What to write for a value of this type, in words."""
    words = []
    for option in choices(kind):
        if get_origin(option) is Literal:
            words += list(get_args(option))
        elif get_origin(option) is tuple:
            words.append(f"{describe(get_args(option)[0])}s with commas between")
        elif isinstance(option, type) and dataclasses.is_dataclass(option):
            words.append(part_name(option))
        else:
            plain = {int: "a whole number", float: "a number", bool: "true or false", type(None): "none", str: "a name"}
            words.append(plain.get(option, str(option)))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def override(value: Any, path: str, new: Any, whole: str = "") -> Any:
    """A copy of the configuration ``value`` with the field at the dotted ``path`` set to ``new``; text is read."""
    head, _, rest = path.partition(".")
    whole = whole or path
    fields = hints(type(value))
    if head not in fields:
        owner, place = part_name(type(value)), f" (in {whole})" if head != whole else ""
        hint = nearest(head, fields) if fields else "it has none"
        raise CoterieError(f"{owner} has no option {head!r}{place}: {hint}")
    if not rest:
        read = parse if isinstance(new, str) else convert
        return dataclasses.replace(value, **{head: read(whole, fields[head], new)})
    inner = getattr(value, head)
    if not dataclasses.is_dataclass(inner):
        raise CoterieError(f"{head} has no options of its own (in {whole}): give {describe(fields[head])}")
    return dataclasses.replace(value, **{head: override(inner, rest, new, whole)})


def arguments(function: Callable[..., Any], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Keyword arguments for ``function``: text is parsed by its annotations, unknown names are refused."""
    known = hints(function)
    known.pop("return", None)
    out = {}
    for name, value in given.items():
        if name not in known:
            raise CoterieError(f"{owner} has no option {name!r}: {nearest(name, known) if known else 'it has none'}")
        out[name] = (parse if isinstance(value, str) else convert)(name, known[name], value)
    return out


def encode(value: Any) -> Any:
    """A configuration as JSON data: parts become ``{"part": name, field: …}``."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {name: encode(getattr(value, name)) for name in hints(type(value))}
        return {"part": part_name(type(value)), **fields}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return float(typing.cast(Any, value))


def decode(kind: Any, data: Any, where: str = "recipe") -> Any:
    """The configuration of type ``kind`` that ``encode`` described; raises CoterieError where it does not fit."""
    known = parts(kind)
    if isinstance(data, Mapping):
        part = known.get(str(data.get("part")))
        if part is None:
            name, hint = data.get("part"), nearest(str(data.get("part")), known) if known else f"give {describe(kind)}"
            raise CoterieError(f"{where} is {name!r}, which this coterie does not know: {hint}")
        fields = hints(part)
        extra = set(data) - set(fields) - {"part"}
        if extra:
            raise CoterieError(f"{where} has an unknown field {min(extra)!r}: it was written by another version")
        return part(**{n: decode(fields[n], data[n], f"{where}.{n}") for n in data if n != "part"})
    inner = [get_args(k)[0] for k in choices(kind) if get_origin(k) is tuple]
    if isinstance(data, list) and inner:
        return tuple(decode(inner[0], item, f"{where}[{index}]") for index, item in enumerate(data))
    return convert(where, kind, data)
