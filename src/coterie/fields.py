"""Configuration as data: one reading of type annotations serves the command line, run files and explanations.

A *part* is a frozen dataclass (an Equinox module); where a field admits several parts, its annotation is their union
and a part goes by the snake-case name of its class. Nothing is ever imported or executed to read a configuration.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from coterie.contracts import CoterieError


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` or a short list of what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1, 0.5)
    return f"did you mean {close[0]}?" if close else f"choose from {', '.join(names)}"


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
    for option in choices(kind):
        try:
            return _parse(option, text)
        except ValueError:
            continue
    raise CoterieError(f"{name} cannot be {text!r}: give {describe(kind)}")


def _parse(kind: Any, text: str) -> Any:
    if kind is type(None) and text.lower() == "none":
        return None
    if get_origin(kind) is Literal and text in get_args(kind):
        return text
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is int:
        return int(text.replace("_", ""))
    if kind is float:
        return float(text)
    if kind is str:
        return text
    if get_origin(kind) is tuple:
        return tuple(_parse(get_args(kind)[0], item) for item in text.strip("()").split(",") if item.strip())
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and text == part_name(kind):
        return kind()
    raise ValueError(text)


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


def override(value: Any, path: str, text: str, whole: str = "") -> Any:
    """A copy of the configuration ``value`` with the field at the dotted ``path`` read from ``text``."""
    head, _, rest = path.partition(".")
    whole = whole or path
    fields = hints(type(value))
    if head not in fields:
        owner = part_name(type(value))
        raise CoterieError(f"{owner} has no option {head!r} (in {whole}): {nearest(head, fields)}")
    if not rest:
        return dataclasses.replace(value, **{head: parse(whole, fields[head], text)})
    inner = getattr(value, head)
    if not dataclasses.is_dataclass(inner):
        raise CoterieError(f"{head} has no options of its own (in {whole}): give {describe(fields[head])}")
    return dataclasses.replace(value, **{head: override(inner, rest, text, whole)})


def arguments(function: Callable[..., Any], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Keyword arguments for ``function``: text is parsed by its annotations, unknown names are refused."""
    known = hints(function)
    known.pop("return", None)
    out = {}
    for name, value in given.items():
        if name not in known:
            raise CoterieError(f"{owner} has no option {name!r}: {nearest(name, known) if known else 'it has none'}")
        out[name] = parse(name, known[name], value) if isinstance(value, str) else value
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
    if isinstance(data, Mapping):
        known = parts(kind)
        part = known.get(str(data.get("part")))
        if part is None:
            name = data.get("part")
            raise CoterieError(f"{where} is {name!r}, which this coterie does not know: {nearest(str(name), known)}")
        fields = hints(part)
        extra = set(data) - set(fields) - {"part"}
        if extra:
            raise CoterieError(f"{where} has an unknown field {min(extra)!r}: it was written by another version")
        return part(**{n: decode(fields[n], data[n], f"{where}.{n}") for n in data if n != "part"})
    if isinstance(data, list):
        inner = [get_args(k)[0] for k in choices(kind) if get_origin(k) is tuple]
        return tuple(decode(inner[0] if inner else Any, item, where) for item in data)
    floats = float in choices(kind) and isinstance(data, int) and not isinstance(data, bool)
    return float(data) if floats and int not in choices(kind) else data
