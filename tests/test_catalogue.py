"""Names: every game opens, every recipe builds, and a wrong name or option says the nearest right one."""

import pytest

from coterie.catalogue import RECIPES, games, learner, make, recipe
from coterie.contracts import CoterieError, Game, HostGame

ELSEWHERE = {name for name in games() if name.startswith(("football/", "starcraft/"))}
"""Games that want a simulator which no extra brings; their own tests play them on stand-ins."""


@pytest.mark.parametrize("name", sorted(games().keys() - ELSEWHERE))
def test_every_game_opens_and_says_what_it_is(name):
    game = make(name)
    assert isinstance(game, Game | HostGame) and game.spec.n_agents >= 1 and hash(game) == hash(make(name))
    assert (games()[name].__doc__ or "").strip()


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_simulator_that_is_not_there_is_asked_for_in_one_line(name, monkeypatch):
    monkeypatch.delenv("COTERIE_FOOTBALL_PYTHON", raising=False)
    game = make(name)
    assert (games()[name].__doc__ or "").strip() and hash(game) == hash(make(name))
    if name.startswith("football/"):
        with pytest.raises(CoterieError, match=r"football.md says how to install it"):
            _ = game.spec


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_goes_with_the_main_game(name):
    line = recipe(name)
    assert line.name == name and (RECIPES[name].__doc__ or "").strip()
    suits = {} if name not in ("iddpg", "maddpg", "haddpg", "hatd3", "omdpg") else {"actions": "continuous"}
    assert learner(line, make("particle/spread", **suits).spec).recipe == line


def test_all_rooms_of_games_are_known():
    rooms = {"foraging", "grid", "matrix", "mujoco", "particle", "probe", "stochastic"}
    assert {name.split("/")[0] for name in games()} >= rooms
    assert {"probe/memory", "probe/mixed", "probe/continuous", "probe/multi_discrete"} <= games().keys()


def test_game_options_by_type():
    assert make("particle/spread", agents="5").spec.n_agents == 5 == make("particle/spread", agents=5).spec.n_agents
    assert make("particle/spread", actions="continuous").spec.action_kind == "continuous"
    assert make("particle/spread", reward="individual", length="10").spec.reward == "individual"
    assert make("particle/spread", local_ratio="none") == make("particle/spread", local_ratio=None)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("particle/spred", {}, "there is no game 'particle/spred': did you mean particle/spread?"),
        ("chess", {}, "there is no game 'chess': coterie list shows all "),
        ("particle/spread", {"agent": 5}, "particle/spread has no option 'agent': did you mean agents?"),
        ("particle/spread", {"agents": "many"}, "agents cannot be 'many': give a whole number"),
        ("particle/spread", {"agents": 2.5}, "agents cannot be 2.5: give a whole number"),
        ("particle/spread", {"agents": 0}, "agents must be a whole number of at least 1, not 0"),
        ("particle/spread", {"actions": "bold"}, "actions cannot be 'bold': give discrete or continuous"),
        ("probe/mixed", {"agents": 2}, "probe/mixed has no option 'agents': it has none"),
    ],
)
def test_games_that_do_not_open(name, options, message):
    with pytest.raises(CoterieError) as caught:
        make(name, **options)
    assert str(caught.value).startswith(message)


def test_options_of_the_recipe_function():
    assert recipe("a2po", {"mode": "shared"}).sharing == "full"
    assert recipe("happo").weighting.place == "outside"
    assert recipe("happo", {"factor": "inside"}).weighting.place == "inside"


def test_memory_is_a_recurrent_network_in_actor_and_critic():
    line = recipe("mappo", {"memory": "32"})
    assert line.actor.memory == line.critic.memory == 32 == recipe("mappo", {"memory": 32}).actor.memory
    assert recipe("mappo", {"memory": "32", "actor.memory": "8"}).actor.memory == 8


def test_a_part_comes_before_its_own_options():
    for options in ({"order": "blocks", "order.blocks": "3"}, {"order.blocks": "3", "order": "blocks"}):
        assert recipe("a2po", options).order.blocks == 3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mapo", {}, "there is no recipe 'mapo': did you mean mappo?"),
        ("a2po", {"mod": "shared"}, "a2po has no option 'mod': did you mean mode?"),
        ("mappo", {"mode": "shared"}, "mappo has no option 'mode': "),
        ("a2po", {"mode": "sharde"}, "mode cannot be 'sharde': give separate or shared"),
        ("a2po", {"memroy": "64"}, "a2po has no option 'memroy': did you mean memory?"),
        ("a2po", {"memory": "big"}, "memory cannot be 'big': give a whole number"),
        ("a2po", {"memory": 0}, "memory is 0: give the width of the GRU, at least 1"),
        ("a2po", {"memory": -3}, "memory is -3: "),
        ("a2po", {"gamma": None}, "gamma cannot be None: give a number"),
        ("a2po", {"actor.activation": "gelu"}, "activation 'gelu' is unknown: choose tanh or relu"),
    ],
)
def test_recipes_that_do_not_build(name, options, message):
    with pytest.raises(CoterieError) as caught:
        recipe(name, options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
