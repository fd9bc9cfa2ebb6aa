"""Every claim of the papers that enumeration can check: what it says, where it stands, and the check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from coterie.exact import bounds, decompositions, dpo, drift, leniency, omdpg, omdpg_turns, perla, preceding
from coterie.exact.found import Found
from coterie.exact.random_games import Case

Verdict = Literal["holds", "holds, but vacuous", "holds with changed constant", "fails: counterexample"]
HOLDS, VACUOUS, MENDED, FAILS = "holds", "holds, but vacuous", "holds with changed constant", "fails: counterexample"


@dataclass(frozen=True)
class Claim:
    """One row.

    Args:
        name: How the command line calls it.
        source: Paper, and equation or theorem.
        says: The claim in a line.
        check: Measures it on a batch of games.
        kind: ``bound`` (left side over right side, at most 1) or ``equation`` (relative error, 0).
        expected: The verdict that the theory leads one to expect; the tests compare it with the measured one.
        mending: The constant that mends it, where one does.
        vacuous: The figure of the check that is below 0 in every game if the claim says nothing, and why that is so.
    """

    name: str
    source: str
    says: str
    check: Callable[[Case], Found]
    kind: Literal["bound", "equation"]
    expected: Verdict = "holds"
    mending: str = ""
    vacuous: tuple[str, str] | None = None

    @property
    def limit(self) -> float:
        """The largest number with which it holds: rounding is forgiven."""
        return 1 + 1e-9 if self.kind == "bound" else 1e-9


A2PO, DPO, PERLA, LENIENT, OMDPG = "A2PO", "DPO", "PERLA", "Lenient MAPG", "OMDPG"

CLAIMS = (
    Claim("advantage_decomposition", f"{A2PO}, lemma 1", "A^{1:m} = sum_j A^j(s, a^{1:j-1}, a^j)",
          decompositions.advantage_decomposition, "equation"),
    Claim("performance_difference", f"{A2PO}, CoPPO", "J' - J = E_{d', pi'}[A] / (1 - g), d as printed",
          decompositions.performance_difference, "equation", MENDED,
          "d = (1 - g) sum_t g^t P_t, printed with 1 / (1 - g)"),
    Claim("policy_gradient", f"{PERLA}, theorem 2", "grad J = E[sum_t g^t Q grad log pi_i]",
          decompositions.policy_gradient, "equation"),
    Claim("non_stationarity", f"{A2PO}, decomposition", "the shift of transitions is the sum of every turn's",
          decompositions.non_stationarity, "equation"),
    Claim("joint_distance", f"{A2PO}, corollary 2", "TV(pi, pi') <= sum_i TV(pi_i, pi'_i)",
          decompositions.joint_distance, "bound"),
    Claim("ppo_bound", f"{A2PO}, recap", "|J' - L| <= 4 eps alpha / (1 - g)", bounds.ppo_linear, "bound"),
    Claim("trpo_bound", "TRPO", "|J' - L| <= 4 eps g alpha^2 / (1 - g)^2", bounds.trpo_quadratic, "bound"),
    Claim("mappo_bound", f"{A2PO}, MAPPO", "|J' - L_MAPPO| <= 4 eps S / (1 - g)", bounds.mappo_bound, "bound"),
    Claim("coppo_bound", f"{A2PO}, CoPPO and HAPPO", "|J' - L| <= 4 eps S (1/(1-g) - 1/(1-g(1-S)))",
          bounds.coppo_bound, "bound"),
    Claim("coppo_proof", f"{A2PO}, CoPPO", "its proof: 1 - (1 - S)^t is a probability", bounds.coppo_proof, "bound",
          MENDED, "max(0, 1 - S) for 1 - S"),
    Claim("happo_single", f"{A2PO}, single agent", "|J(pi^i) - L| <= own + 2 eps sum_e a_j / (1-g), L from J(pi)",
          bounds.happo_single, "bound", MENDED, "eps = max |A| over all teams of the update"),
    Claim("happo_single_previous", f"{A2PO}, single agent", "the same, L from J(pi^{i-1})",
          bounds.happo_single_previous, "bound", MENDED, "eps = max |A| over all teams of the update"),
    Claim("a2po_single", f"{A2PO}, single agent", "|J(pi^i) - L| <= CoPPO's shape + xi_i / (1 - g)",
          preceding.a2po_single, "bound"),
    Claim("a2po_joint", f"{A2PO}, joint", "|J' - G| <= CoPPO's shape with S_i + sum_i xi_i / (1 - g)",
          preceding.a2po_joint, "bound"),
    Claim("a2po_tighter", f"{A2PO}, table", "A2PO's bound is at most CoPPO's", preceding.a2po_tighter, "bound", FAILS),
    Claim("xi_untruncated", f"{A2PO}, PreOPC", "xi = 0: exact critic, ratios not cut", preceding.xi_untruncated,
          "equation"),
    Claim("xi_exact_critic", f"{A2PO}, PreOPC", "xi = 0: exact critic, ratios cut at 1", preceding.xi_exact_critic,
          "equation", FAILS),
    Claim("xi_fixed_point", f"{A2PO}, PreOPC", "xi = 0: critic at the fixed point of its targets",
          preceding.xi_fixed_point, "equation", FAILS),
    Claim("dpo_advantage", f"{DPO}, proof of 3.1", "max |A| <= r_max / (1 - g)", dpo.advantage_bound, "bound", MENDED,
          "2 r_max / (1 - g)"),
    Claim("dpo_equation_3", f"{DPO}, eq. 3", "J' - J >= L - 4 g r_max / (1 - g)^3 KLmax", dpo.trpo_divergence, "bound"),
    Claim("dpo_lemma_3_1", f"{DPO}, lemma 3.1", "L_joint - L_i >= -M sqrt(sum_{j != i} KLmax_j)", dpo.lemma_3_1,
          "bound"),
    Claim("dpo_theorem_3_2", f"{DPO}, theorem 3.2", "J' - J >= mean L_i - Mhat sum sqrt KLmax - C sum KLmax",
          dpo.theorem_3_2, "bound"),
    Claim("dpo_theorem_3_3", f"{DPO}, theorem 3.3", "the maximiser of (17) improves the team", dpo.theorem_3_3, "bound",
          VACUOUS, vacuous=("largest surrogate", "no policy ever moves")),
    Claim("critic", f"{DPO}, eq. 5", "Q_i = E_{-i}[Q], V_i = V", decompositions.decentralised_critic,
          "equation"),
    Claim("critic_hidden", f"{DPO}, section 3.3", "the same, two states looking alike",
          decompositions.decentralised_critic_hidden, "equation", FAILS),
    Claim("perla_theorem_1", f"{PERLA}, theorem 1", "Var Qhat = Var Q / k + (k - 1) / k Var Qtilde", perla.theorem_1,
          "equation"),
    Claim("perla_theorem_3", f"{PERLA}, theorem 3", "E g^C = E g^P, any critic", perla.theorem_3, "equation"),
    Claim("perla_theorem_3_stale", f"{PERLA}, theorem 3", "the same, others' policies newer than the data",
          perla.theorem_3_stale, "equation", FAILS),
    Claim("perla_theorem_4_equality", f"{PERLA}, eq. 9", "Var g^P - Var g^D = E[sum g^2t |score|^2 Var(Q|s,a_i)] / k",
          perla.theorem_4_equality, "equation"),
    Claim("perla_theorem_4", f"{PERLA}, theorem 4", "Var g^P - Var g^D <= B^2 C^2 / (k (1 - g^2)), C = sup Q",
          perla.theorem_4, "bound", MENDED, "C = sup |Q|"),
    Claim("perla_theorem_5", f"{PERLA}, theorem 5", "Var g^C - Var g^D <= B^2 C^2 / (1 - g^2), C = sup |Q|",
          perla.theorem_5, "bound", FAILS),
    Claim("perla_theorem_5_tabular", f"{PERLA}, theorem 5", "the same, parameters for each state and action",
          perla.theorem_5_tabular, "bound", FAILS),
    Claim("drift_separate", f"{OMDPG}, drift", "ratios start at 1, own parameters", drift.start_separate, "equation"),
    Claim("drift_shared", f"{OMDPG}, drift", "ratios start at 1, shared parameters", drift.start_shared, "equation",
          FAILS),
    Claim("drift_by_type", f"{OMDPG}, drift", "ratios start at 1, each type shares its parameters",
          drift.start_by_type, "equation", FAILS),
    Claim("drift_blocks", f"{OMDPG}, drift", "the same, the agents of a type in one turn", drift.start_blocks,
          "equation"),
    Claim("happo_estimate", f"{A2PO}, HAPPO", "the turns' gains add up to E_{d, pi'}[A], own parameters",
          drift.estimate_separate, "equation"),
    Claim("happo_estimate_shared", f"{OMDPG}, drift", "the same, shared parameters and live ratios",
          drift.estimate_shared, "equation", FAILS),
    Claim("omq_induction", f"{OMDPG}, OMQ", "max_{a_i} phi*(a_{1:i}) = max_a Q, optimal future actions",
          omdpg.optimal_marginals, "equation"),
    Claim("omq_current", f"{OMDPG}, OMQ", "the same, the team's current actions instead",
          omdpg.current_marginals, "equation", FAILS),
    Claim("omdpg_monotone", f"{OMDPG}, OMQ", "phi* never rises along a_{1:n}; its falls add up to max_a Q - Q(a)",
          omdpg.monotone, "equation"),
    Claim("omdpg_any_order", f"{OMDPG}, OMQ", "the argmaxes of phi* attain max_a Q in every order", omdpg.any_order,
          "equation"),
    Claim("omdpg_ascent", f"{OMDPG}, OMQ", "the same, current future actions, until nobody moves",
          omdpg.ascent, "equation", FAILS),
    Claim("omdpg_current_prefix", f"{OMDPG}, OMQ", "prefix and future current: phi_i = Q(s, mu), whatever the order",
          omdpg.current_prefix, "equation"),
    Claim("omdpg_buffer_prefix", f"{OMDPG}, OMQ", "the same, prefix from the buffer",
          omdpg.buffer_prefix, "equation", FAILS),
    Claim("omdpg_buffer_greedy", f"{OMDPG}, OMQ", "argmaxes of phi*, mean over the buffer's prefix, attain max_a Q",
          omdpg.buffer_greedy, "equation", FAILS),
    Claim("omdpg_improves", f"{OMDPG}, monotone", "the argmaxes of phi* of Q^mu do not lower J, own parameters",
          omdpg_turns.improves, "equation"),
    Claim("omdpg_improves_shared", f"{OMDPG}, monotone", "the same, each type shares its parameters",
          omdpg_turns.improves_shared, "equation", FAILS),
    Claim("omdpg_drift", f"{OMDPG}, drift", "phi* at an agent's turn is that of the start, shared parameters",
          omdpg_turns.still, "equation"),
    Claim("leniency_gradient", f"{LENIENT}", "E[masked gradient] = gradient weighted by 1 - l", leniency.gradient,
          "equation"),
    Claim("leniency_kept", f"{LENIENT}", "the same, mean over the kept samples", leniency.gradient_of_kept, "equation",
          FAILS),
    Claim("leniency_table", f"{LENIENT}", "lenient Q = hysteretic Q in expectation, one update", leniency.table_once,
          "equation"),
    Claim("leniency_table_often", f"{LENIENT}", "the same after four updates", leniency.table_often, "equation", FAILS),
)  # fmt: skip
"""All of them, in the order of the table."""
