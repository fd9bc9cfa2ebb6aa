"""Replays: files that open, move, stay small and need no network."""

import json
import re

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


def test_page_holds_everything_it_needs(tmp_path):
    path = tmp_path / "play.html"
    write_html(path, TRACKS, "Spread & <more>")
    page = path.read_text("utf-8")
    assert "<title>Spread &amp; &lt;more&gt;</title>" in page
    assert not re.search(r"https?:|src=|@import|url\(|\{\{", page)
    assert page.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [track["name"] for track in data] == list(TRACKS)
    assert [len(track["scenes"]) for track in data] == [6, 2]
    assert data[0]["scenes"][1]["shapes"][4]["x"] == -0.7
    assert data[0]["scenes"][1]["shapes"][0]["to"] == [1.0, 1.0]


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
