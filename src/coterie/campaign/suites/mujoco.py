"""Robots as teams: who learns to hop and to run, each joint or leg an agent of its own (extras: mujoco, envpool)."""

from coterie.campaign.claims import Attains, Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

LAYERS = (64, 64)
NUMBERS = {
    "gamma": 0.99, "entropy": 0.0, "actor.encoder": LAYERS, "critic.encoder": LAYERS, "actor_fit.rate": 3e-4,
    "environments": 32, "rollout": 64, "epochs": 8, "critic_epochs": 8, "minibatches": 8,
}  # fmt: skip
APART = {"sharing": "none"}
HOPPER, CHEETAH = "mujoco/hopper-3x1", "mujoco/halfcheetah-2x3"
LEARNT = 1000.0
"""Return of a robot that has learnt to move, where a random one earns about 18 (hopper) and −285 (half cheetah)."""


def arena(game: str) -> Arena:
    """Half a million steps on EnvPool's robots; the papers' ten million at full scale."""
    return Arena(game, laptop=500_000, full=10_000_000, options={"path": "envpool"}, recipe=NUMBERS)


def learns(method: str, game: str) -> Claim:
    """Every seed earns ``LEARNT`` or more."""
    return Claim(f"{method} learns {game.removeprefix('mujoco/')}", f"{method} learns to move in every seed.",
                 "a check of ours", Attains(method, game, LEARNT, low=1.0))  # fmt: skip


suite = Suite(
    name="mujoco",
    about="MAPPO, HAPPO, A2PO, DPO (as released) and IPPO on two MuJoCo teams, all with separate parameters.",
    methods={
        "mappo": Method("mappo", APART),
        "happo": Method("happo"),
        "a2po": Method("a2po"),
        "dpo": Method("dpo", {"official": True}),
        "ippo": Method("ippo", APART),
    },
    games={HOPPER: arena(HOPPER), CHEETAH: arena(CHEETAH)},
    laptop_seeds=3,
    full_seeds=10,
    episodes=16,
    claims=(
        *(learns(method, game) for game in (HOPPER, CHEETAH) for method in ("mappo", "happo", "a2po", "dpo")),
        Claim("happo over mappo", "HAPPO beats MAPPO on multi-agent MuJoCo.", "Kuba et al. 2022 (HAPPO), section 5",
              Improves("happo", "mappo")),
        Claim("a2po over mappo", "A2PO beats MAPPO on multi-agent MuJoCo.", "Wang et al. 2023 (A2PO), section 5",
              Improves("a2po", "mappo")),
        Claim("dpo over ippo on the hopper", "DPO beats IPPO on the three-agent Hopper.",
              "Su and Lu 2024 (DPO), section 5.3", Improves("dpo", "ippo", (HOPPER,))),
        Claim("a2po over happo", "A2PO beats HAPPO on multi-agent MuJoCo.", "Wang et al. 2023 (A2PO), section 5",
              Improves("a2po", "happo")),
        Claim("dpo over ippo", "DPO beats IPPO on multi-agent MuJoCo.", "Su and Lu 2024 (DPO), section 5.3",
              Improves("dpo", "ippo")),
    ),
)  # fmt: skip
