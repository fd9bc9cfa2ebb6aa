"""The reference: a page for each room of the package, made from its docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import names
import repository

import coterie

_TITLES = {names.FRONT: "coterie", "cli": "cli (commands as objects)"}
_INDEX = """# Reference

What stands here is made from the docstrings of the source. This is what `import coterie` gives:

{face}

Who writes a part, a game or a recipe also needs `contracts` and the room that it belongs to:

| page | what is in it |
|---|---|
| [Command line](commands.md) | every command with its options |
"""
_FRONT = "The package, and the modules that stand directly in it."


def menu() -> dict[str, str]:
    """Title -> page, in the order of the menu."""
    found = {"Overview": "reference/README.md", "Command line": "reference/commands.md"}
    return found | {_TITLES.get(room, room): f"reference/{room}.md" for room in names.rooms()}


def pages() -> dict[str, str]:
    """The Markdown of the overview and of every room."""
    rooms = names.rooms()
    rows = [f"| [`{_dotted(room)}`]({room}.md) | {_about(room, modules)} |" for room, modules in rooms.items()]
    found = {f"reference/{room}.md": _room(room, modules) for room, modules in rooms.items()}
    return {"reference/README.md": _INDEX.format(face=_face()) + "\n".join(rows) + "\n", **found}


def _face() -> str:
    """The names that the package itself offers, with a link to where each stands."""
    rows = ["| name | what it is |", "|---|---|"]
    for name in coterie.__all__:
        thing = getattr(coterie, name)
        home = f"{thing.__module__}.{thing.__qualname__}" if hasattr(thing, "__qualname__") else ""
        home = home or getattr(thing, "__name__", "")
        about = " ".join((thing.__doc__ or "").strip().partition("\n\n")[0].split())
        rows += [f"| [`coterie.{name}`][{home}] | {about} |"] if home else []
    return "\n".join(rows)


def _dotted(room: str) -> str:
    return room if room == names.FRONT else f"coterie.{room}"


def _about(room: str, modules: Sequence[names.Module]) -> str:
    return next((m.about for m in modules if m.name == _dotted(room)), _FRONT)


def _room(room: str, modules: Sequence[names.Module]) -> str:
    """A heading, an overview of the modules, and what is in each."""
    inner = [module for module in modules if module.name != _dotted(room)]
    top = next((module for module in modules if module.name == _dotted(room)), None)
    blocks = [f"# {_dotted(room)}" + (" {#" + _dotted(room) + "}" if not (top and top.defines) else "")]
    if top and top.defines:
        blocks.append(_shown(top, heading=False))
    elif top:
        blocks.append(names.ast.get_docstring(top.tree) or "")
    if inner:
        rows = [f"| [`{module.name}`][{module.name}] | {module.about} |" for module in inner]
        blocks.append("\n".join(["| module | what it is |", "|---|---|", *rows]))
    return "\n\n".join([*blocks, *map(_shown, inner)]) + "\n"


def _shown(module: names.Module, heading: bool = True) -> str:
    options = {"heading_level": 2 if heading else 1, "show_root_heading": str(heading).lower()}
    lines = [f"      {key}: {value}" for key, value in options.items()]
    return "\n".join([f"::: {module.name}", "    options:", *lines])


def linked(text: str, page: str) -> str:
    """The Markdown of a page in which the names of source files lead to their place in the reference."""
    known = {str(m.path.relative_to(names.ROOT)): m for room in names.rooms().values() for m in room}

    def one(match: re.Match[str]) -> str:
        module = known.get(match[1])
        if module is None:
            return match[0]
        return f"[{match[0]}]({repository.relative(page, f'reference/{module.room}.md')}#{module.name})"

    return repository.outside_fences(text, lambda part: re.sub(r"(?<!\[)`(src/coterie/[\w/]+\.py)`", one, part))


def faults(anchors: Iterable[str]) -> list[str]:
    """Public names without a docstring, or missing from the reference."""
    shown = set(anchors)
    found = []
    for name in names.every_public_name():
        if not name.documented:
            found.append(f"{name.path} is public and has no docstring: write one, or let its name start with _")
        elif name.path not in shown:
            found.append(f"{name.path} is public and does not stand in the reference: see docs/site/reference.py")
    return found
