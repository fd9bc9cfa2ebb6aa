"""How an answer looks: a style and a sign, so that no two differ by colour alone."""

from __future__ import annotations

from coterie.campaign.collection import Answer
from coterie.campaign.report.markup import Markup, tag

_SIGNS: dict[Answer, tuple[str, str]] = {
    "reproduced": ("yes", "M5 12.5l4.5 4.5L19 7"),
    "partly": ("part", "M6 14c2.5-5 5-5 6-2s3.5 3 6-2"),
    "not reproduced": ("no", "M6.5 6.5l11 11M17.5 6.5l-11 11"),
    "not run": ("open", "M7 12h10"),
    "not tested": ("open", "M7 12h.5M11.8 12h.5M16.5 12h.5"),
    "needs the real simulator": ("away", "M12 6v7M12 17v.5"),
}
"""For each answer its style and the path of its sign."""


def style(answer: Answer) -> str:
    """The class that gives an answer its colour."""
    return _SIGNS[answer][0]


def words(answer: Answer) -> str:
    """It in words."""
    return "partly reproduced" if answer == "partly" else answer


def sign(answer: Answer) -> Markup:
    """Its sign."""
    return tag("svg", tag("circle", cx=12.0, cy=12.0, r=11.0), tag("path", d=_SIGNS[answer][1]), viewBox="0 0 24 24",
               aria_hidden="true")  # fmt: skip
