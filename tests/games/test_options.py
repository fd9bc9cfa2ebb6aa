"""Variants of a game with other defaults: options, types and documentation are those of the game."""

import inspect
from dataclasses import dataclass

import pytest

from coterie.contracts import CoterieError, RewardKind
from coterie.fields import arguments, hints
from coterie.games.foraging import MAPS, Foraging
from coterie.games.options import variant, whole_at_least
from coterie.games.stag_hunt import StagHunt, stag_hunt_small


@dataclass(frozen=True)
class Little:
    """A game of nothing.

    Args:
        size: How large.
        reward: Whose.
        sight: How far, None: everything.
    """

    size: int = 3
    reward: RewardKind = "team"
    sight: int | None = None

    def __post_init__(self) -> None:
        whole_at_least("size", self.size, 2)


def test_a_variant_differs_in_its_defaults_and_first_line_only():
    opened = variant(Little, "A game of less.", size=2)
    assert opened() == Little(2) and opened(5) == Little(5) and opened(sight=1, size=4) == Little(4, sight=1)
    assert inspect.getdoc(opened) == (inspect.getdoc(Little) or "").replace("A game of nothing.", "A game of less.")
    assert list(inspect.signature(opened).parameters) == list(inspect.signature(Little).parameters)
    assert inspect.signature(opened).parameters["size"].default == 2
    assert hints(opened) == hints(Little) == {"size": int, "reward": RewardKind, "sight": int | None}
    assert arguments(opened, {"size": "4", "sight": "none", "reward": "individual"}, "little") == {
        "size": 4, "sight": None, "reward": "individual"
    }  # fmt: skip


def test_bad_values_are_refused():
    with pytest.raises(CoterieError, match="size must be a whole number of at least 2, not 1"):
        variant(Little, "A game of less.", size=1)
    with pytest.raises(CoterieError, match="size must be a whole number of at least 2, not 0"):
        variant(Little, "A game of less.", size=2)(size=0)
    with pytest.raises(TypeError, match="width"):
        variant(Little, "A game of less.", size=2)(width=3)
    with pytest.raises(TypeError, match="width"):
        variant(Little, "A game of less.", width=3)


@pytest.mark.parametrize(("opened", "game"), [(stag_hunt_small, StagHunt), *((m, Foraging) for m in MAPS.values())])
def test_the_houses_variants_have_all_options_of_their_game(opened, game):
    assert hints(opened) == hints(game)
    more = (inspect.getdoc(game) or "").partition("Args:")[2]
    assert more and (inspect.getdoc(opened) or "").partition("Args:")[2] == more
