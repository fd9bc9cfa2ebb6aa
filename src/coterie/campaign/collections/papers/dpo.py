"""DPO: a fully decentralized surrogate for multi-agent policy optimization (Su and Lu 2024)."""

from coterie.campaign.collection import Item, Proved, Said, Untested
from coterie.campaign.collections.papers.common import SETTINGS, battles
from coterie.exact.claims import VACUOUS

PAPER = "DPO"
SMALLER = "30 states and 3 agents, as in the released code, not 100 and 6"
FORMATIONS = "spread, line and circle with 5 agents, half a million steps at laptop scale"
NO_IQL = Untested("No suite trains independent Q-learners there; the library has them (iql).")
BELOW = tuple(
    Said("stochastic", f"dpo stays below the optimum of {game}", SMALLER)
    for game in ("random 30x3x5", "random 30x3x5, another")
)


ITEMS = (
    Item(
        PAPER, "Equation 3",
        "The gain is at least the joint surrogate minus C times the largest divergence.",
        (Proved("dpo_equation_3"),),
    ),
    Item(
        PAPER, "Section 3.2 (equation 5 and its fixed point)",
        "The operator of a decentralised critic has one fixed point: the team's Q averaged over the others' policies.",
        (Proved("critic"),),
    ),
    Item(
        PAPER, "Lemma 3.1 (equation 8)",
        "The joint surrogate is at least an agent's own minus M̃ times the root of the others' divergences.",
        (Proved("dpo_lemma_3_1"),),
    ),
    Item(
        PAPER, "Proof of Lemma 3.1 (before equation 9)",
        "No advantage exceeds r_max / (1 − γ).",
        (Proved("dpo_advantage"),),
    ),
    Item(
        PAPER, "Theorem 3.2 (equations 12 to 16)",
        "The gain is at least the mean of the agents' surrogates minus M̂ Σ √KL and C Σ KL.",
        (Proved("dpo_theorem_3_2"),),
    ),
    Item(
        PAPER, "Theorem 3.3 (equations 17 and 18)",
        "Teams whose agents maximise the surrogate improve monotonically and converge.",
        (Proved("dpo_theorem_3_3"),),
    ),
    Item(
        PAPER, "Section 3.3, last sentence",
        "An agent's own trajectory can take the place of the state.",
        (Proved("critic_hidden", note="the fixed point of section 3.2 where two states look alike"),),
    ),
    Item(
        PAPER, "Section 3.4, last paragraph",
        "The terms √KL and KL cannot be merged: without either the returns are lower.",
        (
            Said("stochastic", "both terms are needed", SMALLER),
            Said("stochastic", "dpo over ippo_kl", f"without the root; {SMALLER}"),
            Said("formations", "dpo over ippo_kl", f"without the root; {FORMATIONS}"),
        ),
    ),
    Item(
        PAPER, "Section 3.5, first paragraph",
        "With the constants of the theory the steps are too small.",
        (Proved("dpo_theorem_3_3", VACUOUS, "there is no step at all: the old policy is the only maximiser"),),
    ),
    Item(
        PAPER, "Equations 19 and 20 (Algorithm 1)",
        "The practical surrogate with two adaptive coefficients improves on IPPO in most tasks.",
        (
            Said("stochastic", "dpo over ippo", SMALLER),
            Said("stochastic", "the released code over ippo", SMALLER),
            Said("formations", "dpo over ippo", FORMATIONS),
            Said("mujoco", "dpo over ippo", "Hopper 3×1 and HalfCheetah 2×3 of EnvPool; DPO as released"),
            battles("A part of the tasks is"),
        ),
    ),
    Item(
        PAPER, "Figure 1 (a)",
        "On the stochastic game DPO beats IPPO and IQL, and stays below the optimum.",
        (
            Said("stochastic", "dpo over ippo", SMALLER),
            Said("stochastic", "the released code over ippo", SMALLER),
            *BELOW,
            NO_IQL,
        ),
    ),
    Item(
        PAPER, "Figure 1 (b)",
        "Targets of the divergence of 0.001 and 0.01 are slow, 1 is noisy, 0.1 is best.",
        (Untested("No suite varies the target; it is an option, surrogate.target, of the recipe."),),
    ),
    Item(
        PAPER, "Figure 2",
        "On spread, line and circle with 5 agents DPO ends above IPPO and IQL.",
        (Said("formations", "dpo over ippo", FORMATIONS), NO_IQL),
    ),
    Item(
        PAPER, "Figure 3",
        "On five robots DPO beats IPPO and IDDPG.",
        (
            Said("mujoco", "dpo over ippo on the hopper", "EnvPool, half a million steps at laptop scale, as released"),
            Untested("No suite trains on the paper's HalfCheetah 3×2, Walker2d, Ant and Humanoid, nor IDDPG; "
                     "the library has them."),
        ),
    ),
    Item(PAPER, "Figure 4", "On five maps of SMAC DPO beats IPPO and IQL.", (battles("Learning curves"),)),
    Item(
        PAPER, "Figure 5",
        "On spread, line and circle DPO beats itself without either term.",
        (
            Said("formations", "dpo over ippo_kl", f"without the root; {FORMATIONS}"),
            Untested("No suite trains DPO without KL on these games; the library has it (dpo_without_kl)."),
        ),
    ),
    Item(
        PAPER, "Figure 6",
        "On five robots DPO beats itself without either term.",
        (Untested("No suite trains DPO without a term on robots; the library has both (ippo_kl, dpo_without_kl)."),),
    ),
    Item(PAPER, "Figure 7", "On five maps of SMAC DPO beats itself without either term.",
         (battles("Learning curves"),)),
    Item(
        PAPER, "Figure 8",
        "On the stochastic game IPPO, IPPO-KL and DPO without KL are alike and all below DPO, IQL is lower still, and "
        "the optimum far above.",
        (
            Said("stochastic", "dpo over ippo", SMALLER),
            Said("stochastic", "dpo over ippo_kl", SMALLER),
            Said("stochastic", "both terms are needed", SMALLER),
            *BELOW,
            NO_IQL,
        ),
    ),
    Item(
        PAPER, "Figure 9",
        "DPO is not sensitive to the band δ and the factor ω of its coefficients.",
        (Untested("No suite varies them; both are options, surrogate.band and surrogate.factor, of the recipe."),),
    ),
    Item(PAPER, "Figure 10", "On 27m_vs_30m and MMM2 IPPO's clip range makes no difference in the end.",
         (battles("Learning curves"),)),
    Item(PAPER, "Figure 11", "On 27m_vs_30m and MMM2 the divergences stay small.", (battles("Divergences"),)),
    Item(PAPER, "Table 1", "Settings of the robots.", (SETTINGS,)),
    Item(PAPER, "Table 2", "Settings of all experiments.", (SETTINGS,)),
)  # fmt: skip
