"""Intervals by hand, and pictures that are drawn whole."""

import io

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from coterie.contracts import CoterieError
from coterie.training.curves import PALETTE, _apart, write_curves
from coterie.training.statistics import band, interval

X = np.arange(5) * 1000
Y = np.stack([X / 100, X / 90, X / 80])


def test_interval_by_hand():
    # Mean 2, s = 1, n = 3: t(0.975, 2) = 4.302653 from the tables.
    mean, low, high = interval([1, 2, 3])
    assert mean == 2.0
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)


def test_one_value_has_no_interval():
    mean, low, high = interval([4.0])
    assert mean == 4.0 and np.isnan(low) and np.isnan(high)


def test_a_band_is_the_interval_of_each_point():
    mean, low, high = band(Y)
    assert mean.shape == low.shape == high.shape == (5,)
    assert (mean[3], low[3], high[3]) == pytest.approx(interval(Y[:, 3]))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(1.0, 2.0, (4, 4000))
    _, low, high = band(draws)
    assert np.mean((low <= 1.0) & (high >= 1.0)) == pytest.approx(0.95, abs=0.012)


def test_a_picture_is_drawn_and_nothing_global_changes(tmp_path):
    before = dict(matplotlib.rcParams)
    path = tmp_path / "new" / "curves.png"
    curves = {f"recipe {i}": (X, Y + i) for i in range(len(PALETTE) + 1)}
    write_curves(path, curves, "Return", "return", {"random team": -20.0})
    assert dict(matplotlib.rcParams) == before
    picture = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    assert picture.shape == (640, 1120, 3)
    for color in PALETTE[:6]:
        rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(picture.astype(int) - rgb).max(axis=-1) < 4).sum() > 50


def test_one_seed_one_point_and_no_curve_are_drawn_too(tmp_path):
    write_curves(tmp_path / "a.png", {"one": ([10], [[1.0]])}, "t", "y")
    write_curves(tmp_path / "b.png", {}, "t", "y", {"optimum": 8.0})
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("a.png", "b.png"))


def test_the_same_curves_give_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        write_curves(tmp_path / name, {"a2po": (X, Y)}, "t", "y")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("y", [np.zeros(5), np.zeros((2, 4)), np.zeros((0, 5))])
def test_arrays_that_do_not_fit_are_named(tmp_path, y):
    with pytest.raises(CoterieError, match="curve mappo has x"):
        write_curves(tmp_path / "a.png", {"mappo": (X, y)}, "t", "y")


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8))
def test_labels_keep_their_order_and_distance(heights):
    places = np.array(_apart(heights, 1.0, 0.0, 10.0))
    order = np.argsort(heights, kind="stable")
    assert (np.diff(places[order]) > 1.0 - 1e-9).all()
    if len(heights) == 1:
        assert places[0] == heights[0]
