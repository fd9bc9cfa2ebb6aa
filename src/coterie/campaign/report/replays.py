"""Replays of trained teams beside random ones, embedded page by page."""

from __future__ import annotations

from pathlib import Path

from coterie.campaign.plan import REPLAY
from coterie.campaign.report.data import Material
from coterie.campaign.report.markup import EMPTY, Markup, card, join, paragraph, section, tag, text

LIMIT = 3_500_000
"""Bytes of replays at most, so that the page stays one to send by mail."""
# An embedded page cannot be measured from outside, so it tells its height itself.
_TELL = (
    "<script>new ResizeObserver(()=>parent.postMessage({replayHeight:document.body.offsetHeight},'*'))"
    ".observe(document.body)</script></body>"
)


def replays(material: Material) -> Markup:
    """For each game a choice of methods, and the replay of the chosen one."""
    left, parts, skipped = LIMIT, [], []
    for number, game in enumerate(material.games):
        frames = []
        for i, run in material.of(game):
            page = _page(run.entry.directory / REPLAY)
            if not page:
                continue
            size = len(page.encode())
            if size > left:
                skipped.append(f"{material.methods[i]} on {game}")
                continue
            left -= size
            frames.append((i, page))
        if frames:
            parts.append(_game(material, number, game, frames))
    if not parts and not skipped:
        return EMPTY
    about = (
        "The trained team of the first seed (greedy) beside a random team, from the same starts. Space plays and "
        "pauses, arrow keys step."
    )
    said = f"Left out to keep this page small: {', '.join(skipped)}; see {REPLAY} in the directories of these runs."
    rest = [paragraph(said, "note")] if skipped else []
    paper = paragraph("Replays play on a screen.", "on-paper")
    without = tag("noscript", paragraph("Replays need JavaScript, which is switched off here."))
    return section("replays", "Replays", paragraph(about, "lede"), paper, without, *parts, *rest)


def _page(path: Path) -> str:
    try:
        page = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        return ""
    return page if "</body>" in page else ""


def _game(material: Material, number: int, game: str, frames: list[tuple[int, str]]) -> Markup:
    key = f"replay-{number}"
    options = [
        tag("option", text(material.methods[i]), value=f"{key}-{i}", selected=row == 0)
        for row, (i, _) in enumerate(frames)
    ]
    choice = tag("label", text("Method "), tag("select", *options, class_="chooser", autocomplete="off"))
    shown = [
        _frame(f"{key}-{i}", f"{material.methods[i]} on {game}: replay beside a random team", page, row > 0)
        for row, (i, page) in enumerate(frames)
    ]
    return card(tag("div", tag("h3", text(game)), choice, class_="bar-of"), join(shown), class_="replay")


def _frame(key: str, title: str, page: str, hidden: bool) -> Markup:
    # Single quotes around the page: its data are full of double ones, each of which would take six letters.
    page = page.replace("</body>", _TELL, 1)
    source = page.replace("&", "&amp;").replace("'", "&#39;")
    # The script makes it the frame's srcdoc when it comes into sight: browsers load every srcdoc at once, however lazy
    # it is said to be, and all replays would play all the time.
    rest = " hidden" if hidden else ""
    return Markup(
        f'<iframe id="{key}" title="{text(title)}" sandbox="allow-scripts"{rest} data-page=\'{source}\'></iframe>'
    )
