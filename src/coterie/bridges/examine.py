"""What training would meet in an environment: PettingZoo's own tests, our questions, and figures of random play."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import re
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from coterie.bridges.hosted import HostedGame
from coterie.contracts import CoterieError, Observation, Simulators, Spec, Turn


class Question(NamedTuple):
    """One question and its answer; ``passed`` is None where it says something without being right or wrong."""

    name: str
    passed: bool | None
    said: str


class Findings(NamedTuple):
    """Figures of random play by name, and the questions."""

    figures: dict[str, Any]
    questions: list[Question]


def examine(game: HostedGame, steps: int = 500, seed: int = 0) -> Findings:
    """Ask everything.

    Args:
        game: The environment, opened.
        steps: Of random play.
        seed: Of the episodes and of the play.

    Raises:
        CoterieError: ``steps`` is below 1.
    """
    if steps < 1:
        raise CoterieError(f"steps is {steps}: give at least 1")
    alone = dataclasses.replace(game, hosting=dataclasses.replace(game.hosting, workers=1, restarts=0))
    questions = [*_pettingzoo(game, steps, seed)]
    simulators = alone.open(1)
    try:
        figures, trouble = _wander(alone, simulators, steps, seed)
        questions.append(Question("random play", not trouble, trouble or f"{steps} steps without a broken promise"))
        if not trouble:
            questions += [_again(alone, simulators, figures.pop("last")), *_advice(game, figures)]
    finally:
        simulators.close()
    figures.pop("last", None)
    return Findings(figures, questions)


def _wander(game: HostedGame, simulators: Simulators, steps: int, seed: int) -> tuple[dict[str, Any], str]:
    """Figures of random legal play, and what went wrong."""
    draw, seen = np.random.default_rng(seed), simulators.reset(np.array([seed], np.uint32))
    turns: list[Turn] = []
    lengths, dead, length, trouble = [], 0, 0, ""
    began = time.perf_counter()
    try:
        for _ in range(steps):
            simulators.send(0, random_action(game.spec, seen, draw))
            turn = simulators.receive(0)
            turns.append(turn)
            seen, length = turn.following, length + 1
            if turn.terminated[0] or turn.truncated[0]:
                lengths.append(length)
                length = 0
            else:
                dead += not seen.alive.all()
    except CoterieError as error:
        trouble = str(error)
    seconds = time.perf_counter() - began
    if not turns:
        return {}, trouble
    rewards, alive = (np.concatenate(each) for each in zip(*((t.reward, t.final.alive) for t in turns), strict=True))
    local = np.concatenate([turn.final.local for turn in turns])
    choices = (
        np.concatenate([turn.following.legal for turn in turns]).reshape(len(turns), game.spec.n_agents, -1).sum(-1)
    )
    return {
        "steps": len(turns), "steps_per_second": len(turns) / seconds, "episodes": len(lengths),
        "lengths": [min(lengths), max(lengths)] if lengths else [], "steps_with_absent_agents": dead,
        "terminated": int(sum(t.terminated[0] for t in turns)), "truncated": int(sum(t.truncated[0] for t in turns)),
        "rewards": [float(rewards.min()), float(rewards.max())],
        "rewards_are_the_same": bool((rewards == rewards[:, :1]).all() and alive.all()),
        "observations": [float(local.min()), float(local.max())],
        "choices": [int(choices.min()), int(choices.max())], "last": seen,
    }, trouble  # fmt: skip


def random_action(spec: Spec, seen: Observation, draw: np.random.Generator) -> np.ndarray:
    """A joint action ``[E, N, ...]`` that is drawn uniformly from what is legal."""
    legal = np.asarray(seen.legal)
    if spec.action_kind != "continuous":
        return np.argmax(np.where(legal, draw.random(legal.shape), -1.0), -1).astype(np.int32)
    low = np.zeros(legal.shape[1:], np.float32)
    high = np.zeros_like(low)
    for agent, space in enumerate(spec.action_spaces):
        low[agent, : space.components], high[agent, : space.components] = space.low, space.high
    return (low + draw.random(legal.shape) * (high - low)).astype(np.float32)


def _again(game: HostedGame, simulators: Simulators, seen: Observation) -> Question:
    """Whether the episode under way comes out the same in another process, which is how a stopped run goes on."""
    other = game.open(1)
    try:
        _, differs = other.restore(simulators.state(), seen)
    finally:
        other.close()
    if differs.any():
        return Question("an episode follows from its seed and actions", None, "no: a resumed run begins new episodes")
    return Question("an episode follows from its seed and actions", True, "yes: a resumed run goes on exactly")


def _advice(game: HostedGame, figures: dict[str, Any]) -> list[Question]:
    """What to set differently."""
    out = []
    paid = figures["rewards"] != [0.0, 0.0] and figures["rewards_are_the_same"]
    if paid and game.hosting.reward == "individual" and game.spec.n_agents > 1:
        said = "all agents were always paid the same: --game.reward team learns one value instead of one for each"
        out.append(Question("whose rewards", None, said))
    if not game.seen.said and not figures["episodes"]:
        said = f"the environment does not say, and no episode ended: cut at {game.spec.horizon} steps (--game.horizon)"
        out.append(Question("how long an episode lasts", None, said))
    if figures["lengths"] == [game.spec.horizon] * 2 and not figures["truncated"]:
        said = (f"every episode terminated after {game.spec.horizon} steps: if only the clock ended it, it should be "
                "truncated, so that learning counts on what would have followed")  # fmt: skip
        out.append(Question("how episodes end", None, said))
    return out


def _pettingzoo(game: HostedGame, steps: int, seed: int) -> list[Question]:
    """PettingZoo's or Gymnasium's own tests, by what the factory makes."""
    make = lambda: game.source.function(**dict(game.source.options))  # noqa: E731
    first = make()
    if hasattr(first, "agent_iter"):
        return [
            _asked("PettingZoo's AEC API test", lambda: _tests().api_test(first, steps)),
            _asked("PettingZoo's AEC seed test", lambda: _tests().seed_test(make, steps)),
        ]
    if hasattr(first, "possible_agents") and callable(getattr(first, "observation_space", None)):
        return [
            _asked("PettingZoo's parallel API test", lambda: _tests().parallel_api_test(first, steps)),
            _asked("PettingZoo's parallel seed test", lambda: _tests().parallel_seed_test(make, steps)),
        ]
    if type(first.action_space).__name__ == "Tuple":
        return []  # Gymnasium's checker knows environments of one agent
    from gymnasium.utils.env_checker import check_env

    return [_asked("Gymnasium's checker", lambda: check_env(first.unwrapped, skip_render_check=True))]


def _tests() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PettingZoo warns of itself when its tests are imported
        return importlib.import_module("pettingzoo.test")


def _asked(name: str, test: Callable[[], Any]) -> Question:
    with warnings.catch_warnings(record=True) as remarks, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            test()
        except Exception as error:  # whatever a stranger's environment raises is the answer
            text = " ".join(str(error).split())
            return Question(name, False, f"{type(error).__name__}: {text}" if text else type(error).__name__)
    plain = (re.sub(r"\x1b\[\d*m", "", str(remark.message)) for remark in remarks)  # Gymnasium's are coloured
    told = list(dict.fromkeys(" ".join(text.split()) for text in plain))
    return Question(name, True, "passed" + (f", with remarks: {'; '.join(told[:3])}" if told else ""))
