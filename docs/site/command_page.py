"""A page of the command line, made from the commands themselves."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Literal, get_args, get_origin

from coterie.cli.commands import COMMANDS
from coterie.fields import hints, part_name

_HEAD = """# Command line

`coterie COMMAND --help` prints the same in a terminal. Results go to stdout and progress to stderr; with `--json`
stdout holds one JSON object and nothing else. The exit status is 0, 2 for bad input (one line that says what to do), or
130 after Ctrl-C.
"""


def page() -> str:
    """All commands with their options."""
    return "\n\n".join([_HEAD.strip(), *map(_command, COMMANDS)]) + "\n"


def _command(command: type) -> str:
    summary, _, more = inspect.cleandoc(command.__doc__ or "").partition("\n\n")
    fields = [field for field in dataclasses.fields(command) if field.name != "overrides"]
    words = [_positional(field) for field in fields if _stands_alone(field)]
    blocks = [
        f"## {part_name(command)}",
        summary,
        "```\n" + " ".join(["coterie", part_name(command), *words]) + "\n```",
    ]
    blocks += [f"```text\n{more}\n```"] if more else []
    rows = [_row(field, hints(command)[field.name]) for field in fields]
    if "overrides" in hints(command):
        rows.append("| `--recipe.FIELD`, `--game.OPTION` | | any field of the recipe, any option of the game |")
    blocks.append("\n".join(["| option | default | what it is |", "|---|---|---|", *rows]))
    return "\n\n".join(blocks)


def _stands_alone(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING or bool(field.metadata.get("positional"))


def _positional(field: dataclasses.Field) -> str:
    return field.name.upper() if field.default is dataclasses.MISSING else f"[{field.name.upper()}]"


def _row(field: dataclasses.Field, kind: object) -> str:
    name = field.name.upper() if _stands_alone(field) else "--" + field.name.replace("_", "-")
    default = field.default
    given = default is not dataclasses.MISSING and default is not False and default != ""
    shown = f"`{default:,}`" if isinstance(default, int) and given else f"`{default}`" if given else ""
    words = [f"`{word}`" for word in get_args(kind)] if get_origin(kind) is Literal else []
    text = field.metadata.get("help", "").replace("|", "\\|")
    return f"| `{name}` | {shown} | {text}{': ' * bool(words)}{', '.join(words)} |"
