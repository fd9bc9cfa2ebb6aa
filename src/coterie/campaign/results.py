"""What a campaign's directory says: final returns, curves, costs and verdicts. Only files are read; nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from coterie.campaign.claims import Claim, Verdict
from coterie.campaign.exchange import Curve
from coterie.campaign.plan import Entry, Plan, game_file
from coterie.contracts import CoterieError
from coterie.training import journal
from coterie.training.files import DamagedFile, plain, read_json
from coterie.training.record import EVALUATION
from coterie.training.statistics import Interval, interval

X = TypeVar("X")
Y = TypeVar("Y")


class Game(NamedTuple):
    """A game's yardsticks: the exact optimum, a random team's mean return, and the reference that the suite states.

    ``reference`` is what counts as 1 in normalised returns: the stated one, else the optimum, else the best mean.
    """

    name: str
    optimum: float | None
    random: float | None
    stated: float | None
    reference: float | None

    def normalised(self, mean: float) -> float | None:
        """``mean`` where a random team is 0 and the reference 1; None if one of them is not known."""
        if self.random is None or self.reference is None or self.reference <= self.random:
            return None
        return (mean - self.random) / (self.reference - self.random)


class Results(NamedTuple):
    """A campaign read.

    ``final`` holds the greedy return with its interval of every finished run by ``(method, game)``, ``returns`` the
    same for each seed by method and game, ``figures`` what the game tells of the same episodes, ``seconds`` the
    training time of every run. ``problems`` says in a line each what could not be read; what stands in such a file
    counts as not run.
    """

    campaign: Plan
    final: dict[tuple[str, str], Interval]
    returns: dict[str, dict[str, list[float]]]
    figures: dict[str, dict[str, dict[str, list[float]]]]
    seconds: dict[tuple[str, str], float]
    games: dict[str, Game]
    verdicts: list[tuple[Claim, Verdict]]
    problems: list[str]

    def summary(self) -> dict[str, Any]:
        """The final table and the verdicts as data: the same for the same runs."""
        runs = [
            {"method": m, "game": g, **found._asdict(), "returns": self.returns[m][g], **self._told(m, g)}
            for (m, g), found in sorted(self.final.items())
        ]
        claims = [
            {"name": claim.name, "says": claim.says, "source": claim.source, "published": claim.published,
             **verdict._asdict()} for claim, verdict in self.verdicts
        ]  # fmt: skip
        return plain({"runs": runs, "claims": claims})

    def _told(self, method: str, game: str) -> dict[str, dict[str, list[float]]]:
        figures = self.figures[method][game]
        return {"figures": figures} if figures else {}


def collect(known: Plan) -> Results:
    """Read every finished run; a damaged file costs what stands in it and no more."""
    final, returns, spent = {}, dict[str, dict[str, list[float]]](), {}
    figures: dict[str, dict[str, dict[str, list[float]]]] = {}
    problems: list[str] = []
    for entry in known.entries:
        if entry.stage != "done":
            continue
        time, found = _read(problems, seconds, entry.directory), _read(problems, _returns, entry)
        if time is not None:
            spent[entry.method, entry.game] = time
        if found is not None:
            final[entry.method, entry.game] = interval(found)
            returns.setdefault(entry.method, {})[entry.game] = found
            figures.setdefault(entry.method, {})[entry.game] = _read(problems, _figures, entry) or {}
    verdicts = [(claim, claim.condition.judge(returns, figures)) for claim in known.claims]
    names = dict.fromkeys(entry.game for entry in known.entries)
    games = {name: _game(known, name, returns, problems) for name in names}
    return Results(known, final, returns, figures, spent, games, verdicts, problems)


def _read(problems: list[str], function: Callable[[X], Y], argument: X) -> Y | None:
    """What ``function`` reads, or None and one problem more."""
    try:
        return function(argument)
    except CoterieError as error:
        problems.append(str(error))
        return None


def _returns(entry: Entry) -> list[float]:
    """The greedy return of every seed."""
    path = entry.directory / EVALUATION
    try:
        found = [float(value) for value in read_json(path)["greedy"]["returns"]]
    except (KeyError, TypeError, ValueError):
        found = []
    if not found or not np.isfinite(found).all():
        raise DamagedFile(f"{path} holds no finite greedy return of every seed: restore it or run it again")
    return found


def _figures(entry: Entry) -> dict[str, list[float]]:
    """What the game tells of the same episodes, for every seed."""
    info = read_json(entry.directory / EVALUATION)["greedy"].get("info", {})
    return {name: [float(value) for value in values] for name, values in info.items()}


def evaluations(known: Plan) -> list[Curve]:
    """The evaluations of every finished run as marl-eval's format has them, each game an environment of one task."""
    curves = []
    for entry in known.entries:
        if entry.stage != "done":
            continue
        final = _returns(entry)
        points = [p for p in journal.read(entry.directory) if p.get("greedy_return") is not None]
        for seed, last in zip(entry.seeds, final, strict=True):
            own = [point for point in points if point["seed"] == seed]
            steps = tuple(point["step"] for point in own)
            returns = tuple((point["greedy_return"],) for point in own)
            curves.append(Curve(entry.game, entry.game, entry.method, seed, steps, returns, (last,)))
    return curves


def seconds(directory: Path) -> float:
    """Seconds of training so far, compilation of the first chunk included."""
    if not (directory / journal.TIMING).exists():
        return 0.0
    try:
        return float(sum(point["seconds"] for point in journal.read(directory, journal.TIMING)))
    except (KeyError, TypeError) as error:
        raise DamagedFile(f"{directory / journal.TIMING} has a point without seconds: restore it") from error


def _game(known: Plan, name: str, returns: dict[str, dict[str, list[float]]], problems: list[str]) -> Game:
    entry = next(entry for entry in known.entries if entry.game == name)
    path = game_file(known.directory, name)
    optimum = random = None
    try:
        note = read_json(path) if path.exists() else {}
        optimum, random = note.get("optimum"), note.get("random", {}).get("mean")
    except (CoterieError, AttributeError) as error:
        said = isinstance(error, CoterieError)
        problems.append(str(error) if said else f"{path} is no note about a game: remove it and resume the campaign")
    means = [float(np.mean(found[name])) for found in returns.values() if name in found]
    best = max(means, default=None)
    reference = next((x for x in (entry.reference, optimum, best) if x is not None), None)
    return Game(name, optimum, random, entry.reference, reference)
