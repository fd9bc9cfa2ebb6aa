"""Battles by name: what they are, and what is refused when one is opened."""

import pytest

from coterie.catalogue import make
from coterie.contracts import CoterieError
from coterie.games.battle.named import DRAWN, GAMES
from coterie.games.battle.terrain import TERRAINS


def test_names_tell_who_meets_whom():
    assert "2 stalkers and 3 zealots against as many" in (GAMES["battle/2s3z"].__doc__ or "")
    assert "2 marauders, 7 marines and 1 medivac against 8 marines" in (GAMES["battle/MMM2"].__doc__ or "")
    assert "2 stalkers against 1 spine crawler" in (GAMES["battle/2s_vs_1sc"].__doc__ or "")
    assert "drawn from stalkers, zealots, colossi" in (GAMES["battle/protoss_10_vs_11"].__doc__ or "")
    assert "battle:" not in (GAMES["battle/3m"].__doc__ or "")  # the map is the name, not an option
    assert len(DRAWN) == 15


def test_any_units_on_any_ground():
    game = make(
        "battle/custom", allies="stalker,stalker,zealot", enemies="zergling,zergling,hydralisk", difficulty="hard"
    )
    assert game.spec.types == ("stalker", "stalker", "zealot")
    assert game.spec.observation_sizes[0] == 4 + 3 * (5 + 2) + 2 * (5 + 1 + 2) + 1 + 1 + 2
    assert make("battle/3m", length=7).spec.horizon == 7


@pytest.mark.parametrize("terrain", TERRAINS)
def test_every_ground_has_starts_of_its_own(terrain):
    game = make("battle/custom", allies="stalker,zealot", enemies="marine,marine,marine", terrain=terrain)
    assert len(game.places) == 5 and game.battle.order == (game.battle.allies[0].point,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"allies": "marine,zeolot"}, "did you mean zealot"),
        ({"allies": ","}, "no units"),
        ({"distance": 1.0}, "on top of"),
        ({"distance": 40.0}, "between 0 and 32"),
        ({"terrain": "corridor", "distance": 14.0}, "wall.*leave it out"),
        ({"enemies": "medivac"}, "medivacs only"),
        ({"terrain": "strap"}, "did you mean strip"),
        ({"allies": "medivac,marine,marine"}, "at least as many enemies"),
        ({"difficulty": "insane"}, "easy, normal or hard"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, words):
    with pytest.raises(CoterieError, match=words) as told:
        make("battle/custom", **options)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("options", [{"scan": -1.0}, {"formation": "ring"}, {"corners": "shut"}, {"balance": "new"}])
def test_switches_are_checked(options):
    with pytest.raises(CoterieError, match=next(iter(options))):
        make("battle/3m", **options)
