"""The command line, made from the commands' own dataclasses; ``--recipe.*`` and ``--game.*`` reach every field."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

from coterie.contracts import CoterieError
from coterie.fields import choices, describe, hints, nearest, parse, part_name


class Command(Protocol):
    """A command: a frozen dataclass whose fields are its options."""

    json: bool

    def run(self) -> Any:
        """Do it; what is returned is what ``--json`` prints."""
        ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CoterieError(f"{message}; see {self.prog} --help")


def option(help_text: str, default: Any = dataclasses.MISSING, positional: bool = False) -> Any:
    """A field of a command with its line of help; positional if it has no default, or if it says so."""
    return dataclasses.field(default=default, metadata={"help": help_text, "positional": positional})


def read(commands: Sequence[type], arguments: Sequence[str]) -> Command:
    """The command that ``arguments`` ask for.

    Raises:
        CoterieError: Unknown command or option, or a value that does not fit; one line with the remedy.
    """
    names = {part_name(command): command for command in commands}
    parser = _Parser(prog="coterie", description="Train teams: cooperative multi-agent reinforcement learning.")
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    menu = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, command in names.items():
        summary = (command.__doc__ or "").strip().splitlines()[0]
        sub = menu.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        for field in dataclasses.fields(command):
            if field.name != "overrides":
                _add(sub, command, field)
    if arguments and not arguments[0].startswith("-") and arguments[0] not in names:
        raise CoterieError(f"there is no command {arguments[0]!r}: {nearest(arguments[0], names)}")
    found, rest = parser.parse_known_args(list(arguments))
    if found.version:
        return _Version()
    if not found.command:
        parser.print_help()
        raise SystemExit(2)
    return _build(names[found.command], vars(found), rest)


def _add(parser: argparse.ArgumentParser, command: type, field: dataclasses.Field) -> None:
    kind, text = hints(command)[field.name], field.metadata.get("help", "")
    if field.default is dataclasses.MISSING:
        parser.add_argument(field.name, help=text)
    elif field.metadata.get("positional"):
        parser.add_argument(field.name, help=f"{text} (default: {field.default})", nargs="?", default=field.default)
    elif kind is bool:
        parser.add_argument(f"--{_dashed(field.name)}", action="store_true", help=text, dest=field.name)
    else:
        shown = "" if field.default in (None, ()) else f" (default: {field.default})"
        metavar = describe(choices(kind)[0]).split(" ")[-1].upper()
        parser.add_argument(f"--{_dashed(field.name)}", help=text + shown, metavar=metavar, dest=field.name)


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _build(command: type, found: dict[str, Any], rest: list[str]) -> Command:
    kinds, values = hints(command), {}
    for field in dataclasses.fields(command):
        given = found.get(field.name)
        if field.name == "overrides" or given is None or given is False:
            continue
        values[field.name] = given if given is True else parse(_dashed(field.name), kinds[field.name], given)
    if "overrides" in kinds:
        values["overrides"] = _overrides(rest, [f"--{_dashed(name)}" for name in kinds if name != "overrides"])
    elif rest:
        known = [f"--{_dashed(name)}" for name in kinds]
        raise CoterieError(f"{part_name(command)} has no option {rest[0]}: {nearest(rest[0], known)}")
    return command(**values)


def _overrides(rest: list[str], known: list[str]) -> tuple[tuple[str, str], ...]:
    """``--recipe.gamma 0.9 --game.agents=5`` as pairs."""
    pairs, words = [], list(rest)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith(("--recipe.", "--game.")):
            hint = nearest(name, [*known, "--recipe.FIELD", "--game.OPTION"])
            raise CoterieError(f"there is no option {name}: {hint}")
        if not equals:
            if not words:
                raise CoterieError(f"{name} needs a value")
            value = words.pop(0)
        pairs.append((name[2:], value))
    return tuple(pairs)


def split(overrides: Sequence[tuple[str, str]], room: str) -> dict[str, str]:
    """The overrides of one room, ``recipe`` or ``game``, without its prefix."""
    return {name.removeprefix(f"{room}."): value for name, value in overrides if name.startswith(f"{room}.")}


@dataclasses.dataclass(frozen=True)
class _Version:
    """Print the version."""

    json: bool = False

    def run(self) -> Any:
        """Print the version."""
        from coterie.version import __version__

        print(f"coterie {__version__}")
        return None
