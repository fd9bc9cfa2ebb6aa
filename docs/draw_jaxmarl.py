"""Draw the games that come from JaxMARL, SMAX among them, by ``python docs/draw_jaxmarl.py`` (extra: jaxmarl).

Each picture is a frame from the middle of an episode of a random team.
"""

from __future__ import annotations

import sys

import jax
import numpy as np
from draw_games import draw

import coterie
from coterie.bridges import jaxmarl_more, jaxmarl_mpe, jaxmarl_overcooked, smax
from coterie.bridges.jaxmarl import JaxmarlGame
from coterie.contracts import Scene

MOMENTS = {"smax": 9, "overcooked": 120, "mpe": 8}
"""Steps before the frame, by a part of the name; otherwise 3."""


def frame(game: JaxmarlGame, moment: int) -> Scene:
    """The frame after so many steps, or the last one of an episode that is shorter."""
    draws, step = np.random.default_rng(2), jax.jit(game.step)
    state, seen = jax.jit(game.reset)(jax.random.key(2))
    joint = None
    for key in jax.random.split(jax.random.key(3), moment):
        if game.spec.action_kind == "continuous":
            joint = draws.uniform(0, 1, (game.spec.n_agents, *game.spec.action_shape)).astype(np.float32)
        else:
            joint = np.array([draws.choice(np.flatnonzero(row)) for row in np.asarray(seen.legal)], np.int32)
        state, seen, outcome = step(key, state, joint)
        if outcome.terminated or outcome.truncated:
            break
    return game.scene(jax.device_get(state), joint)


def main() -> None:
    """Draw all, or those named."""
    jax.config.update("jax_disable_most_optimizations", True)
    for name in (*smax.GAMES, *jaxmarl_mpe.GAMES, *jaxmarl_overcooked.GAMES, *jaxmarl_more.GAMES):
        if len(sys.argv) > 1 and name not in sys.argv:
            continue
        game = coterie.make(name)
        assert isinstance(game, JaxmarlGame)
        moment = next((steps for part, steps in MOMENTS.items() if part in name), 3)
        draw(name, {name: frame(game, moment)})


if __name__ == "__main__":
    main()
