"""What MkDocs calls while it builds the site: pages made from the code, links, formulas, and the check of names.

``make docs`` builds strictly, so every warning of this file fails the build.
"""

from __future__ import annotations

import logging
import re

import command_page
import formulas
import recipe_pages
import reference
import repository
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from names import ROOT, modules

_LOG = logging.getLogger("mkdocs.hooks.coterie")
_IDS = re.compile(r'id="(coterie[\w.]*)"')
_OVERVIEW = "docs/recipes.md"
_made: set[str] = set()
"""Pages that are made from code: their links are right as they stand."""
_origins: dict[str, str] = {}
"""Other pages that no file of ``docs/`` holds -> the file of the repository that they show."""
_anchors: set[str] = set()
"""Names of the package that the pages built so far show."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each recipe and each room into the menu."""
    for known in (_made, _origins, _anchors):
        known.clear()
    modules.cache_clear()
    more = {
        "Recipes": [{name: f"recipes/{name}.md"} for name in recipe_pages.RECIPES],
        "Reference": [{title: place} for title, place in reference.menu().items()],
    }
    for entry in config.nav or []:
        for title in set(more) & set(entry):
            entry[title] += more[title]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file holds: recipes, reference, and the files outside ``docs/`` that pages link to."""
    made = reference.pages() | {"reference/commands.md": command_page.page()}
    sections = recipe_pages.split((ROOT / _OVERVIEW).read_text())[1]
    for name in recipe_pages.RECIPES:
        place = f"recipes/{name}.md"
        made[place] = recipe_pages.page(name, _fitted(sections.get(name, ""), _OVERVIEW, place))
    for place, text in made.items():
        _made.add(place)
        files.append(File.generated(config, place, content=text))
    for path in repository.needed():
        place = repository.address(path)
        if not place.endswith(".md"):
            files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
            continue
        markdown = path.endswith(".md")
        text = (ROOT / path).read_text() if markdown else repository.shown(path)
        _origins[place] = path
        _made.update(() if markdown else {place})
        files.append(File.generated(config, place, content=text, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links through the repository into links of the site."""
    del config, files
    here = page.file.src_uri
    if here in _made:
        return markdown
    source = _origins.get(here, f"docs/{here}")
    if here == "README.md":
        page.meta["hide"] = ["navigation"]
    return _fitted(recipe_pages.split(markdown)[0] if source == _OVERVIEW else markdown, source, here)


def _fitted(markdown: str, source: str, here: str) -> str:
    """The text of ``source``, a file of the repository, as it must be on the page ``here``."""

    def change(target: str) -> str:
        own = target.startswith("#") and source != _OVERVIEW
        if own or repository.leaves(target):
            return target
        path, anchor = repository.resolve(source, target)
        if path == _OVERVIEW and anchor[1:] in recipe_pages.RECIPES:
            return repository.relative(here, f"recipes/{anchor[1:]}.md")
        return repository.relative(here, repository.address(path)) + anchor

    return reference.linked(repository.rewritten(repository.adapted(markdown), change), here)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Draw formulas, and remember which names the reference shows."""
    del config, files
    _anchors.update(_IDS.findall(html))
    html = html.replace("<code>--", '<code class="option">--')
    return formulas.drawn(html, lambda words: _LOG.warning("%s: %s", page.file.src_uri, words))


def on_post_build(config: MkDocsConfig) -> None:
    """Every public name must have a docstring and stand in the reference."""
    del config
    for fault in reference.faults(_anchors):
        _LOG.warning(fault)
