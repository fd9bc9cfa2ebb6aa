"""Where the page comes from: versions, commands, line-ups, references."""

from __future__ import annotations

from typing import Any

from coterie.campaign.plan import Plan, recipe
from coterie.campaign.report import references
from coterie.campaign.report.data import Material
from coterie.campaign.report.markup import EMPTY, Markup, card, folded, paragraph, section, table, tag, text
from coterie.campaign.suite import shipped, slug
from coterie.contracts import CoterieError
from coterie.version import __version__

_FIELDS = {
    "order": "order", "estimator": "estimator", "weighting": "weighting", "surrogate": "surrogate",
    "critic_input": "critic input", "critic_turns": "critic is fitted", "sharing": "parameters shared",
    "actor": "actor", "critic": "critic", "environments": "environments", "rollout": "rollout", "epochs": "epochs",
    "gamma": "discount", "entropy": "entropy coefficient",
}  # fmt: skip


def provenance(material: Material) -> Markup:
    """All that it takes to make the page again."""
    return section("provenance", "Provenance", _commands(material.plan), _versions(material), _lineups(material),
                   _references(material))  # fmt: skip


def commands(known: Plan) -> list[str]:
    """What made the campaign and the page, free of this machine's paths."""
    name, scale = known.name, known.document["scale"]
    usual, place = f"{slug(name)}-{scale}", known.directory.resolve().name
    suite = name if name in shipped() else f"{slug(name)}.py"
    run = f"coterie campaign run {suite}" + (f" --scale {scale}" if scale != "laptop" else "")
    return [run + (f" --out campaigns/{place}" if place != usual else ""), f"coterie report campaigns/{place}"]


def _commands(known: Plan) -> Markup:
    made = tag("pre", tag("code", text("\n".join(commands(known)))))
    own = EMPTY if known.name in shipped() else paragraph("The suite is a file of the user's own.", "note")
    return card(tag("h3", text("How this was made")), made, own)


def _versions(material: Material) -> Markup:
    found: dict[str, set[str]] = {"coterie": {str(material.plan.document.get("coterie", __version__))}}
    for run in material.runs.values():
        versions = run.document.get("versions")
        for name, version in (versions if isinstance(versions, dict) else {}).items():
            found.setdefault(str(name), set()).add(str(version))
    rows = [tag("div", tag("dt", text(name)), tag("dd", text(", ".join(sorted(seen))))) for name, seen in found.items()]
    mixed = [name for name, seen in found.items() if len(seen) > 1]
    note = paragraph(f"Runs differ in their version of {', '.join(mixed)}.", "note") if mixed else EMPTY
    return card(tag("h3", text("Versions of the runs")), tag("dl", *rows, class_="facts"), note)


def _lineups(material: Material) -> Markup:
    """Parts and numbers of each method, side by side."""
    first = {method: next(r.entry for (m, _), r in material.runs.items() if m == method) for method in material.methods}
    rows = []
    for field, name in _FIELDS.items():
        values = [_said(first[method].recipe.get(field)) for method in material.methods]
        rows.append((None, [text(name), *map(text, values)]))
    head = ("", *material.methods)
    several = any(
        run.entry.recipe != first[method].recipe for (method, _), run in material.runs.items()
    )  # fmt: skip
    game = next(iter(first.values())).game
    note = paragraph(f"As on {game}; the suite changes numbers on other games.", "note") if several else EMPTY
    inside = table("Parts and numbers of each method", head, rows, len(head))
    return card(folded("lineups", "Line-ups of the methods", inside, note))


def _said(value: Any) -> str:
    """A part with its settings, or a number."""
    if isinstance(value, dict):
        rest = {key: item for key, item in value.items() if key != "part" and item not in ([], None, "none")}
        settings = [f"{key} {_said(item)}" for key, item in rest.items()]
        return f"{value.get('part', '')} ({', '.join(settings)})" if settings else str(value.get("part", ""))
    if isinstance(value, list):
        return " × ".join(map(_said, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _references(material: Material) -> Markup:
    """Each work once, with who uses it."""
    used: dict[str, list[str]] = {}
    for method in material.methods:
        entry = next(run.entry for (name, _), run in material.runs.items() if name == method)
        try:
            found = references.of_recipe(recipe(entry))
        except CoterieError:  # a recipe of another version: its parts are not known here
            continue
        for part, works in found.items():
            for work in works:
                used.setdefault(work, []).append(part)
    for game in dict.fromkeys(run.entry.game_name for run in material.runs.values()):
        for work in references.of_game(game):
            used.setdefault(work, []).append(game)
    items = [
        tag("li", text(work), text(" "), tag("span", text(", ".join(dict.fromkeys(users))), class_="users"))
        for work, users in used.items()
    ]
    items += [
        tag("li", text(work), text(" "), tag("span", text("intervals of this page"), class_="users"))
        for work in references.statistics()
    ]
    lead = paragraph("The papers behind the parts that these methods are made of. Cite those that you rely on.")
    return card(tag("h3", text("References")), lead, tag("ul", *items, class_="references"))
