"""HTML and SVG written by functions: text is escaped, and the type checker tells the two apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Markup = NewType("Markup", str)
Attribute = str | float | bool | None
EMPTY = Markup("")
Row = tuple[Attribute, Sequence[Markup]]
"""A table's row: the method that it is about, for the legend's switch, and its cells."""
_VOID = {"input", "meta", "link", "br", "hr"}


def text(value: object) -> Markup:
    """Any value as text, whatever signs are in it."""
    return Markup(escape(str(value)))


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Pieces one after another."""
    return Markup(between.join(parts))


def tag(name: str, *inside: Markup, **attributes: Attribute) -> Markup:
    """An element.

    A trailing underscore of an attribute's name is dropped (``class_``), others become hyphens; None and False leave
    the attribute out, True writes its name alone, and numbers are written to a tenth, which is enough for a drawing.
    """
    words = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Markup(f"<{name}{words}>" if name in _VOID else f"<{name}{words}>{''.join(inside)}</{name}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(value if isinstance(value, str) else tenth(value))}"'


def tenth(value: float) -> str:
    """A length in a drawing."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.0", "0")


def paragraph(words: str, class_: str | None = None) -> Markup:
    """Words as a paragraph."""
    return tag("p", text(words), class_=class_)


def section(key: str, title: str, *inside: Markup) -> Markup:
    """A section of the page with its heading."""
    return tag("section", tag("h2", text(title), id=f"{key}-title"), *inside, id=key, aria_labelledby=f"{key}-title")


def card(*inside: Markup, class_: str = "") -> Markup:
    """A sheet of paper on the page."""
    return tag("div", *inside, class_=f"card {class_}".strip())


def grid(parts: Sequence[Markup]) -> Markup:
    """Cards beside each other, as many as fit."""
    return tag("div", *parts, class_=f"grid of-{min(len(parts), 3)}")


def folded(key: str, summary: str, *inside: Markup, open_: bool = False) -> Markup:
    """What is shown on request."""
    return tag("details", tag("summary", text(summary)), *inside, id=key, open=open_)


def table(caption: str, head: Sequence[str], rows: Sequence[Row], lead: int = 1) -> Markup:
    """A table: the first cell of a row is its heading, the first ``lead`` columns are words, the others numbers."""
    top = [tag("th", text(name), scope="col", class_=None if i < lead else "number") for i, name in enumerate(head)]
    body = [
        tag("tr", tag("th", cells[0], scope="row"), *(_cell(cell, i + 1 < lead) for i, cell in enumerate(cells[1:])),
            data_m=methods)
        for methods, cells in rows
    ]  # fmt: skip
    inside = (tag("caption", text(caption)), tag("thead", tag("tr", *top)), tag("tbody", *body))
    return tag("div", tag("table", *inside), class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(inside: Markup, words: bool) -> Markup:
    return tag("td", inside, class_=None if words else "number")
