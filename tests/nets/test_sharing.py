"""Layouts: agent to parameter slot and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.contracts import ActionSpace, CoterieError, Spec
from coterie.nets.sharing import Layout, layout

SPEC = Spec(tuple("abcd"), ("x", "y", "x", "x"), (3, 4, 3, 3), (ActionSpace.discrete(3),) * 4, 4, 5)


@pytest.mark.parametrize(
    ("sharing", "slot_of", "members"),
    [("full", (0, 0, 0, 0), 4), ("none", (0, 1, 2, 3), 1), ("type", (0, 1, 0, 0), 3), ((1, 1, 0, 0), (1, 1, 0, 0), 2)],
)
def test_words_and_maps(sharing, slot_of, members):
    made = layout(sharing, SPEC)
    assert made == Layout(slot_of) and hash(made) == hash(Layout(slot_of))
    assert made.slots == max(slot_of) + 1 and made.members == members


def test_by_type_by_hand():
    made = layout("type", SPEC)
    np.testing.assert_array_equal(made.agents, [[0, 2, 3], [1, 1, 1]])
    np.testing.assert_array_equal(made.valid, [[True, True, True], [True, False, False]])
    x = jnp.arange(8).reshape(2, 4)
    np.testing.assert_array_equal(made.arrange(x, 1), [[[0, 2, 3], [1, 1, 1]], [[4, 6, 7], [5, 5, 5]]])


@st.composite
def maps(draw):
    slots = draw(st.integers(1, 4))
    rest = draw(st.lists(st.integers(0, slots - 1), max_size=4))
    return tuple(draw(st.permutations([*range(slots), *rest])))


@given(maps(), st.integers(-3, 2))
def test_restore_undoes_arrange(slot_of, axis):
    made, n = Layout(slot_of), len(slot_of)
    shape = [2, 3, 5]
    shape[axis] = n
    x = np.arange(np.prod(shape)).reshape(shape)
    arranged = made.arrange(jnp.asarray(x), axis)
    place = axis % 3
    assert arranged.shape == (*shape[:place], made.slots, made.members, *shape[place + 1 :])
    np.testing.assert_array_equal(arranged, np.take(x, made.agents, axis=place))
    np.testing.assert_array_equal(made.restore(arranged, place), x)
    assert sorted(made.agents[made.valid].tolist()) == list(range(n))
    assert all(slot_of[agent] == slot for slot, row in enumerate(made.agents) for agent in row)


@pytest.mark.parametrize("sharing", ["full", "none", (0, 0, 1, 1)])
def test_agents_in_order_need_no_gather(sharing):
    made = layout(sharing, SPEC)
    there_and_back = lambda x: made.restore(made.arrange(x, 1), 1)  # noqa: E731
    assert "gather" not in str(jax.make_jaxpr(there_and_back)(jnp.zeros((2, 4, 3))))


@pytest.mark.parametrize(
    ("sharing", "says"),
    [
        ("some", "choose full, type, none"),
        ((0, 1), "names 2 agents, but the game has 4"),
        ((0, 2, 0, 2), r"\(0, 1, 0, 1\) would do"),
        ((-1, 0, 0, 0), "from 0 up"),
        ((0, 0.5, 1, 1), "whole slot numbers"),
        ((0, True, 1, 1), "whole slot numbers"),
    ],
)
def test_bad_maps_are_refused(sharing, says):
    with pytest.raises(CoterieError, match=says) as error:
        layout(sharing, SPEC)
    assert "\n" not in str(error.value)
