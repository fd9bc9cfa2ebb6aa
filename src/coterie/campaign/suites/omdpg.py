"""OMDPG's ablations on a battle with units of two types: groups, pessimism, ensemble, prefix."""

from coterie.campaign.claims import Claim, Improves
from coterie.campaign.suite import Arena, Method, Suite

NUMBERS = {
    "gamma": 0.99, "actor.encoder": (64, 64), "actor.norm": True, "critic_net.encoder": (128,), "critic_net.norm": True,
    "rollout": 32, "updates": 8, "replay.batch": 128, "exploration.warmup": 2_000, "replay.warmup": 2_000,
    "replay.capacity": 50_000, "exploration.steps": 50_000,
}  # fmt: skip
GAME = "2s3z"


def ablation(**changes: object) -> Method:
    """OMDPG with changes."""
    return Method("omdpg", {**NUMBERS, **{key.replace("__", "."): value for key, value in changes.items()}})


def better(name: str, over: str, says: str) -> Claim:
    """A claim of the paper about an ablation."""
    return Claim(f"{name} over {over}", says, "OMDPG, Mechanisms 2 and 3, next checks", Improves(name, over, (GAME,)))


suite = Suite(
    name="omdpg",
    about="OMDPG with and without groups of its two unit types, pessimism from 0 to 1, one critic, and other prefixes. "
    "Five agents of ten actions are too many to enumerate: the others' future actions are those of the actors.",
    methods={
        "omdpg": ablation(),
        "pessimism 0": ablation(critic__pessimism=0.0),
        "pessimism 0.01": ablation(critic__pessimism=0.01),
        "pessimism 0.5": ablation(critic__pessimism=0.5),
        "pessimism 1": ablation(critic__pessimism=1.0),
        "one critic": ablation(critic__ensemble=1, critic__pessimism=None),
        "no groups": ablation(sharing="none"),
        "mixed groups": ablation(sharing=(0, 1, 0, 1, 0)),
        "one group": ablation(sharing="full"),
        "current prefix": ablation(actor_update__prefix="current"),
        "no marginal": ablation(actor_update="simultaneous", actor_update__by="least"),
    },
    games={GAME: Arena("smax/2s3z", laptop=100_000, full=5_000_000, reference=2.0)},
    laptop_seeds=3,
    full_seeds=10,
    points=10,
    episodes=128,
    claims=(
        better("omdpg", "pessimism 0", "Pessimism about untried joint actions helps."),
        better("omdpg", "pessimism 0.01", "Too little pessimism hurts: 0.1 is best."),
        better("omdpg", "pessimism 0.5", "Much pessimism hurts: 0.1 is best."),
        better("omdpg", "pessimism 1", "Too much pessimism hurts: 0.1 is best."),
        better("omdpg", "one critic", "An ensemble beats one critic."),
        better("omdpg", "no groups", "Sharing by type learns faster than not sharing."),
        better("omdpg", "mixed groups", "Groups must follow the types."),
        better("omdpg", "no marginal", "Optimal marginal values beat simultaneous updates."),
    ),
)
