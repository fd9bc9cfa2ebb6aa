"""A collection's directory: what is to be run and what its rows point to.

``collection.json`` (suites, scale, rows) · ``SUITE/`` (an ordinary campaign's directory for each suite) ·
``exact.json`` (the exact claims that rows point to, judged) · ``report.html``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from coterie.campaign import plan
from coterie.campaign.collection import Collection, Item, Proved
from coterie.campaign.engine import Result, Stopped
from coterie.campaign.plan import CAMPAIGN, COLLECTION, Plan
from coterie.campaign.suite import Scale, slug
from coterie.contracts import CoterieError
from coterie.exact.claims import CLAIMS
from coterie.exact.judge import document as exact_document
from coterie.exact.judge import judge
from coterie.fields import decode, encode
from coterie.training.files import DamagedFile, plain, read_json, write_json
from coterie.training.lock import locked
from coterie.version import __version__

EXACT = "exact.json"
FORMAT = 1
GAMES, SEED, STEPS = 13_500, 0, 100
"""Random games of each exact claim, which ones, and steps of climbing: as ``coterie exact`` has them."""


class Written(NamedTuple):
    """A collection at a scale as data: its own document, and its suites' by the directory of each."""

    document: dict[str, Any]
    campaigns: dict[str, dict[str, Any]]


class Folder(NamedTuple):
    """A collection's directory, read. ``plans`` are its campaigns by suite; ``problems`` says why one is missing."""

    directory: Path
    document: dict[str, Any]
    items: tuple[Item, ...]
    plans: dict[str, Plan]
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.document["collection"]

    @property
    def proved(self) -> tuple[str, ...]:
        """The exact claims that its rows point to."""
        named = (pointer.claim for item in self.items for pointer in item.evidence if isinstance(pointer, Proved))
        return tuple(dict.fromkeys(named))


def describe(collection: Collection, scale: Scale) -> Written:
    """A collection as data, every recipe and game of its suites built once.

    Raises:
        CoterieError: No such scale, or something that the catalogue does not know or that needs an extra.
    """
    suites = collection.opened()
    campaigns = {slug(name): plan.describe(suite, scale) for name, suite in suites.items()}
    document = plain({
        "format": FORMAT,
        "collection": collection.name,
        "about": collection.about,
        "scale": scale,
        "suites": [{"suite": name, "place": slug(name)} for name in suites],
        "items": [encode(item) for item in collection.items],
        "coterie": __version__,
    })  # fmt: skip
    return Written(document, campaigns)


def claim(directory: Path, written: Written) -> Folder:
    """Write the documents, or go on with the same collection. A campaign that is there already is gone on with.

    Raises:
        CoterieError: The directory holds a campaign, another collection, or a suite as it was before it changed.
    """
    if (directory / CAMPAIGN).exists():
        raise CoterieError(f"{directory} holds a campaign of one suite: choose another directory with --out")
    if (directory / COLLECTION).exists():
        there = _document(directory)
        for field, what in (("collection", "name"), ("scale", "scale"), ("coterie", "version of coterie")):
            if there.get(field) != written.document[field]:
                raise CoterieError(
                    f"{directory} holds a collection of another {what} ({there.get(field)}, not "
                    f"{written.document[field]}): choose another directory with --out"
                )
    for place, campaign in written.campaigns.items():
        plan.claim_directory(directory / place, campaign)
    write_json(directory / COLLECTION, written.document)  # last: who finds it finds its campaigns, too
    return read(directory)


def holds(directory: Path) -> bool:
    """Whether a collection is there, and not a campaign."""
    return (directory / COLLECTION).exists()


def read(directory: Path) -> Folder:
    """``collection.json`` and its campaigns, checked. A campaign that cannot be read is a problem and no more.

    Raises:
        CoterieError: There is none, it is damaged, or a newer version wrote it.
    """
    document = _document(directory)
    try:
        items = tuple(decode(Item, item, "row") for item in document["items"])
        places = {str(row["suite"]): str(row["place"]) for row in document["suites"]}
        if any(slug(place) != place for place in places.values()):
            raise ValueError("a suite's place is no name of a directory")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(
            f"{directory / COLLECTION} is not the record of a collection ({error!r}): restore it or start anew"
        ) from error
    plans, problems = {}, []
    for suite, place in places.items():
        try:
            plans[suite] = plan.read(directory / place)
        except CoterieError as error:
            problems.append(str(error))
    return Folder(directory, document, items, plans, tuple(problems))


def _document(directory: Path) -> dict[str, Any]:
    path = directory / COLLECTION
    found = read_json(path)
    version = found.get("format") if isinstance(found, dict) else None
    if not isinstance(version, int) or version > FORMAT:
        raise CoterieError(f"{path} has format {version} and this coterie reads up to {FORMAT}: upgrade coterie")
    return found


def work(folder: Folder, run: Callable[[Plan], Result], say: Callable[[str], None]) -> dict[str, Result]:
    """Judge the exact claims, and run each suite that is not done; what fails in one does not stop the next.

    Args:
        folder: The collection; its directory must be locked by the caller.
        run: An engine.
        say: Told in a line what begins.

    Raises:
        CoterieError: A campaign cannot be read, or somebody else runs it; ``Stopped`` after Ctrl-C.
    """
    if folder.problems:
        raise CoterieError(folder.problems[0])
    prove(folder, say)
    results = {}
    for number, (name, one) in enumerate(folder.plans.items(), 1):
        if all(entry.stage == "done" for entry in one.entries):
            continue
        say(f"suite {number} of {len(folder.plans)}: {name}")
        with locked(one.directory, "running a campaign"):
            try:
                results[name] = run(one)
            except Stopped:
                raise Stopped(folder.directory) from None
    return results


def prove(folder: Folder, say: Callable[[str], None]) -> None:
    """Judge the exact claims that rows point to and write ``exact.json``, unless this version has done so."""
    try:
        there = exact(folder)
    except CoterieError:
        there = {}
    names = {claim.name for claim in CLAIMS} & set(folder.proved)
    current = there.get("coterie") == __version__ and names <= set(there.get("claims", {}))
    if not names or current:
        return
    say(f"{len(names)} exact claims, each on {GAMES:,} games")
    rows = list(judge([claim for claim in CLAIMS if claim.name in names], GAMES, SEED, STEPS))
    write_json(folder.directory / EXACT, {**exact_document(rows, SEED), "coterie": __version__})


def exact(folder: Folder) -> Mapping[str, Any]:
    """What ``exact.json`` says; nothing if it is not there yet.

    Raises:
        CoterieError: It is damaged.
    """
    path = folder.directory / EXACT
    found = read_json(path) if path.exists() else {}
    if not isinstance(found, dict) or not isinstance(found.get("claims", {}), dict):
        raise DamagedFile(f"{path} is not what coterie exact says: remove it and resume the collection")
    return found
