"""Every row of the table on a few games; the verdicts follow from what is measured; counterexamples are verified."""

import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.exact import drift, leniency, omdpg, preceding
from coterie.exact.claims import CLAIMS, FAILS, HOLDS, MENDED, VACUOUS, Claim
from coterie.exact.dec_mdp import DecMdp, joint
from coterie.exact.found import Found, divergences
from coterie.exact.judge import decode, encode, judge, select, stored
from coterie.exact.random_games import Case, cases, random_case
from coterie.exact.search import LEAST, climb, counterexample, shorten
from tests.oracles import exact as oracle

NAMES = {claim.name: claim for claim in CLAIMS}


@pytest.fixture(scope="module")
def rows():
    return {row.claim.name: row for row in judge(games=135, seed=1, steps=10)}


@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_what_theory_leads_one_to_expect(rows, name):
    row, claim = rows[name], NAMES[name]
    assert row.games == 135 and row.verdict == claim.expected
    assert (row.counterexample is not None) == (claim.expected in (MENDED, FAILS))
    assert claim.check.__doc__ and claim.says and claim.source


@pytest.mark.parametrize("name", sorted(stored()))
def test_counterexamples_are_small_short_and_true(name):
    """Violated by far more than rounding, with numbers of at most four decimals."""
    data, claim = stored()[name], NAMES[name]
    case = decode(data)
    found = float(claim.check(case).printed[0])
    assert found > (1.02 if claim.kind == "bound" else 0.02)
    assert case.game.states <= 3 and case.game.actions == (2, 2)
    assert encode(case) == data
    for part in (data["transition"], data["reward"], data["start"], data["table"], *data["old"], *data["new"]):
        assert all(round(x, 4) == x for x in np.ravel(part))
    for policy in (*case.old, *case.new):
        np.testing.assert_allclose(policy.sum(-1), 1.0, atol=1e-12)


def test_verdicts_follow_from_the_numbers():
    tight = lambda factor: lambda case: Found(np.full(case.count, factor))  # noqa: E731
    row = lambda **fields: next(iter(judge([Claim("x", "", "", kind="bound", **fields)], games=27, steps=1)))  # noqa: E731
    assert row(check=tight(1.0)).verdict == HOLDS
    assert row(check=tight(1.001)).verdict == FAILS
    mended = lambda factor: lambda case: Found(np.full(case.count, 2.0), np.full(case.count, factor))  # noqa: E731
    assert row(check=mended(1.0)).verdict == MENDED and row(check=mended(1.1)).verdict == FAILS
    empty = lambda top: lambda case: Found(np.zeros(case.count), figures={"most": np.full(case.count, top)})  # noqa: E731
    assert row(check=empty(-1.0), vacuous=("most", "")).verdict == VACUOUS
    assert row(check=empty(1.0), vacuous=("most", "")).verdict == HOLDS


def test_a_row_comes_again_from_its_seed():
    name = select("perla_theorem_5")
    first, again, other = (next(iter(judge(name, 54, seed, 5))) for seed in (3, 3, 4))
    assert (first.worst, first.median, first.climbed) == (again.worst, again.median, again.climbed)
    assert other.worst != first.worst and other.climbed != first.climbed
    among = {row.claim.name: row for row in judge(CLAIMS[-3:] + name, 54, 3, 5)}
    assert among["perla_theorem_5"].worst == first.worst and among["perla_theorem_5"].climbed == first.climbed


def test_bad_input():
    with pytest.raises(CoterieError, match=r"^there is no claim 'perla_theorem_55': did you mean perla_theorem_5\?$"):
        select("perla_theorem_55")
    for games, seed, steps in ((0, 0, 1), (1, -1, 1), (1, 0, -1)):
        with pytest.raises(CoterieError, match="give at least 1 game"):
            list(judge(CLAIMS, games, seed, steps))


