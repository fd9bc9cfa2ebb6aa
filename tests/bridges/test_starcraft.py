"""StarCraft II's bridge, on a battle small enough for pencil and paper, and what it says where the game is absent."""

import importlib
import sys

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from coterie.bridges.hosted import Hosting, hosted
from coterie.bridges.starcraft import GAMES, Smac
from coterie.bridges.starcraft_env import StarCraftEnv
from coterie.bridges.starcraft_maps import MAPS, RACES, capability
from coterie.contracts import CoterieError, HostGame
from tests.bridges import standins
from tests.bridges.standins import ATTACK, EAST, MAX_REWARD, STOP, StarCraft2Env

BOTH = ("marine_0", "marine_1")


def battle(restart=False, **options):
    """The stand-in as an environment, with the options that the bridge gives SMAC."""
    return StarCraftEnv(lambda seed: StarCraft2Env(seed=seed, continuing_episode=True, **options), BOTH, restart)


def drawn(restart=False):
    return StarCraftEnv(lambda seed: standins.StarCraftCapabilityEnvWrapper(seed=seed, continuing_episode=True), BOTH,
                        restart)  # fmt: skip


def play(env, *joint):
    """Joint actions one after another: everything of the last step."""
    given = None
    for actions in joint:
        given = env.step(dict(zip(BOTH, actions, strict=True)) if isinstance(actions, tuple) else actions)
    return given


@pytest.mark.parametrize("make", [battle, drawn])
def test_passes_pettingzoos_tests(make):
    parallel_api_test(make(), num_cycles=30)


@pytest.mark.parametrize("make", [battle, drawn])
def test_an_episode_depends_on_its_seed_only(make):
    """As PettingZoo's seed test has it, which ignores masks; here after different pasts, and for several seeds."""
    one, other, starts = make(restart=True), make(restart=True), set()
    other.reset(seed=0)
    play(other, (STOP, STOP))
    for seed in range(5):
        seen, twin = one.reset(seed=seed)[0], other.reset(seed=seed)[0]
        starts.add(one.simulator.foe)
        while one.agents:
            for agent in seen:
                np.testing.assert_array_equal(seen[agent]["observation"], twin[agent]["observation"])
            choice = {agent: int(np.flatnonzero(seen[agent]["action_mask"])[-1]) for agent in one.agents}
            (seen, *given), (twin, *same) = one.step(choice), other.step(choice)
            assert given == same
    assert len(starts) > 1


