"""The optimal matching against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from coterie.games.matching import optimal_matching


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 9])
def test_least_total_cost(n):
    cost = jax.random.uniform(jax.random.key(n), (50, n, n))
    columns = np.asarray(jax.jit(jax.vmap(optimal_matching))(cost))
    for table, column in zip(np.asarray(cost), columns, strict=True):
        assert sorted(column) == list(range(n))
        rows, best = linear_sum_assignment(table)
        np.testing.assert_allclose(table[np.arange(n), column].sum(), table[rows, best].sum(), rtol=1e-6)


def test_by_hand():
    # Greedy row by row would take 1 + 9; the best is 2 + 2.
    assert optimal_matching(jnp.array([[1.0, 2.0], [2.0, 9.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("n", [6, 7])
def test_ties_give_a_permutation(n):
    assert sorted(optimal_matching(jnp.ones((n, n))).tolist()) == list(range(n))
