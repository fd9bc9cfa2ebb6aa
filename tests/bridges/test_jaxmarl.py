"""JaxMARL's environments: whole episodes beside its own, clocks, padding, refusals; and an environment of one's own."""

import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxmarl.environments.spaces import Box, Dict, Discrete, MultiDiscrete

from coterie.bridges import jaxmarl_more, jaxmarl_mpe, jaxmarl_overcooked
from coterie.bridges.jaxmarl import Reading, jaxmarl_game
from coterie.bridges.jaxmarl_refused import REFUSED
from coterie.bridges.jaxmarl_upstream import as_upstream, build, upstream
from coterie.catalogue import make
from coterie.contracts import CoterieError, Drawable, Game
from coterie.games.scripted import random_team
from coterie.training.evaluate import play
from tests.oracles.jaxmarl_twin import compare

NAMES = [*jaxmarl_mpe.GAMES, *jaxmarl_overcooked.GAMES, *jaxmarl_more.GAMES]


def kitchen(layout, **options):
    plan = upstream("jaxmarl.environments.overcooked").overcooked_layouts[layout]
    return build("overcooked", layout=plan, **options)


@pytest.mark.parametrize(
    ("name", "options", "twin", "limit", "clock"),
    [
        ("jaxmarl/mpe_simple_spread_v3", {"reward": "individual"}, lambda: build("MPE_simple_spread_v3"), 25, True),
        ("jaxmarl/mpe_simple_speaker_listener_v4", {}, lambda: build("MPE_simple_speaker_listener_v4"), 25, True),
        ("jaxmarl/overcooked_coord_ring", {"length": 50}, lambda: kitchen("coord_ring", max_steps=50), 50, True),
        ("jaxmarl/switch_riddle", {}, lambda: build("switch_riddle"), 6, False),
    ],
    ids=["spread", "speaker_listener", "overcooked", "riddle"],
)
def test_whole_episodes_are_those_of_jaxmarl(name, options, twin, limit, clock):
    ended = compare(make(name, **options), twin(), limit, 4)
    if clock:
        assert ended == [(limit, False)] * 4
    else:
        assert {steps for steps, over in ended if over} and all(steps == limit for steps, over in ended if not over)


def test_jaxmarl_counts_one_step_too_many():
    """Why the clock is the bridge's own: remove it when this fails."""
    env = build("MPE_simple_v3", max_steps=2)
    with as_upstream():
        _, inside = env.reset(jax.random.key(0))
        over = []
        for _ in range(3):
            _, inside, _, done, _ = env.step_env(jax.random.key(1), inside, {"agent_0": 0})
            over.append(bool(done["__all__"]))
    assert over == [False, False, True]


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("jaxmarl/mpe_simple_reference_v3", {"actions": "continuous", "length": 3}, "continuous"),
        ("jaxmarl/mpe_simple_facmac_v1", {"length": 3}, "continuous"),
        ("jaxmarl/mpe_simple_tag_v3", {"length": 3}, "discrete"),
        ("jaxmarl/coin_game", {"length": 3}, "discrete"),
        ("jaxmarl/hanabi", {"length": 8}, "discrete"),
    ],
    ids=lambda value: value.split("/")[1] if isinstance(value, str) and "/" in value else "",
)
def test_a_random_team_plays_and_is_drawn(name, options, kind):
    game = make(name, **options)
    spec = game.spec
    assert spec.action_kind == kind and isinstance(game, Game) and isinstance(game, Drawable)
    assert game == make(name, **options) != make(name)
    found = jax.jit(lambda key: play(game, random_team(spec), key, 2))(jax.random.key(0))
    assert np.isfinite(found.returns).all() and found.lengths.max() <= options["length"]
    state, _ = jax.jit(game.reset)(jax.random.key(0))
    scene = game.scene(jax.device_get(state), np.zeros((spec.n_agents, *spec.action_shape)))
    assert sum(shape.kind == "disc" for shape in scene.shapes) == spec.n_agents and scene.caption.startswith("step 0")


def test_who_plays_what():
    tag, chase = make("jaxmarl/mpe_simple_tag_v3").spec, make("jaxmarl/mpe_simple_facmac_6a_v1")
    assert tag.types == ("adversary",) * 3 + ("agent",) and tag.reward == "individual"
    assert chase.spec.agents == tuple(f"adversary_{i}" for i in range(6)) and chase.passive == ("agent_0", "agent_1")
    spread = make("jaxmarl/mpe_simple_spread_v3", agents=4).spec
    assert spread.n_agents == 4 and spread.reward == "team" and spread.state_size == 4 * spread.observation_size
    talk = make("jaxmarl/mpe_simple_speaker_listener_v4").spec
    assert talk.observation_sizes == (3, 11) and [space.sizes for space in talk.action_spaces] == [(3,), (5,)]
    assert talk.legal.tolist() == [[True] * 3 + [False] * 2, [True] * 5]


