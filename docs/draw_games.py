"""Draw the pictures of docs/games.md, by ``python docs/draw_games.py``.

Each picture shows frames of one episode side by side. Nothing in it is random but the start of an episode, which
comes from the key below.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import jax
import numpy as np
from PIL import Image

import coterie
from coterie.contracts import Scene
from coterie.games.matrix import MatrixGame
from coterie.games.particle import ParticleGame
from coterie.games.scripted import greedy_assignment
from coterie.training.evaluate import trail
from coterie.training.replay import write_gif

IMAGES = Path(__file__).parent / "images"
PARTICLE = {"particle/spread": 3, "particle/line": 4, "particle/circle": 4}
MATRIX = {"matrix/climb": (0, 1), "matrix/climbing": (0, 0), "matrix/penalty": (2, 0)}


def draw(name: str, tracks: dict[str, Scene]) -> None:
    """Write ``images/game-NAME.png`` with one panel for each scene."""
    path = IMAGES / f"game-{name.replace('/', '-')}.png"
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "frames.gif"
        write_gif(film, {title: [scene] for title, scene in tracks.items()})
        Image.open(film).save(path, optimize=True)
    print(f"{path.relative_to(IMAGES.parent)}: {path.stat().st_size:,} bytes")  # noqa: T201


def particle(game: ParticleGame, seed: int) -> dict[str, Scene]:
    """The first and the last frame of an episode that the greedy assignment plays."""
    states, _, _, lengths = jax.device_get(trail(game, greedy_assignment(game), jax.random.key(seed), 1))
    first, last = (jax.tree.map(lambda x: x[t, 0], states) for t in (0, lengths[0]))  # noqa: B023
    return {"start": game.scene(first, None), "greedy assignment": game.scene(last, None)}


def matrix(game: MatrixGame, action: tuple[int, ...]) -> Scene:
    """The frame after one joint action."""
    key = jax.random.key(0)
    state, _ = game.reset(key)
    after, _, _ = game.step(key, state, jax.numpy.asarray(action))
    return game.scene(jax.device_get(after), np.asarray(action))


def main() -> None:
    """Draw all games that can be drawn."""
    for name, seed in PARTICLE.items():
        game = coterie.make(name)
        assert isinstance(game, ParticleGame)
        draw(name, particle(game, seed))
    for name, action in MATRIX.items():
        game = coterie.make(name)
        assert isinstance(game, MatrixGame)
        tracks = {f"actions {action[0]} and {action[1]}": matrix(game, action)}
        if name == "matrix/climb":
            many = coterie.make(name, agents=5)
            assert isinstance(many, MatrixGame)
            tracks["five agents"] = matrix(many, (0, 0, 2, 0, 1))
        draw(name, tracks)


if __name__ == "__main__":
    main()
