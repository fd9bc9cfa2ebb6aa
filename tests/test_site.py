"""The documentation site: what it makes from the code is complete, and a strict build passes and needs no network."""

import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from coterie.catalogue import RECIPES, games
from coterie.fields import hints, part_name

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FETCHED = re.compile(
    r"<(?:script|link|img|iframe|source|video|object)\b[^>]*?(?:src|href|data)=[\"']?(?:https?:)?//[^>]*>"
)


@pytest.fixture(scope="module")
def site():
    """A module of ``docs/site`` by name."""
    sys.path.insert(0, str(DOCS / "site"))
    yield importlib.import_module
    sys.path.remove(str(DOCS / "site"))


def test_every_public_name_has_a_docstring(site):
    assert not [name.path for name in site("names").every_public_name() if not name.documented]


def test_every_room_has_a_page(site):
    pages = site("reference").pages()
    for module in site("names").modules():
        assert f"::: {module.name}\n" in pages[f"reference/{module.room}.md"] or not module.defines


def test_a_name_that_is_not_shown_is_reported(site):
    names = [name.path for name in site("names").every_public_name()]
    assert "coterie.policy.order.Greedy.turns" in names
    shown = [path for path in names if path != "coterie.api.train"]
    missing = [fault.split()[0] for fault in site("reference").faults(shown) if "does not stand" in fault]
    assert missing == ["coterie.api.train"]


def test_a_name_without_docstring_is_found(site, tmp_path):
    room = tmp_path / "coterie" / "room"
    room.mkdir(parents=True)
    (room / "__init__.py").write_text('"""A room."""\n\n__all__ = ["LIMIT", "told"]\n')
    (room / "part.py").write_text(
        '"""A part."""\n\nLIMIT = 1\n\n\ndef told():\n    """Is."""\n\n\ndef bare():\n    pass\n'
    )
    bare = [name.path for name in site("names").every_public_name(room.parent) if not name.documented]
    assert bare == ["coterie.room.part.LIMIT", "coterie.room.part.bare"]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_pages_hold_the_whole_line_up(site, name):
    pages = site("recipe_pages")
    section = pages.split((DOCS / "recipes.md").read_text())[1][name]
    text, line = pages.page(name, section), RECIPES[name]()
    assert section in text and "$" in section
    for field in hints(type(line)):
        if field != "name" and field not in getattr(line, "idle", ()):
            assert f"`--recipe.{field}`" in text or f"### {field}: " in text
    for topic in pages.MATHEMATICS[part_name(type(line))].values():
        assert (DOCS / "mathematics" / f"{topic}.md").exists()


def test_differences_between_recipes_are_told(site):
    text = site("recipe_pages").page("a2po", "")
    assert "It is [`mappo`](mappo.md) with `sharing` `none`; `estimator` `preceding_trace`;" in text
    assert "| `--recipe.mode shared` | `sharing` `full`; `order.blocks` `2`; `surrogate.adaptive` `ratio` |" in text


def test_every_command_is_told_of(site):
    from coterie.cli.commands import COMMANDS

    text = site("command_page").page()
    for command in COMMANDS:
        assert f"\n## {command.__name__.lower()}\n" in text


@pytest.mark.parametrize("name", [name for name in games() if not name.startswith(("football/", "starcraft/"))])
def test_every_game_has_a_picture(name):
    """But those of simulators that are installed apart: they draw their own."""
    picture = f"images/game-{name.replace('/', '-')}.png"
    assert (DOCS / picture).exists(), "draw it: python docs/draw_games.py"
    assert f"]({picture})" in (DOCS / "games.md").read_text()


def test_links_through_the_repository_become_links_of_the_site(site):
    repository = site("repository")
    assert repository.resolve("docs/mathematics/orders.md", "../recipes.md#a2po") == ("docs/recipes.md", "#a2po")
    assert repository.address("tests/test_docs.py") == "project/tests/test_docs.py.md"
    assert repository.address("docs/images/x.png") == "images/x.png"
    assert repository.relative("mathematics/orders.md", "recipes/a2po.md") == "../recipes/a2po.md"
    kept = "`[a](b)` and\n```\n[a](b)\n```\n"
    assert repository.rewritten(kept + "[`a`](b)", str.upper) == kept + "[`a`](B)"
    assert repository.adapted("Words\n- one\n  more\n- two\n") == "Words\n\n- one\n  more\n- two\n"


@pytest.mark.skipif(not find_spec("latex2mathml"), reason="needs the extra docs")
def test_formulas_become_mathml(site):
    faults = []
    drawn = site("formulas").drawn
    page = drawn(r'<span class="arithmatex">\(E|A| &lt; \log r\)</span>', faults.append)
    assert page.startswith("<math") and "&lt;" in page.replace("&#x0003C;", "&lt;") and "arithmatex" not in page
    assert drawn(r'<div class="arithmatex">\[a, \qquad b\]</div>', faults.append).count("<math") == 2
    assert not faults
    drawn(r'<span class="arithmatex">\(\foo{a\)</span>', faults.append)
    assert len(faults) == 1


@pytest.mark.skipif(not find_spec("mkdocs"), reason="needs the extra docs")
def test_the_site_builds_strictly_and_fetches_nothing(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"JAX_PLATFORMS": "cpu"})
    assert done.returncode == 0, done.stderr[-3000:]
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        text = page.read_text()
        assert not FETCHED.search(text), f"{page.name} fetches {FETCHED.search(text)[0]}"
        assert str(ROOT) not in text
