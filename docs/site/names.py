"""The public names of the package, read from its source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "coterie"
FRONT = "coterie"
"""The room of the modules that stand directly in the package."""
_FIRST = (FRONT, "contracts", "policy", "nets", "games", "training", "campaign", "export", "cli")


class Name(NamedTuple):
    """A public name, such as ``coterie.policy.order.Greedy.turns``, and whether it has a docstring."""

    path: str
    documented: bool


class Module(NamedTuple):
    """A module: its dotted name, the room whose page shows it, its file and its syntax tree."""

    name: str
    room: str
    path: Path
    tree: ast.Module

    @property
    def about(self) -> str:
        """The first paragraph of its docstring, in one line."""
        return " ".join((ast.get_docstring(self.tree) or "").partition("\n\n")[0].split())

    @property
    def defines(self) -> bool:
        """Whether anything public is defined in it, and not only taken from elsewhere."""
        return len(list(public(self, frozenset()))) > 1


@cache
def modules(package: Path = PACKAGE) -> tuple[Module, ...]:
    """Every public module, a package before what stands in it; read once."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if any(part.startswith("_") for part in parts):
            continue
        room = parts[1] if len(parts) > 1 and (package / parts[1]).is_dir() else FRONT
        found.append(Module(".".join(parts), room, path, ast.parse(path.read_text())))
    return tuple(sorted(found, key=lambda module: module.name))


def rooms(package: Path = PACKAGE) -> dict[str, list[Module]]:
    """The modules of each room; the rooms in the order in which one reads them."""
    found: dict[str, list[Module]] = {}
    for module in modules(package):
        found.setdefault(module.room, []).append(module)
    known = [room for room in _FIRST if room in found]
    return {room: found[room] for room in [*known, *sorted(set(found) - set(known))]}


def exported(package: Path = PACKAGE) -> dict[str, frozenset[str]]:
    """What each ``__all__`` offers, by the name of its module: there even a constant must be documented."""
    found = {}
    for module in modules(package):
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and _targets(node) == ["__all__"]:
                found[module.name] = frozenset(ast.literal_eval(node.value))
    return found


def public(module: Module, constants: frozenset[str]) -> Iterator[Name]:
    """The module, its public classes and functions, the public methods, and those ``constants`` that it defines."""
    yield Name(module.name, bool(ast.get_docstring(module.tree)))
    for node, after in zip(module.tree.body, [*module.tree.body[1:], None], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            yield from (Name(f"{module.name}.{name}", told) for name in _targets(node) if name in constants)
        yield from _definitions(node, module.name)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _definitions(node: ast.AST, owner: str) -> Iterator[Name]:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
        return
    name = f"{owner}.{node.name}"
    yield Name(name, bool(ast.get_docstring(node)))
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _definitions(inner, name)


def every_public_name(package: Path = PACKAGE) -> list[Name]:
    """All of them; constants count where their module, or a package around it, offers them in ``__all__``."""
    offered = exported(package)
    found = []
    for module in modules(package):
        above = (names for owner, names in offered.items() if f"{module.name}.".startswith(f"{owner}."))
        found += public(module, frozenset().union(*above) - {"__version__"})
    return found
