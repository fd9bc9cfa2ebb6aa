"""The command line, made from the commands' own dataclasses; ``--recipe.*`` and ``--game.*`` reach every field."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import sys
from collections.abc import Sequence
from typing import Any, Literal, NoReturn, Protocol, get_args, get_origin

from coterie.contracts import CoterieError
from coterie.fields import hints, nearest, parse, part_name

Overrides = tuple[tuple[str, str], ...]
_WORDS = {int: "NUMBER", float: "NUMBER"}


class Command(Protocol):
    """A command: a frozen dataclass whose fields are its options."""

    @property
    def json(self) -> bool:
        """Whether stdout is to hold one JSON object."""
        ...

    def run(self) -> Any:
        """Do it; what is returned is what ``--json`` prints."""
        ...


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Bad words on the command line are bad input like any other: one line.

        Raises:
            CoterieError: Always.
        """
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
    parser = _Parser(prog="coterie", description="Train teams: cooperative multi-agent reinforcement learning.",
                     epilog="Start with coterie demo; the options of a command: coterie COMMAND --help.",
                     allow_abbrev=False)  # fmt: skip
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    menu = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, command in names.items():
        summary, _, more = inspect.cleandoc(command.__doc__ or "").partition("\n\n")
        sub = menu.add_parser(
            name, help=_literal(summary), description=_literal(summary), epilog=_literal(more), allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        for field in dataclasses.fields(command):
            if field.name != "overrides":
                _add(sub, command, field)
    if arguments and not arguments[0].startswith("-") and arguments[0] not in names:
        raise CoterieError(f"there is no command {arguments[0]!r}: {nearest(arguments[0], names)}")
    words, overrides = _overrides(arguments)
    found, rest = parser.parse_known_args(words)
    if found.version:
        return _Version()
    if not found.command:
        parser.print_help(sys.stderr)
        raise CoterieError("give a command, such as demo")
    return _build(names[found.command], vars(found), rest, overrides)


def _literal(text: str) -> str:
    """Without what argparse would take for a format."""
    return text.replace("%", "%%")


def _add(parser: argparse.ArgumentParser, command: type, field: dataclasses.Field) -> None:
    kind, text = hints(command)[field.name], _literal(field.metadata.get("help", ""))
    if field.default is dataclasses.MISSING:
        parser.add_argument(field.name, help=text, metavar=field.name.upper())
    elif field.metadata.get("positional"):
        shown = f"{text} (default: {field.default})" if field.default else text
        parser.add_argument(field.name, help=shown, nargs="?", default=field.default, metavar=field.name.upper())
    elif kind is bool:
        parser.add_argument(f"--{_dashed(field.name)}", action="store_true", help=text, dest=field.name)
    else:
        default = f"{field.default:,}" if isinstance(field.default, int) else field.default
        shown = f" (default: {default})" if default else ""
        metavar = "|".join(get_args(kind)) if get_origin(kind) is Literal else _WORDS.get(kind, "TEXT")
        parser.add_argument(f"--{_dashed(field.name)}", help=text + shown, metavar=metavar, dest=field.name)


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _build(command: type, found: dict[str, Any], rest: list[str], overrides: Overrides) -> Command:
    kinds, values = hints(command), {}
    optional = [f.name for f in dataclasses.fields(command) if f.default is not dataclasses.MISSING]
    known = [f"--{_dashed(name)}" for name in optional if name != "overrides"]
    if overrides and "overrides" not in kinds:
        rest = [f"--{overrides[0][0]}", *rest]
    if rest:
        word, name = rest[0].partition("=")[0], part_name(command)
        places = ["--recipe.FIELD", "--game.OPTION"] if "overrides" in kinds else []
        if not word.startswith("-"):
            raise CoterieError(f"{name} has no use for {word!r}: see coterie {name} --help")
        hint = nearest(word, [*known, *places])
        if places:
            from coterie.recipes import Recipe, ValueRecipe

            hint = f"did you mean --recipe.{word[2:]}?" if word[2:] in {**hints(Recipe), **hints(ValueRecipe)} else hint
        raise CoterieError(f"{name} has no option {word}: {hint}")
    for field in dataclasses.fields(command):
        given = found.get(field.name)
        if field.name == "overrides" or given is None or given is False:
            continue
        label = field.name if field.default is dataclasses.MISSING else f"--{_dashed(field.name)}"
        values[field.name] = parse(label, kinds[field.name], given) if isinstance(given, str) else given
    if overrides:
        values["overrides"] = overrides
    return command(**values)


def _overrides(arguments: Sequence[str]) -> tuple[list[str], Overrides]:
    """The arguments without ``--recipe.gamma 0.9 --game.agents=5``, and these as pairs."""
    rest, pairs, words = [], [], list(arguments)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith(("--recipe.", "--game.")):
            rest.append(word)
            continue
        if not equals:
            if not words or words[0].startswith("--"):
                raise CoterieError(f"{name} needs a value")
            value = words.pop(0)
        pairs.append((name[2:], value))
    return rest, tuple(pairs)


def split(overrides: Sequence[tuple[str, str]], room: str) -> dict[str, str]:
    """The overrides of one room, ``recipe`` or ``game``, without its prefix."""
    return {name.removeprefix(f"{room}."): value for name, value in overrides if name.startswith(f"{room}.")}


@dataclasses.dataclass(frozen=True)
class _Version:
    """Print the version."""

    json: bool = False

    def run(self) -> Any:
        """Do so."""
        from coterie.version import __version__

        print(f"coterie {__version__}")
        return None