def test_random_games_are_as_the_recipe_says():
    """Sharp transitions, peaked policies, steps with S above 1, agents that stay, rewards that are all negative."""
    drawn = list(cases(540, 0))
    assert len(drawn) == 27 and sum(case.count for case in drawn) == 540
    alphas = [np.stack([0.5 * np.abs(p - q).sum(-1).max(-1) for p, q in zip(c.old, c.new, strict=True)]) for c in drawn]
    assert max(a.sum(0).max() for a in alphas) > 1.5 and min(a.sum(0).min() for a in alphas) < 0.05
    assert 0.15 < np.mean([(a == 0).any(0).mean() for a in alphas]) < 0.35
    assert 0.2 < np.mean([(c.game.reward < 0).all((1, 2)).mean() for c in drawn]) < 0.5
    assert np.mean([(c.game.transition.max(-1) > 0.99).mean() for c in drawn]) > 0.6
    assert all(np.isfinite(divergences(c.old, c.new)).all() for c in drawn)


def test_traces_are_the_sums_that_they_stand_for():
    """A = sum_k (gamma lambda)^k E[c_1 ... c_k delta_k], added up for 200 steps; E_pi of it is 0 at the fixed point."""
    case = random_case(np.random.default_rng(0), 4, 3, (2, 2), 0.9)
    game, pi, hat = case.game, joint(case.old), joint(case.new)
    value = case.table[..., 0]
    delta = game.reward + 0.9 * game.look_ahead(value) - value[..., None]
    for cut in (True, False):
        weight = pi * (np.minimum(1, hat / pi) if cut else hat / pi)
        term, total = delta, delta
        for _ in range(200):
            term = 0.8 * 0.9 * game.look_ahead((weight * term).sum(-1))
            total = total + term
        np.testing.assert_allclose(preceding.corrected(game, pi, hat, value, 0.8, cut), total, atol=1e-9)
    settled = preceding.fixed_point(game, pi, hat, 0.8)
    np.testing.assert_allclose((pi * preceding.corrected(game, pi, hat, settled, 0.8)).sum(-1), 0, atol=1e-10)
    still = preceding.fixed_point(game, pi, pi, 0.8)
    np.testing.assert_allclose(still, game.solve(pi).value, atol=1e-10)


def test_the_truncated_correction_by_hand():
    """One state, A of pi-hat is (1, -1) for agent 0's actions: xi = gamma lambda |E[c A]| / (1 - gamma E[c])."""
    game = DecMdp(np.ones((1, 1, 2, 1)), np.array([[[1.0, -1.0]]]), np.ones((1, 1)), 0.5, (2,))
    pi, hat = np.array([[[0.9, 0.1]]]), np.array([[[0.5, 0.5]]])  # c pi = (0.5, 0.1)
    found = preceding.corrected(game, pi, hat, game.solve(hat).value)
    np.testing.assert_allclose(found, [[[1 + 0.5 * 0.4 / 0.7, -1 + 0.5 * 0.4 / 0.7]]])


def one_state(rewards, old, table=None, rate=0.5):
    game = DecMdp(np.ones((1, 1, 4, 1)), np.array([[rewards]], float), np.ones((1, 1)), 0.5, (2, 2))
    policies = tuple(np.array([[p]], float) for p in old)
    return Case(game, policies, policies, np.array([[table or [0.0] * 4]]), np.array([rate]))


def test_leniency_by_hand():
    """Leniency 1/2 and rewards 1, -1, 0.3, 0.3 from Q = 0 at rate 1/2.

    Reward 1 gives 1/2; reward -1 then gives -1/4, or nothing if it is forgiven; hysteresis gives 1/8.
    """
    case = one_state([0, 0, 0, 0], [[0.5, 0.5]] * 2, [1.0, -1.0, 0.3, 0.3])
    assert leniency.gradient(case).printed < 1e-15 and leniency.table_once(case).printed == 0
    hysteretic = 0.125 + 0.5 * 0.175
    hysteretic += 0.5 * (0.3 - hysteretic)
    kept, forgiven = -0.25, 0.5
    for _ in range(2):  # rewards of 0.3: a rise for the one, a fall for the other, which is forgiven half of the times
        kept += 0.5 * (0.3 - kept)
    outcomes = []
    for masks in ((0, 0), (0, 1), (1, 0), (1, 1)):
        value = forgiven
        for mask in masks:
            value += mask * 0.5 * (0.3 - value)
        outcomes.append(value)
    expected = 0.5 * kept + 0.5 * np.mean(outcomes)
    np.testing.assert_allclose(leniency.table_often(case).printed, abs(expected - hysteretic), atol=1e-12)


