"""Replays: files that open, move, stay small and need no network."""

import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from coterie.contracts import CoterieError, Scene, Shape
from coterie.training.replay import write_gif, write_html

BOUNDS = (-1.0, -1.0, 1.0, 1.0)


def scene(step):
    shapes = (
        Shape("line", -1.0, -1.0, 0.01, "#cccccc", to=(1.0, 1.0)),
        Shape("ring", 0.5, 0.5, 0.2, "#999999"),
        Shape("square", 0.5, 0.5, 0.05, "#333333"),
        Shape("text", -0.5, 0.5, 0.2, "#333333", text="</script>"),
        Shape("polygon", 0.5, -0.5, 0.2, "#228833", corners=((-1.0, -1.0), (1.0, -1.0), (1.0, 0.5))),
        Shape("disc", -0.8 + 0.1 * step, 0.0, 0.15, "#4477aa", alpha=0.9),
    )
    return Scene(shapes, BOUNDS, f"step {step}")


TRACKS = {"trained": [scene(t) for t in range(6)], "random <team>": [scene(0), scene(3)]}


def test_gif_moves_loops_and_is_small(tmp_path):
    path = tmp_path / "deep" / "play.gif"
    write_gif(path, TRACKS, fps=20)
    assert path.stat().st_size < 200_000
    with Image.open(path) as gif:
        assert gif.n_frames == 6 and gif.info["loop"] == 0 and gif.info["duration"] == 50
        width, height = gif.size
        first = gif.convert("RGB").copy()
        gif.seek(5)
        last = gif.convert("RGB")
        assert gif.info["duration"] > 1000
    assert first.size == last.size and first.tobytes() != last.tobytes()
    # The right track has ended at its second scene: a blue disc stands where step 3 put it.
    red, _, blue = last.getpixel((round(width * 0.75 - 0.5 * (width / 2 - 28) / 2), height // 2 + 2))
    assert blue > red and abs(blue - 0xAA) < 30


def test_gif_is_the_same_twice(tmp_path):
    paths = [tmp_path / "a.gif", tmp_path / "b.gif"]
    for path in paths:
        write_gif(path, TRACKS)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_polygons_lie_where_their_corners_are(tmp_path):
    path = tmp_path / "play.gif"
    write_gif(path, {"one": [scene(0)]})
    with Image.open(path) as gif:
        at = lambda x, y: gif.convert("RGB").getpixel((14 + round(156 * (x + 1)), 36 + round(156 * (1 - y))))  # noqa: E731
        corner, outside = at(0.68, -0.6), at(0.35, -0.5)
    assert corner[1] > corner[0] + 60 and min(outside) > 240


def test_a_zoomed_scene_is_drawn_larger(tmp_path):
    path = tmp_path / "play.gif"
    write_gif(path, {"usual": [scene(0)], "zoomed": [replace(scene(0), zoom=1.5)]})
    with Image.open(path) as gif:
        assert gif.size == (2 * 510, 482 + 36 + 32)  # panels are as wide as the widest


def test_page_holds_everything_it_needs(tmp_path):
    path = tmp_path / "play.html"
    write_html(path, TRACKS, "Spread & <more>")
    page = path.read_text("utf-8")
    assert "<title>Spread &amp; &lt;more&gt;</title>" in page
    assert not re.search(r"https?:|src=|@import|url\(|\{\{", page)
    assert page.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [track["name"] for track in data["tracks"]] == list(TRACKS)
    assert [len(track["scenes"]) for track in data["tracks"]] == [6, 2]
    assert len(data["looks"]) == 6  # all frames have the same ones
    shapes = data["tracks"][0]["scenes"][1]["shapes"]
    assert shapes[0] == [0, -1.0, -1.0, 1.0, 1.0] and shapes[5] == [5, -0.7, 0.0]
    assert data["looks"][5] == {"kind": "disc", "size": 0.15, "color": "#4477aa", "alpha": 0.9}
    assert data["looks"][4]["corners"][2] == [1.0, 0.5]


@pytest.mark.parametrize("tracks", [{}, {"empty": []}])
def test_nothing_to_draw(tmp_path, tracks):
    with pytest.raises(CoterieError, match="at least one track"):
        write_gif(tmp_path / "play.gif", tracks)
    with pytest.raises(CoterieError, match="at least one track"):
        write_html(tmp_path / "play.html", tracks, "nothing")


@pytest.mark.parametrize("fps", [0, -1, 60])
def test_speed_is_sensible(tmp_path, fps):
    with pytest.raises(CoterieError, match="fps must be above 0 and at most 50"):
        write_gif(tmp_path / "play.gif", TRACKS, fps)
