"""A collection: suites that are run together, and a row for each thing that some papers say, with what speaks to it.

A collection is a small Python file with a ``collection = Collection(...)``, executed like a suite. Its directory holds
what it said as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Literal

from coterie.campaign import suite
from coterie.campaign.claims import Standing
from coterie.campaign.suite import Suite, slug
from coterie.contracts import CoterieError
from coterie.exact.claims import CLAIMS, Verdict
from coterie.fields import nearest

Answer = Standing | Literal["partly", "not tested"]
"""What becomes of a row, and of each piece of its evidence."""
JUDGED: tuple[Answer, ...] = ("reproduced", "partly", "not reproduced")
RULE = (
    "A row is reproduced if all of its evidence is, not reproduced if none of what was tested is, and partly "
    "reproduced between the two, also where some of it was not tested or needs a simulator. Where nothing was tested "
    "it says why: not run yet, a simulator that is not here, no test. An equation or bound that holds with a changed "
    "constant only, or because nothing moves, counts as partly reproduced."
)
"""How a row's answer follows from its evidence, in words for the page."""


@dataclass(frozen=True)
class Said:
    """A claim of a suite: it counts as that suite's runs have judged it.

    Args:
        suite: The suite's name.
        claim: The claim's.
        note: Where the suite differs from what the paper did.
    """

    suite: str
    claim: str
    note: str = ""


@dataclass(frozen=True)
class Proved:
    """A claim of ``coterie exact``.

    Args:
        claim: Its name.
        asked: The verdict with which the paper is right. A paper that says of something that it fails asks for that.
        note: What the check is about, where that is not the whole of what the paper says.
    """

    claim: str
    asked: Verdict = "holds"
    note: str = ""


@dataclass(frozen=True)
class Measured:
    """Figures of a benchmark that is no suite, judged by hand. The collection does not run it.

    Args:
        command: What made them.
        file: Where they stand.
        answer: What follows.
        words: The figures.
    """

    command: str
    file: str
    answer: Literal["reproduced", "partly", "not reproduced"]
    words: str


@dataclass(frozen=True)
class Elsewhere:
    """It takes a simulator that no suite runs.

    Args:
        simulator: Which.
        why: Why nothing here can stand in for it.
    """

    simulator: str
    why: str


@dataclass(frozen=True)
class Untested:
    """Nothing here tests it, and no simulator is in the way.

    Args:
        why: Because it claims nothing, cannot be tested, or is not run.
    """

    why: str


Pointer = Said | Proved | Measured | Elsewhere | Untested


@dataclass(frozen=True)
class Item:
    """A row: one table, figure, theorem or other result of a paper.

    Args:
        paper: Which.
        place: Where it stands.
        says: What it says, in a sentence.
        evidence: What speaks to it.
    """

    paper: str
    place: str
    says: str
    evidence: tuple[Pointer, ...]


@dataclass(frozen=True)
class Collection:
    """Suites and rows.

    Args:
        name: What it is called.
        about: A sentence for the report.
        suites: Names of suites of the house, or suites of one's own, in the order in which they are run.
        items: The rows, in their order.

    Raises:
        CoterieError: No suites, two of one name, or a row that speaks of a suite or claim that is not there, has no
            evidence, or stands there twice.
    """

    name: str
    about: str
    suites: tuple[str | Suite, ...]
    items: tuple[Item, ...] = ()

    def __post_init__(self) -> None:
        found = self.opened()
        if not found:
            raise CoterieError(f"collection {self.name} has no suites: name at least one")
        if len({slug(name) for name in found}) < len(self.suites):
            raise CoterieError(f"collection {self.name} has two suites that give the same directory: leave one out")
        places = [(item.paper, item.place) for item in self.items]
        for item in self.items:
            where = f"collection {self.name}, {item.paper}, {item.place}"
            if places.count((item.paper, item.place)) > 1:
                raise CoterieError(f"{where}: stands there twice: rename one")
            if not item.evidence:
                raise CoterieError(f"{where}: has no evidence: give Untested(why) if there is none")
            for pointer in item.evidence:
                _check(where, pointer, found)

    def opened(self) -> dict[str, Suite]:
        """The suites by name.

        Raises:
            CoterieError: One that is not there.
        """
        try:
            found = [one if isinstance(one, Suite) else suite.load(one) for one in self.suites]
        except CoterieError as error:
            raise CoterieError(f"collection {self.name}: {error}") from None
        return {one.name: one for one in found}

    @property
    def sizes(self) -> str:
        """In words."""
        runs = sum(len(one.methods) * len(one.games) for one in self.opened().values())
        return f"{len(self.suites)} suites of {runs} runs, {len(self.items)} rows"


def _check(where: str, pointer: Pointer, suites: dict[str, Suite]) -> None:
    if isinstance(pointer, Said):
        if pointer.suite not in suites:
            raise CoterieError(f"{where}: no suite {pointer.suite!r} in it: {nearest(pointer.suite, suites)}")
        known = {claim.name for claim in suites[pointer.suite].claims}
        if pointer.claim not in known:
            hint = nearest(pointer.claim, known) if known else "it has none"
            raise CoterieError(f"{where}: suite {pointer.suite} has no claim {pointer.claim!r}: {hint}")
    if isinstance(pointer, Proved):
        known = {claim.name for claim in CLAIMS}
        if pointer.claim not in known:
            raise CoterieError(f"{where}: there is no exact claim {pointer.claim!r}: {nearest(pointer.claim, known)}")


def answer(found: Sequence[Answer]) -> Answer:
    """A row's answer from those of its evidence; ``RULE`` says it in words."""
    kinds = set(found)
    judged = kinds & set(JUDGED)
    if len(kinds) == 1:
        return found[0]
    if judged:
        return "not reproduced" if judged == {"not reproduced"} else "partly"
    return "not run" if "not run" in kinds else "needs the real simulator"


def shipped() -> dict[str, str]:
    """The collections of the house: name -> module."""
    import coterie.campaign.collections as room

    return {module.name: f"{room.__name__}.{module.name}" for module in iter_modules(room.__path__)}


def load(name: str) -> Suite | Collection:
    """A suite or collection by name, or from a Python file of your own, which is executed.

    Raises:
        CoterieError: No such suite, collection or file, or a file that fails or defines neither.
    """
    known = shipped()
    if name in known:
        return import_module(known[name]).collection
    if Path(name).suffix == ".py":
        path = Path(name)
        module = suite.execute(path)
        found = getattr(module, "collection", None)
        return found if isinstance(found, Collection) else suite.taken(path, module)
    every = {*suite.shipped(), *known}
    if name not in every:
        raise CoterieError(f"there is no suite {name!r}: {nearest(name, every)}, or give a Python file of your own")
    return suite.load(name)
