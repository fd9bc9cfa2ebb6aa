"""Values beside policy gradients: who covers landmarks and who gathers food with few steps."""

from coterie.campaign.claims import Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

LAYERS = {"actor.encoder": (64, 64)}
POLICY = {**LAYERS, "critic.encoder": (64, 64), "environments": 8, "rollout": 50, "minibatches": 2}
VALUE = {**LAYERS, "rollout": 50, "updates": 16}
SPREAD, FOOD = "particle/spread", "foraging/8x8-2p-2f-coop"
OFF_POLICY = ("iql", "vdn", "qmix", "iddpg", "maddpg")


def beats(method: str, over: str, says: str, source: str, games: tuple[str, ...] = (SPREAD, FOOD)) -> Claim:
    """A claim about two methods."""
    return Claim(f"{method} over {over}", says, source, Improves(method, over, games))


suite = Suite(
    name="values",
    about="Values and deterministic gradients beside MAPPO at equal environment steps, eight environments each.",
    methods={
        "mappo": Method("mappo", POLICY),
        **{name: Method(name, VALUE | ({"mixing.norm": True} if name == "qmix" else {})) for name in OFF_POLICY},
    },
    games={
        SPREAD: Arena(SPREAD, laptop=200_000, full=5_000_000),
        FOOD: Arena(FOOD, laptop=400_000, full=20_000_000, recipe={"gamma": 0.99}),
    },
    laptop_seeds=3,
    full_seeds=10,
    points=20,
    episodes=256,
    claims=(
        beats("vdn", "iql", "A sum of utilities beats independent learners.", "Sunehag et al. 2018 (VDN), section 4"),
        beats("qmix", "vdn", "A monotone mixture beats a sum.", "Rashid et al. 2018 (QMIX), section 6"),
        beats(
            "maddpg",
            "iddpg",
            "Critics of the joint action beat those of the own action.",
            "Lowe et al. 2017 (MADDPG), section 5",
        ),
        beats("vdn", "mappo", "Values learn more from few steps than policy gradients.", "a check of ours"),
    ),
)
