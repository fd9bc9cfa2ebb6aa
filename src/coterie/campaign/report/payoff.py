"""Two-agent matrix games: the way of the joint policy over the payoff matrix."""

from __future__ import annotations

import numpy as np

from coterie.campaign.report import looks, numbers
from coterie.campaign.report.data import Material, Run
from coterie.campaign.report.frame import Frame, drawing, label, plate
from coterie.campaign.report.markup import EMPTY, Markup, grid, join, paragraph, section, tag, tenth, text

_SIDE = 300.0


def payoffs(material: Material) -> Markup:
    """A panel for each method, for each game with a payoff matrix; nothing if there is no such game."""
    parts = [_game(material, number, game) for number, game in enumerate(material.games)]
    parts = [part for part in parts if part]
    if not parts:
        return EMPTY
    about = (
        "Each line is a seed: the mean action of agent 0 (down) and of agent 1 (across) under its policy, from the "
        "ring at the start to the filled mark at the end. A percentage says how often a pair of actions is played at "
        "the end, mean over seeds. Cells are tinted by payoff: blue above zero, orange below."
    )
    return section("payoff", "Paths over the payoff matrix", paragraph(about, "lede"), *parts)


def path(run: Run) -> np.ndarray | None:
    """The mean joint action of each seed, ``[seeds, points, 2]`` as (across, down), if the run noted probabilities."""
    chance = run.metrics.get("action_probability")
    if chance is None or chance.ndim != 4 or chance.shape[2] != 2:
        return None
    mean = (chance * np.arange(chance.shape[3])).sum(-1)
    return mean[..., ::-1] if np.isfinite(mean).all() else None


def table(note: dict) -> np.ndarray | None:
    """The payoff matrix in a game's note, if it has a sound one."""
    try:
        found = np.array(note.get("payoff"), np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 2 and found.size and np.isfinite(found).all() else None


def _game(material: Material, number: int, game: str) -> Markup:
    rows = table(material.notes[game])
    if rows is None or max(rows.shape) > 12:
        return EMPTY
    found = [(i, path(run)) for i, run in material.of(game)]
    panels = [_panel(material, f"payoff-{number}-{i}", game, i, rows, way) for i, way in found if way is not None]
    if not panels:
        return EMPTY
    return join([tag("h3", text(game)), grid(panels)])


def _panel(material: Material, key: str, game: str, method: int, rows: np.ndarray, way: np.ndarray) -> Markup:
    down, across = rows.shape
    frame = Frame((-0.5, across - 0.5), (down - 0.5, -0.5), left=44.0, right=16.0, top=30.0, bottom=10.0,
                  width=_SIDE + 60, height=_SIDE * down / across + 40)  # fmt: skip
    shares = played(material.runs[material.methods[method], game], rows.shape)
    cells = [_cell(frame, a, b, rows, shares) for a in range(down) for b in range(across)]
    heads = [label(str(b), frame.across(b), frame.top - 6, class_="tick") for b in range(across)]
    sides = [label(str(a), frame.left - 8, frame.up(a) + 4, "end", "tick") for a in range(down)]
    titles = (
        label("agent 1", (frame.left + frame.width - frame.right) / 2, 10, class_="axis-title"),
        tag("text", text("agent 0"), class_="axis-title", text_anchor="middle",
            transform=f"translate(12 {(frame.top + frame.height - frame.bottom) / 2:.0f}) rotate(-90)"),
    )  # fmt: skip
    ways = [_way(frame, method, seed) for seed in way]
    ends = [f"{numbers.figure(seed[-1, 1], 2)} and {numbers.figure(seed[-1, 0], 2)}" for seed in way]
    about = f"Mean actions of agent 0 and agent 1 at the end, for each seed: {'; '.join(ends)}."
    title = f"{material.methods[method]} on {game}: paths over the payoff matrix"
    svg = drawing(key, title, about, frame, *cells, *heads, *sides, *titles, *ways)
    return plate(material.methods[method], svg, methods=str(method))


def played(run: Run, shape: tuple[int, ...]) -> np.ndarray | None:
    """How often each pair of actions is played at the last log point, mean over seeds: p_0(a) p_1(b)."""
    last = run.metrics["action_probability"][:, -1]
    if shape != (last.shape[2],) * 2:
        return None
    return (last[:, 0, :, None] * last[:, 1, None, :]).mean(0)


def _cell(frame: Frame, a: int, b: int, rows: np.ndarray, shares: np.ndarray | None) -> Markup:
    wide, high = (frame.across(1) - frame.across(0)), (frame.up(1) - frame.up(0))
    x, y = frame.across(b - 0.5) + 2, frame.up(a - 0.5) + 2
    box = {"x": x, "y": y, "width": wide - 4, "height": high - 4, "rx": 6.0}
    value, most = float(rows[a, b]), float(np.abs(rows).max()) or 1.0
    tint = tag("rect", **box, class_="early" if value >= 0 else "late",
               fill_opacity=f"{0.6 * (abs(value) / most) ** 0.5:.2f}")  # fmt: skip
    # In the corners: the middle of a cell is where paths end.
    words = [label(f"{value:g}".replace("-", numbers.MINUS), x + 8, y + 17, "start", "payoff")]
    if shares is not None and shares[a, b] >= 0.005:
        words.append(label(numbers.percent(float(shares[a, b])), x + wide - 11, y + high - 12, "end"))
    return join([tag("rect", **box, class_="ground"), tint, *words])


def _way(frame: Frame, method: int, seed: np.ndarray) -> Markup:
    places = [(frame.across(x), frame.up(y)) for x, y in seed]
    drawn = "M" + "L".join(f"{tenth(x)} {tenth(y)}" for x, y in places)
    (x0, y0), (x1, y1) = places[0], places[-1]
    return tag(
        "g",
        tag("path", d=drawn, class_="casing"),
        tag("path", d=drawn, class_=f"way {looks.color(method)}"),
        tag("circle", cx=x0, cy=y0, r=4.5, class_=f"start {looks.color(method)}"),
        looks.marker(method, x1, y1, 5.0),
    )
