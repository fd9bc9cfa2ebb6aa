"""Battles beside their slow twin, step by step; lanes; and what is kept whatever happens."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.games.battle import MAPS, Battle, Group
from coterie.games.battle.interface import AIM
from coterie.games.battle.interface import ordered as told
from coterie.games.battle.named import DRAWN
from coterie.games.battle.terrain import open_at
from tests.oracles.battle_twin import Twin
from tests.oracles.battle_units import KINDS

MANY, STEPS = 4, 20


def near(name, x=17.0):
    """A map of SMAC whose enemies start nearer."""
    battle = MAPS[name]
    return replace(battle, enemies=tuple(replace(group, x=x) for group in battle.enemies))


def squads(allies, enemies, like, **changes):
    """A map like another one, with other squads: numbers by kind, and where they are."""
    sides = [tuple(Group(unit, count, *point) for unit, count in counts.items()) for counts, point in (allies, enemies)]
    return replace(MAPS[like], allies=sides[0], enemies=sides[1], **changes)


TROOPS = {"marauder": 1, "marine": 2, "medivac": 1}
GAMES = {
    "2s3z": Battle(near("2s3z"), see_last_actions=True, state_clock=True),
    "1c3s5z": Battle(near("1c3s5z", 16.0), positive=False, difficulty="hard"),
    "MMM": Battle(squads((TROOPS, (9, 16)), ({**TROOPS, "zergling": 1}, (15, 16)), "MMM", enemy_types=(), length=12)),
    "2m_vs_1z": Battle(MAPS["2m_vs_1z"], see_clock=True, scaled=False),
    "2s_vs_1sc": Battle(replace(MAPS["2s_vs_1sc"], enemies=(Group("spine_crawler", 1, 13.92, 13),)), jitter=False),
    "bane": Battle(squads(({"baneling": 2, "zergling": 4}, (16, 12)), ({"zergling": 4, "baneling": 2}, (16, 17)),
                          "bane_vs_bane", order=((14, 8), (18, 8))), difficulty="easy"),
    "corridor": Battle(squads(({"zealot": 2, "hydralisk": 1}, (15, 16)), ({"zergling": 4}, (11, 10)), "corridor",
                              order=((28, 28),)), reward="sparse", scan=4.0, corners="open", chase="nearest"),
    "ridge": Battle(squads(({"colossus": 1, "marine": 1}, (16, 15.5)), ({"zergling": 6}, (16, 10)), "2c_vs_64zg")),
    "lot": Battle(DRAWN["terran_5_vs_5"]),
}  # fmt: skip
"""Together they have all units, grounds, ends and options; each is small and begins soon."""


reset = jax.jit(lambda game, keys: jax.vmap(game.reset)(keys)[0], static_argnums=0)


def scrambled(game, seed):
    """Starts of MANY battles at which everybody has been through something."""
    state = jax.device_get(reset(game, jax.random.split(jax.random.key(seed), MANY)))
    dice, world = np.random.default_rng(seed).random((8, *state.world.x.shape)), state.world
    dead, heals = dice[0] < 0.08, world.energy > 0
    anybody = np.floor(dice[6:, :, game.allies :] * (game.allies + 1)) - 1
    world = world._replace(
        health=np.where(dead, 0.0, np.ceil(world.health * (0.3 + 0.7 * dice[1]))),
        shield=np.where(dead, 0.0, np.floor(world.shield * dice[2])),
        cooldown=np.where(heals, np.round(dice[3]), 12.1 * dice[3] - 2.05),
        quiet=np.round(250 * dice[4] ** 2),
        energy=np.where(heals, 8 * dice[5], 0.0),
        target=anybody[0].astype(np.int32),
        shooter=anybody[1].astype(np.int32),
    )
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, leaf.dtype if leaf.dtype != float else np.float32),
                        state._replace(world=world))  # fmt: skip


@partial(jax.jit, static_argnums=0)
def battles(game, key, first):
    """MANY battles of STEPS steps, played on after their end: what was before each step, what was done, what came.

    The random team, which likes to attack, first stands for a step.
    """

    def step(now, key):
        state, legal = now
        act, luck = jax.random.split(key)
        taste = jnp.where(jnp.arange(AIM + game.enemies) >= AIM, 1.5, 0.0)
        action = jax.random.categorical(act, jnp.where(legal, taste[None, None], -jnp.inf)).astype(jnp.int32)
        keys = jax.random.split(luck, MANY)
        dice = lambda key, action, goal: told(key, action, goal, len(game.units), game.jitter)  # noqa: E731
        orders = jax.vmap(dice)(keys, action, state.goal)
        after, seen, outcome = jax.vmap(game.step)(keys, state, action)
        return (after, seen.legal), (keys, state, action, orders, after, seen, outcome)

    stop = jnp.broadcast_to(jnp.arange(AIM + game.enemies) == 1, (MANY, game.allies, AIM + game.enemies))
    return jax.lax.scan(step, (first, stop), jax.random.split(key, STEPS))[1]


def track(game, seed):
    """The same as NumPy arrays [T, B, ...]."""
    return jax.device_get(battles(game, jax.random.key(seed), scrambled(game, seed)))


@pytest.mark.parametrize("name", GAMES)
def test_steps_are_those_of_the_slow_twin(name):
    game = GAMES[name]
    played = track(game, len(name))
    twin = Twin(game)
    for e in range(MANY):
        for t in range(STEPS):
            _, state, action, orders, after, seen, outcome = pick(played, t, e)
            twin.set(state)
            found = twin.step(action, orders.delay, orders.tie)
            where = f"battle {e}, step {t}"
            same_world(twin, after.world, where)
            close(outcome.reward, np.full(game.allies, found[0]), where)
            assert (outcome.terminated, outcome.truncated) == found[1:], where
            same_interface(twin, seen, where)


def close(ours, theirs, where, tolerance=1e-3):
    np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-5, err_msg=where)


def same_world(twin, world, where):
    units = twin.everybody
    column = lambda name: np.array([getattr(unit, name) for unit in units])  # noqa: E731
    alive = column("alive")
    assert (alive == (world.health > 0)).all(), where
    for name, theirs in (("x", "x"), ("y", "y"), ("health", "life"), ("shield", "ward"), ("loaded", "loaded")):
        close(getattr(world, name), column(theirs), f"{name} in {where}")
    for name in ("cooldown", "hold", "quiet", "energy"):
        close(getattr(world, name)[alive], column(name)[alive], f"{name} in {where}")
    living = alive[len(twin.ours) :]
    for name in ("target", "shooter"):
        theirs = np.array([getattr(unit, name) for unit in twin.theirs])
        assert (getattr(world, name)[living] == theirs[living]).all(), f"{name} in {where}"


def same_interface(twin, seen, where):
    a = len(twin.ours)
    assert (seen.legal == np.array([twin.mask(i) for i in range(a)], bool)).all(), where
    close(seen.local, [twin.observation(i) for i in range(a)], where)
    close(seen.state, twin.state(), where)
    assert (seen.alive == [unit.alive for unit in twin.ours]).all(), where


# Lanes

TINY = GAMES["2s_vs_1sc"]
single = jax.jit(TINY.step)


def alike(ours, theirs):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6), ours, theirs)


def test_a_battle_among_many_is_that_battle_alone():
    """In a scan over vmapped steps, one of seeds by environments, and with some arguments shared."""
    keys, state, action, _, *results = track(TINY, 5)
    for t in range(0, STEPS, 3):
        for e in range(MANY):
            alike(jax.tree.map(lambda x: x[t, e], tuple(results)), single(keys[t, e], *pick((state, action), t, e)))  # noqa: B023

    t = jnp.arange(STEPS)[:6].reshape(3, 2)  # seeds by environments: moments of one battle
    keys, state, action, *results = jax.tree.map(lambda x: x[t, 0], (keys, state, action, *results))
    found = jax.jit(jax.vmap(jax.vmap(TINY.step)))(keys, state, action)
    alike(found, tuple(results))
    one = pick((keys, state), 0, 0)
    shared = jax.jit(jax.vmap(TINY.step, (None, None, 0)))(*one, action[:, 0])
    for i in range(3):
        alike(jax.tree.map(lambda x: x[i], shared), single(*one, action[i, 0]))  # noqa: B023


def pick(tree, *index):
    return jax.tree.map(lambda x: x[index], tree)


# What is kept


@given(st.sampled_from(list(GAMES)), st.integers(0, 2**20))
def test_what_is_kept_in_every_battle(name, seed):
    """Bounds, death, ground, and the same battle from the same key."""
    game = GAMES[name]
    _, *played = track(game, seed)
    jax.tree.map(np.testing.assert_array_equal, played, list(track(game, seed)[1:]))
    before, action, _, after, seen, outcome = played
    world, was = after.world, before.world
    of_kind = lambda read: np.array([read(kind) for kind in KINDS.values()])[after.kind]  # noqa: E731
    for name in ("health", "shield", "energy"):
        most = of_kind(lambda kind: 200 * ("heals" in kind.flags) if name == "energy" else getattr(kind, name))  # noqa: B023
        assert (getattr(world, name) >= 0).all() and (getattr(world, name) <= most + 1e-3).all()
    dead = was.health <= 0
    for left in (world.health, world.shield):
        assert (left[dead] == 0).all()
    assert (world.x[dead] == was.x[dead]).all() and (world.y[dead] == was.y[dead]).all()
    places = np.stack([world.x, world.y], -1)
    assert (places >= 0).all() and (places < 32).all()
    flies, strides = (of_kind(lambda kind: flag in kind.flags) for flag in ("air", "strides"))  # noqa: B023
    assert (flies | open_at(game.ground, places) | strides & on_cliffs(game.ground, places)).all()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((after, seen, outcome)))
    ours = slice(None, game.allies)
    assert (seen.alive == (world.health[..., ours] > 0)).all()
    assert (seen.legal[..., 0] == ~seen.alive).all() and (seen.legal[..., 1] == seen.alive).all()
    assert not seen.legal[~seen.alive][:, 1:].any() and not seen.local[~seen.alive].any()
    assert (outcome.reward >= 0).all() or game.reward == "sparse" or not game.positive
    assert not (outcome.terminated & outcome.truncated).any()
    stood = (action == 1) & ~dead[..., ours]
    assert (after.world.victim[..., ours][stood] == -1).all()  # who stops hits nobody


def on_cliffs(ground, places):
    x, y = np.moveaxis(np.floor(places), -1, 0)
    found = np.zeros(x.shape, bool)
    for west, east, south, north in ground.cliffs:
        found |= (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return found
