"""Foraging: whole episodes beside lbforaging, boards set by hand, fair starts, and pictures."""

from dataclasses import replace
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import make
from coterie.contracts import CoterieError
from coterie.games.foraging import MAPS, Foraging
from coterie.games.foraging_rules import EAST, LOAD, NONE, NORTH, SOUTH, WEST, ForagingState
from coterie.games.foraging_scene import FOOD, LOST, PLAYER, WON
from coterie.games.foraging_team import gather
from coterie.training.evaluate import play
from tests.oracles.foraging import QUICK, compare, compare_starts, replay_quickly, starts

needs_original = pytest.mark.skipif(not find_spec("lbforaging"), reason="needs lbforaging, of the extra games")
GAME = Foraging(4, 3, 2, penalty=0.5, reward="individual", mask=True, length=10)
step = jax.jit(
    lambda game, state, action: game.step(jax.random.key(0), state, action), static_argnums=0, compiler_options=QUICK
)
VARIANTS = {name: opened() for name, opened in MAPS.items()} | {
    "8x8-3p-3f sight and penalty": Foraging(8, 3, 3, sight=2, penalty=0.1),
    "5x5-2p-2f other levels": Foraging(5, 2, 2, normalised=False, max_level=3, max_food_level=4),
}


@needs_original
@pytest.mark.parametrize("name", VARIANTS)
def test_whole_episodes_are_those_of_lbforaging(name):
    found = compare(replace(VARIANTS[name], reward="individual", mask=True), 16, len(name), replay_quickly)
    assert found["steps"] > 300 and (found["penalties"] > 0) == ("penalty" in name)


def board(*rows):
    """A state of GAME: players 0 to 2 of levels 1 to 3 (two in one cell: ``0+1``), food by its level as ``f4``."""
    cells = [
        (r, c, mark) for r, row in enumerate(rows) for c, marks in enumerate(row.split()) for mark in marks.split("+")
    ]
    players = {mark: (r, c) for r, c, mark in cells if mark.isdigit()}
    food = [(r, c, int(mark[1])) for r, c, mark in cells if mark[0] == "f"]
    food += [(4, 0, 0)] * (2 - len(food))
    place = jnp.array([players[mark] for mark in "012"], jnp.int32)
    *at, level = jnp.array(food, jnp.int32).T
    zero = jnp.zeros((), jnp.int32)
    return ForagingState(place, jnp.arange(1, 4), jnp.stack(at, 1), level, 0 * level, zero, jnp.zeros(()))


def after(rows, *action, game=GAME):
    """Places after a step, the rewards, and all the rest."""
    state, seen, outcome = step(game, board(*rows), jnp.array(action, jnp.int32))
    return [tuple(map(int, place)) for place in state.players], outcome.reward.tolist(), (state, seen, outcome)


def test_moves_the_edge_and_food_in_the_way():
    rows = ["0 . . .", ". 1 . .", ". f3 . .", ". . . 2"]
    assert after(rows, SOUTH, EAST, NORTH)[0] == [(1, 0), (1, 2), (2, 3)]
    assert after(rows, EAST, WEST, WEST)[0] == [(0, 1), (1, 0), (3, 2)]
    assert after(rows, NORTH, SOUTH, EAST)[0] == after(rows, WEST, NONE, SOUTH)[0] == [(0, 0), (1, 1), (3, 3)]
    assert after(rows, LOAD, NORTH, LOAD)[:2] == ([(0, 0), (0, 1), (3, 3)], [0, 0, 0])  # nothing to load: no penalty


def test_wishes_collide():
    rows = ["0 . 1 .", ". . . .", ". . . .", ". f3 . 2"]
    assert after(rows, EAST, WEST, NONE)[0] == [(0, 0), (0, 2), (3, 3)]  # both want the same cell: none gets it
    train = ["0 1 . 2", ". . . .", ". f3 . .", ". . . ."]
    assert after(train, EAST, NONE, NONE)[0][0] == (0, 0)
    assert after(train, EAST, EAST, NONE)[0] == [(0, 1), (0, 2), (0, 3)]
    assert after(train, EAST, WEST, NONE)[0] == [(0, 1), (0, 0), (0, 3)]  # neighbours change places
    assert after(train, EAST, EAST, WEST)[0] == [(0, 1), (0, 1), (0, 3)]  # 1 cannot leave, and 0 comes in all the same
    shared = ["0+1 . . 2", ". . . .", ". f3 . .", ". . . ."]
    assert after(shared, NONE, NONE, NONE)[0] == [(0, 0), (0, 0), (0, 3)]
    assert after(shared, EAST, SOUTH, NONE)[0] == [(0, 1), (1, 0), (0, 3)]


