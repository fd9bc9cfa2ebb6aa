"""The whole page: one file that fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from coterie.campaign.plan import Plan
from coterie.campaign.report import looks
from coterie.campaign.report.aggregates import aggregates
from coterie.campaign.report.coordination import coordination
from coterie.campaign.report.data import Material, gather
from coterie.campaign.report.final import final
from coterie.campaign.report.learning import cost, learning
from coterie.campaign.report.markup import EMPTY, Markup, tag, text
from coterie.campaign.report.overview import claims, header, legend
from coterie.campaign.report.payoff import payoffs
from coterie.campaign.report.provenance import provenance
from coterie.campaign.report.replays import replays
from coterie.training.files import write_bytes

_SECTIONS = (claims, final, aggregates, learning, cost, coordination, payoffs, replays, provenance)
_NAMES = {
    "claims": "Claims", "final": "Final returns", "aggregates": "Aggregates", "learning": "Learning curves",
    "cost": "Cost", "coordination": "Coordination", "payoff": "Payoff paths", "replays": "Replays",
    "provenance": "Provenance",
}  # fmt: skip
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='5' cy='6' "
    "r='3.4' fill='%234477AA'/%3E%3Ccircle cx='11.5' cy='6' r='3' fill='%23EE6677'/%3E%3Ccircle cx='8' cy='12' r='3' "
    "fill='%23228833'/%3E%3C/svg%3E"
)


def write(known: Plan, path: Path) -> dict[str, Any]:
    """Write the report of a campaign; returns its results as data.

    Raises:
        CoterieError: The place cannot be written.
    """
    material = gather(known)
    write_bytes(path, render(material).encode())
    return material.results.summary()


def render(material: Material, live: str = "") -> str:
    """The page; ``live`` is the state of the directory that it shows, where a server tells of newer ones."""
    sections = [section(material) for section in _SECTIONS]
    shown = [(key, name) for key, name in _NAMES.items() if any(f'id="{key}"' in part[:80] for part in sections)]
    links = [tag("a", text(name), href=f"#{key}") for key, name in shown]
    body = (
        tag("a", text("Skip to the claims"), href="#claims", class_="skip"),
        header(material),
        tag("nav", *links, aria_label="Sections"),
        legend(material),
        _live(live),
        tag("main", *sections),
        foot(material.plan.document),
        tag("script", Markup(_resource("page.js"))),
    )
    name = f"{material.plan.name} · {material.plan.document['scale']} · Coterie"
    return sheet(name, len(material.methods), *body, live=live)


def sheet(name: str, switches: int, *body: Markup, live: str = "") -> str:
    """A whole page with so many switches in its legend."""
    whole = tag("html", _head(name, switches, bool(live)), tag("body", *body, data_live=live or None), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _resource(name: str) -> str:
    return files("coterie.campaign.report").joinpath(name).read_text("utf-8")


def _head(name: str, switches: int, live: bool) -> Markup:
    # Nothing is fetched, and nothing embedded can fetch: the policy holds inside the replays, too.
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    policy += "; connect-src 'self'" if live else ""
    style = _resource("page.css") + looks.palette(switches)
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", text(name)),
        tag("link", rel="icon", href=_ICON),
        tag("style", Markup(style)),
    )


def _live(live: str) -> Markup:
    """The switch of a page that follows a campaign."""
    if not live:
        return EMPTY
    box = tag("input", type="checkbox", id="follow", checked=True, autocomplete="off")
    state = tag("span", text("live"), id="live-state", role="status")
    return tag("div", tag("label", box, text("Follow the campaign")), state, class_="live")


def foot(document: Mapping[str, Any], whose: str = "campaign") -> Markup:
    """Which version made the page, and of what."""
    words = f"Made by coterie {document.get('coterie', '')} from the {whose}'s own files, without a network."
    return tag("footer", tag("p", text(words)))
