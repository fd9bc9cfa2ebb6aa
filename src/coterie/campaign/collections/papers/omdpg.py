"""OMDPG: optimal marginal deterministic policy gradient (arXiv:2507.09989), as far as its summary tells."""

from coterie.campaign.collection import Elsewhere, Item, Proved, Said, Untested
from coterie.campaign.collections.papers.common import battles
from coterie.exact.claims import FAILS

PAPER = "OMDPG"
SMAX = "on 2s3z of SMAX, which is not SMAC"
HOPPER = "one robot, Hopper 3×1 of EnvPool"
MAPS = Elsewhere(
    "StarCraft II", "Maps of SMAC; other simulators have other rules, and what holds there need not hold here."
)
WALKER = Untested("No suite trains on Walker 6×1; the library has it (mujoco/walker2d-6x1).")


PESSIMISM = tuple(
    Said("omdpg", f"omdpg over pessimism {value}", SMAX) for value in ("0", "0.01", "0.5", "1")
)  # λ = 0.1 against each
NO_PESSIMISM = PESSIMISM[0]

ITEMS = (
    Item(PAPER, "Quick facts: primary result", "OMDPG wins 0.89 of the battles on MMM2, HAPPO 0.45.",
         (battles("A win rate"),)),
    Item(
        PAPER, "Key results: faster convergence",
        "OMDPG converges significantly faster than HAPPO in all environments.",
        (
            Said("mujoco_values", "omdpg over happo", f"returns after equal, few steps; {HOPPER}"),
            battles("Learning curves"),
        ),
    ),
    Item(
        PAPER, "Key results: baselines",
        "OMDPG beats the state of the art on SMAC and multi-agent MuJoCo.",
        (
            Said("mujoco_values", "omdpg over happo", f"at equal, few steps; {HOPPER}"),
            Said("mujoco_values", "omdpg over haddpg", f"at equal, few steps; {HOPPER}"),
            battles("Win rates"),
            WALKER,
        ),
    ),
    Item(
        PAPER, "Key results: monotonic improvement",
        "The guarantee of monotonic improvement survives the sharing of parameters.",
        (
            Proved("omdpg_improves", note="own parameters"),
            Proved("omdpg_improves_shared", note="shared by the agents of a type"),
        ),
    ),
    Item(
        PAPER, "Mechanism 1: drift",
        "With shared parameters the first agent's update corrupts the ratios of those after it.",
        (
            Proved("drift_separate", note="own parameters"),
            Proved("drift_by_type", FAILS, "shared by type: it drifts, as the paper says"),
            Proved("drift_shared", FAILS, "shared by all: it drifts, as the paper says"),
        ),
    ),
    Item(
        PAPER, "Mechanism 1: no drift of OMQ",
        "Optimal marginal values depend on no old policy, and so do not drift.",
        (Proved("omdpg_drift"),),
    ),
    Item(
        PAPER, "Mechanism 1: optimal future actions",
        "With optimal future actions each agent's best response leads to the best joint action.",
        (
            Proved("omq_induction"),
            Proved("omdpg_any_order", note="the prefix as just chosen"),
            Proved("omdpg_buffer_greedy", note="the prefix from the buffer"),
            Said("climb_values", "omdpg on matrix/climbing", "a network, as reconstructed here"),
            Said("omdpg", "omdpg over no marginal", SMAX),
        ),
    ),
    Item(
        PAPER, "Mechanism 2",
        "Pessimism of an ensemble about untried joint actions stabilises learning.",
        (NO_PESSIMISM,),
    ),
    Item(
        PAPER, "Mechanism 3",
        "Actors shared within groups of equal abilities learn faster and lose nothing.",
        (Said("omdpg", "omdpg over no groups", SMAX), Said("omdpg", "omdpg over mixed groups", SMAX)),
    ),
    Item(
        PAPER, "Foundational learning: advantage decomposition",
        "The joint advantage is the sum of the agents' in turn.",
        (Proved("advantage_decomposition"),),
    ),
    Item(
        PAPER, "Foundational learning: HAPPO needs separate policies",
        "The turns' gains add up to the team's with separate parameters, and not with shared ones.",
        (
            Proved("happo_estimate", note="own parameters"),
            Proved("happo_estimate_shared", FAILS, "shared parameters: they do not, as the paper says"),
        ),
    ),
    Item(
        PAPER, "Foundational learning: untried actions",
        "The usual loss fails on joint actions that were never sampled.",
        (NO_PESSIMISM,),
    ),
    Item(
        PAPER, "Design: ensemble size",
        "More critics estimate uncertainty better; 5 are recommended.",
        (Said("omdpg", "omdpg over one critic", f"5 against 1; {SMAX}"),),
    ),
    Item(PAPER, "Design: weight of pessimism", "λ = 0.1 is best.", PESSIMISM),
    Item(
        PAPER, "First experiment 1",
        "HAPPO with parameters shared by type drifts on 6m2m_15m.",
        (Proved("drift_by_type", FAILS, "the drift itself, in tables: it is there"), MAPS),
    ),
    Item(PAPER, "First experiment 2", "Pessimism is needed on MMM2 (λ = 0 against 0.1).",
         (Elsewhere("StarCraft II", "The map is SMAC's; Mechanism 2 has the same ablation on another battle."),)),
    Item(PAPER, "First experiment 3", "Grouping pays on heterogeneous maps and costs nothing on homogeneous ones.",
         (MAPS,)),
    Item(PAPER, "Open question 1", "Does it scale to a hundred agents?",
         (Untested("A question; no suite has more than a dozen agents."),)),
    Item(PAPER, "Open question 2", "Could language models help?", (Untested("A question without a method."),)),
    Item(
        PAPER, "Open question 3",
        "Groups that do not follow the abilities may cost performance.",
        (Said("omdpg", "omdpg over mixed groups", SMAX),),
    ),
    Item(
        PAPER, "Next check 1",
        "The critics' disagreement tells how wrong they are about perturbed future actions.",
        (Elsewhere("StarCraft II", "The check is stated for a modified SMAC, and no suite perturbs actions."),),
    ),
    Item(PAPER, "Next check 2", "λ from 0.01 to 1 on MMM2 and Walker 6×1-Het: which values are stable?",
         (*PESSIMISM[1:], MAPS, WALKER)),
    Item(
        PAPER, "Next check 3",
        "Random groups against groups by ability.",
        (Said("omdpg", "omdpg over mixed groups", SMAX), MAPS),
    ),
)  # fmt: skip