def test_a_won_battle_by_hand():
    """Enemy at 4 with 4 life, allies at 0 and 1 with 2 and 1: all walk, then the enemy kills ally 1 and is killed."""
    env = battle()
    seen, infos = env.reset()
    assert env.agents == list(BOTH) and infos == {agent: {} for agent in BOTH}
    np.testing.assert_array_equal(seen["marine_0"]["observation"], [2, 0, 4, 4])
    np.testing.assert_array_equal(seen["marine_0"]["action_mask"], [0, 1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(seen["marine_1"]["action_mask"], [0, 1, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(env.state(), [2, 1, 0, 1, 4, 4])
    seen, rewards, terminated, truncated, infos = play(env, (EAST, STOP))  # the enemy is 3 from both: it comes to 3
    assert set(rewards.values()) == {0.0} and not any([*terminated.values(), *truncated.values()])
    assert seen["marine_0"]["action_mask"][ATTACK] == seen["marine_1"]["action_mask"][ATTACK] == 1
    seen, rewards, terminated, _, infos = play(env, (ATTACK, ATTACK))  # 2 damage; it hits the first of equals
    assert rewards == dict.fromkeys(BOTH, pytest.approx(2 / (MAX_REWARD / 20)))
    assert infos["marine_0"] == {"won": 0.0, "dead_allies": 0.0, "dead_enemies": 0.0}
    np.testing.assert_array_equal(seen["marine_0"]["observation"], [1, 1, 2, 2])
    _, rewards, terminated, truncated, infos = play(env, (ATTACK, ATTACK))
    assert rewards == dict.fromkeys(BOTH, pytest.approx((2 + 10 + 200) / (MAX_REWARD / 20)))
    assert all(terminated.values()) and not any(truncated.values()) and env.agents == []
    assert infos["marine_1"] == {"won": 1.0, "dead_allies": 0.0, "dead_enemies": 1.0}
    with pytest.raises(CoterieError, match="call reset"):
        env.step({})


def test_the_dead_leave_and_a_defeat_terminates():
    """Ally 1 steps into the enemy's range and dies at once; the enemy comes for ally 0, which dies in two hits."""
    env = battle()
    env.reset()
    seen, _, terminated, truncated, _ = play(env, (STOP, EAST))
    assert env.agents == ["marine_0"] and terminated == {"marine_0": False, "marine_1": True}
    assert not any(truncated.values())
    np.testing.assert_array_equal(seen["marine_1"]["observation"], np.zeros(4))
    np.testing.assert_array_equal(seen["marine_1"]["action_mask"], [1, 0, 0, 0, 0, 0, 0])
    given = play(env, {"marine_0": EAST})
    assert set(given[0]) == set(given[1]) == {"marine_0"} and env.simulator.foe == 3
    with pytest.raises(CoterieError, match="no action for marine_0"):
        env.step({})
    _, _, terminated, _, infos = play(env, *[{"marine_0": STOP}] * 2)
    assert terminated == {"marine_0": True} and env.agents == []
    assert infos["marine_0"] == {"won": 0.0, "dead_allies": 2.0, "dead_enemies": 0.0}
    assert env.reset()[0].keys() == set(BOTH)  # and all are back


def test_the_limit_truncates_those_who_live():
    env = battle()
    env.reset()
    play(env, (STOP, EAST))
    env.simulator.foe = 12  # too far to arrive
    _, _, terminated, truncated, infos = play(env, *[{"marine_0": STOP}] * 4)
    assert not any([*terminated.values(), *truncated.values()])
    _, _, terminated, truncated, infos = play(env, {"marine_0": STOP})
    assert terminated == {"marine_0": False} and truncated == {"marine_0": True} and env.agents == []
    assert infos["marine_0"]["won"] == 0.0


def test_without_the_flag_an_end_is_an_end():
    env = StarCraftEnv(lambda seed: StarCraft2Env(seed=seed), BOTH)
    env.reset()
    env.simulator.foe, env.simulator.time = 12, 5
    _, _, terminated, truncated, _ = play(env, (STOP, STOP))
    assert all(terminated.values()) and not any(truncated.values())


def test_a_game_that_breaks_off_is_no_episode():
    env = battle(breaks_at=2)
    env.reset()
    play(env, (STOP, STOP))
    with pytest.raises(RuntimeError, match="broke off"):
        play(env, (STOP, STOP))


def test_sparse_rewards_are_not_scaled_away():
    env = battle(reward_sparse=True, reward_scale=False)
    env.reset()
    assert play(env, (EAST, STOP), (ATTACK, ATTACK), (ATTACK, ATTACK))[1]["marine_0"] == 1.0


def test_which_simulator_gets_the_seed():
    """The one before the first step does; later only with restart."""
    for restart, expected in ((False, [None, 5, 6]), (True, [None, 5, 6, 7])):
        StarCraft2Env.made.clear()
        env = battle(restart=restart)
        env.reset(seed=5)
        env.reset(seed=6)
        play(env, (STOP, STOP))
        env.reset(seed=7)
        assert [each["seed"] for each in StarCraft2Env.made] == expected
    first = env.simulator
    env.reset(seed=8)
    assert first.closed and not env.simulator.closed


def test_smacv2s_draws_obey_every_seed():
    env = drawn()
    starts = {}
    for seed in (1, 2, 3, 1, 2, 3):
        env.reset(seed=seed)
        starts.setdefault(seed, set()).add(env.simulator.foe)
        play(env, (STOP, STOP))
    assert all(len(each) == 1 for each in starts.values()) and len(set.union(*starts.values())) > 1


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Where packages can be put that Python then finds, and a StarCraft II of nothing but folders."""
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("SC2PATH", str(tmp_path / "game"))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("smac", "smacv2")]:
        del sys.modules[name]


def install(place, package):
    folder = place / "site" / package / "env" / "starcraft2"
    folder.mkdir(parents=True)
    (place / "site" / package / "__init__.py").touch()
    (folder.parent / "__init__.py").write_text("from tests.bridges.standins import *\n")
    importlib.invalidate_caches()


def refused(name):
    with pytest.raises(CoterieError) as error:
        assert GAMES[name]().spec
    assert "\n" not in str(error.value) and "docs/starcraft.md" in str(error.value)
    return str(error.value)


def test_what_is_absent_is_said_one_after_another(packages):
    assert refused("starcraft/3m").startswith("the package smac is not installed: pip install git+https://github.com")
    assert "package smacv2 is not installed" in refused("starcraft/zerg_5_vs_5")
    (packages / "site" / "smac").mkdir()
    importlib.invalidate_caches()
    assert "another package of that name" in refused("starcraft/3m")
    install(packages, "smac")
    assert "set SC2PATH" in refused("starcraft/3m")
    (packages / "game" / "Versions" / "Base75689").mkdir(parents=True)
    assert "3m.SC2Map: copy smac's folder SMAC_Maps" in refused("starcraft/3m")
    maps = packages / "game" / "Maps" / "SMAC_Maps"
    maps.mkdir(parents=True)
    (maps / "3m.SC2Map").touch()
    (packages / "site" / "smac" / "env" / "__init__.py").write_text(
        "raise TypeError('Descriptors cannot be created directly.')"
    )
    assert "protobuf<3.21" in refused("starcraft/3m")


def test_a_typo_is_told_before_anything_is_opened():
    with pytest.raises(CoterieError, match="SMAC has no map '2c_vs_64z': did you mean 2c_vs_64zg"):
        Smac(map_name="2c_vs_64z")
    with pytest.raises(CoterieError, match="difficulty"):
        Smac(difficulty="10")  # pyright: ignore
    with pytest.raises(CoterieError, match="race"):
        GAMES["starcraft/zerg_5_vs_5"](race="zergs")


def test_a_map_of_smac_through_its_package(packages):
    """The stand-in behind the package's name, hosted in a worker process: spec, options, one episode."""
    install(packages, "smac")
    install(packages, "smacv2")
    (packages / "game" / "Versions" / "Base75689").mkdir(parents=True)
    maps = packages / "game" / "Maps" / "SMAC_Maps"
    maps.mkdir(parents=True)
    for name in ("2m_vs_1z", "32x32_flat"):
        (maps / f"{name}.SC2Map").touch()
    StarCraft2Env.made.clear()
    game = GAMES["starcraft/2m_vs_1z"](difficulty="3", workers=1)
    assert isinstance(game, HostGame)
    spec = game.spec
    assert spec.agents == BOTH and spec.types == ("marine", "marine") and spec.reward == "team"
    assert (spec.horizon, spec.state_size, spec.observation_size, spec.choices) == (6, 6, 4, 7)
    assert {each["difficulty"] for each in StarCraft2Env.made} == {"3"}
    assert {each["map_name"] for each in StarCraft2Env.made} == {"2m_vs_1z"}
    simulators = game.open(2)
    try:
        simulators.reset(np.arange(2, dtype=np.uint32))
        for step in range(6):
            for group, rows in enumerate(simulators.groups):
                simulators.send(group, np.full((rows.stop - rows.start, 2), STOP))
                turn = simulators.receive(group)
            assert turn.truncated.all() == (step == 5) or turn.terminated.any()
    finally:
        simulators.close()
    StarCraft2Env.made.clear()
    assert GAMES["starcraft/protoss_5_vs_5"]().host().spec.agents == ("unit_0", "unit_1")
    given = StarCraft2Env.made[0]
    assert given["map_name"] == "10gen_protoss" and given["capability_config"] == capability("protoss", 5, 5)


def test_hosting_in_the_process_of_a_factory():
    assert hosted(battle, {"restart": "true"}, Hosting("team")).spec.types == ("marine", "marine")


def test_the_tables():
    """As SMAC's own registry has them: 23 maps, agents of each."""
    counts = {"3m": 3, "8m": 8, "25m": 25, "5m_vs_6m": 5, "8m_vs_9m": 8, "10m_vs_11m": 10, "27m_vs_30m": 27, "MMM": 10,
              "MMM2": 10, "2s3z": 5, "3s5z": 8, "3s5z_vs_3s6z": 8, "3s_vs_3z": 3, "3s_vs_4z": 3, "3s_vs_5z": 3,
              "1c3s5z": 9, "2m_vs_1z": 2, "corridor": 6, "6h_vs_8z": 6, "2s_vs_1sc": 2, "so_many_baneling": 7,
              "bane_vs_bane": 24, "2c_vs_64zg": 2}  # fmt: skip
    assert {name: len(agents) for name, agents in MAPS.items()} == counts
    assert MAPS["2s3z"] == ("stalker_0", "stalker_1", "zealot_0", "zealot_1", "zealot_2")
    assert MAPS["MMM"][:2] == ("marauder_0", "marauder_1") and MAPS["MMM"][-1] == "medivac_0"
    assert all(sum(race.weights) == pytest.approx(1) and len(race.units) == 3 for race in RACES.values())
    assert len(GAMES) == 23 + 15 and GAMES["starcraft/terran_10_vs_11"]().enemies == 11
