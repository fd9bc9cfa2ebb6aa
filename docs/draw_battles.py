"""Draw the battles of docs/games.md, by ``python docs/draw_battles.py``, or those named.

Each picture is the step with most blows and explosions in a battle of a team that attacks who is nearest.
"""

from __future__ import annotations

import sys

import jax
from draw_games import draw

import coterie
from coterie.contracts import Scene
from coterie.games.battle import GAMES, Battle
from coterie.games.battle.scripted import BattleTeam
from coterie.games.battle.tactics import nearest
from coterie.training.evaluate import trail

STEPS = 60
"""Steps that are looked at; by then every battle is in full swing, or over."""


def busiest(name: str) -> Scene:
    """The frame of most blows and explosions; of equals the first."""
    game = coterie.make(name, length=STEPS)
    assert isinstance(game, Battle)
    states, _, _, lengths = jax.device_get(trail(game, BattleTeam(game, nearest), jax.random.key(0), 1))
    scenes = [game.scene(jax.tree.map(lambda x: x[t, 0], states), None) for t in range(lengths[0] + 1)]  # noqa: B023
    return max(scenes, key=lambda scene: sum(s.alpha < 1 and s.kind in ("line", "disc") for s in scene.shapes))


def main() -> None:
    """Draw all, or those named."""
    jax.config.update("jax_disable_most_optimizations", True)
    for name in GAMES:
        if len(sys.argv) == 1 or name in sys.argv:
            draw(name, {name: busiest(name)})


if __name__ == "__main__":
    main()
