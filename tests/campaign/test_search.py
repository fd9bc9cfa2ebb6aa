"""A search draws, trains, remembers, and goes on where it was stopped."""

import pytest

from coterie.campaign.search import Range, read_range
from coterie.contracts import CoterieError


def test_ranges_are_read():
    assert read_range("surrogate.epsilon=0.05:0.3") == Range("surrogate.epsilon", 0.05, 0.3)
    assert read_range("rate=log:1e-4:1e-2") == Range("rate", 1e-4, 1e-2, log=True)
    assert read_range("epochs=2:8").whole and not read_range("gamma=0.9:1").whole
    assert read_range("order=greedy,simultaneous").choices == ("greedy", "simultaneous")


@pytest.mark.parametrize("text", ["", "a", "a=", "=1:2", "a=2:1", "a=log:0:1", "a=b", "a=1:2:3", "a=x:y"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(CoterieError, match="^--over .* is no range: give FIELD=LOW:HIGH"):
        read_range(text)


TINY = {"environments": 4, "rollout": 8, "minibatches": 1, "epochs": 1, "critic_epochs": 1}


def test_a_search_that_was_stopped_goes_on(tmp_path):
    from coterie.campaign.search import search

    ranges = [read_range("gamma=0.5:0.9"), read_range("advantage_norm=team,none")]
    more = {"seeds": 1, "steps": 64, "options": TINY, "game_options": {"length": 2}}
    told = []
    search("mappo", "matrix/climb", ranges, tmp_path, trials=1, observer=lambda *words: told.append(words), **more)
    first = (tmp_path / "trial_000" / "evaluation.json").read_bytes()
    (tmp_path / "trial_000" / "trial.json").unlink()  # as if stopped between training and telling
    found = search("mappo", "matrix/climb", ranges, tmp_path, trials=2, **more)
    assert told[0][:2] == (1, 1) and len(found.trials) == 2 and found.value == max(t["value"] for t in found.trials)
    assert (tmp_path / "trial_000" / "evaluation.json").read_bytes() == first
    assert all(0.5 <= float(trial["options"]["gamma"]) <= 0.9 for trial in found.trials)
    with pytest.raises(CoterieError, match="holds another search"):
        search("ippo", "matrix/climb", ranges, tmp_path, trials=1, **more)
    with pytest.raises(CoterieError, match="needs something to search"):
        search("mappo", "matrix/climb", [], tmp_path, **more)
