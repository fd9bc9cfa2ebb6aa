"""A campaign's directory: what is to be run, and what has become of each run.

``campaign.json`` (suite, scale, every run's recipe and game, claims, versions) · ``runs/METHOD/GAME/`` (run
directories) · ``games/GAME.json`` (what a random team earns there) · ``report.html``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from coterie.campaign.claims import Claim
from coterie.campaign.suite import SCALES, Job, Scale, Suite, slug
from coterie.contracts import CoterieError
from coterie.fields import decode, encode
from coterie.recipes import AnyRecipe
from coterie.training import journal
from coterie.training.files import DamagedFile, plain, read_json, write_json
from coterie.training.record import EVALUATION, RUN
from coterie.version import __version__

CAMPAIGN, FAILURE, FINISHED, GAMES = "campaign.json", "failure.json", "finished.json", "games"
COLLECTION = "collection.json"
REPLAY = "replay.html"
FORMAT = 1
Stage = Literal["waiting", "begun", "failed", "done"]


class Entry(NamedTuple):
    """One run of a campaign as its directory tells it."""

    method: str
    game: str
    directory: Path
    recipe: dict[str, Any]
    game_name: str
    options: dict[str, Any]
    reference: float | None
    steps: int
    seeds: tuple[int, ...]

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if (self.directory / FINISHED).exists():
            return "done"
        if (self.directory / FAILURE).exists():
            return "failed"
        return "begun" if (self.directory / RUN).exists() else "waiting"

    @property
    def failure(self) -> str:
        """Why it failed, in one line."""
        path = self.directory / FAILURE
        return str(read_json(path).get("error", "")) if path.exists() else ""

    def progress(self) -> float:
        """Share of its steps that is done."""
        if (self.directory / EVALUATION).exists():
            return 1.0
        path = self.directory / journal.TIMING
        try:
            last = path.read_bytes().rstrip().rpartition(b"\n")[2]
            step = float(last.rpartition(b'"step":')[2].strip(b" }") or 0)
        except (OSError, ValueError):
            return 0.0
        return min(step / self.steps, 1.0)


class Plan(NamedTuple):
    """A campaign: its directory, its document and its runs."""

    directory: Path
    document: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.document["suite"]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What it tests."""
        return tuple(decode(Claim, claim, "claim") for claim in self.document["claims"])

    def entry(self, method: str, game: str) -> Entry:
        """One run."""
        for entry in self.entries:
            if (entry.method, entry.game) == (method, game):
                return entry
        raise CoterieError(f"{self.directory} has no run of {method} on {game}")


def describe(suite: Suite, scale: Scale) -> dict[str, Any]:
    """A suite at a scale as data, every recipe and game built once.

    Raises:
        CoterieError: No such scale, or something that the catalogue does not know.
    """
    if scale not in SCALES:
        raise CoterieError(f"there is no scale {scale!r}: choose from {', '.join(SCALES)}")
    return plain({
        "format": FORMAT,
        "suite": suite.name,
        "about": suite.about,
        "scale": scale,
        "points": suite.points,
        "episodes": suite.episodes,
        **({"axis": suite.axis} if suite.axis != "map" else {}),
        "runs": [_row(job) for job in suite.jobs(scale)],
        "claims": [encode(claim) for claim in suite.claims],
        "coterie": __version__,
    })  # fmt: skip


def _row(job: Job) -> dict[str, Any]:
    return {
        "method": job.method, "game": job.game, "place": job.place, "recipe": encode(job.recipe),
        "game_name": job.arena.game, "options": dict(job.arena.options), "reference": job.arena.reference,
        "steps": job.steps, "seeds": job.seeds,
    }  # fmt: skip


def claim_directory(directory: Path, document: Mapping[str, Any]) -> Plan:
    """Write ``campaign.json``, or go on with the same campaign, to which the suite may have added runs.

    Raises:
        CoterieError: The directory holds another campaign, or one of another version.
    """
    path = directory / CAMPAIGN
    if (directory / COLLECTION).exists():
        raise CoterieError(f"{directory} holds a collection of campaigns: choose another directory with --out")
    if not path.exists():
        write_json(path, document)
        return read(directory)
    there = read(directory)
    for field, what in (("suite", "suite"), ("scale", "scale"), ("coterie", "version of coterie")):
        if there.document[field] != document[field]:
            raise CoterieError(
                f"{directory} holds a campaign of another {what} ({there.document[field]}, not {document[field]}): "
                "choose another directory with --out"
            )
    changed = [key for key in document if there.document.get(key) != document[key]]
    more = _rows(document)
    grown = all(more.get(place) == row for place, row in _rows(there.document).items())
    if set(changed) - {"claims", "about", "runs"} or not grown:
        raise CoterieError(
            f"{directory} holds the suite {there.name} as it was before it changed ({', '.join(changed)}): choose "
            "another directory with --out, or change the suite back"
        )
    if changed:  # words and claims may change without a run, and new runs may join those that are there
        write_json(path, document)
    return read(directory)


def _rows(document: Mapping[str, Any]) -> dict[str, Any]:
    """The runs of a campaign by place, their recipes built: a field that is new and has its default is no change."""
    return {row["place"]: {**row, "recipe": decode(AnyRecipe, row["recipe"])} for row in document["runs"]}


def read(directory: Path) -> Plan:
    """``campaign.json``, checked.

    Raises:
        CoterieError: There is none, it is damaged, or a newer version wrote it.
    """
    path = directory / CAMPAIGN
    if not directory.is_dir():
        raise CoterieError(f"there is no directory {directory}: check the path, or run coterie campaign run first")
    if (directory / COLLECTION).exists():
        raise CoterieError(f"{directory} holds a collection of campaigns: name one of its suites, {directory}/SUITE")
    if not path.exists():
        raise CoterieError(f"{directory} holds no campaign (it has no {CAMPAIGN}): check the path, or run one there")
    document = read_json(path)
    version = document.get("format") if isinstance(document, dict) else None
    if not isinstance(version, int) or version > FORMAT:
        raise CoterieError(f"{path} has format {version} and this coterie reads up to {FORMAT}: upgrade coterie")
    try:
        entries = tuple(
            Entry(
                row["method"], row["game"], directory / row["place"], row["recipe"], row["game_name"], row["options"],
                row["reference"], int(row["steps"]), tuple(row["seeds"]),
            )
            for row in document["runs"]
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFile(f"{path} is not the record of a campaign ({error!r}): restore it or start anew") from error
    return Plan(directory, document, entries)


def recipe(entry: Entry) -> AnyRecipe:
    """The recipe of a run."""
    return decode(AnyRecipe, entry.recipe)


def game_file(directory: Path, game: str) -> Path:
    """Where the yardsticks of a game stand."""
    return directory / GAMES / f"{slug(game)}.json"
