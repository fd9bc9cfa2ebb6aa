"""Robots as teams: deterministic gradients beside policy gradients at equal steps (extras: mujoco, envpool)."""

from coterie.campaign.claims import Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite
from coterie.campaign.suites.mujoco import HOPPER, NUMBERS

REPLAYED = {
    "gamma": 0.99, "actor.encoder": (64, 64), "critic_net.encoder": (128, 128), "environments": 32, "rollout": 16,
    "updates": 64, "replay.warmup": 10_000, "replay.capacity": 250_000, "sharing": "none",
}  # fmt: skip
OFF_POLICY = ("haddpg", "hatd3", "omdpg")

suite = Suite(
    name="mujoco_values",
    about="HADDPG, HATD3 and OMDPG beside HAPPO and A2PO at equal environment steps, separate parameters for all.",
    methods={
        "happo": Method("happo", NUMBERS),
        "a2po": Method("a2po", NUMBERS),
        **{name: Method(name, REPLAYED) for name in OFF_POLICY},
    },
    games={HOPPER: Arena(HOPPER, laptop=200_000, full=10_000_000, options={"path": "envpool"})},
    laptop_seeds=3,
    full_seeds=10,
    points=20,
    episodes=16,
    claims=(
        Claim(
            "haddpg over happo",
            "HADDPG learns more from equal steps than HAPPO.",
            "Zhong et al. 2024 (HARL), section 5",
            Improves("haddpg", "happo"),
        ),
        Claim(
            "hatd3 over haddpg",
            "Two critics and delayed actors beat one of each.",
            "Zhong et al. 2024 (HARL), section 5",
            Improves("hatd3", "haddpg"),
        ),
        Claim(
            "omdpg over happo",
            "OMDPG beats HAPPO on multi-agent MuJoCo.",
            "OMDPG, key results",
            Improves("omdpg", "happo"),
        ),
        Claim(
            "omdpg over haddpg",
            "Optimal marginal values beat turns.",
            "OMDPG, key results",
            Improves("omdpg", "haddpg"),
        ),
    ),
)
