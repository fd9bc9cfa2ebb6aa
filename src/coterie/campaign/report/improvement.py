"""How likely a run of one method beats a run of another."""

from __future__ import annotations

import numpy as np

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.data import Material
from coterie.campaign.report.markup import Markup, card, join, paragraph, tag, text
from coterie.campaign.statistics import Matrix, improvement_matrix


def improvement(material: Material) -> Markup:
    """The matrix of all pairs, rows against columns."""
    title = tag("h3", text("Probability of improvement"))
    returns = material.results.returns
    rivals = {m: returns[m] for m in material.methods if returns.get(m)}
    several = all(len(seeds) > 1 for games in rivals.values() for seeds in games.values())
    if len(rivals) < 2 or not several:
        why = "it needs two methods that have finished a game" if len(rivals) < 2 else "it needs at least two seeds"
        return card(title, paragraph(f"Not computed: {why}."))
    found = improvement_matrix({m: {g: np.asarray(x) for g, x in games.items()} for m, games in rivals.items()})
    about = (
        "How likely a run of the row's method returns more than one of the column's, on a game drawn at random from "
        "those that both finished, with its 95 % interval. 0.50 is a draw; where the interval leaves it out, the "
        "number is bold and has a triangle."
    )
    return card(title, paragraph(about), _matrix(material, found))


def _matrix(material: Material, found: Matrix) -> Markup:
    index = [material.methods.index(name) for name in found.methods]
    head = [tag("th", text("beats →"), scope="col", class_="corner")]
    head += [tag("th", _name(material, i), scope="col", data_m=str(i)) for i in index]
    rows = [
        tag("tr", tag("th", _name(material, i), scope="row"), *(_cell(found, r, c, j) for c, j in enumerate(index)),
            data_m=str(i))
        for r, i in enumerate(index)
    ]  # fmt: skip
    caption = tag("caption", text("Probability that the row's method improves on the column's"))
    inside = tag("table", caption, tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="matrix")
    return tag("div", inside, class_="scroll", tabindex="0", role="region", aria_label="Probability of improvement")


def _name(material: Material, method: int) -> Markup:
    return join([looks.swatch(method), text(material.methods[method])])


def _cell(found: Matrix, row: int, column: int, method: int) -> Markup:
    point, low, high = (float(part[row, column]) for part in (found.point, found.low, found.high))
    if row == column or not np.isfinite(point):
        return tag("td", text("–"), class_="same", data_m=str(method))
    sure = low > 0.5 or high < 0.5
    arrow = ("▲ " if point > 0.5 else "▼ ") if sure else ""
    number = tag("strong" if sure else "span", text(f"{arrow}{numbers.figure(point, 2)}"))
    ends = tag("small", text(numbers.interval(low, high, 2)))
    tone, depth = ("more", point - 0.5) if point >= 0.5 else ("less", 0.5 - point)
    return tag("td", number, ends, class_=f"heat {tone}", style=f"--p:{110 * depth:.0f}%", data_m=str(method))