def test_enough_levels_collect_and_share():
    rows = [". 0 . .", "1 f3 . .", ". . . f5", ". . . 2"]
    places, reward, (state, _, outcome) = after(rows, LOAD, LOAD, NONE)
    assert places == [(0, 1), (1, 0), (3, 3)] and state.eaten.tolist() == [1, 0]
    np.testing.assert_allclose(reward, [1 * 3 / (3 * 8), 2 * 3 / (3 * 8), 0], rtol=1e-6)
    assert not outcome.terminated and outcome.info["collected"] == 0.5
    assert after(rows, LOAD, LOAD, NONE, game=replace(GAME, normalised=False))[1] == [3, 6, 0]
    np.testing.assert_allclose(after(rows, LOAD, LOAD, NONE, game=replace(GAME, reward="team"))[1], [0.375] * 3)
    assert after(rows, LOAD, SOUTH, NONE)[1] == [-0.5, 0, 0]
    alone = [". 0 . .", "1 f2 . .", ". . . .", ". . . 2"]
    assert after(alone, NONE, LOAD, NONE)[1] == [0, 1, 0] and after(alone, NONE, LOAD, NONE)[2][2].terminated
    assert after(alone, EAST, WEST, LOAD)[0] == [(0, 2), (1, 0), (3, 3)]


def test_too_few_levels_pay_the_penalty():
    rows = [". 0 . .", "1 f4 . .", ". . . .", ". . . 2"]
    _, reward, (state, _, outcome) = after(rows, LOAD, LOAD, LOAD)  # the third stands elsewhere
    assert reward == [-0.5, -0.5, 0] and not state.eaten.any() and not outcome.terminated and state.score == -1
    assert outcome.info["collected"] == 0
    assert after(rows, LOAD, LOAD, NONE, game=replace(GAME, penalty=0.0))[1] == [0, 0, 0]
    together = [". 0+1 . .", ". f3 . .", ". . . .", ". . . 2"]
    np.testing.assert_allclose(after(together, LOAD, LOAD, NONE)[1], [1 / 3, 2 / 3, 0], rtol=1e-6)


def test_ends():
    last = board(". 0 . .", "1 f3 . .", ". . . .", ". . . 2")._replace(time=jnp.asarray(9))
    for action, terminated in (([LOAD, LOAD, NONE], True), ([LOAD, NONE, NONE], False)):
        _, _, outcome = step(GAME, last, jnp.array(action))
        assert (outcome.terminated, outcome.truncated) == (terminated, not terminated)
    _, _, outcome = step(GAME, last._replace(time=jnp.asarray(8)), jnp.array([NONE] * 3))
    assert not outcome.terminated and not outcome.truncated


def test_what_is_seen_and_legal():
    _, _, (_, seen, _) = after(["0 . . .", ". f4 . 1", ". . . .", ". . f1 2"], NONE, NONE, NONE)
    far = [1, 1, 4, 3, 2, 1]
    np.testing.assert_array_equal(
        seen.local,
        [[*far, 0, 0, 1, 1, 3, 2, 3, 3, 3], [*far, 1, 3, 2, 0, 0, 1, 3, 3, 3], [*far, 3, 3, 3, 0, 0, 1, 1, 3, 2]],
    )
    np.testing.assert_allclose(seen.state, [*far, 0, 0, 1, 1, 3, 2, 3, 3, 3, 5, 0.1], rtol=1e-6)
    assert seen.alive.all() and seen.local.dtype == seen.state.dtype == np.float32
    n, s, w, e = NORTH, SOUTH, WEST, EAST
    legal = [set(np.flatnonzero(row)) for row in np.asarray(seen.legal)]
    assert legal == [{NONE, s, e}, {NONE, n, s, w}, {NONE, n, LOAD}]
    _, _, (_, free, _) = after(["0 . . .", ". f4 . 1", ". . . .", ". . f1 2"], NONE, NONE, NONE,
                               game=replace(GAME, mask=False))  # fmt: skip
    assert free.legal.all()


def test_what_is_out_of_sight():
    """Rows and columns count from the first in sight; at an edge players (not food) are seen from further away."""
    game, none = replace(GAME, sight=1), [-1, -1, 0]
    _, _, (_, seen, _) = after(["0 . 1 .", ". . . .", ". f4 . 2", ". . . ."], NONE, NONE, NONE, game=game)
    assert seen.local.tolist() == [
        [*none, *none, 0, 0, 1, 0, 2, 2, *none],
        [*none, *none, 0, 1, 2, 2, 2, 3, *none],
        [*none, *none, 1, 1, 3, *none, *none],
    ]
    _, _, (_, seen, _) = after([". . . .", ". . . .", "0 f4 1 .", "f1 . . 2"], NONE, NONE, NONE, game=game)
    assert seen.local[0].tolist() == [1, 1, 4, 2, 0, 1, 1, 0, 1, 1, 2, 2, *none]
    assert seen.local[1].tolist() == [1, 0, 4, *none, 1, 1, 2, 2, 2, 3, *none]


def test_a_board_without_room_for_food_is_done():
    state = board("0 1 . .", ". . . .", ". . . .", ". . . 2")
    _, _, outcome = step(GAME, state, jnp.array([NONE] * 3))
    assert outcome.terminated and (outcome.reward == 0).all() and outcome.info["collected"] == 0