def test_coordinate_ascent_stops_where_the_climb_game_says():
    """From (second, second) neither agent alone finds the 8; with optimal future actions the first one does."""
    stuck = one_state([8, -12, -12, 0], [[0.1, 0.9]] * 2)
    quality = stuck.game.solve(joint(stuck.old)).quality[0, 0]
    gap = (quality.max() - quality[3]) / np.abs(quality).max()
    np.testing.assert_allclose(omdpg.current_marginals(stuck).printed, gap)
    assert omdpg.optimal_marginals(stuck).printed == 0


def test_the_drift_by_hand():
    """Both agents share one uniform table; agent 0's step moves a logit by 2, so agent 1 starts with another policy."""
    case = one_state([1, 1, 0, 0], [[0.5, 0.5]] * 2)
    moved = np.exp([2, -2]) / np.exp([2, -2]).sum()
    np.testing.assert_allclose(drift.start_shared(case).printed, np.abs(moved - 0.5).sum())
    assert drift.start_separate(case).printed == 0


def test_the_search_finds_and_shortens():
    claim = NAMES["dpo_advantage"]
    found = counterexample(claim, climbers=20, steps=60)
    assert found is not None and claim.check(found).printed[0] > 1.02
    assert np.array_equal(found.new[0], found.old[0]) and not found.table.any()  # what it does not need is dropped
    assert counterexample(NAMES["joint_distance"], climbers=4, steps=3) is None
    case = random_case(np.random.default_rng(0), 6, 2, (2, 2), 0.5)
    higher, ratios = climb(lambda case: claim.check(case).printed, case, 30, np.random.default_rng(1))
    assert (ratios >= claim.check(case).printed).all() and (ratios > claim.check(case).printed).any()
    np.testing.assert_array_equal(claim.check(higher).printed, ratios)
    assert min(p.min() for p in higher.old) > LEAST / 3
    one = case.one(0)
    assert claim.check(shorten(claim, one, 0.0)).printed[0] >= 0


@pytest.mark.parametrize("name", ["happo_single", "happo_single_previous"])
def test_the_single_agent_bound_of_happo_fails_by_rollouts_too(name):
    """The stored game again, everything summed over 4000 steps by the slow twin: two agents, one after the other."""
    case = decode(stored()[name])
    game, gamma = case.game, case.game.gamma
    transition, reward, start = game.transition[0], game.reward[0], game.start[0]
    old, new = ([p[0] for p in policies] for policies in (case.old, case.new))
    teams = [oracle.joint_policy(team) for team in (old, [new[0], old[1]], new)]
    values = [oracle.value(transition, reward, gamma, team) for team in teams]
    advantage = reward + gamma * transition @ values[0] - values[0][:, None]
    seen, eps = oracle.occupancy(transition, start, gamma, teams[0]), np.abs(advantage).max()
    alpha = [max(0.5 * np.abs(p - q).sum(1)) for p, q in zip(old, new, strict=True)]
    ratios = []
    for turn in (1, 2):
        base = values[0] if name == "happo_single" else values[turn - 1]
        gain = seen @ (teams[turn] * advantage).sum(1) / (1 - gamma)
        left = abs(start @ (values[turn] - base) - gain)
        shape = 3 / (1 - gamma) - 2 / (1 - gamma * (1 - sum(alpha[:turn])))
        ratios.append(
            left / (2 * eps * alpha[turn - 1] * shape + 2 * eps * sum(alpha[: turn - 1]) / (1 - gamma) + 1e-300)
        )
    np.testing.assert_allclose(NAMES[name].check(case).printed[0], max(ratios), rtol=1e-6)
    assert max(ratios) > 1.1
