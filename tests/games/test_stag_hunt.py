"""The stag hunt: every rule on a board set by hand, whole episodes beside a slow twin, and what is always kept."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie import catalogue
from coterie.contracts import CoterieError
from coterie.games.scripted import pack_hunt, random_team
from coterie.games.stag_hunt import StagHunt
from coterie.games.stag_hunt_rules import CATCH, DOWN, LEFT, RIGHT, STAY, UP, Draws, StagHuntState, draw, scatter
from coterie.games.stag_hunt_scene import LOST, PALE, PREDATOR, WON
from coterie.training.evaluate import play
from tests.oracles.stag_hunt import Hunt

GAME = StagHunt(size=4, predators=4, stags=3, penalty=-1.5, length=10)
AHEAD = Draws(jnp.arange(4), jnp.arange(3), jnp.tile(jnp.array([0.4, 0.3, 0.2, 0.1]), (3, 1)))
"""Everybody in order; stags go right if they can, else down, left, up."""


def board(*rows):
    """The state of GAME with predators 0 to 3 and stags a to c where the rows have them; the others are gone."""
    cells = {mark: (r, c) for r, row in enumerate(rows) for c, mark in enumerate(row.split())}
    place = lambda marks: jnp.array([cells.get(mark, (0, 0)) for mark in marks], jnp.int32)  # noqa: E731
    there = lambda marks: jnp.array([mark in cells for mark in marks])  # noqa: E731
    zero = jnp.zeros((), jnp.int32)
    return StagHuntState(place("0123"), place("abc"), there("0123"), there("abc"), zero, zero, jnp.zeros(()))


def picture(state, size=4):
    """The rows that ``board`` reads."""
    rows = [["."] * size for _ in range(size)]
    for places, there, marks in ((state.predators, state.active, "0123"), (state.stags, state.present, "abc")):
        for (row, column), alive, mark in zip(np.asarray(places), np.asarray(there), marks, strict=True):
            if alive:
                assert rows[row][column] == "."
                rows[row][column] = mark
    return [" ".join(row) for row in rows]


resolve = jax.jit(lambda game, draws, state, action: game.resolve(draws, state, action), static_argnums=0)


def after(rows, actions, game=GAME, **draws):
    """The picture after a step of the predators that are named, its reward and all the rest."""
    choice = jnp.array([actions.get(i, STAY) for i in range(4)], jnp.int32)
    draws = AHEAD._replace(**{name: jnp.array(value) for name, value in draws.items()})
    state, seen, outcome = resolve(game, draws, board(*rows), choice)
    assert (outcome.reward == outcome.reward[0]).all() and state.score == outcome.reward[0]
    return picture(state), float(outcome.reward[0]), (state, seen, outcome)


def test_moves_and_the_edge():
    rows = ["0 . . .", ". 1 . .", ". . . .", ". . . ."]
    assert after(rows, {0: RIGHT, 1: DOWN})[0] == [". 0 . .", ". . . .", ". 1 . .", ". . . ."]
    assert after(rows, {0: LEFT, 1: UP})[0] == ["0 1 . .", ". . . .", ". . . .", ". . . ."]
    assert after(rows, {0: UP, 1: CATCH})[0] == rows
    rows = [". . . .", ". . . .", ". . . .", ". . . 0"]
    assert after(rows, {0: RIGHT})[0] == after(rows, {0: DOWN})[0] == rows


def test_predators_and_stags_block_and_who_is_gone_does_not():
    rows = ["0 1 . .", "a . . .", "2 . . .", "b 3 . ."]
    found, reward, _ = after(rows, {0: RIGHT, 1: LEFT, 2: UP, 3: LEFT})
    assert found == ["0 1 . .", ". a . .", "2 . . .", "b 3 . ."] and reward == 0
    state = board(". 0 . .", "a . . .", ". . . .", ". . . .")  # the others' last place is the corner
    state, _, _ = resolve(GAME, AHEAD, state, jnp.array([LEFT, DOWN, RIGHT, RIGHT]))
    assert picture(state) == ["0 . . .", ". a . .", ". . . .", ". . . ."]


def test_the_order_of_the_predators_decides():
    rows = [". 0 1 .", ". . . .", ". . . .", ". . . ."]
    train = {0: LEFT, 1: LEFT}
    assert after(rows, train)[0] == ["0 1 . .", ". . . .", ". . . .", ". . . ."]
    assert after(rows, train, order=[1, 0, 2, 3])[0] == ["0 . 1 .", ". . . .", ". . . .", ". . . ."]
    rows = ["0 . 1 .", ". . . .", ". . . .", ". . . ."]
    clash = {0: RIGHT, 1: LEFT}
    assert after(rows, clash)[0] == [". 0 1 .", ". . . .", ". . . .", ". . . ."]
    assert after(rows, clash, order=[3, 1, 0, 2])[0] == ["0 1 . .", ". . . .", ". . . .", ". . . ."]
    swap = {0: RIGHT, 1: LEFT}  # two neighbours never change places
    assert after(["0 1 . .", *rows[1:]], swap)[0] == ["0 1 . .", *rows[1:]]


def test_two_catch_and_leave_with_the_stag():
    rows = ["0 a 1 .", ". 2 . .", ". . . b", ". . . ."]
    found, reward, (state, seen, outcome) = after(rows, {0: CATCH, 1: CATCH})
    assert found == [". . . .", ". 2 . .", ". . . .", ". . . b"] and reward == 10  # 2 stood by and did not catch
    np.testing.assert_array_equal(seen.alive, [False, False, True, False])
    np.testing.assert_array_equal(state.present, [False, True, False])
    assert not outcome.terminated and outcome.info == {"caught": 2, "misses": 0}  # c was never there
    assert not seen.local[:2].any() and seen.local[2].any()
    np.testing.assert_array_equal(seen.legal[0], [False] * 4 + [True, False])


def test_all_who_catch_leave():
    rows = ["0 a 1 .", ". 2 . .", ". . . b", ". . . 3"]
    found, reward, _ = after(rows, {0: CATCH, 1: CATCH, 2: CATCH})
    assert found == [". . . .", ". . . .", ". . b .", ". . . 3"] and reward == 10


def test_a_lone_catch_costs_and_the_stag_goes_on():
    rows = ["0 a . .", ". . . .", ". . . .", ". . . ."]
    found, reward, (state, _, outcome) = after(rows, {0: CATCH})
    assert found == ["0 . a .", ". . . .", ". . . .", ". . . ."] and reward == -1.5 and state.active[0]
    assert outcome.info["misses"] == 1 == state.misses
    assert after(rows, {0: STAY})[1] == 0
    assert after(rows, {0: CATCH}, replace(GAME, penalty=0.0))[1] == 0
    assert after([". . . .", "0 . a .", ". . . .", ". . . ."], {0: CATCH})[1] == 0  # out of reach: nothing happens
    assert after(["0 . . .", ". a . .", ". . . .", ". . . ."], {0: CATCH})[1] == 0  # diagonal is not beside


def test_a_lone_catch_costs_for_every_stag_beside():
    rows = [". a . .", "b 0 c .", ". . . .", ". . . ."]
    found, reward, (state, _, _) = after(rows, {0: CATCH})
    assert reward == -4.5 and state.misses == 3
    assert found == [". . a .", ". 0 . c", "b . . .", ". . . ."]


def test_catching_after_a_move_is_not_possible_and_moving_up_is_no_catch():
    rows = ["0 . a 1", ". . . .", ". . . .", ". . . ."]
    found, reward, _ = after(rows, {0: RIGHT, 1: CATCH})  # 0 arrives beside the stag, 1 catches it alone
    assert found == [". 0 . 1", ". . a .", ". . . .", ". . . ."] and reward == -1.5


def test_one_pair_beside_two_stags_catches_the_first():
    rows = [". 0 a .", ". b 1 .", ". . . .", ". . . ."]
    catch = {0: CATCH, 1: CATCH}
    found, reward, _ = after(rows, catch)
    assert found == [". . . .", ". . b .", ". . . .", ". . . ."] and reward == 10  # b walks off past the cell of 1
    found, reward, _ = after(rows, catch, stag_order=[2, 1, 0])
    assert found == [". . . a", ". . . .", ". . . .", ". . . ."] and reward == 10


def test_who_leaves_with_one_stag_lets_the_other_catcher_down():
    rows = ["0 a 1 b", ". . . 2", ". . . .", ". . . ."]
    catch = {0: CATCH, 1: CATCH, 2: CATCH}
    _, reward, (state, _, _) = after(rows, catch)
    assert reward == 10 - 1.5 and list(state.active[:3]) == [False, False, True]
    _, reward, (state, _, _) = after(rows, catch, stag_order=[1, 0, 2])
    assert reward == 10 - 1.5 and list(state.active[:3]) == [True, False, False]
    both = [". 0 . .", "1 a b 2", ". . 3 .", ". . . ."]
    found, reward, (_, _, outcome) = after(both, dict.fromkeys(range(4), CATCH))
    assert found == [". . . ."] * 4 and reward == 20 and outcome.terminated


def test_three_may_be_needed():
    game = replace(GAME, needed=3)
    rows = ["0 a 1 .", ". 2 . .", ". . . .", ". . . ."]
    assert after(rows, dict.fromkeys(range(3), CATCH), game)[1] == 10
    found, reward, (state, _, _) = after(rows, {0: CATCH, 2: CATCH}, game)
    assert reward == -1.5 and state.misses == 1 and found == rows  # two are too few: once per stag; it cannot flee


def test_stags_go_where_they_like_best_among_the_free_cells():
    rows = [". . . .", ". a . .", ". . . .", ". . . ."]
    for direction, found in enumerate([[". . . .", ". . a ."], [". . . .", ". . . .", ". a . ."],
                                       [". . . .", "a . . ."], [". a . ."]]):  # fmt: skip
        wish = np.tile(np.eye(4, dtype=np.float32)[direction], (3, 1))
        assert after(rows, {}, wish=wish)[0][: len(found)] == found
    corner = ["b a . .", "0 1 . .", ". . . .", ". . . ."]
    assert after(corner, {})[0] == [". b a .", "0 1 . .", ". . . .", ". . . ."]
    shut_in = after(corner, {}, stag_order=[1, 0, 2])[0]
    assert shut_in == ["b . a .", "0 1 . .", ". . . .", ". . . ."]


def test_the_cells_of_those_who_left_are_free_at_once():
    rows = ["b 0 a .", "3 . 1 .", ". . . .", ". . . ."]
    found, reward, _ = after(rows, {0: CATCH, 1: CATCH})
    assert reward == 10 and found == [". b . .", "3 . . .", ". . . .", ". . . ."]


def test_what_is_legal():
    state = board("0 . . .", ". a 1 .", ". . . .", "2 . . .")
    legal = jax.jit(GAME.observe)(state).legal
    order = [RIGHT, DOWN, LEFT, UP, STAY, CATCH]
    assert order == list(range(6))
    np.testing.assert_array_equal(legal, np.array([[1, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 1, 1, 0],
                                                   [0, 0, 0, 0, 1, 0]], bool))  # fmt: skip


def test_a_window_and_the_state_by_hand():
    game = replace(GAME, sight=1, walls=True)
    state = board("0 a . .", ". 1 . .", ". . . .", ". . . b")._replace(time=jnp.asarray(5))
    seen = jax.jit(game.observe)(state)
    window = np.asarray(seen.local[0]).reshape(3, 3, 3)
    np.testing.assert_array_equal(window[..., 0], [[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(window[..., 1], [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(window[..., 2], [[1, 1, 1], [1, 0, 0], [1, 0, 0]])
    assert not np.asarray(jax.jit(replace(game, walls=False).observe)(state).local).reshape(4, 9, 3)[..., 2].any()
    grid = np.asarray(seen.state[:-1]).reshape(4, 4, 2)
    assert sorted(zip(*np.nonzero(grid[..., 0]), strict=True)) == [(0, 0), (1, 1)]
    assert sorted(zip(*np.nonzero(grid[..., 1]), strict=True)) == [(0, 1), (3, 3)]
    assert seen.state[-1] == 0.5


def test_ends():
    pair = ["0 a 1 .", ". . . .", ". . . .", ". . . ."]
    catch = {0: CATCH, 1: CATCH}
    state, _, outcome = after(pair, catch)[2]
    assert outcome.terminated and not state.active.any() and not state.present.any()
    assert after([*pair[:3], ". . . 2"], catch)[2][2].terminated  # no stag is left
    assert after([*pair[:3], ". . . b"], catch)[2][2].terminated  # no predator is left
    assert not after([*pair[:3], "2 . . b"], catch)[2][2].terminated  # one alone hunts on, in vain
    late = board(*pair)._replace(time=jnp.asarray(9))
    _, _, outcome = resolve(GAME, AHEAD, late, jnp.full(4, STAY))
    assert outcome.truncated and not outcome.terminated
    _, _, outcome = resolve(GAME, AHEAD, late, jnp.array([CATCH, CATCH, STAY, STAY]))
    assert outcome.terminated and not outcome.truncated  # a task that is done is not cut off
    _, _, outcome = resolve(GAME, AHEAD, late._replace(time=jnp.asarray(8)), jnp.full(4, STAY))
    assert not outcome.truncated and not outcome.terminated


@partial(jax.jit, static_argnums=(0, 1, 2))
def episodes(game, many, steps, key):
    """Random episodes that go on after their end: first states, then draws, actions and results of every step."""
    start, rest = jax.random.split(key)
    opening = jax.vmap(game.reset)(jax.random.split(start, many))

    def step(now, key):
        state, seen = now
        act, luck = jax.random.split(key)
        taste = jnp.array([0.0, 0.0, 0.0, 0.0, 0.0, 2.0])  # for catching
        action = jax.random.categorical(act, jnp.where(seen.legal, taste[None, None], -jnp.inf)).astype(jnp.int32)
        keys = jax.random.split(luck, many)
        draws = jax.vmap(lambda key: draw(key, game.predators, game.stags))(keys)
        state, seen, outcome = jax.vmap(game.step)(keys, state, action)
        return (state, seen), (draws, action, state, seen, outcome)

    return opening, jax.lax.scan(step, opening, jax.random.split(rest, steps))[1]


@pytest.mark.parametrize(
    "game",
    [GAME, StagHunt(3, 4, 2, -2.0, 3, 1, 12, True), StagHunt(sight=3)],
    ids=["dense", "three needed", "full"],
)
def test_whole_episodes_are_those_of_the_slow_twin(game):
    many = 4 if game.size == 10 else 16
    opening, track = jax.device_get(episodes(game, many, 40, jax.random.key(game.size)))
    caught = missed = 0
    for e in range(many):
        first, seen = jax.tree.map(lambda x: x[e], opening)  # noqa: B023
        twin = Hunt(game, first.predators, first.stags)
        same(twin, first, seen)
        for t in range(40):
            draws, action, state, seen, outcome = jax.tree.map(lambda x: x[t, e], track)  # noqa: B023
            reward, terminated, truncated = twin.step(action, draws.order, draws.stag_order, draws.wish)
            np.testing.assert_allclose(outcome.reward, np.full(game.predators, reward))
            assert (terminated, truncated) == (outcome.terminated, outcome.truncated)
            same(twin, state, seen)
            caught, missed = caught + (reward > 5), missed + (reward < 0)
            if terminated or truncated:
                break
    assert caught > 3 and (missed > 3 or game.penalty == 0)


def same(twin, state, seen):
    predators = {i: tuple(state.predators[i]) for i in np.flatnonzero(state.active)}
    stags = {j: tuple(state.stags[j]) for j in np.flatnonzero(state.present)}
    assert (predators, stags) == (twin.predators, twin.stags)
    n = len(state.active)
    np.testing.assert_array_equal(seen.local, [twin.local(i) for i in range(n)])
    np.testing.assert_array_equal(seen.legal, [twin.legal(i) for i in range(n)])
    np.testing.assert_allclose(seen.state, twin.state(), rtol=1e-6)
    np.testing.assert_array_equal(seen.alive, state.active)


def test_what_is_kept_in_every_episode():
    """No two in one cell; who is gone stays gone; a move is one cell; returns have their bound."""
    (first, _), (_, action, state, seen, outcome) = jax.device_get(episodes(GAME, 32, 40, jax.random.key(1)))
    cells = np.concatenate([state.predators, state.stags], 2) @ np.array([4, 1])
    there = np.concatenate([state.active, state.present], 2)
    assert ((cells >= 0) & (cells < 16)).all()
    numbers = np.where(there, cells, 100 + np.arange(7))
    assert all(len(set(row)) == 7 for row in numbers.reshape(-1, 7))
    assert not (there[1:] & ~there[:-1]).any()
    pace = np.abs(np.diff(np.concatenate([first.predators[None], state.predators]), axis=0)).sum(-1)
    assert pace.max() == 1 and (pace[(action == STAY) | (action == CATCH)] == 0).all()
    pace = np.abs(np.diff(state.stags, axis=0)).sum(-1)
    assert pace.max() == 1 and (pace[~state.present[1:]] == 0).all()
    total, prizes = outcome.reward[..., 0].sum(0), 10 * outcome.info["caught"][-1]
    assert (prizes <= 10 * min(3, 4 // 2)).all() and prizes.max() == 20
    np.testing.assert_allclose(total, prizes - 1.5 * outcome.info["misses"][-1])
    assert seen.local.dtype == seen.state.dtype == outcome.reward.dtype == np.float32


def test_draws_are_fair():
    """Frequencies of 6000 draws within 4.5 standard errors."""
    draws = jax.vmap(lambda key: draw(key, 3, 3))(jax.random.split(jax.random.key(0), 6000))
    for order in (draws.order, draws.stag_order):
        np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(3), (6000, 1)))
        _, found = np.unique(order @ np.array([9, 3, 1]), return_counts=True)
        assert len(found) == 6 and (np.abs(found - 1000) < 4.5 * np.sqrt(6000 * 5 / 36)).all()
    found = np.bincount(np.asarray(draws.wish[:, 0].argmax(-1)))
    assert (np.abs(found - 1500) < 4.5 * np.sqrt(6000 * 3 / 16)).all()
    joint = np.asarray(draws.order[:, 0] * 3 + draws.stag_order[:, 0])  # the two orders know nothing of each other
    assert (np.abs(np.bincount(joint) - 6000 / 9) < 4.5 * np.sqrt(6000 * 8 / 81)).all()
    place = jax.vmap(lambda key: scatter(key, 3, 4))(jax.random.split(jax.random.key(1), 6000))
    cells = np.asarray(place @ jnp.array([3, 1]))
    assert (np.diff(np.sort(cells, axis=1), axis=1) > 0).all()
    for column in cells.T:
        assert (np.abs(np.bincount(column) - 6000 / 9) < 4.5 * np.sqrt(6000 * 8 / 81)).all()
    pairs = np.bincount(cells[:, 0] * 9 + cells[:, 3], minlength=81)
    assert (np.abs(pairs[pairs > 0] - 6000 / 72) < 4.5 * np.sqrt(6000 / 72)).all() and (pairs > 0).sum() == 72


def test_scripted_teams_play_the_full_game():
    game = StagHunt(penalty=-2.0)
    found = jax.jit(lambda key: play(game, random_team(game.spec), key, 16))(jax.random.key(0))
    assert (found.returns <= 40).all() and found.returns.mean() < -40
    np.testing.assert_allclose(found.returns, 10 * found.info["caught"] - 2 * found.info["misses"])
    hunters = jax.jit(lambda key: play(game, pack_hunt(game), key, 16))(jax.random.key(0))
    assert hunters.returns.mean() > 28 and hunters.info["misses"].mean() < 1 and (hunters.returns <= 40).all()
    assert game.spec.optimum is None and game.spec.observation_size == 75 and game.spec.state_size == 201


def test_scenes_show_what_a_catch_came_to():
    rows = ["0 a 1 .", ". . . .", "b 2 . .", ". . . 3"]
    state = after(rows, {0: CATCH, 1: CATCH, 2: CATCH}, stag_order=[1, 0, 2])[2][0]
    assert picture(state) == [". . . .", ". . . .", ". 2 . .", "b . . 3"]
    scene = GAME.scene(jax.device_get(state), np.array([CATCH, CATCH, CATCH, STAY]))
    assert discs(scene, WON) == discs(scene, PALE) == {(0, 3), (2, 3)}
    assert discs(scene, LOST) == {(1, 1)} and discs(scene, PREDATOR) == {(1, 1), (3, 0)}
    squares = {(s.x, s.y): s.alpha for s in scene.shapes if s.kind == "square" and s.y >= 0}
    assert squares == {(1, 3): 0.3, (0, 0): 1.0} and "+10" in [shape.text for shape in scene.shapes]
    assert scene.caption == "step 1   return 8.5   stags caught 2 of 3   in vain 1"
    start = GAME.scene(jax.device_get(board(*rows)), None)
    assert discs(start, PREDATOR) == {(0, 3), (2, 3), (1, 1), (3, 0)} and not discs(start, WON) | discs(start, LOST)
    left, bottom, right, top = scene.bounds
    assert all(left <= s.x <= right and bottom <= s.y <= top for s in scene.shapes)


def discs(scene, color):
    """Where the board, which lies above its legend, has discs of a colour."""
    return {(s.x, s.y) for s in scene.shapes if s.kind == "disc" and s.color == color and s.y >= 0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 3}, "16 predators and stags do not fit a board of 9 cells: give a larger size, or fewer"),
        ({"penalty": 1}, "penalty must be a number between -1e+06 and 0, not 1"),
        ({"penalty": -1e9}, "penalty must be a number between -1e+06 and 0, not -1000000000.0"),
        ({"needed": 5}, "needed is 5, but at most 4 predators can stand next to a stag: give at most 4"),
        ({"predators": 1}, "needed is 2, but at most 1 predators can stand next to a stag: give at most 1"),
        ({"size": 2, "predators": 3, "stags": 1, "needed": 3}, "needed is 3, but at most 2 predators"),
        ({"stags": 0}, "stags must be a whole number of at least 1, not 0"),
        ({"sight": 0}, "sight must be a whole number of at least 1, not 0"),
        ({"length": 0}, "length must be a whole number of at least 1, not 0"),
    ],
)
def test_options_that_make_no_game(options, message):
    with pytest.raises(CoterieError) as caught:
        catalogue.make("grid/stag_hunt", **options)
    assert str(caught.value).startswith(message)


def test_what_a_pack_cannot_play():
    with pytest.raises(CoterieError, match="pack_hunt plays the stag hunt only, not MatrixGame: use random_team"):
        pack_hunt(catalogue.make("matrix/climb"))
    with pytest.raises(CoterieError, match="pack_hunt needs a sight of at least 2, not 1: use random_team"):
        pack_hunt(StagHunt(sight=1))


def test_the_names():
    assert catalogue.make("grid/stag_hunt", penalty="-1.5") == StagHunt(penalty=-1.5)
    small = catalogue.make("grid/stag_hunt_small", stags="2")
    assert small == StagHunt(5, 2, 2, length=50)
