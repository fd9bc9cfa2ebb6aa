"""Explanations, made from the docstrings of the parts."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from coterie import catalogue
from coterie.contracts import ActionSpace
from coterie.fields import describe, encode, hints, part_name


def _document(thing: Any) -> str:
    return inspect.cleandoc(type(thing).__doc__ or "").partition("\n\nArgs:")[0]


def explain_recipe(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """A recipe's parts with their equations and sources, and its numbers."""
    line = catalogue.recipe(name, options)
    parts, numbers = {}, {}
    for field in (name for name in hints(type(line)) if name not in getattr(line, "idle", ())):
        value = getattr(line, field)
        if dataclasses.is_dataclass(value):
            settings = {key: setting for key, setting in encode(value).items() if key != "part"}
            parts[field] = {"part": part_name(type(value)), "settings": settings, "text": _document(value)}
        elif field != "name":
            numbers[field] = encode(value)
    text = [f"[bold]{name}[/bold]", _plain(inspect.cleandoc(catalogue.RECIPES[name].__doc__ or "")), ""]
    for field, part in parts.items():
        settings = ", ".join(f"{key} {_setting(value)}" for key, value in part["settings"].items())
        text += [f"[bold]{field}[/bold]: {part['part']}" + (f"  ({settings})" if settings else "")]
        text += [f"    {row}" for row in _plain(part["text"]).splitlines()]
        text += [""]
    text += ["[bold]numbers[/bold]: " + ", ".join(f"{key} {value}" for key, value in numbers.items())]
    own = [key for key in hints(catalogue.RECIPES[name]) if key != "return"]
    kinds = [f"--recipe.{key} ({describe(hints(catalogue.RECIPES[name])[key])})" for key in own]
    text += ["", f"change any of it: coterie train {name} GAME --recipe.FIELD VALUE, --recipe.PART.FIELD VALUE"]
    where = "the agents" if hasattr(line, "replay") else "actor and critic"
    text += [f"and: {', '.join([*kinds, f'--recipe.memory (width of a GRU in {where})'])}"]
    return {"recipe": name, "parts": parts, "numbers": numbers, "text": "\n".join(text)}


def _setting(value: Any) -> str:
    """A setting in words; a part inside a part by its name, with settings of its own in brackets."""
    if isinstance(value, list):
        return ", ".join(map(_setting, value)) or "none"
    if not isinstance(value, dict):
        return str(value)
    own = ", ".join(f"{key} {_setting(each)}" for key, each in value.items() if key != "part")
    return f"{value['part']}{f' ({own})' if own else ''}"


def _plain(text: str) -> str:
    """Without what rich would take for markup, and without that of the documentation."""
    return text.replace("``", "").replace("[", "\\[")


def action_words(space: ActionSpace) -> str:
    """An action space in words."""
    if space.kind == "continuous":
        return "box " + " x ".join(f"[{low:g}, {high:g}]" for low, high in zip(space.low, space.high, strict=True))
    return f"{' x '.join(map(str, space.sizes))} choices"


def _alike(values: Sequence[Any]) -> str:
    """One value for all agents, or each agent's own."""
    return f"{values[0]} (each)" if len(set(values)) == 1 else ", ".join(map(str, values))


def explain_game(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """What a game is: its documentation and its spec."""
    game = catalogue.make(name, **options)
    spec = game.spec
    facts = {
        "agents": list(spec.agents), "types": list(spec.types), "observation sizes": list(spec.observation_sizes),
        "actions": [dataclasses.asdict(space) for space in spec.action_spaces], "state size": spec.state_size,
        "horizon": spec.horizon, "reward": spec.reward, "optimum": spec.optimum,
    }  # fmt: skip
    shown = {
        "agents": ", ".join(spec.agents), "types": ", ".join(dict.fromkeys(spec.types)),
        "observation size": _alike(spec.observation_sizes),
        "action": _alike([action_words(space) for space in spec.action_spaces]), "state size": spec.state_size,
        "episode": f"at most {spec.horizon} steps", "reward": spec.reward,
        "optimum": "not known" if spec.optimum is None else f"{spec.optimum:g}",
    }  # fmt: skip
    about = _plain(inspect.cleandoc(catalogue.games()[name].__doc__ or ""))
    about = about.replace("\nArgs:\n", "\n[bold]options[/bold] (--game.NAME VALUE):\n").partition("\n\nRaises:")[0]
    rows = [f"[bold]{key}[/bold]: {_plain(str(value))}" for key, value in shown.items()]
    return {"game": name, "spec": facts, "text": "\n".join([f"[bold]{name}[/bold]", about, "", *rows])}
