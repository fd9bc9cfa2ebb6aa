"""Replays: scenes drawn to an animated GIF, or to one page that plays without a network."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coterie.contracts import CoterieError, Scene, Shape
from coterie.training.files import write_bytes

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Tracks = Mapping[str, Sequence[Scene]]
PANEL = 340
"""Width of a track in pixels, margins included, where no scene is zoomed."""
MARGIN, HEADER, FOOTER = 14, 36, 32
FINE = 3
"""Frames are drawn this many times larger, then reduced: every edge is smooth."""
PAPER, INK, MUTED = "#ffffff", "#22242c", "#666a78"
LAST_FRAME_MS = 1200
COLORS = 128


def write_gif(path: str | Path, tracks: Tracks, fps: float = 10) -> None:
    """Draw tracks side by side as an endless GIF; a shorter track waits at its last frame.

    Args:
        path: The file to write; missing folders are made.
        tracks: Scenes by title, for instance those of a trained team beside those of a random one.
        fps: Frames per second, at most 50.

    Raises:
        CoterieError: If there is nothing to draw, no sensible speed, or the place cannot be written.
    """
    from PIL import Image

    length = _length(tracks)
    if not 0 < fps <= 50:
        raise CoterieError(f"fps must be above 0 and at most 50, not {fps!r}")
    palette = _palette(tracks, length)
    first, *others = (
        _frame(tracks, time).quantize(palette=palette, dither=Image.Dither.NONE) for time in range(length)
    )
    durations = [round(1000 / fps)] * (length - 1) + [LAST_FRAME_MS]
    film = io.BytesIO()
    first.save(film, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    write_bytes(Path(path), film.getvalue())


def _palette(tracks: Tracks, length: int) -> Image.Image:
    """One palette for all frames, so that colours never flicker: the shapes' own, then what the frames have most of.

    Frames are the first, a middle and the last. What is small would lose its colour to shades of what is large.
    """
    from PIL import Image

    seen = Counter(shape.color for scenes in tracks.values() for scene in scenes for shape in scene.shapes)
    own = [PAPER, INK, MUTED, *(color for color, _ in seen.most_common(COLORS // 2))]
    samples = [_frame(tracks, time) for time in (0, length // 2, length - 1)]
    sample = Image.new("RGB", (samples[0].width, 3 * samples[0].height))
    for row, frame in enumerate(samples):
        sample.paste(frame, (0, row * frame.height))
    rest = sample.quantize(COLORS - len(own)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*b"".join(bytes.fromhex(color[1:7]) for color in own), *rest])
    return palette


def write_html(path: str | Path, tracks: Tracks, title: str) -> None:
    """Write one page that plays tracks side by side, with a slider, by keyboard too, and without a network.

    Args:
        path: The file to write; missing folders are made.
        tracks: Scenes by title.
        title: Heading of the page.

    Raises:
        CoterieError: If there is nothing to draw, or the place cannot be written.
    """
    _length(tracks)
    looks: dict[Shape, int] = {}  # all but the places of shapes, each written once

    def written(scene: Scene) -> dict[str, Any]:
        shapes = [
            [looks.setdefault(replace(shape, x=0.0, y=0.0, to=None), len(looks)), shape.x, shape.y, *(shape.to or ())]
            for shape in scene.shapes
        ]
        return {**_plain(scene), "shapes": _plain(shapes)}

    played = [{"name": name, "scenes": list(map(written, scenes))} for name, scenes in tracks.items()]
    data = {"looks": _plain(list(looks)), "tracks": played}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = files("coterie.training").joinpath("replay.html").read_text("utf-8")
    write_bytes(Path(path), page.replace("{{title}}", escape(title)).replace("{{data}}", text).encode())


def _length(tracks: Tracks) -> int:
    if not tracks or not all(tracks.values()):
        raise CoterieError("a replay needs at least one track, and at least one scene in each")
    return max(map(len, tracks.values()))


def _plain(value: Any) -> Any:
    """A scene without its shapes, or a shape without its place, as JSON: what is not usual, numbers to four places."""
    if isinstance(value, Scene | Shape):
        own = {each.name: (getattr(value, each.name), each.default) for each in fields(value)}
        return {name: _plain(one) for name, (one, usual) in own.items()
                if one != usual and name not in ("shapes", "x", "y")}  # fmt: skip
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def _frame(tracks: Tracks, time: int) -> Image.Image:
    """What all tracks show at a time, side by side."""
    from PIL import Image

    width = round(PANEL * max(scenes[0].zoom for scenes in tracks.values()))
    height = max(_plot_height(scenes[0], width) for scenes in tracks.values()) + HEADER + FOOTER
    page = Image.new("RGB", (FINE * width * len(tracks), FINE * height), PAPER)
    for column, (title, scenes) in enumerate(tracks.items()):
        panel = _panel(scenes[min(time, len(scenes) - 1)], title, width, height)
        page.paste(panel, (FINE * width * column, 0))
    return page.reduce(FINE)


def _plot_height(scene: Scene, width: int) -> int:
    left, bottom, right, top = scene.bounds
    return round((width - 2 * MARGIN) * (top - bottom) / (right - left))


def _panel(scene: Scene, title: str, width: int, height: int) -> Image.Image:
    from PIL import Image, ImageDraw

    panel = Image.new("RGB", (FINE * width, FINE * height), PAPER)
    # Mode RGBA makes Pillow blend what is translucent with what is already there.
    pen = ImageDraw.Draw(panel, "RGBA")
    plot = Image.new("RGB", (FINE * (width - 2 * MARGIN), FINE * _plot_height(scene, width)), PAPER)
    for shape in scene.shapes:
        _draw(ImageDraw.Draw(plot, "RGBA"), shape, scene, plot.width)
    panel.paste(plot, (FINE * MARGIN, FINE * HEADER))
    middle = FINE * width / 2
    pen.text((middle, FINE * HEADER / 2), title, INK, _font(FINE * 16), anchor="mm")
    foot = FINE * (height - FOOTER / 2)
    pen.text((middle, foot), scene.caption, MUTED, _font(FINE * 13), anchor="mm")
    return panel


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which takes a while to unpack."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _draw(pen: ImageDraw.ImageDraw, shape: Shape, scene: Scene, width: int) -> None:
    left, _, right, top = scene.bounds
    scale = width / (right - left)
    x, y, size = (shape.x - left) * scale, (top - shape.y) * scale, shape.size * scale
    color = shape.color + f"{round(255 * shape.alpha):02x}"
    box = (x - size, y - size, x + size, y + size)
    match shape.kind:
        case "disc":
            pen.ellipse(box, color, PAPER + color[-2:], FINE)
        case "ring":
            pen.ellipse(box, None, color, 2 * FINE)
        case "square":
            pen.rounded_rectangle(box, 0.15 * size, color)
        case "line":
            end_x, end_y = shape.to or (shape.x, shape.y)
            end = (end_x - left) * scale, (top - end_y) * scale
            pen.line([(x, y), end], color, max(round(size), FINE))
        case "polygon":
            pen.polygon([(x + size * a, y - size * b) for a, b in shape.corners], color)
        case "text":
            pen.text((x, y), shape.text, color, _font(size), anchor="mm")
