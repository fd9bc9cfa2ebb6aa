"""A2PO with MAPPO, CoPPO and HAPPO: Wang's slides of 8 August 2023, which number some of their tables and figures."""

from coterie.campaign.collection import Elsewhere, Item, Proved, Said, Untested
from coterie.campaign.collections.papers.common import battles

PAPER = "A2PO"
PARTICLES = "three particle games at a small budget"
ROBOTS = "Hopper 3×1 and HalfCheetah 2×3 of EnvPool, half a million steps at laptop scale"
BATTLES = "six battles with SMAC's interface and physics of the house: not SMAC, a comparison of orderings"
FOOTBALL = Elsewhere("Google Research Football", "The game has no stand-in; the library runs it where gfootball is.")
OTHER_ROBOTS = Untested("No suite trains on the other twelve tasks; the library has most of these robots.")
TURNS = (
    Said("a2po", "a2po over mappo", PARTICLES),
    Said("a2po", "a2po over coppo", PARTICLES),
    Said("a2po", "a2po over happo", PARTICLES),
    *(Said("battle", f"a2po over {name}", BATTLES) for name in ("mappo", "coppo", "happo")),
)

ITEMS = (
    Item(
        PAPER, "Performance difference lemma",
        "The gain is the old advantage's mean over the states of the new policy, which are printed with 1 / (1 − γ).",
        (Proved("performance_difference"),),
    ),
    Item(
        PAPER, "Monotonic improvement bound (PPO, TRPO)",
        "The return is at least the surrogate minus 4 ε α / (1 − γ).",
        (Proved("ppo_bound"),),
    ),
    Item(PAPER, "Corollary 2", "Policies of a team are no farther apart than their members' distances add up to.",
         (Proved("joint_distance"),)),
    Item(
        PAPER, "Multi-agent performance difference lemma",
        "The same of joint policies.",
        (Proved("performance_difference"),),
    ),
    Item(
        PAPER, "Monotonic improvement of the joint policy (CoPPO)",
        "The joint surrogate errs by at most 4 ε Σα (1/(1 − γ) − 1/(1 − γ(1 − Σα))), MAPPO's by 4 ε Σα / (1 − γ).",
        (Proved("coppo_bound"), Proved("mappo_bound", note="MAPPO's")),
    ),
    Item(
        PAPER, "Clipped objective (CoPPO)",
        "Weighting by the others' clipped ratios is better than ignoring them.",
        (Said("a2po", "coppo over mappo", PARTICLES), Said("battle", "coppo over mappo", BATTLES)),
    ),
    Item(
        PAPER, "Simultaneous and sequential updates",
        "Turns ease the problem that the others' policies change at the same time.",
        (
            Said("a2po", "a2po over mappo, both with separate parameters", PARTICLES),
            Said("mujoco", "happo over mappo", ROBOTS),
        ),
    ),
    Item(
        PAPER, "Non-stationarity decomposition",
        "The shift of transitions that an agent meets is the sum of the shifts by those before it.",
        (Proved("non_stationarity"),),
    ),
    Item(
        PAPER, "Sequential performance difference",
        "The gain of one turn is the advantage of the team before it, averaged over the team after it.",
        (Proved("performance_difference", note="for any two teams, hence for those before and after a turn"),),
    ),
    Item(
        PAPER, "Single-agent bound of the intuitive surrogate (HAPPO)",
        "One turn's surrogate errs by the agent's own part and by one that it cannot control.",
        (
            Proved("happo_single", note="the surrogate as printed"),
            Proved("happo_single_previous", note="the surrogate from the return before the turn"),
        ),
    ),
    Item(
        PAPER, "Lemma 1 (advantage decomposition)",
        "The joint advantage of a group is the sum of its members' in turn.",
        (Proved("advantage_decomposition"),),
    ),
    Item(
        PAPER, "HAPPO's surrogate, derived again",
        "The surrogates of HAPPO's turns add up to the joint one.",
        (Proved("happo_estimate"),),
    ),
    Item(
        PAPER, "Preceding-agent off-policy correction",
        "The corrected advantage converges to that of the team before the turn as the critic learns.",
        (
            Proved("xi_fixed_point", note="critic at the fixed point of its targets"),
            Proved("xi_exact_critic", note="exact critic, ratios cut at 1 as printed"),
        ),
    ),
    Item(
        PAPER, "Single-agent monotonic bound (A2PO)",
        "One turn's surrogate errs by CoPPO's shape over those who have moved, plus ξ / (1 − γ).",
        (Proved("a2po_single", note="with ξ as it is, not 0"),),
    ),
    Item(
        PAPER, "Multi-agent monotonic bound (A2PO)",
        "All turns together err by the sum of these.",
        (Proved("a2po_joint", note="with ξ as it is, not 0"),),
    ),
    Item(
        PAPER, "Table of monotonic bounds",
        "The bounds of MAPPO, CoPPO, HAPPO and A2PO, each for the joint policy, the last two for one agent.",
        (
            Proved("mappo_bound", note="MAPPO"),
            Proved("coppo_bound", note="CoPPO, HAPPO joint"),
            Proved("happo_single_previous", note="HAPPO single"),
            Proved("a2po_joint", note="A2PO joint"),
            Proved("a2po_single", note="A2PO single"),
        ),
    ),
    Item(PAPER, "Tighter bound", "A2PO's bound is the tighter one.", (Proved("a2po_tighter", note="with ξ as it is"),)),
    Item(
        PAPER, "Tighter bound, in practice",
        "A tighter bound makes for better teams: A2PO over MAPPO, CoPPO and HAPPO.",
        TURNS,
    ),
    Item(
        PAPER, "Semi-greedy order and adaptive clipping",
        "The order of the turns matters, and ranges that grow along it are more balanced.",
        (Untested("No suite varies the order or the range alone; both are options of the recipe."),),
    ),
    Item(
        PAPER, "Table 5",
        "Win rates over twelve maps of SMAC: A2PO 97.4, CoPPO 92.6, MAPPO 91.1, HAPPO 85.9, QMIX 78.4.",
        (battles("Win rates"),),
    ),
    Item(
        PAPER, "Figure 3, left",
        "Over 14 tasks of multi-agent MuJoCo A2PO's normalised scores are the highest.",
        (Said("mujoco", "a2po over mappo", ROBOTS), Said("mujoco", "a2po over happo", ROBOTS), OTHER_ROBOTS),
    ),
    Item(
        PAPER, "Figure 3, right",
        "A2PO's lead grows with the number of joints.",
        (Untested("No suite trains on robots with many joints; the two here have 3 and 6."),),
    ),
    Item(PAPER, "Figure 4", "A2PO wins most full games of Google Research Football.", (FOOTBALL,)),
    Item(PAPER, "Table 3", "A2PO's teams pass, assist and score most on football 5-vs-5.", (FOOTBALL,)),
    Item(
        PAPER, "Figure: training duration",
        "A2PO is ahead of the others over training time, too (Humanoid 9|8, football 11-vs-11).",
        (Elsewhere("MuJoCo, Google Research Football", "Hours of training in these simulators."),),
    ),
    Item(
        PAPER, "Table 6",
        "Training takes A2PO 1.05 to 1.60 times as long as MAPPO, mostly in the simulators.",
        (
            Elsewhere(
                "StarCraft II, MuJoCo, Google Research Football",
                "Hours in these simulators; python benchmarks/cost.py compares the methods without one.",
            ),
        ),
    ),
)  # fmt: skip