def test_a_team_is_paid_the_sum():
    for name in ("jaxmarl/mpe_simple_spread_v3", "jaxmarl/coin_game"):
        own, team = make(name, reward="individual"), make(name, reward="team")
        state, _ = own.reset(jax.random.key(2))
        joint, key = jnp.arange(own.spec.n_agents), jax.random.key(3)
        (_, _, each), (after, _, common) = own.step(key, state, joint), team.step(key, state, joint)
        np.testing.assert_allclose(common.reward, np.full(own.spec.n_agents, each.reward.sum()), rtol=1e-5)
        np.testing.assert_allclose(after.score, each.reward.sum(), rtol=1e-5)


def test_kitchens_pay_for_soups_and_may_pay_for_steps_on_the_way():
    """Cook 0 faces a pot with an onion in its hands: JaxMARL's shaped reward is 3, its reward nothing."""
    plain, shaped = (make("jaxmarl/overcooked_cramped_room", shaping=weight) for weight in (0.0, 0.5))
    state, _ = plain.reset(jax.random.key(0))
    place, up = jnp.array([[2, 1], [3, 2]], jnp.uint32), jnp.array([[0, -1]] * 2, jnp.int8)
    inside = state.inside.replace(agent_pos=place, agent_inv=jnp.array([3, 1]), agent_dir_idx=jnp.zeros(2, jnp.int32),
                                  agent_dir=up)  # fmt: skip
    joint, key = jnp.array([5, 4]), jax.random.key(1)
    after, _, outcome = plain.step(key, state._replace(inside=inside), joint)
    assert outcome.reward.tolist() == [0, 0] and float(outcome.info["delivered"]) == 0
    assert int(after.inside.agent_inv[0]) == 1
    after, _, outcome = shaped.step(key, state._replace(inside=inside), joint)
    assert outcome.reward.tolist() == [1.5, 1.5] and float(after.score) == 0


class Own:
    """Two agents with other sizes; ``tail_1`` leaves after a step, everything ends when ``head_0`` acts 1."""

    agents = ("head_0", "tail_1")
    max_steps = 4

    def __init__(self, spaces=None, looks=None):
        self.spaces = spaces or {"head_0": Discrete(2), "tail_1": Discrete(3)}
        self.looks = looks or {"head_0": jnp.ones((2, 2), jnp.uint8), "tail_1": jnp.zeros(3)}

    def action_space(self, agent):
        return self.spaces[agent]

    def reset(self, key):
        return self.looks, {"time": 0, "last": jnp.zeros(2, jnp.int32)}

    def step_env(self, key, state, actions):
        time = state["time"] + 1
        over = (actions["head_0"] == 1).any()
        done = {"head_0": over, "tail_1": over | (time > 1), "__all__": over}
        reward = {"head_0": jnp.float32(1), "tail_1": actions["tail_1"].sum()}
        return self.looks, {**state, "time": time}, reward, done, {}


def test_an_environment_of_ones_own():
    game = jaxmarl_game(Own())
    spec = game.spec
    assert spec.observation_sizes == (4, 3) and spec.types == ("head", "tail") and spec.horizon == 4
    state, seen = game.reset(jax.random.key(0))
    assert seen.local.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]] and seen.state.shape == (7,) and seen.alive.all()
    assert seen.legal.tolist() == [[True, True, False], [True] * 3]
    lives, ends = [], []
    for _ in range(4):
        state, seen, outcome = game.step(jax.random.key(0), state, jnp.array([0, 2]))
        lives.append(seen.alive.tolist())
        ends.append((bool(outcome.terminated), bool(outcome.truncated)))
        assert outcome.reward.tolist() == [1, 2]
    assert lives == [[True, True]] + [[True, False]] * 3
    assert ends == [(False, False)] * 3 + [(False, True)] and float(state.score) == 12
    state, _ = game.reset(jax.random.key(0))
    _, seen, outcome = game.step(jax.random.key(0), state, jnp.array([1, 0]))
    assert outcome.terminated and not outcome.truncated and seen.alive.all()  # all together: nobody died before


