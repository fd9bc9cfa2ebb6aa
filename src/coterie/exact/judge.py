"""Claims tried on random games and on stored counterexamples, and what follows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from coterie.contracts import CoterieError
from coterie.exact.claims import CLAIMS, FAILS, HOLDS, MENDED, VACUOUS, Claim, Verdict
from coterie.exact.dec_mdp import DecMdp
from coterie.exact.found import Numbers
from coterie.exact.random_games import GAMMAS, Case, cases, random_case
from coterie.exact.search import climb
from coterie.fields import nearest

STORE = "counterexamples.json"
CLIMBS = ((3, (2, 2)), (2, (2, 2, 2)))
"""Sizes of the games that climb towards a violation."""
CLIMBERS = 40


class Figure(NamedTuple):
    """A figure over the games in which it means something."""

    median: float
    mean: float
    largest: float


@dataclass(frozen=True)
class Judged:
    """A claim's row.

    Args:
        claim: Which.
        games: Random games tried.
        worst: Largest ratio (or relative error) over them.
        median: The middle one.
        climbed: Largest that hill-climbing from further random games reached.
        mended: Largest with the changed constant, climbs towards it included; None if there is none.
        verdict: What follows from the games and the counterexample.
        figures: Every further figure over the games.
        counterexample: Its sizes and its ratio, computed now; None if none is stored.
    """

    claim: Claim
    games: int
    worst: float
    median: float
    climbed: float
    mended: float | None
    verdict: Verdict
    figures: dict[str, Figure]
    counterexample: dict[str, Any] | None


def decode(stored: dict[str, Any]) -> Case:
    """The case that ``encode`` wrote."""
    arrays = {name: np.asarray(stored[name], float)[None] for name in ("transition", "reward", "start", "table")}
    game = DecMdp(arrays["transition"], arrays["reward"], arrays["start"], stored["gamma"], tuple(stored["actions"]))
    old, new = (tuple(np.asarray(p, float)[None] for p in stored[name]) for name in ("old", "new"))
    return Case(game, old, new, arrays["table"], np.array([stored["rate"]]))


def encode(case: Case) -> dict[str, Any]:
    """A single game as JSON data."""
    game = case.game
    arrays = {"transition": game.transition, "reward": game.reward, "start": game.start, "table": case.table}
    policies = {name: [p[0].tolist() for p in getattr(case, name)] for name in ("old", "new")}
    return {**{name: x[0].tolist() for name, x in arrays.items()}, **policies, "gamma": game.gamma,
            "actions": list(game.actions), "rate": float(case.rate[0])}  # fmt: skip


def stored() -> dict[str, dict[str, Any]]:
    """The counterexamples that came with the package, by claim."""
    return json.loads((resources.files("coterie.exact") / STORE).read_text())


def select(name: str) -> tuple[Claim, ...]:
    """The claim of that name, or all for an empty one.

    Raises:
        CoterieError: There is none; the line names the nearest.
    """
    names = {claim.name for claim in CLAIMS}
    if name and name not in names:
        raise CoterieError(f"there is no claim {name!r}: {nearest(name, names)}")
    return tuple(claim for claim in CLAIMS if name in ("", claim.name))


def judge(claims: Sequence[Claim] = CLAIMS, games: int = 13_500, seed: int = 0, steps: int = 100) -> Iterator[Judged]:
    """Try every claim on the same random games, on games that climb for ``steps``, on its stored counterexample.

    Raises:
        CoterieError: No game at all, or a negative seed.
    """
    if games < 1 or seed < 0 or steps < 0:
        raise CoterieError(f"{games} games from seed {seed}, {steps} steps of climbing: give at least 1 game, and "
                           "neither seed nor steps below 0")  # fmt: skip
    tried, kept = list(cases(games, seed)), stored()
    for claim in claims:
        top = climbed(lambda case, claim=claim: claim.check(case).printed, seed, steps)
        more = climbed(_mended(claim), seed, steps) if claim.mending else -np.inf
        yield _judge(claim, tried, kept.get(claim.name), top, more)


def document(rows: Sequence[Judged], seed: int) -> dict[str, Any]:
    """Rows as data, claims by name: what ``coterie exact --json`` prints."""
    return {"seed": seed, "claims": {row.claim.name: _row(row) for row in rows}}


def _row(row: Judged) -> dict[str, Any]:
    figures = {key: one._asdict() for key, one in row.figures.items()}
    return {
        "source": row.claim.source, "says": row.claim.says, "kind": row.claim.kind, "games": row.games,
        "worst": row.worst, "median": row.median, "climbed": row.climbed, "mended": row.mended,
        "mending": row.claim.mending or None, "verdict": row.verdict, "figures": figures,
        "counterexample": row.counterexample,
    }  # fmt: skip


def climbed(measure: Callable[[Case], Numbers], seed: int, steps: int) -> float:
    """The largest ratio at the end of some climbs, each started from random games of its own."""
    best = -np.inf
    for number, ((states, actions), gamma) in enumerate(itertools.product(CLIMBS, GAMMAS)):
        draw = np.random.default_rng([seed, number, steps])
        with np.errstate(all="ignore"):  # a step that leaves the numbers' range is not taken
            _, found = climb(measure, random_case(draw, CLIMBERS, states, actions, gamma), steps, draw)
        best = max(best, float(found.max()))
    return best


def _mended(claim: Claim) -> Callable[[Case], Numbers]:
    def measure(case: Case) -> Numbers:
        found = claim.check(case).mended
        return np.full(case.count, -np.inf) if found is None else found

    return measure


def _judge(claim: Claim, tried: Sequence[Case], example: dict[str, Any] | None, top: float, more: float) -> Judged:
    found = [claim.check(case) for case in tried]
    printed = np.concatenate([one.printed for one in found])
    mended = [one.mended for one in found if one.mended is not None]
    figures = {name: np.concatenate([one.figures[name] for one in found]) for name in found[0].figures}
    ratios = [float(printed.max()), top]
    best = max(float(np.concatenate(mended).max()), more) if mended else None
    shown = None
    if example is not None:
        case = decode(example)
        again = claim.check(case)
        ratios.append(float(again.printed[0]))
        best = None if best is None or again.mended is None else max(best, float(again.mended[0]))
        shown = {"states": case.game.states, "actions": list(case.game.actions), "gamma": case.game.gamma,
                 "ratio": ratios[-1], "game": example}  # fmt: skip
    told = {name: x[np.isfinite(x)] for name, x in figures.items()}
    known = {name: Figure(float(np.median(x)), float(x.mean()), float(x.max())) for name, x in told.items() if x.size}
    return Judged(claim, len(printed), ratios[0], float(np.median(printed)), top, best,
                  _verdict(claim, max(ratios), best, figures), known, shown)  # fmt: skip


def _verdict(claim: Claim, worst: float, mended: float | None, figures: dict[str, np.ndarray]) -> Verdict:
    if worst <= claim.limit:
        return VACUOUS if claim.vacuous and figures[claim.vacuous[0]].max() < 0 else HOLDS
    return MENDED if mended is not None and mended <= claim.limit else FAILS
