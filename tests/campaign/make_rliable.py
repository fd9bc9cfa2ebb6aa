"""Make ``rliable.json``, the figures of Google's rliable for the tests of ``coterie.campaign.statistics``:

    python -m venv /tmp/rliable && /tmp/rliable/bin/pip install rliable==1.2.0 "pandas<3"
    /tmp/rliable/bin/python tests/campaign/make_rliable.py

It needs nothing of coterie. The scores of a case come from ``scores`` below, which the tests take from here, and so are
not stored. rliable draws its resamples from NumPy's global generator: with a known seed the tests can draw them again.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

REPS = 300
TAUS = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.5]
CASES = {"library": 0, "library_flipped": 1, "metrics_x": 2, "metrics_y": 3, "normal": 4, "lognormal": 5, "ties": 6}


def scores(case: str) -> np.ndarray:
    """Scores ``[runs, tasks]``: the four arrays of rliable's own tests, and three that are drawn."""
    ramp = np.arange(80.0).reshape(5, 16)
    random = np.random.default_rng(CASES[case])
    return {
        "library": ramp,
        "library_flipped": np.flip(ramp, axis=0),
        "metrics_x": np.array([[1, 2], [2, 2], [1, 1], [2, 1]], float),
        "metrics_y": np.array([[1, 1], [2, 2], [3, 3]], float),
        "normal": random.normal(0.6, 0.3, (10, 7)),
        "lognormal": random.lognormal(-0.5, 0.8, (6, 7)),
        "ties": random.integers(0, 4, (9, 7)) / 3,
    }[case]


def curves() -> np.ndarray:
    """Learning curves ``[runs, tasks, points]`` that rise."""
    return np.cumsum(np.random.default_rng(7).exponential(0.1, (5, 6, 8)), axis=-1)


def choices(seed: int, shapes: list[tuple[int, ...]], reps: int = REPS) -> list[np.ndarray]:
    """The resamples of rliable for arrays of these shapes, each ``[reps, *shape]``."""
    random = np.random.RandomState(seed)
    drawn = [[random.choice(shape[0], shape, replace=True) for shape in shapes] for _ in range(reps)]
    return [np.stack(column) for column in zip(*drawn, strict=True)]


def main() -> None:
    """Call rliable, check that it resampled as ``choices`` says, and write what it found."""
    import rliable.library as rly
    from rliable import metrics

    def estimate(function, *arrays, seed):
        """Point and interval, by way of a function that also keeps the resamples that it is called with."""
        seen = []

        def watched(*data):
            seen.append([np.array(array) for array in data])
            return np.atleast_1d(function(*data))

        np.random.seed(seed)  # noqa: NPY002 (what rliable draws from)
        data = list(arrays) if len(arrays) > 1 else arrays[0]
        point, interval = rly.get_interval_estimates({"it": data}, watched, reps=REPS)
        drawn = choices(seed, [array.shape for array in arrays])
        for number, array in enumerate(arrays):
            expected = np.take_along_axis(array[None], drawn[number], axis=1)
            for at, block in enumerate(seen[-REPS:]):
                np.testing.assert_array_equal(block[number], expected[at])
        return {"point": point["it"].tolist(), "low": interval["it"][0].tolist(), "high": interval["it"][1].tolist()}

    aggregates = [
        metrics.aggregate_iqm,
        metrics.aggregate_median,
        metrics.aggregate_mean,
        metrics.aggregate_optimality_gap,
        lambda data: metrics.aggregate_optimality_gap(data, gamma=0.5),
    ]
    pairs = [("library", "library_flipped"), ("metrics_x", "metrics_y"), ("normal", "lognormal"), ("lognormal", "ties"),
             ("ties", "ties")]  # fmt: skip
    out = {
        "made by": "tests/campaign/make_rliable.py",
        "versions": {name: version(name) for name in ("rliable", "arch", "numpy", "scipy")},
        "aggregates": {
            case: estimate(lambda data: np.array([f(data) for f in aggregates]), scores(case), seed=seed)
            for case, seed in CASES.items()
        },
        "profiles": {
            case: estimate(lambda data: rly.score_distributions(data, TAUS), scores(case), seed=100 + seed)
            for case, seed in CASES.items()
        },
        "improvement": {
            f"{x},{y}": estimate(metrics.probability_of_improvement, scores(x), scores(y), seed=200 + seed)
            for seed, (x, y) in enumerate(pairs)
        },
        "efficiency": estimate(
            lambda data: np.array([metrics.aggregate_iqm(data[..., i]) for i in range(data.shape[-1])]),
            curves(),
            seed=300,
        ),
    }
    path = Path(__file__).with_name("rliable.json")
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
