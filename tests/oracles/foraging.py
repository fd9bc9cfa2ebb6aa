"""lbforaging itself plays whole episodes, and our game plays them again from the same boards with the same actions."""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from scipy.stats import chi2

from coterie.games.foraging_rules import LOAD, ForagingState

QUICK = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Compiles in a third of the time: worth it for what runs once."""


def original(game):
    """The environment of lbforaging that the game should equal."""
    from lbforaging.foraging import ForagingEnv

    return ForagingEnv(
        players=game.players, min_player_level=1, max_player_level=game.max_level, min_food_level=1,
        max_food_level=game.max_food_level, field_size=(game.size, game.size), max_num_food=game.food, sight=game.reach,
        max_episode_steps=game.length, force_coop=game.coop, normalize_reward=game.normalised, penalty=game.penalty,
    )  # fmt: skip


def draw_board(env):
    """A board as a new environment has it (where players stood before, a used one would not put the first of them)."""
    for player in env.players:
        player.position = None
    return env.reset()[0]


def state_of(env, slots):
    """The board as a state at the start of an episode."""
    food = np.argwhere(env.field)
    places = np.full((slots, 2), (env.rows, 0), np.int32)
    levels = np.zeros(slots, np.int32)
    places[: len(food)], levels[: len(food)] = food, env.field[tuple(food.T)]
    players = np.array([player.position for player in env.players], np.int32)
    strong = np.array([player.level for player in env.players], np.int32)
    return ForagingState(players, strong, places, levels, np.zeros(slots, np.int32), np.int32(0), np.float32(0))


class Track(NamedTuple):
    """Episodes as arrays ``[E, T, …]``, or ``[E, T + 1, …]`` with the start; after an end, whatever."""

    start: ForagingState
    action: np.ndarray
    reward: np.ndarray
    done: np.ndarray
    local: np.ndarray
    players: np.ndarray
    field: np.ndarray
    valid: np.ndarray

    @property
    def played(self):
        """Which steps are part of an episode."""
        return np.cumsum(self.done, 1) - self.done == 0


def play_original(game, many, seed):
    """Episodes of lbforaging: half of them with uniform choices, half with valid ones that mostly load beside food."""
    env, rng = original(game), np.random.default_rng(seed)
    env.seed(seed)
    n, steps, size = game.players, game.length, game.size
    track = Track(
        [], rng.integers(6, size=(many, steps, n)).astype(np.int32), np.zeros((many, steps, n)),
        np.zeros((many, steps), bool), np.zeros((many, steps + 1, n, 3 * (game.food + n)), np.float32),
        np.zeros((many, steps + 1, n, 2), np.int32), np.zeros((many, steps + 1, size, size), np.int32),
        np.zeros((many, steps + 1, n, 6), bool),
    )  # fmt: skip

    def note(e, t, local):
        track.local[e, t], track.field[e, t] = local, env.field
        track.players[e, t] = [player.position for player in env.players]
        for i, player in enumerate(env.players):
            track.valid[e, t, i, [action.value for action in env._valid_actions[player]]] = True

    for e in range(many):
        note(e, 0, draw_board(env))
        track.start.append(state_of(env, game.food))
        for t in range(steps):
            if e % 2:
                weight = track.valid[e, t] * np.where(np.arange(6) == LOAD, 20.0, 1.0)
                chances = np.cumsum(weight / weight.sum(1, keepdims=True), 1)
                track.action[e, t] = np.minimum((rng.random((n, 1)) > chances).sum(1), 5)
            local, track.reward[e, t], track.done[e, t], _, _ = env.step(track.action[e, t].tolist())
            note(e, t + 1, local)
            if track.done[e, t]:
                break
    return track._replace(start=jax.tree.map(lambda *x: np.stack(x), *track.start))


def _replay(game, start, action):
    """Our states and observations ``[E, T + 1, …]``, and outcomes ``[E, T, …]``."""
    key = jax.random.key(0)  # a step has nothing random

    def step(state, action):
        after, _, outcome = game.step(key, state, action)
        return after, (state, outcome)

    def episode(start, action):
        last, (states, outcome) = jax.lax.scan(step, start, action)
        states = jax.tree.map(lambda x, y: jax.numpy.concatenate([x, y[None]]), states, last)
        return states, jax.vmap(game.observe)(states), outcome

    return jax.vmap(episode)(start, action)


replay = jax.jit(_replay, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
replay_quickly = jax.jit(_replay, static_argnums=0, compiler_options=QUICK)


def compare(game, many, seed, replay=replay):
    """AssertionError where the games differ at all; else counts of what happened in ``many`` episodes.

    The game has to have ``mask=True`` and individual rewards, so that both can be compared.
    """
    track = play_original(game, many, seed)
    states, seen, outcome = jax.device_get(replay(game, track.start, track.action))
    played = track.played
    there = np.concatenate([played[:, :1], played], 1)
    left = (states.eaten == 0) & (states.food_levels > 0)
    rows, columns = np.minimum(states.food, game.size - 1)[..., 0], states.food[..., 1]
    field = np.zeros_like(track.field)
    e, t, _ = np.ogrid[: field.shape[0], : field.shape[1], :1]
    np.add.at(field, (e, t, rows, columns), np.where(left, states.food_levels, 0))
    same = np.testing.assert_array_equal
    same(seen.local[there], track.local[there])
    same(states.players[there], track.players[there])
    same(field[there], track.field[there])
    same(seen.legal[there], track.valid[there])
    same(outcome.reward[played], track.reward[played].astype(np.float32))
    same((outcome.terminated | outcome.truncated)[played], track.done[played])
    same(outcome.terminated[played], ~track.field[:, 1:][played].any((-2, -1)))
    cells = track.players[there] @ np.array([game.size, 1])
    return {
        "episodes": many, "steps": int(played.sum()), "observations": int(there.sum()) * game.players,
        "collected": int((track.start.food_levels > 0).sum() - left[np.arange(many), played.sum(1)].sum()),
        "all collected": int(outcome.terminated[played].sum()),
        "penalties": int((track.reward[played] < 0).sum()),
        "steps with two in a cell": int(sum(len(set(row)) < game.players for row in cells)),
    }  # fmt: skip


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def starts(game, many, key):
    """First states of many episodes of ours."""
    return jax.vmap(lambda key: game.reset(key)[0])(jax.random.split(key, many))


def compare_starts(game, many, originals, seed):
    """How likely frequencies in first states differ as much as these do if both games draw them alike (Pearson's test).

    Compared are each player's cell and level, each food's cell, its level with all players' levels, the cells of pairs,
    and how far they are from each other.
    """
    env = original(game)
    env.seed(seed)
    theirs = []
    for _ in range(originals):
        draw_board(env)
        theirs.append(state_of(env, game.food))
    ours = jax.device_get(starts(game, many, jax.random.key(seed)))
    found = [_figures(game, state) for state in (ours, jax.tree.map(lambda *x: np.stack(x), *theirs))]
    return {name: _homogeneous(found[0][name], found[1][name]) for name in found[0]}


def _figures(game, state):
    """Whole numbers of each board, by name."""
    players, food = (np.asarray(place) @ np.array([game.size, 1]) for place in (state.players, state.food))
    team = np.asarray(state.levels).sum(1)
    out = {f"cell of player {i}": players[:, i] for i in range(game.players)}
    out |= {f"level of player {i}": np.asarray(state.levels)[:, i] for i in range(game.players)}
    out |= {f"cell of food {j}": food[:, j] for j in range(game.food)}
    out |= {f"level of food {j} and team": 3 * game.players * state.food_levels[:, j] + team for j in range(game.food)}
    out["cells of first and last food"] = (game.size**2 + 1) * food[:, 0] + food[:, -1]
    out["distance of a player to food"] = np.abs(state.players[:, 0] - state.food[:, 0]).sum(1)
    if game.players > 1:
        out["distance of two players"] = np.abs(state.players[:, 0] - state.players[:, -1]).sum(1)
    return out


def _homogeneous(ours, theirs):
    """The p-value of Pearson's test that two samples of whole numbers are drawn alike; what is rare counts as one."""
    bins = 1 + max(ours.max(), theirs.max())
    counts = np.stack([np.bincount(x, minlength=bins) for x in (ours, theirs)]).astype(float)
    often = counts.sum(0) * min(len(ours), len(theirs)) >= 5 * (len(ours) + len(theirs))
    counts = np.concatenate([counts[:, often], counts[:, ~often].sum(1, keepdims=True)], 1)
    counts = counts[:, counts.sum(0) > 0]
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    return (
        float(chi2.sf(((counts - expected) ** 2 / expected).sum(), counts.shape[1] - 1)) if counts.shape[1] > 1 else 1.0
    )
