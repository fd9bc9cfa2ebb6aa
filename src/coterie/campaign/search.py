"""Search over any fields of a recipe with Optuna; the seeds of a trial share one program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from coterie import catalogue
from coterie.api import train
from coterie.contracts import CoterieError
from coterie.extras import require
from coterie.recipes import AnyRecipe
from coterie.training.files import plain, read_json, write_json
from coterie.training.lock import locked
from coterie.training.record import EVALUATION

SEARCH, TRIALS = "search.json", "trials.log"


class Range(NamedTuple):
    """Where a field is searched: between two numbers (by their logarithm if ``log``), or among words."""

    path: str
    low: float
    high: float
    log: bool = False
    choices: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return not self.log and self.low == int(self.low) and self.high == int(self.high)


class Found(NamedTuple):
    """The best trial, and every trial's options and mean greedy return."""

    best: dict[str, str]
    value: float
    trials: list[dict[str, Any]]


def read_range(text: str) -> Range:
    """``surrogate.epsilon=0.05:0.3``, ``actor_fit.rate=log:1e-4:1e-2``, ``epochs=2:8``, ``order=greedy,simultaneous``.

    Raises:
        CoterieError: It is none of these.
    """
    path, equals, rest = text.partition("=")
    words = rest.split(":")
    log = words[0] == "log"
    try:
        if not path or not equals or not rest:
            raise ValueError(text)
        if len(words) == 1:
            choices = tuple(word.strip() for word in rest.split(",") if word.strip())
            if len(choices) < 2:
                raise ValueError(text)
            return Range(path, 0, 0, choices=choices)
        low, high = map(float, words[1:] if log else words)
        if not low < high or (log and low <= 0):
            raise ValueError(text)
    except ValueError:
        raise CoterieError(
            f"--over {text} is no range: give FIELD=LOW:HIGH, FIELD=log:LOW:HIGH or FIELD=WORD,WORD"
        ) from None
    return Range(path, low, high, log)


def search(
    recipe: str,
    game: str,
    ranges: Sequence[Range],
    out: Path,
    *,
    trials: int = 20,
    seeds: int = 4,
    steps: int = 200_000,
    options: Mapping[str, Any] | None = None,
    game_options: Mapping[str, Any] | None = None,
    observer: Callable[[int, int, float], None] | None = None,
) -> Found:
    """Draw options, train, and look for the largest mean greedy return; a search that was stopped goes on.

    Args:
        recipe: A name of the catalogue.
        game: The same for the game.
        ranges: What is drawn.
        out: The directory: one run directory for each trial, and Optuna's own log.
        trials: Trials in all.
        seeds: Seeds of each trial.
        steps: Environment steps of each seed.
        options: Options of the recipe that stay.
        game_options: Options of the game.
        observer: Told after every trial: its number, how many there are, its return.

    Raises:
        CoterieError: Optuna is missing, an unknown field, or a directory with another search.
    """
    optuna = require("optuna", "sweep")
    if not ranges:
        raise CoterieError("a search needs something to search: --over surrogate.epsilon=0.05:0.3")
    about = plain({
        "recipe": recipe, "game": game, "ranges": [one._asdict() for one in ranges], "seeds": seeds, "steps": steps,
        "options": dict(options or {}), "game_options": dict(game_options or {}),
    })  # fmt: skip
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with locked(out, "searching"):
        _claim(out, about)
        backend = optuna.storages.journal.JournalFileBackend(str(out / TRIALS))
        study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend), study_name="search", direction="maximize",
            load_if_exists=True, sampler=optuna.samplers.TPESampler(seed=len(_complete(out))),
        )  # fmt: skip
        while (number := len(_complete(out))) < trials:
            directory = out / f"trial_{number:03d}"
            note = directory / "options.json"
            trial = None if note.exists() else study.ask()
            drawn = read_json(note) if trial is None else {one.path: _draw(trial, one) for one in ranges}
            line = catalogue.recipe(recipe, {**(options or {}), **drawn})
            value = _try(line, game, seeds, steps, directory, drawn, game_options)
            study.add_trial(_frozen(optuna, ranges, drawn, value)) if trial is None else study.tell(trial, value)
            write_json(directory / "trial.json", {"value": value, "options": drawn})
            if observer:
                observer(number + 1, trials, value)
        rows = _complete(out)
    best = max(rows, key=lambda row: row["value"])
    return Found(best["options"], best["value"], rows)


def _try(
    line: AnyRecipe, game: str, seeds: int, steps: int, directory: Path, drawn: Mapping[str, str],
    game_options: Mapping[str, Any] | None,
) -> float:  # fmt: skip
    """Train with what was drawn, which is noted first: a search that is stopped here goes on with it."""
    write_json(directory / "options.json", drawn)
    train(line, game, seeds, steps, directory, game_options=game_options, resume=True)
    return read_json(directory / EVALUATION)["greedy"]["mean"]


def _claim(out: Path, about: dict[str, Any]) -> None:
    path = out / SEARCH
    if path.exists() and read_json(path) != about:
        raise CoterieError(f"{out} holds another search: choose another directory with --out")
    write_json(path, about)


def _complete(out: Path) -> list[dict[str, Any]]:
    """Finished trials in their order."""
    return [read_json(path) for path in sorted(out.glob("trial_*/trial.json"))]


def _draw(trial: Any, one: Range) -> str:
    if one.choices:
        return trial.suggest_categorical(one.path, one.choices)
    if one.whole:
        return str(trial.suggest_int(one.path, int(one.low), int(one.high)))
    return repr(trial.suggest_float(one.path, one.low, one.high, log=one.log))


def _frozen(optuna: Any, ranges: Sequence[Range], drawn: Mapping[str, str], value: float) -> Any:
    """A trial that was drawn before a crash, told to Optuna once it is done."""
    kinds, params = {}, {}
    for one in ranges:
        text = drawn[one.path]
        if one.choices:
            kinds[one.path], params[one.path] = optuna.distributions.CategoricalDistribution(one.choices), text
        elif one.whole:
            kinds[one.path] = optuna.distributions.IntDistribution(int(one.low), int(one.high))
            params[one.path] = int(text)
        else:
            kinds[one.path] = optuna.distributions.FloatDistribution(one.low, one.high, log=one.log)
            params[one.path] = float(text)
    return optuna.trial.create_trial(params=params, distributions=kinds, value=value)
