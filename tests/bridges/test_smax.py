"""SMAX: whole episodes beside JaxMARL's, ends set by hand, the maps, a short training run, and pictures."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import make, recipes, train
from coterie.bridges.jaxmarl_upstream import as_upstream, build, upstream
from coterie.bridges.smax import MAPS
from coterie.bridges.smax_scene import ALLY, ENEMY, HURT
from coterie.catalogue import games
from coterie.contracts import CoterieError, Drawable
from coterie.fields import override
from coterie.training import journal
from coterie.training.files import read_json
from tests.oracles.jaxmarl_twin import compare

LENGTH = 40
STOP = 4


@pytest.fixture(scope="module")
def game():
    return make("smax/3m", length=LENGTH)


@pytest.fixture(scope="module")
def play(game):
    """Reset and step, compiled."""
    return jax.jit(game.reset), jax.jit(game.step)


def theirs(name, **options):
    scenario = upstream("jaxmarl.environments.smax").map_name_to_scenario(name)
    return build("HeuristicEnemySMAX", scenario=scenario, **options)


def test_whole_episodes_are_those_of_jaxmarl(game):
    """JaxMARL's clock, at 100 steps, does not strike within 40: it ends episodes for the same reasons."""
    ended = compare(game, theirs("3m"), LENGTH, 6)
    assert all(terminated for _, terminated in ended) and len({steps for steps, _ in ended}) > 2


def hurt(state, **health):
    """The state with the health of allies ``a0`` to ``a2`` and enemies ``e0`` to ``e2`` set, far from one another."""
    now = state.inside.state
    index = {f"{side}{i}": 3 * (side == "e") + i for side in "ae" for i in range(3)}
    values = now.unit_health.at[jnp.array([index[name] for name in health])].set(jnp.array([*health.values()], float))
    now = now.replace(unit_health=values, unit_alive=values > 0)
    return state._replace(inside=state.inside.replace(state=now))


GONE = {"a": {f"a{i}": 0 for i in range(3)}, "e": {f"e{i}": 0 for i in range(3)}}


@pytest.mark.parametrize(
    ("gone", "won", "reward"),
    [(GONE["e"], 1.0, 1.0), (GONE["a"], 0.0, 0.0), (GONE["a"] | GONE["e"], 0.0, 0.0)],
    ids=["won", "lost", "drawn"],
)
def test_how_a_battle_ends(play, gone, won, reward):
    reset, step = play
    state, _ = reset(jax.random.key(0))
    after, _, outcome = step(jax.random.key(1), hurt(state, **gone), jnp.full(3, STOP))
    assert outcome.terminated and not outcome.truncated and float(outcome.info["won"]) == won
    assert outcome.reward.tolist() == [reward] * 3  # nobody lost health in this step: the bonus alone
    assert float(outcome.info["dead_enemies"]) == 3 * ("e0" in gone)
    assert float(outcome.info["dead_allies"]) == 3 * ("a0" in gone) == 3 - int(after.alive.sum())


def test_a_shot_that_kills_the_last_enemy_wins(play):
    """A marine shoots for 9 of 45 points: the share of three enemies' health, and the bonus."""
    reset, step = play
    state, _ = reset(jax.random.key(0))
    state = hurt(state, e0=5, e1=0, e2=0)
    now = state.inside.state
    near = now.unit_positions.at[3].set(now.unit_positions[0] + jnp.array([2.0, 0.0]))
    state = state._replace(inside=state.inside.replace(state=now.replace(unit_positions=near)))
    _, _, outcome = step(jax.random.key(1), state, jnp.array([5, STOP, STOP]))
    assert outcome.terminated and float(outcome.info["won"]) == 1
    np.testing.assert_allclose(outcome.reward, 1 + (5 / 45) / 3, rtol=1e-5)


def test_the_clock_alone_truncates(game, play):
    """After exactly ``length`` steps, where JaxMARL takes one more; a battle won in the last step is won."""
    reset, step = play
    env = theirs("3m", max_steps=2)
    with as_upstream():
        _, inside = env.reset(jax.random.key(0))
        late = []
        for _ in range(3):
            _, inside, _, done, _ = env.step_env(jax.random.key(1), inside, dict.fromkeys(env.agents, STOP))
            late.append(bool(done["__all__"]))
    assert late == [False, False, True]
    state, first = reset(jax.random.key(0))
    last = state._replace(time=jnp.array(LENGTH - 1))
    after, seen, outcome = step(jax.random.key(1), last, jnp.full(3, STOP))
    assert outcome.truncated and not outcome.terminated and after.time == LENGTH
    assert not np.array_equal(seen.state, first.state)  # the final observation, not the next episode's first
    early = step(jax.random.key(1), last._replace(time=jnp.array(LENGTH - 2)), jnp.full(3, STOP))[2]
    assert not early.truncated and not early.terminated
    won = step(jax.random.key(1), hurt(last, **GONE["e"]), jnp.full(3, STOP))[2]
    assert won.terminated and not won.truncated and float(won.info["won"]) == 1


def test_the_dead_see_nothing_and_can_only_stop(play):
    reset, step = play
    state, first = reset(jax.random.key(0))
    assert first.alive.all() and first.legal[:, :5].all() and not first.legal[:, 5:].any()  # nobody is in range yet
    _, seen, outcome = step(jax.random.key(1), hurt(state, a1=0), jnp.full(3, STOP))
    assert seen.alive.tolist() == [True, False, True] and float(outcome.info["dead_allies"]) == 1
    assert not seen.local[1].any() and seen.local[0].any()
    assert np.flatnonzero(seen.legal[1]).tolist() == [STOP]


