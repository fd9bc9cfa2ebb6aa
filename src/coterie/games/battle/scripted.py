"""Teams that fight without having learnt to: yardsticks, and a script for each behaviour that a map was made for.

A team follows a tactic of ``coterie.games.battle.tactics``, which reads the action masks and the state of a battle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import CoterieError, Game, Observation, Team
from coterie.games.battle import tactics
from coterie.games.battle.game import Battle
from coterie.games.battle.interface import NOTHING
from coterie.games.battle.roster import Roster
from coterie.games.battle.tactics import Glance
from coterie.games.battle.terrain import SIZE
from coterie.games.battle.units import KINDS


@dataclass(frozen=True)
class BattleTeam:
    """A team that follows a tactic.

    Args:
        game: A battle.
        tactic: What each ally does, ``[A]``, given what is known of one battle.
    """

    game: Battle
    tactic: Callable[[Glance], Int[Array, " A"]]

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Int[Array, "E A"], tuple[()]]:
        """Actions ``[E, A]``."""
        return jax.vmap(self._one)(observation.state, observation.legal), carry

    def _one(self, state: Float[Array, " S"], legal: Bool[Array, "A actions"]) -> Int[Array, " A"]:
        action = self.tactic(decoded(self.game, state, legal))
        return jnp.where(legal[:, NOTHING], NOTHING, action)


def decoded(game: Battle, state: Float[Array, " S"], legal: Bool[Array, "A actions"]) -> Glance:
    """What the state of a battle tells, in points, cells and loops."""
    a, e, battle = game.allies, game.enemies, game.battle
    own, other = int(game.telling.ally_shields), int(game.telling.enemy_shields)
    widths = 4 + own + len(battle.ally_types), 3 + other + len(battle.enemy_types)
    ours = state[: a * widths[0]].reshape(a, -1)
    theirs = state[a * widths[0] : a * widths[0] + e * widths[1]].reshape(e, -1)
    roster = game.roster(_kinds(game, ours, theirs))
    roster = Roster(*(jnp.asarray(column)[:, 0] for column in roster))
    x, y = ((jnp.concatenate([ours[:, 2 + i], theirs[:, 1 + i]]) * SIZE + SIZE / 2) for i in range(2))
    health = jnp.concatenate([ours[:, 0], theirs[:, 0]]) * roster.health
    shields = ours[:, 4] if own else jnp.zeros(a), theirs[:, 3] if other else jnp.zeros(e)
    wait = ours[:, 1] * roster.scale[:a]
    shield = jnp.concatenate(shields) * roster.shield
    return Glance(x, y, health, shield, wait, legal, roster, game.cast.ours.heals)


def _kinds(game: Battle, ours: Float[Array, "A F"], theirs: Float[Array, "E G"]) -> Int[Array, " N"]:
    """What each unit is, a place in ``KINDS``: as the map says, or by the bits of its type where it is drawn."""
    if game.battle.lot is None:
        return jnp.asarray([KINDS.index(name) for name in game.units], jnp.int32)
    sides = (ours, game.battle.ally_types), (theirs, game.battle.enemy_types)
    return jnp.concatenate(
        [
            jnp.asarray([KINDS.index(name) for name in types], jnp.int32)[row[:, -len(types) :].argmax(1)]
            for row, types in sides
        ]
    )
