"""The documentation holds: links lead somewhere, every recipe and game is told of, and its Python runs."""

import re
from pathlib import Path

import pytest

from coterie.catalogue import RECIPES, games

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SMALL = {r"\bsteps=[\d_]+": "steps=1, episodes=2", r"\bseeds=\d+": "seeds=1", r"evaluate\(\d+\)": "evaluate(2)"}
"""What the pages ask for, and what a test has time for: one iteration of one seed."""


def _page(path):
    return str(path.relative_to(ROOT))


def _prose(text):
    """Without code, in which brackets and parentheses are no links."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def _heading(line):
    """The name by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=_page)
def test_links_lead_somewhere(path):
    for match in LINK.finditer(_prose(path.read_text())):
        target = match[1] or match[2]
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        place = (path.parent / name).resolve() if name else path
        assert place.exists() and place.is_relative_to(ROOT), f"{target} does not exist"
        if anchor:
            headings = {_heading(line) for line in FENCE.sub("", place.read_text()).splitlines() if line[:1] == "#"}
            assert anchor in headings, f"{target} names no heading of {place.name}"


@pytest.mark.parametrize("path", PAGES, ids=_page)
def test_files_that_are_named_exist(path):
    for name in re.findall(r"`((?:src|tests|docs|benchmarks)/[\w./-]+)`", path.read_text()):
        assert (ROOT / name).exists(), f"{name} does not exist"


@pytest.mark.parametrize("path", PAGES, ids=_page)
def test_no_place_that_only_one_machine_has(path):
    found = re.findall(r"(?<![\w.~/-])/(?:home|work|tmp|root|Users|opt|mnt)\b\S*|pypi\.org\S*", path.read_text())
    assert not found


def test_every_page_is_in_the_index():
    linked = {(DOCS / match[1]).resolve() for match in LINK.finditer((DOCS / "README.md").read_text()) if match[1]}
    inner = DOCS / "mathematics" / "README.md"
    linked |= {(inner.parent / match[1]).resolve() for match in LINK.finditer(inner.read_text()) if match[1]}
    missing = [_page(page) for page in DOCS.rglob("*.md") if page not in linked and page != DOCS / "README.md"]
    assert not missing


def test_every_recipe_and_game_is_told_of():
    recipes = (DOCS / "recipes.md").read_text()
    told = "".join((DOCS / f"{page}.md").read_text() for page in ("games", "football", "starcraft"))
    assert not [name for name in RECIPES if f"## {name}\n" not in recipes]
    assert not [name for name in games() if f"`{name}`" not in told]


@pytest.mark.parametrize("name", ["quickstart", "extending", "environments"])
def test_python_of_the_docs_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = [code for language, code in FENCE.findall((DOCS / f"{name}.md").read_text()) if language == "python"]
    assert blocks
    scope = {"__name__": f"docs_{name}"}
    for number, code in enumerate(blocks, 1):
        for long, short in SMALL.items():
            code = re.sub(long, short, code)
        exec(compile(code, f"docs/{name}.md, block {number}", "exec"), scope)
