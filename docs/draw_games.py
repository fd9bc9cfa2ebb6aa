"""Draw the pictures of docs/games.md, by ``python docs/draw_games.py``.

A picture shows frames of one episode side by side, or, of a probe game, its whole episodes as tables. Nothing in it is
random but the start of an episode, which comes from the key below.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image

import coterie
from coterie.catalogue import games
from coterie.contracts import Scene, Shape, Team
from coterie.games.foraging import Foraging
from coterie.games.foraging_scene import LOST, WON
from coterie.games.foraging_team import gather
from coterie.games.matrix import MatrixGame
from coterie.games.particle import ParticleGame
from coterie.games.probe_game import ProbeGame, ProbeState
from coterie.games.scripted import greedy_assignment, pack_hunt, random_team
from coterie.games.stag_hunt import StagHunt
from coterie.games.stochastic import StochasticGame, discounted_optimum
from coterie.training.evaluate import trail
from coterie.training.replay import write_gif

IMAGES = Path(__file__).parent / "images"
PARTICLE = {"particle/spread": 3, "particle/line": 4, "particle/circle": 4}
MATRIX = {"matrix/climb": (0, 1), "matrix/climbing": (0, 0), "matrix/penalty": (2, 0)}
GAMMA = 0.9
"""The discount of the exact values that are drawn."""
INK, SEES, DOES, PAID, VALUE = "#333344", "#ccccd4", "#88aacc", "#eebb66", "#99cc99"


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


def wanderer(game: StochasticGame) -> dict[str, Scene]:
    """The start, and after three joint actions of the best stationary policy."""
    _, policy = discounted_optimum(game)
    state, _ = game.reset(jax.random.key(0))
    start, action = game.scene(jax.device_get(state), None), policy[0]
    for key in jax.random.split(jax.random.key(1), 3):
        action = policy[int(state.place)]
        state, _, _ = game.step(key, state, jax.numpy.asarray(action))
    return {"start": start, "after three steps": game.scene(jax.device_get(state), action)}


def stags(game: StagHunt) -> dict[str, Scene]:
    """The start, the first catch of a pack hunt, and the first catch in vain of a random team."""
    caught = lambda state: int((~state.present).sum())  # noqa: E731
    start, *_ = _until(game, pack_hunt(game), caught, 0)
    together = _until(game, pack_hunt(game), caught, 1)
    alone = _until(game, random_team(game.spec), lambda state: int(state.misses), 1)
    return {"start": game.scene(start, None), "two catch": game.scene(*together), "one catches": game.scene(*alone)}


def foragers(game: Foraging) -> dict[str, Scene]:
    """Frames of the first episode of a team in which too few load food, and then enough do."""
    states, actions, _, lengths = jax.device_get(trail(game, gather(game), jax.random.key(0), 64))
    for e, length in enumerate(lengths):
        frames: dict[str, Scene] = {}
        for t in range(length + 1):
            scene = game.scene(jax.tree.map(lambda x: x[t, e], states), actions[t - 1, e] if t else None)  # noqa: B023
            discs = [shape.color for shape in scene.shapes if shape.kind == "disc" and shape.y >= 0]
            title = "start" if t == 0 else "collected" if WON in discs else "too few load" if LOST in discs else ""
            if title and "collected" not in frames:
                frames.setdefault(title, scene)
        if len(frames) == 3:
            return frames
    raise AssertionError("no such episode")


def _until(game: StagHunt, team: Team, count: Callable[[Any], int], least: int) -> tuple[Any, np.ndarray | None]:
    """The first state that counts so much in the first of some episodes that has one, and the action that led to it."""
    for seed in range(20):
        states, actions, *_ = jax.device_get(trail(game, team, jax.random.key(seed), 1))
        for t in range(game.length + 1):
            state = jax.tree.map(lambda x: x[t, 0], states)  # noqa: B023
            if count(state) >= least:
                return state, actions[t - 1, 0] if t else None
    raise AssertionError("no such state in these episodes")


def probe(name: str, game: ProbeGame) -> dict[str, Scene]:
    """What a best team sees, does, is paid and may expect, step by step, for either cue."""
    cues = {f"{name}, cue {cue}": _episode(game, float(cue)) for cue in (-1, 1)}
    scenes = list(cues.values())
    return cues if scenes[0] != scenes[1] else {name: scenes[0]}


def _episode(game: ProbeGame, cue: float) -> Scene:
    spec, columns = game.spec, list[list[tuple[str, str]]]()
    state = ProbeState(jax.numpy.zeros((), jax.numpy.int32), jax.numpy.asarray(cue))
    for _ in range(spec.horizon):
        seen, best = jax.device_get((game.rule.observe(state), game.rule.best(state)))
        worth = np.asarray(game.rule.value(state, GAMMA))
        state, _, outcome = game.step(jax.random.key(0), state, jax.numpy.asarray(best))
        cells = []
        for agent, (size, space) in enumerate(zip(spec.observation_sizes, spec.action_spaces, strict=True)):
            alive = bool(seen.alive[agent])
            acts = np.ravel(best[agent])[: space.components]
            cells += [(_words(seen.local[agent][:size]) if alive else "dead", SEES)]
            cells += [(_words(acts) if alive else "", DOES)]
        columns.append([*cells, (_words(np.asarray(outcome.reward[:1])), PAID), (_words(worth[None]), VALUE)])
    labels = [f"{name} {verb}".replace("_", " ") for name in spec.agents for verb in ("sees", "does")]
    return _table([*labels, "paid", "exact value"], columns)


def _words(numbers: np.ndarray) -> str:
    return ", ".join(f"{float(x):.3g}" for x in numbers)


def _table(labels: list[str], columns: list[list[tuple[str, str]]]) -> Scene:
    """One row for each label, one column for each step."""
    shapes, height = [], 0.5 * len(labels)
    for row, label in enumerate(labels):
        y = height - 0.5 * row
        shapes.append(Shape("text", 0.95, y, 0.22, INK, text=label))
        for step, column in enumerate(columns):
            x, (text, color) = 2.4 + step, column[row]
            shapes.append(Shape("line", x - 0.45, y, 0.42, color, to=(x + 0.45, y), alpha=0.6))
            shapes.append(Shape("text", x, y, 0.23, INK, text=text))
    numbers = [Shape("text", 2.4 + t, height + 0.42, 0.2, INK, text=f"step {t}") for t in range(len(columns))]
    right = 1.95 + max(3, len(columns))
    return Scene((*shapes, *numbers), (0.0, 0.1, right, height + 0.7), f"values at a discount of {GAMMA}")


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
    draw("stochastic/random", wanderer(StochasticGame()))
    draw("grid/stag_hunt", stags(StagHunt(penalty=-2.0)))
    small = coterie.make("grid/stag_hunt_small", penalty=-2.0)
    assert isinstance(small, StagHunt)
    draw("grid/stag_hunt_small", stags(small))
    for name in games():
        if isinstance(game := coterie.make(name), ProbeGame):
            draw(name, probe(name, game))
        elif isinstance(game, Foraging):
            draw(name, foragers(game))


if __name__ == "__main__":
    main()
