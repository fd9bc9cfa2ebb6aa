"""The house stands as CONTRIBUTING.md says: imports point down, public names are documented and annotated."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "coterie"
FILES = sorted(SOURCE.rglob("*.py"))
TOP = {"training", "catalogue", "campaign", "cli"}
LEARNERS = {"policy", "value", *TOP}
ABOVE = {  # room -> rooms that stand above it
    "contracts": {"nets", "parts", "games", "bridges", "exact", *LEARNERS},
    "exact": {"nets", "parts", "games", "bridges", *LEARNERS},
    "nets": {"parts", "games", "bridges", *LEARNERS},
    "parts": {"games", "bridges", *LEARNERS},
    "games": {"bridges", *LEARNERS},
    "bridges": LEARNERS,
    "policy": {"games", "bridges", "value", *TOP},
    "value": {"games", "bridges", "policy", *TOP},
    "training": {"games", "policy", "value", "campaign", "cli"},
    "catalogue": {"campaign", "cli"},
    "campaign": {"cli"},
}


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(tree: ast.Module) -> Iterator[str]:
    """Full names of the package's own modules (and of names taken from them) that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for holder in (tree, *classes):
        for node in holder.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down_and_public_names_are_annotated(path):
    tree = _parse(path)
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    rooms = {name.split(".")[1] for name in _imports(tree) if name.startswith("coterie.")}
    assert not rooms & ABOVE.get(room, set())
    for node in _public(tree):
        assert ast.get_docstring(node), f"{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not bare and node.returns is not None, f"{node.name}: {bare or 'return type'} not annotated"


def test_no_import_cycle():
    modules = {}
    for path in FILES:
        name = ".".join(("coterie", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        modules[name] = _parse(path)
    edges = {name: {m for m in _imports(tree) if m in modules and m != name} for name, tree in modules.items()}
    while leaves := [name for name, targets in edges.items() if not targets]:
        for leaf in leaves:
            del edges[leaf]
        for targets in edges.values():
            targets.difference_update(leaves)
    assert not edges, f"these modules import one another: {sorted(edges)}"


def test_no_pickle_anywhere():
    risky = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    users = [str(p) for p in FILES if risky & {name.split(".")[0] for name in _imports(_parse(p))}]
    assert not users