STARTS = pytest.mark.parametrize("game", [Foraging(5, 3, 2), Foraging(7, 4, 3, coop=True)], ids=["free", "coop"])


@needs_original
@STARTS
def test_starts_are_those_of_lbforaging(game):
    """Players, levels and food of many boards have the same frequencies, one by one and in pairs."""
    chances = compare_starts(game, 8000, 700, seed=0)
    assert min(chances.values()) > 1e-4, chances


@STARTS
def test_starts_keep_the_rules(game):
    state = jax.device_get(starts(game, 8000, jax.random.key(1)))
    cells = state.players @ np.array([game.size, 1])
    assert ((cells >= 0) & (cells < game.size**2)).all() and (np.diff(np.sort(cells, 1), axis=1) > 0).all()
    assert set(np.unique(state.levels)) == {1, 2}
    there = state.food_levels > 0
    assert there[:, 0].all() and there[:, -1].all() == (game.size == 7)  # on 5 × 5 not all food finds a place
    inner = (state.food >= 1) & (state.food <= game.size - 2)
    assert inner[there].all()
    assert (np.diff(state.food @ np.array([game.size, 1]), axis=1)[there[:, 1:]] > 0).all()
    down, across = np.moveaxis(np.abs(state.food[:, :, None] - state.food[:, None]), -1, 0)
    pair = there[:, :, None] & there[:, None] & ~np.eye(game.food, dtype=bool)
    assert not (pair & ((np.maximum(down, across) < 2) | (down + across == 2))).any()
    assert not (there[..., None] & (state.food[:, :, None] == state.players[:, None]).all(-1)).any()
    most = np.sort(state.levels, 1)[:, :3].sum(1)[:, None]
    levels = np.where(there, state.food_levels, 1)
    assert ((levels == most)[there].all()) if game.coop else ((levels <= most).all() and (levels == most).any())


def test_names_and_options():
    assert make("foraging/8x8-2p-2f-coop") == Foraging(8, 2, 2, coop=True) == make("foraging/custom", coop=True)
    assert make("foraging/15x15-8p-1f-coop").spec.n_agents == 8
    assert make("foraging/10x10-3p-5f", sight="2", length="25") == Foraging(10, 3, 5, sight=2, length=25)
    spec = make("foraging/10x10-3p-5f").spec
    assert (spec.observation_size, spec.state_size, spec.choices, spec.horizon) == (24, 26, 6, 50)
    assert spec.reward == "team" and spec.optimum is None


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("8x8-2p-2f-cop", {}, "there is no game 'foraging/8x8-2p-2f-cop': did you mean foraging/8x8-2p-2f-coop?"),
        ("custom", {"size": 2}, "size must be a whole number of at least 3, not 2"),
        ("custom", {"players": 0}, "players must be a whole number of at least 1, not 0"),
        ("custom", {"players": 64}, "64 players leave no room on 64 cells: give a larger size, or fewer players"),
        ("custom", {"size": 5, "food": 10}, "food is 10, but a board of size 5 has 9 cells that are not at its edge: "),
        ("custom", {"sight": 0}, "sight must be a whole number of at least 1, not 0"),
        ("custom", {"max_food_level": 0}, "max_food_level must be a whole number of at least 1, not 0"),
        ("custom", {"penalty": -0.1}, "penalty must be a number between 0 and 1e+06, not -0.1"),
        ("custom", {"reward": "shared"}, "reward cannot be 'shared': give team or individual"),
    ],
)
def test_bad_options(name, options, message):
    with pytest.raises(CoterieError) as caught:
        make(f"foraging/{name}", **options)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_scenes_show_what_loading_came_to():
    action = [LOAD, LOAD, LOAD]
    state = after([". 0+1 . .", ". f3 . .", ". . . f5", ". . . 2"], *action)[2][0]
    scene = GAME.scene(jax.device_get(state), np.array(action))
    discs = lambda color: {(s.x, s.y) for s in scene.shapes if (s.kind, s.color) == ("disc", color) and s.y >= 0}  # noqa: E731
    assert discs(PLAYER) == {(0.75, 3), (1.25, 3), (3, 0)}  # two in one cell stand side by side
    assert discs(WON) == {(0.75, 3), (1.25, 3)} and discs(LOST) == {(3, 0)}
    squares = {(s.x, s.y): s.alpha for s in scene.shapes if (s.kind, s.color) == ("square", FOOD) and s.y >= 0}
    assert squares == {(1, 2): 0.3, (3, 1): 1.0}
    assert scene.caption == "step 1   return -0.125   food collected 1 of 2"


def test_a_scripted_team_collects_together():
    game = make("foraging/5x5-2p-1f-coop")
    found = jax.jit(lambda key: play(game, gather(game), key, 64), compiler_options=QUICK)(jax.random.key(0))
    assert found.returns.mean() > 0.9 and (found.returns <= 1 + 1e-6).all()
    np.testing.assert_allclose(found.info["collected"], found.returns, atol=1e-6)