def test_the_spec(game):
    spec = game.spec
    assert spec.agents == ("ally_0", "ally_1", "ally_2") and spec.types == ("marine",) * 3 and spec.reward == "team"
    assert spec.observation_sizes == (5 * 13 + 10,) * 3 and spec.state_size == 6 * 12 and spec.choices == 5 + 3
    assert make("smax/2s3z").spec.types == ("stalker",) * 2 + ("zealot",) * 3
    assert make("smax/smacv2_5_units").spec.types == ("unit",) * 5  # drawn anew for every episode
    assert game == make("smax/3m", length=LENGTH) != make("smax/3m") and isinstance(game, Drawable)


@pytest.mark.parametrize("name", MAPS)
def test_maps_hold_the_units_of_their_names(name):
    """Those of JaxMARL are its own; three are added, of units that it models."""
    known = upstream("jaxmarl.environments.smax.smax_env").MAP_NAME_TO_SCENARIO
    added = {
        "2m_vs_1z": ("marine",) * 2 + ("zealot",),
        "8m_vs_9m": ("marine",) * 17,
        "corridor": ("zealot",) * 6 + ("zergling",) * 24,
    }
    env = make(f"smax/{name}").env
    units = np.asarray(env.scenario)
    assert len(units) == env.num_allies + env.num_enemies
    assert known.keys() | added.keys() == MAPS.keys() and not known.keys() & added.keys()
    if name in known:
        scenario = known[name]
        np.testing.assert_array_equal(units, scenario.unit_types)
        assert (env.num_allies, env.num_enemies) == (scenario.num_allies, scenario.num_enemies)
        drawn = (scenario.smacv2_unit_type_generation, scenario.smacv2_position_generation)
        assert (env.smacv2_unit_type_generation, env.smacv2_position_generation) == drawn
    else:
        assert tuple(env.unit_type_names[i] for i in units) == added[name]
        assert env.num_allies == {"2m_vs_1z": 2, "8m_vs_9m": 8, "corridor": 6}[name]
    assert "SMAC " not in games()[f"smax/{name}"].__doc__


def test_units_of_ones_own():
    game = make("smax/custom", allies="marauder,hydralisk", enemies=("zergling",) * 3, walls_cause_death="false")
    assert game.spec.types == ("marauder", "hydralisk") and game.env.num_enemies == 3 and not game.env.walls_cause_death


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("smax/2s3x", {}, "there is no game 'smax/2s3x': did you mean smax/2s3z?"),
        ("smax/MMM", {}, "smax/MMM is not carried: SMAX does not model medivacs: "),
        ("smax/custom", {"allies": ("zelot",)}, "SMAX has no unit 'zelot': did you mean zealot?"),
        ("smax/custom", {"enemies": ()}, "there are no enemies: name at least one unit"),
        ("smax/3m", {"length": 0}, "length must be a whole number of at least 1, not 0"),
        ("smax/3m", {"attack_mode": "nearest"}, "attack_mode cannot be 'nearest': give closest or random"),
        ("smax/3m", {"win_bonus": -1.0}, "win_bonus must be a number between 0 and "),
    ],
)
def test_battles_that_do_not_open(name, options, message):
    with pytest.raises(CoterieError) as caught:
        make(name, **options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_the_picture_shows_who_lives_and_who_shoots(game, play):
    reset, _ = play
    state, _ = reset(jax.random.key(0))
    state = jax.device_get(hurt(state, a0=22.5, e2=0))
    now = state.inside.state
    place = np.array([[10, 10], [12, 10], [14, 10], [13, 10], [20, 20], [0, 0]], np.float32)
    shots = np.array([5, 0, 0, 7, 0, 5], np.int32)  # ally 0 at enemy 0; enemy 0 at ally 0; the dead one at nobody
    state = state._replace(
        inside=state.inside.replace(state=now.replace(unit_positions=place, prev_attack_actions=shots))
    )
    scene = game.scene(state, None)
    discs = [(shape.color, shape.x, round(shape.size, 3)) for shape in scene.shapes if shape.kind == "disc"]
    assert Counter(color for color, *_ in discs) == {ALLY: 3, ENEMY: 2, HURT[ALLY]: 3, HURT[ENEMY]: 2}
    assert (HURT[ALLY], 10, 0.6) in discs and (ALLY, 10, round(0.6 * 0.5**0.5, 3)) in discs
    aims = [(shape.x, shape.to) for shape in scene.shapes if shape.kind == "line" and shape.color in (ALLY, ENEMY)]
    assert aims == [(10, (13, 10)), (13, (10, 10))] and scene.caption.endswith("3 against 2")


def test_a_team_trains_and_its_wins_are_told(tmp_path):
    line = recipes.mappo()
    for path, value in {"actor.encoder": (8,), "critic.encoder": (8,), "environments": 4, "rollout": 4, "epochs": 1,
                        "critic_epochs": 1, "minibatches": 1}.items():  # fmt: skip
        line = override(line, path, value)
    run = train(line, "smax/3m", seeds=1, steps=32, out=tmp_path / "run", game_options={"length": 6}, episodes=4)
    told = read_json(run.directory / "evaluation.json")
    assert told["greedy"]["info"].keys() == {"won", "dead_allies", "dead_enemies"} and told["greedy"]["length"] <= 6
    points = journal.read(run.directory)
    assert points[-1]["step"] == 32 and 0 <= points[-1]["greedy_won"] <= 1
