"""PERLA: semi-centralised reinforcement learning with policy-embedded training (Jafferjee et al. 2022)."""

from coterie.campaign.collection import Item, Measured, Proved, Said, Untested
from coterie.campaign.collections.papers.common import SETTINGS, battles

PAPER = "PERLA"
MAPS = "three of the ten maps, EPyMARL's team reward, our budget"
OTHER_MAPS = Untested("No suite runs the other seven maps; the library has them all.")
NO_MAPPO = Untested("No suite trains PERLA-MAPPO beside MAPPO on foraging; the library has both.")


ITEMS = (
    Item(
        PAPER, "Theorem 1",
        "The marginalised Q has no more variance than Q, and k draws leave Var Q / k + (k − 1) / k Var Q̃.",
        (Proved("perla_theorem_1"),),
    ),
    Item(
        PAPER, "Lemma 1 (equations 5 to 7)",
        "The same of any function of random variables of which some are averaged out.",
        (Proved("perla_theorem_1", note="the instance that Theorem 1 uses"),),
    ),
    Item(
        PAPER, "Theorem 2",
        "The gradient of the return is the expectation of the discounted sum of Q times the score.",
        (Proved("policy_gradient"),),
    ),
    Item(
        PAPER, "Theorem 3",
        "With the same critic, however wrong, the centralised and PERLA's estimator have the same expectation.",
        (Proved("perla_theorem_3"),),
    ),
    Item(
        PAPER, "Theorem 4",
        "PERLA's excess variance over the decentralised estimator is at most B²C² / (k (1 − γ²)), C = sup Q.",
        (Proved("perla_theorem_4"),),
    ),
    Item(
        PAPER, "Equations 8 and 9",
        "That excess is E[Σ γ^{2t} |score|² Var(Q | s, a_i)] / k.",
        (Proved("perla_theorem_4_equality"),),
    ),
    Item(
        PAPER, "Equations 10 and 11",
        "Var(Q | s, a_i) is bounded by a constant, which turns the equality into the bound.",
        (Proved("perla_theorem_4", note="printed with C where C² is meant; the check has C²"),),
    ),
    Item(
        PAPER, "Theorem 5",
        "The centralised estimator's excess variance is at most B²C² / (1 − γ²).",
        (
            Proved("perla_theorem_5", note="already with C = sup |Q|"),
            Proved("perla_theorem_5_tabular", note="also with parameters for each state and action"),
        ),
    ),
    Item(
        PAPER, "Theorem 6",
        "An actor-critic with either estimator converges to a local optimum with probability 1.",
        (Untested("The limit of infinitely many updates: no finite experiment tests it. Its premise is Theorem 3."),),
    ),
    Item(
        PAPER, "Table 1",
        "On this game of 2 agents and 3 actions MAPPO, IPPO, QPLEX, WQMIX, MAIC and PERLA reach 8.",
        (
            Said("climb", "perla_mappo on matrix/climb", "from the uniform start, not a fixed batch"),
            Said("climb", "mappo climbs matrix/climb", "the same"),
            Said("climb_values", "qplex on matrix/climb", "uniform joint actions throughout"),
            Said("climb_values", "owqmix on matrix/climb", "uniform joint actions throughout"),
            Said("climb_values", "cwqmix on matrix/climb", "uniform joint actions throughout"),
            Untested("MAIC is not in the library."),
        ),
    ),
    Item(
        PAPER, "Figure 1",
        "With more agents or actions only PERLA keeps reaching 8.",
        (
            Said("climb", "perla_mappo on climb 2x10", "from the uniform start"),
            Said("climb", "perla_mappo on climb 4x5", "from the uniform start"),
            Said("climb", "mappo on climb 2x10", "from the uniform start"),
            Said("climb", "mappo on climb 4x5", "from the uniform start"),
            Measured(
                "python benchmarks/batch_mode.py --seeds 20", "benchmarks/results/batch_mode.json", "not reproduced",
                "500 updates on one uniform batch, as in the paper, with clip and without: 0 of 20 seeds of "
                "PERLA-MAPPO, MAPPO and IPPO reach 8 with 2 × 3, 4 × 3 and 20 × 15 (agents × actions)",
            ),
        ),
    ),
    Item(
        PAPER, "Figure 2, left",
        "PERLA-IPPO forages better than IPPO, and sooner (published: 0.8 and 0.65; 0.6 after 0.3 M and 1 M steps).",
        (Said("foraging", "perla over ippo", MAPS), OTHER_MAPS),
    ),
    Item(
        PAPER, "Figure 2, right",
        "PERLA-MAPPO forages as well as MAPPO, and sooner (published: 0.6 after 0.3 M and 0.6 M steps).",
        (NO_MAPPO,),
    ),
    Item(
        PAPER, "Figure 3",
        "Over all maps of SMAC PERLA raises the win rates of IPPO and MAPPO.",
        (battles("Means of win rates"),),
    ),
    Item(
        PAPER, "Figure 4",
        "On no map does PERLA-IPPO end below 0.1; IPPO and MAPPO do on some.",
        (
            *(Said("foraging", f"perla never fails on {name}") for name in
              ("5x5-2p-1f-coop", "8x8-2p-2f-coop", "10x10-3p-5f")),
            OTHER_MAPS,
            battles("Failures"),
        ),
    ),
    Item(
        PAPER, "Figure 5",
        "PERLA-IPPO beats IPPO also where every agent sees the whole state (published: by over 15 %).",
        (Said("foraging", "perla over ippo", "players see the whole board on these maps"),),
    ),
    Item(
        PAPER, "Figure 6",
        "PERLA's gain over IPPO and MAPPO on foraging grows with the number of agents, to 1000 % with 8.",
        (Untested("No suite varies the number of agents on foraging; the library has maps of 2 to 8."),),
    ),
    Item(
        PAPER, "Figure 7",
        "PERLA's errors of the value add up to less on foraging 20 × 20 with 10 players.",
        (Untested("No suite runs a map of this size; foraging/custom makes it."),),
    ),
    Item(
        PAPER, "Figure 8",
        "More draws K are better up to 100, and 250 are slightly worse.",
        (Untested("No suite varies K; it is an option, critic_input.samples, of the recipes."),),
    ),
    Item(
        PAPER, "Figure 9",
        "PERLA-IPPO beats all baselines on each foraging map.",
        (Said("foraging", "perla over ippo", f"over IPPO alone; {MAPS}"), OTHER_MAPS),
    ),
    Item(PAPER, "Figure 10", "PERLA-MAPPO beats all baselines on each foraging map.", (NO_MAPPO,)),
    Item(PAPER, "Figure 11", "PERLA beats its base on each map of SMAC.", (battles("Learning curves"),)),
    Item(PAPER, "Figure 12", "PERLA-MAPPO beats MAPPO on each map of SMAC.", (battles("Learning curves"),)),
    Item(
        PAPER, "Figure 13",
        "PERLA beats IPPO and MAPPO on the robots Walker 2×3, Hopper 3×1 and Swimmer 2×1.",
        (Untested("No suite trains PERLA on robots; the simulator (EnvPool, MaMuJoCo) is there."),),
    ),
    Item(PAPER, "Table 2", "The machines of the experiments.", (Untested("A list of machines: it claims nothing."),)),
    Item(PAPER, "Table 3", "Settings that were searched.", (SETTINGS,)),
    Item(PAPER, "Table 4", "Settings on foraging.", (SETTINGS,)),
    Item(PAPER, "Tables of appendices F, G and H", "Settings on SMAC, matrix games and robots.", (SETTINGS,)),
)  # fmt: skip
