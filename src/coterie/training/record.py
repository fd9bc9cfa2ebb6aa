"""What stands in a run directory, and whether a run may go on there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coterie.contracts import CoterieError
from coterie.training import checkpoint
from coterie.training.engine import Loop
from coterie.training.files import read_json, write_json

RUN, CHECKPOINTS, EVALUATION, POLICIES = "run.json", "checkpoints", "evaluation.json", "policies.safetensors"
RUN_FORMAT = 1


def claim(directory: Path, document: Mapping[str, Any], resume: bool) -> None:
    """Write ``run.json``, unless the directory holds this very run; a run that never reached a checkpoint gives way."""
    known, begun = (directory / RUN).exists(), checkpoint.latest(directory / CHECKPOINTS) is not None
    if begun and not known:
        raise CoterieError(f"{directory} holds checkpoints without a {RUN}: restore it or choose another directory")
    if not known or not (resume or begun):
        write_json(directory / RUN, {"format": RUN_FORMAT, **document})
        return
    there = read_run(directory)
    if not resume:
        raise CoterieError(
            f"{directory} holds a run already: go on with it ({go_on(directory, there)}) or choose another directory"
        )
    for field in ("recipe", "game", "seeds", "schedule", "axis"):
        if there.get(field) != document[field]:
            raise CoterieError(
                f"{directory} holds another run (its {field} differs): resume it with the same recipe, game, seeds "
                "and steps, or choose another directory"
            )


def noted(directory: Path, field: str) -> Any:
    """A field of ``run.json``, None where there is no run yet."""
    return read_run(directory).get(field) if (directory / RUN).exists() else None


def go_on(directory: Path, document: Mapping[str, Any]) -> str:
    """What to type to go on with a run."""
    own = document["game"].get("own", False)
    return f'coterie.resume("{directory}", game=...)' if own else f"coterie resume {directory}"


def restored(directory: Path, document: Mapping[str, Any], like: Loop) -> tuple[Loop, dict[str, Any]]:
    """The newest whole checkpoint of a run as a tree like ``like``, and what was noted with it.

    Raises:
        CoterieError: There is none yet, all are damaged, or it belongs to another game or recipe than ``run.json``.
    """
    folder = directory / CHECKPOINTS
    if checkpoint.latest(folder) is None:
        raise CoterieError(f"{directory} has no checkpoint yet: train on with {go_on(directory, document)}")
    loops, meta = checkpoint.load(folder, like)
    if meta["game"] != document["game"]:
        saved, said = meta["game"]["name"], document["game"]["name"]
        raise CoterieError(
            f"{directory} has checkpoints of another game than its {RUN} says ({saved} with options "
            f"{meta['game']['options']}, not {said} with {document['game']['options']}): restore {RUN}, or train anew"
        )
    return loops, meta


def read_run(directory: Path) -> dict[str, Any]:
    """``run.json``, checked for its version."""
    if not directory.is_dir():
        raise CoterieError(f"there is no run directory {directory}: check the path, or train first")
    if not (directory / RUN).exists():
        raise CoterieError(f"{directory} holds no run (it has no {RUN}): check the path, or train first")
    document = read_json(directory / RUN)
    version = document.get("format") if isinstance(document, dict) else None
    if not isinstance(version, int) or version > RUN_FORMAT:
        raise CoterieError(
            f"{directory / RUN} has format {version} and this coterie reads up to {RUN_FORMAT}: "
            "upgrade, pip install -U coterie"
        )
    return document
