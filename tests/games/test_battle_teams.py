"""Scripted teams in battles: what they read, that they keep to the mask, and each behaviour where it can be counted."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.games.battle import GAMES
from coterie.games.battle.behaviours import Focus, Hold, Kiting, Spread
from coterie.games.battle.game import Battle
from coterie.games.battle.interface import AIM, STOP
from coterie.games.battle.maps import BattleMap, Group
from coterie.games.battle.roster import Roster, fixed
from coterie.games.battle.scripted import TACTICS, BattleTeam, battle_team, decoded
from coterie.games.battle.tactics import EAST, NORTH, SOUTH, WEST, Glance, mend, nearest, step_to, weakest
from coterie.games.battle.units import BASE
from coterie.games.matrix import climb
from coterie.training.evaluate import play

KINDS = ("marauder", "marine", "medivac")
CLINIC = Battle(
    BattleMap((Group("marauder", 1, 12, 16), Group("marine", 1, 12, 16), Group("medivac", 1, 12, 16)),
              (Group("marine", 2, 19, 16), Group("medivac", 1, 19, 16)), 30, "strip", "TT", ((12, 16),), KINDS, KINDS,
              healers_count=False)
)  # fmt: skip
DUEL = Battle(BattleMap((Group("stalker", 1, 10, 16),), (Group("zealot", 1, 20, 16),), 120, "open", "PP", ((10, 16),)))


@pytest.fixture(scope="module")
def clinic():
    """A battle with all kinds of roles, and its step for four environments."""
    return jax.jit(jax.vmap(CLINIC.reset)), jax.jit(jax.vmap(CLINIC.step))


@pytest.mark.parametrize("tactic", TACTICS)
def test_teams_keep_to_the_mask(clinic, tactic):
    reset, step = clinic
    team = battle_team(CLINIC, tactic)
    act = jax.jit(lambda seen, key: team.act((), seen, key)[0])
    assert team.carry(4) == ()
    state, seen = reset(jax.random.split(jax.random.key(0), 4))
    for t in range(25):
        action = act(seen, jax.random.key(t))
        assert action.shape == (4, 3) and action.dtype == jnp.int32
        assert np.take_along_axis(np.asarray(seen.legal), np.asarray(action)[..., None], -1).all()
        state, seen, _ = step(jax.random.split(jax.random.key(100 + t), 4), state, action)
    hurt = (np.asarray(state.world.health)[:, 3:] < [45, 45, 150]).any()
    assert hurt or tactic in ("stop", "choke", "open")  # the latter two wait for somebody beside them
    assert not (hurt and tactic == "stop")


def test_state_is_read_back(clinic):
    reset, step = clinic
    team = battle_team(CLINIC, "nearest")
    state, seen = reset(jax.random.split(jax.random.key(1), 4))
    for t in range(8):
        action, _ = team.act((), seen, jax.random.key(t))
        state, seen, _ = step(jax.random.split(jax.random.key(t), 4), state, action)
    found = jax.vmap(lambda s, legal: decoded(CLINIC, s, legal)[:5])(seen.state, seen.legal)
    world, here = state.world, np.asarray(state.world.health) > 0
    for value, true in zip(found[:4], (world.x, world.y, world.health, world.shield), strict=True):
        np.testing.assert_allclose(np.where(here, value, 0), np.where(here, true, 0), atol=1e-4)
    wait = np.where([False, False, True], world.energy[:, :3], np.maximum(world.cooldown[:, :3], 0))
    np.testing.assert_allclose(found[4], np.where(here[:, :3], wait, 0), atol=1e-4)


def test_shields_and_drawn_units_are_read():
    _, seen = jax.jit(DUEL.reset)(jax.random.key(0))
    np.testing.assert_allclose(decoded(DUEL, seen.state, seen.legal).life, [160, 150], atol=1e-4)
    drawn = GAMES["battle/terran_5_vs_5"]()
    state, seen = jax.jit(drawn.reset)(jax.random.key(1))
    found = decoded(drawn, seen.state, seen.legal)
    assert len(set(state.kind.tolist())) > 1
    np.testing.assert_array_equal(found.roster.health, drawn.roster(state.kind).health[:, 0])
    np.testing.assert_allclose(found.health, state.world.health, atol=1e-3)


def test_kiting_beats_standing():
    won = {}
    for name, tactic in {"kiting": Kiting(), "nearest": nearest}.items():
        episodes = jax.jit(lambda key: play(DUEL, BattleTeam(DUEL, tactic), key, 8))(jax.random.key(0))  # noqa: B023
        won[name] = np.asarray(episodes.info["won"]).mean()
    assert won == {"kiting": 1, "nearest": 0}


def test_only_battles_and_known_tactics():
    with pytest.raises(CoterieError, match="battle_team fights battles only, not MatrixGame"):
        battle_team(climb(), "nearest")
    with pytest.raises(CoterieError, match="there is no tactic 'neerest': did you mean nearest"):
        battle_team(DUEL, "neerest")


# Single decisions


def glance(allies, enemies, places, life=None, wait=None, mask=None, reach=6.0):
    """A moment by hand: all moves allowed, and everybody within reach may be attacked."""
    names, a = allies + enemies, len(allies)
    roster = Roster(*(jnp.asarray(column[:, 0]) for column in fixed(names, BASE)))
    x, y = (jnp.array(along, float) for along in zip(*places, strict=True))
    health = roster.health if life is None else jnp.array(life, float)
    heals = np.asarray(roster.heals)[:a]
    apart = np.hypot(x[None] - x[:a, None], y[None] - y[:a, None])
    near = (apart <= reach) & (np.asarray(health) > 0)
    aims = near[:, a:]
    if heals.any():
        mended = np.pad(near[:, :a] & ~heals, ((0, 0), (0, len(enemies) - a)))
        aims = np.where(heals[:, None], mended, aims)
    legal = np.concatenate([np.zeros((a, 1), bool), np.ones((a, 5), bool), aims], 1)
    if mask is not None:
        legal[:, mask] = False
    wait = jnp.zeros(a) if wait is None else jnp.array(wait, float)
    return Glance(x, y, health, jnp.zeros(len(names)), wait, jnp.array(legal), roster, bool(heals.any()))


def decided(tactic, seen):
    """What each ally does."""
    return jax.jit(lambda: tactic(seen))().tolist()


def test_the_nearest_and_the_weakest():
    seen = glance(("marine",), ("marine",) * 3, [(10, 10), (14, 10), (10, 13), (25, 10)], [45, 6, 45, 1])
    assert decided(nearest, seen) == [AIM + 1]
    assert decided(weakest, seen) == [AIM]  # the one with 1 left is out of reach


@pytest.mark.parametrize(
    ("to", "mask", "step"),
    [((20, 12), None, EAST), ((2, 12), None, WEST), ((11, 20), None, NORTH), ((11, 2), None, SOUTH),
     ((20, 12), [EAST], NORTH), ((20, 8), [EAST], SOUTH), ((20, 10.4), [EAST], STOP), ((20, 12), [EAST, NORTH], STOP),
     ((10.3, 10), None, EAST)],
)  # fmt: skip
def test_steps_along_the_larger_axis(to, mask, step):
    seen = glance(("marine",), ("marine",), [(10, 10), (30, 30)], mask=mask)
    assert decided(lambda seen: step_to(seen, *(jnp.array([along], float) for along in to)), seen) == [step]


def test_who_is_healed():
    side = ("marine", "marauder", "medivac")
    seen = glance(side, ("marine",) * 3, [(10, 10), (13, 10), (11, 10), *[(30, 30)] * 3], [40, 60, 150, 45, 45, 45])
    stand = jnp.full(3, STOP)
    assert decided(lambda now: mend(now, stand), seen) == [STOP, STOP, AIM]
    assert decided(lambda now: mend(now, stand, "share"), seen) == [STOP, STOP, AIM + 1]
    assert decided(lambda now: mend(now, stand, "nobody"), seen) == [STOP, STOP, STOP]
    far = glance(side, ("marine",) * 3, [(10, 10), (13, 10), (20, 10), *[(30, 30)] * 3])
    assert decided(lambda now: mend(now, stand), far) == [STOP, STOP, WEST]  # nobody is hurt: after the nearest fighter


def test_focus_shares_shots_out():
    places = [(10, 10)] * 4 + [(12, 10), (13, 10)]
    ready = glance(("marine",) * 4, ("marine",) * 2, places, [45] * 4 + [12, 45])
    assert decided(Focus(), ready) == [AIM, AIM, AIM + 1, AIM + 1]  # two shots of six fell the first
    late = ready._replace(wait=jnp.array([10.0, 0, 0, 0]))
    assert decided(Focus(), late) == [AIM, AIM, AIM, AIM + 1]  # the first has no shot in this step


def test_the_weakest_steps_back_between_its_shots():
    places = [(10, 10), (10, 12), (14, 11)]
    seen = glance(("marine",) * 2, ("marine",), places, [20, 45, 45], [10, 10])
    first, second = decided(Focus(), seen)
    assert first in (WEST, SOUTH) and second == AIM
    assert decided(Focus(), seen._replace(wait=jnp.zeros(2))) == [AIM, AIM]


def test_friends_spread_or_draw_together():
    seen = glance(("zealot",) * 2, ("baneling",) * 3, [(10, 10), (11.5, 10), *[(30, 30)] * 3])
    assert decided(Spread(), seen) == [WEST, EAST]
    assert decided(Spread(gap=0.0), seen._replace(x=seen.x.at[1].set(15))) == [EAST, WEST]


def test_a_row_across_the_lane():
    seen = glance(("zealot",) * 4, ("zergling",), [(13, 13), (16, 16), (17, 15), (15, 17), (30, 30)])
    action = decided(Hold(13.0, 13.0), seen)  # the last comes behind the row of the other three
    assert action[0] in (SOUTH, WEST) and set(action[1:]) <= {SOUTH, WEST}
    seen = glance(("zealot",), ("zergling",) * 2, [(13, 13), (13.9, 13), (15, 13)])
    assert decided(Hold(13.0, 13.0), seen) == [AIM]