def test_masks_boxes_and_many_choices():
    class Masked(Own):
        def get_avail_actions(self, state):
            return {"head_0": jnp.array([1, 0]), "tail_1": jnp.array([0, 1, 1])}

    game = jaxmarl_game(Masked(), length=9)
    assert game.reset(jax.random.key(0))[1].legal.tolist() == [[True, False, False], [False, True, True]]
    several = jaxmarl_game(Own({"head_0": MultiDiscrete([2, 3]), "tail_1": MultiDiscrete([4])}))
    assert several.spec.action_kind == "multi_discrete" and several.spec.legal_shape == (2, 4)
    _, _, outcome = several.step(jax.random.key(0), several.reset(jax.random.key(0))[0], jnp.array([[0, 0], [3, 0]]))
    assert outcome.reward.tolist() == [1, 3]
    boxes = jaxmarl_game(Own({"head_0": Box(-1.0, 2.0, (1,)), "tail_1": Box(jnp.zeros(2), jnp.ones(2), (2,))}))
    assert boxes.spec.action_spaces[0].low == (-1.0,) and boxes.spec.action_spaces[1].high == (1.0, 1.0)
    team = jaxmarl_game(Own(), reward="team", reading=replace(Reading(), pay=jaxmarl_mpe.summed))
    state, _ = team.reset(jax.random.key(0))
    assert team.step(jax.random.key(0), state, jnp.array([0, 2]))[2].reward.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("spaces", "looks", "message"),
    [
        ({"head_0": Discrete(2), "tail_1": Box(-1.0, 1.0, (2,))}, None, "all agents of a team need one kind of action"),
        ({"head_0": Box(-jnp.inf, 1.0, (2,)), "tail_1": Discrete(2)}, None, "the actions of head_0 are a Box space, "),
        ({"head_0": Dict({}), "tail_1": Discrete(2)}, None, "the actions of head_0 are a Dict space, "),
        (None, {"head_0": {"a": jnp.ones(2), "b": jnp.ones(3)}, "tail_1": jnp.ones(1)},
         "the observation of head_0 has 2 arrays, which cannot be batched: wrap Own so that it is one array"),
        (None, {"head_0": jnp.ones(2)}, "Own does not return a dictionary with an observation for each of head_0, ta"),
    ],
)  # fmt: skip
def test_spaces_that_cannot_be_batched(spaces, looks, message):
    with pytest.raises(CoterieError) as caught:
        jaxmarl_game(Own(spaces, looks))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("jaxmarl/mpe_simple_spred_v3", {}, "there is no game 'jaxmarl/mpe_simple_spred_v3': did you mean "),
        ("jaxmarl/ant_4x2", {}, "jaxmarl/ant_4x2 is not carried: JaxMARL has deprecated it, and its dynamics are not "),
        ("jaxmarl/storm", {}, "jaxmarl/storm is not carried: "),
        ("jaxmarl/hanabi", {"agents": 6}, "JaxMARL does not open hanabi: Number of agents must be between 2 and 5; "),
        ("jaxmarl/switch_riddle", {"agents": 2}, "agents must be a whole number of at least 3, not 2"),
        ("jaxmarl/overcooked_v2", {"layout": "ring"}, "layout cannot be 'ring': give cramped_room, "),
        ("jaxmarl/mpe_simple_v3", {"actions": "bold"}, "actions cannot be 'bold': give discrete or continuous"),
    ],
)
def test_games_that_do_not_open(name, options, message):
    with pytest.raises(CoterieError) as caught:
        make(name, **options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_everything_that_jaxmarl_has_is_carried_or_refused():
    known = {f"jaxmarl/{name.lower()}" for name in upstream().registered_envs}
    ours = {name.partition("_cramped")[0] for name in NAMES}
    assert known <= ours | REFUSED.keys()


def test_no_clock_and_no_package(monkeypatch):
    class Endless(Own):
        max_steps = None

    with pytest.raises(CoterieError, match="Endless has no max_steps: give a length, "):
        jaxmarl_game(Endless())
    monkeypatch.setitem(sys.modules, "jaxmarl", None)
    with pytest.raises(CoterieError, match=r"jaxmarl is not installed: pip install 'coterie\[jaxmarl\]'"):
        make("jaxmarl/mpe_simple_v3", length=77)


def test_listing_imports_nothing_and_opening_prints_nothing():
    code = (
        "import sys, coterie.catalogue as c; n = len(c.games()); assert 'jaxmarl' not in sys.modules\n"
        "before = sys.stdout, sys.stderr; c.make('jaxmarl/mpe_simple_v3')\n"
        "assert (sys.stdout, sys.stderr) == before and 'jaxmarl' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"JAX_PLATFORMS": "cpu"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
