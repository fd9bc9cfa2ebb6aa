"""The optimiser's steps by hand."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.fit import Adam

HALVED = {0: [1.0, 1.0, 1.0, 1.0, 1.0], 2: [1.0, 0.5**0.5, 0.5, 0.5**1.5, 0.25], 1: [1.0, 0.5, 0.25, 0.125, 0.0625]}


@pytest.mark.parametrize("halving", HALVED)
def test_the_rate_halves(halving):
    """Of equal gradients each of Adam's steps is the rate; every slot falls alike."""
    adam = Adam(rate=0.1, limit=1e9, epsilon=1e-12, halving=halving)
    params, gradient = {"w": jnp.zeros((2, 1))}, {"w": jnp.array([[3.0], [-0.5]])}
    state, moved = adam.init(params), []
    for _ in range(5):
        after, state, norm = adam.step(params, state, gradient)
        moved.append(np.asarray(params["w"] - after["w"])[:, 0])
        params = after
    np.testing.assert_allclose(norm, [3.0, 0.5])
    np.testing.assert_allclose(moved, 0.1 * np.outer(HALVED[halving], [1.0, -1.0]), rtol=1e-4)  # 1 - 0.999^t in float32
