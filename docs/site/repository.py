"""Links of the Markdown files, which lead through the repository, turned into links of the site.

The site holds ``docs/`` and, below ``project/``, whatever else its pages link to: Markdown as it is, source files as
pages that show them, pictures and data as files. So a link works on a code host and in the site, without a network.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from names import ROOT

DOCS, PROJECT = "docs/", "project/"
RAW = {".png", ".gif", ".jpg", ".svg", ".json", ".html", ".csv", ".webp"}
_FENCES = re.compile(r"(^```.*?^```[ \t]*$)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(^```.*?^```[ \t]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))|(?<=src=\")[^\"]+|(?<=href=\")[^\"]+")
_LIST = re.compile(r"(^(?!\s|[-*+] |\d+\. |$|\|).+\n)(?=(?:[-*] |\d+\. ))", re.MULTILINE)
_CRUMBS = re.compile(r"^\[Documentation\]\([^)]*\) · .*?\n\n", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml"}


def leaves(target: str) -> bool:
    """Whether a link leaves the repository."""
    return bool(re.match(r"[a-z]+:", target))


def links(text: str) -> Iterator[str]:
    """The targets of a Markdown text, code left out."""
    for part in _CODE.split(text)[::2]:
        yield from _LINK.findall(part)


def outside_fences(text: str, change: Callable[[str], str]) -> str:
    """The Markdown text, changed wherever it is no block of code."""
    parts = _FENCES.split(text)
    parts[::2] = map(change, parts[::2])
    return "".join(parts)


def rewritten(text: str, change: Callable[[str], str]) -> str:
    """The Markdown text with the target of every link changed."""
    parts = _CODE.split(text)
    parts[::2] = [_LINK.sub(lambda match: change(match[0]), part) for part in parts[::2]]
    return "".join(parts)


def resolve(source: str, target: str) -> tuple[str, str]:
    """The file of the repository that a link in ``source`` leads to, and the anchor with its ``#``."""
    name, mark, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), name)) if name else source
    return path, mark + anchor


def address(path: str) -> str:
    """Where the site has a file of the repository."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    shown = path.endswith(".md") or Path(path).suffix in RAW
    return f"{PROJECT}{path}" if shown else f"{PROJECT}{path}.md"


def relative(page: str, place: str) -> str:
    """A link from one file of the site to another."""
    return posixpath.relpath(place, posixpath.dirname(page) or ".")


def needed() -> list[str]:
    """The files outside ``docs/`` that its pages link to, and those that these link to."""
    todo = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]
    todo += ["README.md"]
    seen = dict.fromkeys(todo)
    while todo:
        source = todo.pop()
        for target in links((ROOT / source).read_text()):
            path = resolve(source, target)[0]
            if leaves(target) or path in seen or not (ROOT / path).is_file():
                continue
            seen[path] = None
            todo += [path] if path.endswith(".md") else []
    return [path for path in seen if not path.startswith(DOCS)]


def shown(path: str) -> str:
    """A page that shows a text file of the repository; the search leaves it out."""
    language = _LANGUAGES.get(Path(path).suffix, "text")
    head = "---\nsearch:\n  exclude: true\nhide:\n  - toc\n---\n"
    return f"{head}\n# {posixpath.basename(path)}\n\n`{path}`\n\n``````{language}\n{(ROOT / path).read_text()}``````\n"


def adapted(text: str) -> str:
    """The Markdown text as the site wants it: lists after a blank line, and no line of links that the menu has too."""
    text = outside_fences(text, lambda part: _LIST.sub(r"\1\n", part))
    return _CRUMBS.sub("", text, count=1).replace("[All parts](README.md) · ", "", 1)
