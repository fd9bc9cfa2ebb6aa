"""Claims: who said what, and the condition under which a campaign reproduces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from coterie.campaign.statistics import probability_of_improvement
from coterie.contracts import CoterieError
from coterie.fields import nearest
from coterie.training.statistics import interval

Standing = Literal["reproduced", "not reproduced", "not run", "needs the real simulator"]
Returns = Mapping[str, Mapping[str, Sequence[float]]]
"""Final returns: method -> game -> one for each seed."""
Figures = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""What games tell of the same episodes, such as the share won: method -> game -> figure -> each seed's mean."""
NONE: Figures = {}
"""No figures."""


class Verdict(NamedTuple):
    """What a campaign says of a claim, and the figures behind it."""

    standing: Standing
    evidence: str


def _values(figure: str, method: str, returns: Returns, figures: Figures) -> Mapping[str, Sequence[float]]:
    """A method's returns by game, or what the games tell under that name."""
    if not figure:
        return returns.get(method, {})
    return {game: told[figure] for game, told in figures.get(method, {}).items() if figure in told}


@dataclass(frozen=True)
class Improves:
    """A run of ``method`` beats a run of ``over`` more often than not, over ``games`` (all of them if none is named).

    Reproduced if the 95 % interval of the probability of improvement (Agarwal et al. 2021) lies above ``above``. With a
    ``figure`` that the games tell of their episodes (``won``) that figure stands in the return's place.
    """

    method: str
    over: str
    games: tuple[str, ...] = ()
    above: float = 0.5
    figure: str = ""

    def judge(self, returns: Returns, figures: Figures = NONE) -> Verdict:
        """Compare all seeds of both."""
        ours, theirs = (_values(self.figure, name, returns, figures) for name in (self.method, self.over))
        games = self.games or tuple(name for name in ours if name in theirs)
        if not games or not all(name in ours and name in theirs for name in games):
            return Verdict("not run", "")
        found = probability_of_improvement({g: ours[g] for g in games}, {g: theirs[g] for g in games})
        words = f"P({self.method} > {self.over}) = {found.point:.2f} [{found.low:.2f}, {found.high:.2f}]"
        return Verdict("reproduced" if found.low > self.above else "not reproduced", words)


@dataclass(frozen=True)
class Reaches:
    """The mean return of ``method`` on ``game`` is at least ``least``: reproduced if its whole 95 % interval is."""

    method: str
    game: str
    least: float

    def judge(self, returns: Returns, figures: Figures = NONE) -> Verdict:
        """Look at the mean over seeds."""
        del figures
        found = returns.get(self.method, {}).get(self.game)
        if found is None:
            return Verdict("not run", "")
        mean, low, high = interval(found)
        words = f"mean return {mean:.2f} [{low:.2f}, {high:.2f}], {self.least:g} asked"
        return Verdict("reproduced" if low >= self.least else "not reproduced", words)


@dataclass(frozen=True)
class Attains:
    """The share of seeds of ``method`` that return ``least`` or more on ``game`` lies between ``low`` and ``high``.

    With a ``figure`` that the game tells of its episodes (``won``) that figure stands in the return's place.
    """

    method: str
    game: str
    least: float
    low: float = 0.0
    high: float = 1.0
    figure: str = ""

    def judge(self, returns: Returns, figures: Figures = NONE) -> Verdict:
        """Count the seeds."""
        found = _values(self.figure, self.method, returns, figures).get(self.game)
        if found is None:
            return Verdict("not run", "")
        count, n = int(np.sum(np.asarray(found) >= self.least)), len(found)
        does = f"have {self.figure}" if self.figure else "return"
        words = f"{count} of {n} seeds {does} {self.least:g} or more; {self.low:.0%} to {self.high:.0%} asked"
        if self.figure:
            words += f"; {', '.join(f'{value:.2f}' for value in found)}"
        return Verdict("reproduced" if self.low <= count / n <= self.high else "not reproduced", words)


@dataclass(frozen=True)
class Falls:
    """The mean return of ``method`` is lower on the second of two games than on the first.

    Reproduced if the 95 % interval on the second lies below that on the first.
    """

    method: str
    games: tuple[str, str]

    def judge(self, returns: Returns, figures: Figures = NONE) -> Verdict:
        """Compare the intervals."""
        found = returns.get(self.method, {})
        if not all(game in found for game in self.games):
            return Verdict("not run", "")
        first, second = (interval(found[game]) for game in self.games)
        words = ", ".join(
            f"{game}: {one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]"
            for game, one in zip(self.games, (first, second), strict=True)
        )
        return Verdict("reproduced" if second.high < first.low else "not reproduced", f"{self.method} on {words}")


@dataclass(frozen=True)
class Simulator:
    """Nothing here can test it: it is about a simulator that this suite does not run."""

    name: str

    def judge(self, returns: Returns, figures: Figures = NONE) -> Verdict:
        """Say so."""
        del returns, figures
        return Verdict("needs the real simulator", self.name)


Condition = Improves | Reaches | Attains | Falls | Simulator


@dataclass(frozen=True)
class Claim:
    """A claim to be tested.

    Args:
        name: Short, unique in the suite.
        says: The claim as a sentence.
        source: Who said it, and where.
        condition: When it counts as reproduced.
        published: The published figure, if there is one.
    """

    name: str
    says: str
    source: str
    condition: Condition
    published: str = ""

    def check(self, methods: set[str], games: set[str]) -> None:
        """Refuse a claim about a method or game that is not there.

        Raises:
            CoterieError: It is not; with the nearest name.
        """
        condition = vars(self.condition)
        spoken = {"method": [condition.get("method"), condition.get("over")],
                  "game": [condition.get("game"), *condition.get("games", ())]}  # fmt: skip
        for kind, known in (("method", methods), ("game", games)):
            for name in sorted({name for name in spoken[kind] if name} - known):
                raise CoterieError(f"claim {self.name!r} speaks of the {kind} {name!r}: {nearest(name, known)}")
