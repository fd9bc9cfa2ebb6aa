"""Exporting a whole team: files are written aside, read back, compared with the team, and only then put in place."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax

from coterie.contracts import CoterieError
from coterie.export.agent import AgentPolicy, describe
from coterie.export.check import OBSERVATIONS, difference, observe, original
from coterie.export.formats import FORMATS
from coterie.fields import nearest
from coterie.training.files import cannot_write
from coterie.value.critic import Utilities
from coterie.value.learner import ValueLearner

if TYPE_CHECKING:
    from coterie.api import Run

TOLERANCE = 1e-5
"""The largest difference from the original policy that an exported file may have."""


class Exported(NamedTuple):
    """The files of an exported team, the largest difference found, and on how many observations of each agent."""

    files: list[Path]
    difference: float
    observations: int


def export(
    run: Run, format: str = "onnx", out: str | Path | None = None, seed: int = 0, sampled: bool = False
) -> Exported:
    """Write one file for each agent, a function of that agent's own observation, mask and memory.

    Args:
        run: A run, as ``coterie.load`` and ``coterie.train`` return it.
        format: ``onnx``, ``safetensors`` or ``stablehlo``.
        out: Directory of the files; ``export`` in the run directory if not given.
        seed: Which of the run's seeds, counted from 0.
        sampled: Draw actions, with the randomness as one more input, instead of the greedy ones.

    Returns:
        The files, and by how much they differ from the original at most.

    Raises:
        CoterieError: Unknown format or seed, a package that is missing, a game that cannot be traced, a place that
            cannot be written, or a file that differs by more than 1e-5; then no file is left, and an earlier export
            stays as it was.
    """
    if format not in FORMATS:
        raise CoterieError(f"there is no export format {format!r}: {nearest(format, FORMATS)}")
    if sampled and isinstance(run.learner, ValueLearner) and isinstance(run.learner.recipe.critic, Utilities):
        raise CoterieError("utilities are no probabilities to draw from: export the greedy team")
    state = jax.device_get(run.state(seed))
    params = run.learner.policy(state)
    agents = range(run.learner.spec.n_agents)
    policies = [describe(run, params, run.seeds[seed], agent, sampled) for agent in agents]
    place = Path(out) if out else run.directory / "export"
    aside = place / ".unchecked"
    _clear(aside)
    try:
        suffix, write, read = FORMATS[format]
        paths = [aside / f"{name}{suffix}" for name in _names(policies)]
        for path, policy in zip(paths, policies, strict=True):
            write(path, policy)
        seen = observe(run, state)
        truth = original(run.learner, params, seen)
        gaps = [difference(run, p, read(path), seen, truth) for path, p in zip(paths, policies, strict=True)]
        for path, policy, gap in zip(paths, policies, gaps, strict=True):
            if not gap <= TOLERANCE:
                raise CoterieError(
                    f"{path.name} differs from the policy of {policy.document['agent']} by {gap:.1e}, more than "
                    f"{TOLERANCE:.0e}, and was removed: choose another format, and report this with coterie's version"
                )
        return Exported(_settle(aside, place), max(gaps), OBSERVATIONS)
    finally:
        _clear(aside)


def _names(policies: list[AgentPolicy]) -> list[str]:
    """A file name for each agent: its own, without what a file system may refuse, and numbered where two are alike."""
    names = [re.sub(r"[^\w-]", "_", policy.document["agent"]) for policy in policies]
    return [name if names.count(name) == 1 else f"{index}_{name}" for index, name in enumerate(names)]


def _settle(aside: Path, place: Path) -> list[Path]:
    """Move checked files to where they belong."""
    files = [place / path.name for path in sorted(aside.iterdir())]
    for path in files:
        try:
            os.replace(aside / path.name, path)
        except OSError as error:
            raise cannot_write(path, error) from error
    return files


def _clear(directory: Path) -> None:
    """Remove what an export that was killed has left."""
    shutil.rmtree(directory, ignore_errors=True)
