"""Pictures of a campaign's report, for README and docs.

    python docs/draw_report.py campaigns/demo-laptop report
    python docs/draw_report.py campaigns/a2po-laptop a2po

Writes ``docs/images/NAME-light.png`` and ``NAME-dark.png`` (the top of the page) and ``NAME-curves.png``, drawn by
headless Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from coterie.campaign import plan
from coterie.campaign.report.page import write

IMAGES = Path(__file__).parent / "images"
WIDTH, TOP = 1200, 1240


def shoot(page: Page, name: str, first: str, last: str) -> None:
    """Sections ``first`` to ``last`` as a picture of few colours, which keeps it small."""
    above, below = (page.locator(f"#{one}").bounding_box() for one in (first, last))
    assert above and below
    start = 0.0 if first == last else above["y"] - 20
    height = TOP if first == last else below["y"] + below["height"] - start
    data = page.screenshot(full_page=True, clip={"x": 0, "y": start, "width": WIDTH, "height": height})
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(160, dither=Image.Dither.NONE)
    picture.save(IMAGES / name, optimize=True)


def main() -> None:
    """Draw."""
    room, name = Path(sys.argv[1]), sys.argv[2]
    path = room / "report.html"
    write(plan.read(room), path)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme=scheme)
            page.goto(path.resolve().as_uri())
            shoot(page, f"{name}-{scheme}.png", "claims", "claims")
            if scheme == "light":
                shoot(page, f"{name}-curves.png", "aggregates", "learning")
        browser.close()


if __name__ == "__main__":
    main()
