"""A2PO: the bounds, and what its preceding-agent off-policy correction leaves of the advantage (xi)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coterie.exact.bounds import joint_shape
from coterie.exact.dec_mdp import DecMdp, Policies, Solved, joint, solve
from coterie.exact.found import Found, Numbers, distances, error, expected, largest, ratio, stages
from coterie.exact.random_games import Case


def corrected(
    game: DecMdp, behaviour: np.ndarray, target: np.ndarray, value: np.ndarray, trace: float = 1.0, cut: bool = True
) -> np.ndarray:
    """E[A^{pi, pi-hat}(s, a)] of the traces with actions from ``behaviour``, ``[B, S, J]``.

    A = delta + gamma lambda E[c A], c = min(1, pi-hat / pi) at the next state and action (not cut: the ratio itself).
    With u(s) = E_pi[c A] this is a linear equation in u alone.
    """
    weight = np.minimum(behaviour, target) if cut else target  # pi c
    delta = game.reward + game.gamma * game.look_ahead(value) - value[..., None]
    system = np.eye(game.states) - game.gamma * trace * game.chain(weight)
    later = solve(system, (weight * delta).sum(-1))
    return delta + game.gamma * trace * game.look_ahead(later)


def fixed_point(game: DecMdp, behaviour: np.ndarray, target: np.ndarray, trace: float = 1.0) -> np.ndarray:
    """The critic to which the targets V + A^{pi, pi-hat}(s, a), a from ``behaviour``, lead: E_pi[A] = 0, ``[B, S]``."""
    weight = np.minimum(behaviour, target)
    chain, cut = game.chain(behaviour), game.chain(weight)
    inner = np.linalg.inv(np.eye(game.states) - game.gamma * trace * cut)
    ahead = game.gamma * trace * chain @ inner
    mass = np.eye(game.states) * weight.sum(-1)[..., None]
    system = np.eye(game.states) - game.gamma * chain - ahead @ (game.gamma * cut - mass)
    right = (behaviour * game.reward).sum(-1) + (ahead @ (weight * game.reward).sum(-1)[..., None])[..., 0]
    return solve(system, right)


class _Turns(NamedTuple):
    """Teams pi-hat^0 .. pi-hat^N solved, and for each turn A^{pi, pi-hat^{i-1}} with the exact critic, and xi^i."""

    teams: list[Policies]
    solved: list[Solved]
    corrected: list[np.ndarray]
    xi: list[Numbers]


def _turns(case: Case) -> _Turns:
    game, teams = case.game, stages(case)
    known = [game.solve(joint(team)) for team in teams]
    pi = joint(case.old)
    found = [corrected(game, pi, joint(teams[i]), known[i].value) for i in range(game.agents)]
    xi = [largest(a - known[i].advantage) for i, a in enumerate(found)]
    return _Turns(teams, known, found, xi)


def a2po_single(case: Case) -> Found:
    """|J(pi-hat^i) - L| <= 4 eps^i a_i (1/(1-g) - 1/(1-g(1-S_i))) + xi^i/(1-g), S_i of the agents up to i.

    L = J(pi-hat^{i-1}) + E_{d^pi, pi-hat^i}[A^{pi, pi-hat^{i-1}}] / (1-g), eps^i = max |A^{pi-hat^{i-1}}|.
    """
    game, turns, worst = case.game, _turns(case), np.zeros(case.count)
    alphas, occupancy = distances(case.old, case.new), turns.solved[0].occupancy
    for i in range(1, game.agents + 1):
        gain = expected(game, occupancy, joint(turns.teams[i]), turns.corrected[i - 1])
        left = np.abs(turns.solved[i].objective - turns.solved[i - 1].objective - gain)
        right = 4 * largest(turns.solved[i - 1].advantage) * alphas[i - 1] * joint_shape(game.gamma, alphas[:i].sum(0))
        right = right + turns.xi[i - 1] / (1 - game.gamma)
        worst = np.maximum(worst, ratio(left, right, largest(turns.solved[i - 1].quality)))
    return Found(worst)


def _joint_bound(case: Case, turns: _Turns) -> Numbers:
    game, alphas = case.game, distances(case.old, case.new)
    eps = np.max([largest(known.advantage) for known in turns.solved[:-1]], axis=0)
    shapes = [alphas[i] * joint_shape(game.gamma, alphas[: i + 1].sum(0)) for i in range(game.agents)]
    return 4 * eps * np.sum(shapes, axis=0) + np.sum(turns.xi, axis=0) / (1 - game.gamma)


def a2po_joint(case: Case) -> Found:
    """|J(pi') - G| <= 4 eps sum_i a_i (1/(1-g) - 1/(1-g(1-S_i))) + sum_i xi^i/(1-g), G = J + the sum of all gains."""
    game, turns = case.game, _turns(case)
    occupancy = turns.solved[0].occupancy
    gains = [expected(game, occupancy, joint(turns.teams[i + 1]), turns.corrected[i]) for i in range(game.agents)]
    left = np.abs(turns.solved[-1].objective - turns.solved[0].objective - np.sum(gains, axis=0))
    return Found(ratio(left, _joint_bound(case, turns), largest(turns.solved[0].quality)))


def a2po_tighter(case: Case) -> Found:
    """A2PO's joint bound over CoPPO's, xi as it is with the exact critic; as a figure: as if xi were 0."""
    game, turns, total = case.game, _turns(case), distances(case.old, case.new).sum(0)
    alphas = distances(case.old, case.new)
    eps, scale = largest(turns.solved[0].advantage), largest(turns.solved[0].quality)
    coppo = 4 * eps * total * joint_shape(game.gamma, total)
    shapes = [alphas[i] * joint_shape(game.gamma, alphas[: i + 1].sum(0)) for i in range(game.agents)]
    without = 4 * eps * np.sum(shapes, axis=0)
    return Found(ratio(_joint_bound(case, turns), coppo, scale), figures={"with xi = 0": ratio(without, coppo, scale)})


def xi_untruncated(case: Case) -> Found:
    """With the exact critic and the ratios as they are, A^{pi, pi-hat} = A^{pi-hat}."""
    game, pi, hat = case.game, joint(case.old), joint(stages(case)[-2])
    moved = game.solve(hat)
    return Found(error(corrected(game, pi, hat, moved.value, cut=False), moved.advantage, largest(moved.quality)))


def xi_exact_critic(case: Case) -> Found:
    """Xi / max |A^{pi-hat}| with the exact critic of pi-hat and ratios cut at 1; claimed: 0."""
    return Found(_xi(case, critic="exact"))


def xi_fixed_point(case: Case) -> Found:
    """Xi / max |A^{pi-hat}| at the fixed point of A2PO's own value targets; beside it stale critics; claimed: 0."""
    plain = _xi(case, critic="none")
    figures = {"plain A^pi": plain, "V of the old team": _xi(case, critic="old")}
    return Found(_xi(case, critic="fixed"), figures=figures)


def _xi(case: Case, critic: str) -> Numbers:
    """The last turn's error of the advantage over max |A^{pi-hat}|; critic ``none``: no correction at all."""
    game, pi, hat = case.game, joint(case.old), joint(stages(case)[-2])
    old, moved = game.solve(pi), game.solve(hat)
    if critic == "none":
        found = old.advantage
    else:
        value = {"exact": moved.value, "old": old.value}.get(critic)
        found = corrected(game, pi, hat, fixed_point(game, pi, hat) if value is None else value)
    return ratio(largest(found - moved.advantage), largest(moved.advantage), largest(moved.quality))
