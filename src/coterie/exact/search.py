"""Counterexamples found by hill-climbing and made short: how ``counterexamples.json`` came about."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from coterie.exact.claims import Claim
from coterie.exact.dec_mdp import Policies
from coterie.exact.found import Numbers
from coterie.exact.random_games import GAMMAS, Case, random_case

SIZES = ((1, (2, 2)), (2, (2, 2)), (2, (2, 2, 2)), (3, (2, 2)))
"""From the smallest: the first size with a counterexample is kept."""
ENOUGH = 5.0
"""A ratio with which a claim is beaten; a climb beyond it only looks for the edge where numbers mean nothing."""
LEAST = 0.01
"""Least probability of an action in a counterexample, and of what is rounded away."""


def climb(
    measure: Callable[[Case], Numbers], case: Case, steps: int, draw: np.random.Generator, enough: float = np.inf
) -> tuple[Case, np.ndarray]:
    """Every game climbs on its own: a random change is kept if its ``measure`` rises, up to ``enough``."""
    best = measure(case)
    for step in range(steps):
        size = 2.0 * 0.01 ** (step / steps)
        tried = _changed(case, size, draw)
        found = measure(tried)
        better = np.isfinite(found) & (found > best) & (best < enough)
        case, best = _chosen(better, tried, case), np.where(better, found, best)
    return case, best


def counterexample(claim: Claim, climbers: int = 200, steps: int = 1000, seed: int = 0) -> Case | None:
    """The smallest and shortest game with which the claim, as printed, fails; None if none was found."""
    for number, ((states, actions), gamma) in enumerate(itertools.product(SIZES, GAMMAS)):
        draw = np.random.default_rng([seed, number])
        with np.errstate(all="ignore"):  # a step that leaves the numbers' range is not taken
            start = random_case(draw, climbers, states, actions, gamma)
            case, found = climb(lambda case: claim.check(case).printed, start, steps, draw, ENOUGH)
        # Beyond ENOUGH, the nearer the better.
        beyond = np.log10(np.clip(found / ENOUGH, 1.0, 1e300))
        one = int(np.where(beyond > 0, ENOUGH - beyond / 100, found).argmax())
        reached = min(float(found[one]), ENOUGH)
        if reached > (1.02 if claim.kind == "bound" else 0.02):
            least = 1 + 0.9 * (reached - 1) if claim.kind == "bound" else 0.7 * reached
            short = shorten(claim, case.one(one), least)
            if claim.check(short).printed[0] > claim.limit:
                return short
    return None


def shorten(claim: Claim, case: Case, least: float) -> Case:
    """Drop what the claim does not need and round numbers, as long as its ratio stays at ``least``."""
    for change in _shorter():
        try:
            tried = change(case)
            good = claim.check(tried).printed[0] >= least
        except (ArithmeticError, np.linalg.LinAlgError):
            continue
        case = tried if good else case
    return case


def _shorter() -> Iterator[Callable[[Case], Case]]:
    for digits in (4, 3):
        yield lambda case, digits=digits: _rounded(case, digits)
    yield lambda case: replace(case, new=case.old)
    yield lambda case: replace(case, table=np.zeros_like(case.table))
    yield lambda case: replace(case, rate=np.full_like(case.rate, 0.5))
    yield lambda case: replace(case, game=replace(case.game, start=np.eye(case.game.states)[:1]))
    yield lambda case: replace(case, game=replace(case.game, reward=np.sign(case.game.reward)))
    yield lambda case: replace(case, game=replace(case.game, reward=_unit(case.game.reward)))
    yield lambda case: replace(case, table=_unit(case.table))
    for digits in (2, 1):
        yield lambda case, digits=digits: _rounded(case, digits)


def _rounded(case: Case, digits: int) -> Case:
    game = replace(case.game, transition=_round(case.game.transition, digits), start=_round(case.game.start, digits),
                   reward=np.round(case.game.reward, digits) + 0.0)  # fmt: skip
    old, new = (tuple(_round(p, digits, keep=True) for p in policies) for policies in (case.old, case.new))
    return Case(game, old, new, np.round(case.table, digits) + 0.0, np.round(case.rate, digits))


def _round(chances: np.ndarray, digits: int, keep: bool = False) -> np.ndarray:
    """Rounded distributions that still sum to 1, if ``keep`` with no zero: the largest entry takes the rest."""
    out = np.round(np.maximum(chances, 10.0**-digits) if keep else chances, digits)
    top = np.expand_dims(out.argmax(-1), -1)
    rest = 1 - (out.sum(-1, keepdims=True) - np.take_along_axis(out, top, -1))
    np.put_along_axis(out, top, np.round(rest, digits), -1)
    return out


def _unit(numbers: np.ndarray) -> np.ndarray:
    return numbers / max(float(np.abs(numbers).max()), 1e-12)


def _changed(case: Case, size: float, draw: np.random.Generator) -> Case:
    def moved(numbers: np.ndarray) -> np.ndarray:
        return numbers + size * draw.normal(size=numbers.shape) * (draw.random(numbers.shape) < 0.3)

    def tilted(chances: np.ndarray, least: float = 1e-9) -> np.ndarray:
        rows = np.exp(moved(np.log(np.maximum(chances, 1e-6))))
        rows = np.maximum(rows / rows.sum(-1, keepdims=True), least)
        return rows / rows.sum(-1, keepdims=True)

    def policies(old: Policies) -> Policies:
        return tuple(tilted(p, LEAST) for p in old)

    game = replace(case.game, transition=tilted(case.game.transition), start=tilted(case.game.start),
                   reward=np.clip(moved(case.game.reward), -1, 1))  # fmt: skip
    rate = np.clip(moved(case.rate), 0.05, 0.95)
    return Case(game, policies(case.old), policies(case.new), np.clip(moved(case.table), -1, 1), rate)


def _chosen(better: np.ndarray, first: Case, second: Case) -> Case:
    def pick(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    game = replace(first.game, **{name: pick(getattr(first.game, name), getattr(second.game, name))
                                  for name in ("transition", "reward", "start")})  # fmt: skip
    old, new = (
        tuple(pick(a, b) for a, b in zip(getattr(first, name), getattr(second, name), strict=True))
        for name in ("old", "new")
    )
    return Case(game, old, new, pick(first.table, second.table), pick(first.rate, second.rate))
