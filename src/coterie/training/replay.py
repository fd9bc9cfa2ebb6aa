"""Replays: scenes drawn to an animated GIF, or to one page that plays without a network."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coterie.contracts import CoterieError, Scene, Shape
from coterie.training.files import write_bytes

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Tracks = Mapping[str, Sequence[Scene]]
PANEL = 340
"""Width of a track in pixels, margins included."""
MARGIN, HEADER, FOOTER = 14, 36, 32
FINE = 3
"""Frames are drawn this many times larger, then reduced: every edge is smooth."""
PAPER, INK, MUTED = "#ffffff", "#22242c", "#666a78"
LAST_FRAME_MS = 1200
COLORS = 96


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
    height = max(_plot_height(scenes[0]) for scenes in tracks.values()) + HEADER + FOOTER
    frames = []
    for time in range(length):
        page = Image.new("RGB", (FINE * PANEL * len(tracks), FINE * height), PAPER)
        for column, (title, scenes) in enumerate(tracks.items()):
            panel = _panel(scenes[min(time, len(scenes) - 1)], title, height)
            page.paste(panel, (FINE * PANEL * column, 0))
        frames.append(page.resize((PANEL * len(tracks), height), Image.Resampling.LANCZOS))
    # One palette for all frames, from the first, a middle and the last: colours never flicker.
    sample = Image.new("RGB", (frames[0].width, 3 * height))
    for row, frame in enumerate((frames[0], frames[length // 2], frames[-1])):
        sample.paste(frame, (0, row * height))
    palette = sample.quantize(COLORS)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    durations = [round(1000 / fps)] * (length - 1) + [LAST_FRAME_MS]
    film = io.BytesIO()
    first.save(film, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=True)
    write_bytes(Path(path), film.getvalue())


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
    data = [{"name": name, "scenes": [_plain(scene) for scene in scenes]} for name, scenes in tracks.items()]
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = files("coterie.training").joinpath("replay.html").read_text("utf-8")
    write_bytes(Path(path), page.replace("{{title}}", escape(title)).replace("{{tracks}}", text).encode())


def _length(tracks: Tracks) -> int:
    if not tracks or not all(tracks.values()):
        raise CoterieError("a replay needs at least one track, and at least one scene in each")
    return max(map(len, tracks.values()))


def _plain(value: Any) -> Any:
    """A scene as JSON, numbers to four places: a page of 25 steps stays small."""
    if isinstance(value, Scene | Shape):
        return {k: _plain(v) for k, v in vars(value).items() if v not in (None, "")}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def _plot_height(scene: Scene) -> int:
    left, bottom, right, top = scene.bounds
    return round((PANEL - 2 * MARGIN) * (top - bottom) / (right - left))


def _panel(scene: Scene, title: str, height: int) -> Image.Image:
    from PIL import Image, ImageDraw, ImageFont

    panel = Image.new("RGB", (FINE * PANEL, FINE * height), PAPER)
    # Mode RGBA makes Pillow blend what is translucent with what is already there.
    pen = ImageDraw.Draw(panel, "RGBA")
    plot = Image.new("RGB", (FINE * (PANEL - 2 * MARGIN), FINE * _plot_height(scene)), PAPER)
    for shape in scene.shapes:
        _draw(ImageDraw.Draw(plot, "RGBA"), shape, scene, plot.width)
    panel.paste(plot, (FINE * MARGIN, FINE * HEADER))
    middle = FINE * PANEL / 2
    pen.text((middle, FINE * HEADER / 2), title, INK, ImageFont.load_default(FINE * 16), anchor="mm")
    foot = FINE * (height - FOOTER / 2)
    pen.text((middle, foot), scene.caption, MUTED, ImageFont.load_default(FINE * 13), anchor="mm")
    return panel


def _draw(pen: ImageDraw.ImageDraw, shape: Shape, scene: Scene, width: int) -> None:
    from PIL import ImageFont

    left, _, right, top = scene.bounds
    scale = width / (right - left)
    x, y, size = (shape.x - left) * scale, (top - shape.y) * scale, shape.size * scale
    color = shape.color + f"{round(255 * shape.alpha):02x}"
    box = (x - size, y - size, x + size, y + size)
    match shape.kind:
        case "disc":
            pen.ellipse(box, color, PAPER, FINE)
        case "ring":
            pen.ellipse(box, None, color, 2 * FINE)
        case "square":
            pen.rounded_rectangle(box, 0.15 * size, color)
        case "line":
            end_x, end_y = shape.to or (shape.x, shape.y)
            end = (end_x - left) * scale, (top - end_y) * scale
            pen.line([(x, y), end], color, max(round(size), FINE))
        case "text":
            pen.text((x, y), shape.text, color, ImageFont.load_default(size), anchor="mm")
