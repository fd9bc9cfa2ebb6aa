"""Teams that fight without having learnt to: yardsticks, and a script for each behaviour that a map was made for.

They read the action masks and the state, so they know where everybody is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import CoterieError, Game, Observation, Team
from coterie.fields import nearest as nearest_name
from coterie.games.battle import tactics
from coterie.games.battle.behaviours import Focus, Hold, Kiting, Spread
from coterie.games.battle.game import Battle
from coterie.games.battle.interface import NOTHING
from coterie.games.battle.roster import Roster
from coterie.games.battle.tactics import Glance, Tactic
from coterie.games.battle.terrain import SIZE
from coterie.games.battle.units import KINDS

TACTICS: Mapping[str, Tactic] = {
    "nearest": tactics.nearest,
    "weakest": tactics.weakest,
    "stop": tactics.stop,
    "kiting": Kiting(),
    "focus": Focus(),
    "choke": Hold(),
    "open": Hold(19.0, 19.0, abreast=6),
    "spread": Spread(),
    "bunched": Spread(gap=0.0),
    "healing": tactics.healing,
    "unhealed": tactics.unhealed,
}
"""Tactics by name. ``choke`` and ``open`` know places of SMAC's corridor."""


@dataclass(frozen=True)
class BattleTeam:
    """A team that follows a tactic.

    Args:
        game: A battle.
        tactic: What each ally does.
    """

    game: Battle
    tactic: Tactic

    def carry(self, environments: int) -> tuple[()]:
        """Nothing is remembered."""
        return ()

    def act(self, carry: tuple[()], observation: Observation, key: PRNGKeyArray) -> tuple[Int[Array, "E A"], tuple[()]]:
        """Actions ``[E, A]``."""
        return jax.vmap(self._one)(observation.state, observation.legal), carry

    def _one(self, state: Float[Array, " S"], legal: Bool[Array, "A actions"]) -> Int[Array, " A"]:
        action = self.tactic(decoded(self.game, state, legal))
        return jnp.where(legal[:, NOTHING], NOTHING, action).astype(jnp.int32)


def battle_team(game: Game, tactic: str) -> Team:
    """The team that follows one of ``TACTICS``.

    Raises:
        CoterieError: The game is no battle, or there is no such tactic.
    """
    if not isinstance(game, Battle):
        raise CoterieError(f"battle_team fights battles only, not {type(game).__name__}: use random_team")
    if tactic not in TACTICS:
        raise CoterieError(f"there is no tactic {tactic!r}: {nearest_name(tactic, tuple(TACTICS))}")
    return BattleTeam(game, TACTICS[tactic])


def decoded(game: Battle, state: Float[Array, " S"], legal: Bool[Array, "A actions"]) -> Glance:
    """What the state of a battle tells."""
    a, e, battle, telling = game.allies, game.enemies, game.battle, game.telling
    own, other = 4 + telling.ally_shields + len(battle.ally_types), 3 + telling.enemy_shields + len(battle.enemy_types)
    ours, theirs = state[: a * own].reshape(a, own), state[a * own : a * own + e * other].reshape(e, other)
    roster = Roster(*(jnp.asarray(column)[:, 0] for column in game.roster(_kinds(game, ours, theirs))))
    x, y = (jnp.concatenate([ours[:, 2 + i], theirs[:, 1 + i]]) * SIZE + SIZE / 2 for i in range(2))
    health = jnp.concatenate([ours[:, 0], theirs[:, 0]]) * roster.health
    shield = jnp.concatenate([ours[:, 4] if telling.ally_shields else jnp.zeros(a),
                              theirs[:, 3] if telling.enemy_shields else jnp.zeros(e)]) * roster.shield  # fmt: skip
    return Glance(x, y, health, shield, ours[:, 1] * roster.scale[:a], legal, roster, game.cast.ours.heals)


def _kinds(game: Battle, ours: Float[Array, "A F"], theirs: Float[Array, "E G"]) -> Int[Array, " N"]:
    """What each unit is, a place in ``KINDS``: as the map says, or by the bits of its type where it is drawn."""
    if not game.battle.lot:
        return jnp.asarray(np.array([KINDS.index(name) for name in game.units], np.int32))
    sides = (ours, game.battle.ally_types), (theirs, game.battle.enemy_types)
    numbers = (jnp.asarray(np.array([KINDS.index(name) for name in types], np.int32))[rows[:, -len(types) :].argmax(1)]
               for rows, types in sides)  # fmt: skip
    return jnp.concatenate(list(numbers))
