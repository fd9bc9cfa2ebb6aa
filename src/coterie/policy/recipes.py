"""Recipes: a method is a line-up of parts plus numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import equinox as eqx

from coterie.nets.networks import Network
from coterie.nets.normaliser import NoNorm, ValueNorm
from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.policy.critic import SharedTrunk
from coterie.policy.critic_input import CriticInput, GlobalState, Local, PolicyEmbedded
from coterie.policy.estimator import Estimator, Gae, PrecedingTrace
from coterie.policy.order import Order, RandomSequence, SemiGreedy, Simultaneous
from coterie.policy.surrogate import Clip, KlPenalty, Surrogate
from coterie.policy.weighting import Hysteretic, One, Others, Preceding, Weighting


class Recipe(eqx.Module):
    """A policy-gradient method: parts and numbers.

    Floats are traced, so that they can be swept in one compiled program; the rest is static.

    Args:
        name: What it is called in reports.
        sharing: Agent to parameter slot: ``full``, ``type``, ``none``, or one slot number per agent.
        critic_input: What the critic looks at.
        estimator: How advantages and value targets are made.
        order: Who moves in which turn.
        weighting: Weights inside and outside the clip.
        surrogate: The objective of one sample.
        actor: The policy network.
        critic: The value network, or one more output of the policy's (``shared_trunk``).
        actor_fit: The actors' optimiser.
        critic_fit: The critic's optimiser.
        value_norm: Running normalisation of value targets, or none.
        advantage_norm: Normalise advantages over the ``team``, per ``agent``, only ``scale`` them (the team's deviation
            becomes 1, every sign stays), or ``none``.
        leak: What negative advantages are multiplied with before they are normalised; 1 leaves them.
        critic_turns: Fit the critic ``after`` all turns, or within each ``turn`` on that turn's targets.
        squash: Continuous actions: ``tanh`` or ``clip`` to the box.
        gamma: Discount.
        entropy: Coefficient of the entropy bonus.
        value_clip: Clip range of the value loss, None for no clipping.
        huber: Where Huber's value loss turns linear.
        gain: Scale of the actor's last layer at the start.
        log_std: Initial log standard deviation of continuous actions.
        environments: E, environments stepped side by side.
        rollout: T, steps of each environment per iteration.
        epochs: Passes of each actor through the rollout.
        critic_epochs: Passes of the critic.
        minibatches: Gradient steps per pass.
        chunk: L, the length of the sequences that recurrent networks are trained on; 0 for the whole rollout.
    """

    name: str = eqx.field(static=True, default="mappo")
    sharing: str | tuple[int, ...] = eqx.field(static=True, default="full")
    critic_input: CriticInput = GlobalState()
    estimator: Estimator = Gae()
    order: Order = Simultaneous()
    weighting: Weighting = One()
    surrogate: Surrogate = Clip()
    actor: Network = Network((128, 128))
    critic: Network | SharedTrunk = Network((128, 128))
    actor_fit: Adam = Adam()
    critic_fit: Adam = Adam()
    value_norm: ValueNorm | NoNorm = ValueNorm()
    advantage_norm: Literal["team", "agent", "scale", "none"] = eqx.field(static=True, default="team")
    leak: float = 1.0
    critic_turns: Literal["after", "turn"] = eqx.field(static=True, default="after")
    squash: Literal["tanh", "clip"] = eqx.field(static=True, default="tanh")
    gamma: float = 0.95
    entropy: float = 0.01
    value_clip: float | None = 0.2
    huber: float = 10.0
    gain: float = eqx.field(static=True, default=0.01)
    log_std: float = eqx.field(static=True, default=-0.5)
    environments: int = eqx.field(static=True, default=128)
    rollout: int = eqx.field(static=True, default=25)
    epochs: int = eqx.field(static=True, default=4)
    critic_epochs: int = eqx.field(static=True, default=4)
    minibatches: int = eqx.field(static=True, default=4)
    chunk: int = eqx.field(static=True, default=0)

    def sequence(self, network: Network | SharedTrunk, otherwise: int = 1) -> int:
        """L, the length of the sequences that ``network`` is trained on; ``otherwise`` if it has no memory."""
        own = self.actor if isinstance(network, SharedTrunk) else network
        return (self.chunk or self.rollout) if own.memory else otherwise


def ippo() -> Recipe:
    """Independent PPO: every agent learns a value of its own observation (de Witt et al. 2020)."""
    return Recipe(name="ippo", critic_input=Local(), advantage_norm="agent")


def mappo() -> Recipe:
    """Multi-agent PPO: PPO with a value of the global state (Yu et al. 2022)."""
    return Recipe(name="mappo")


def coppo() -> Recipe:
    """Coordinated PPO: each ratio is multiplied by the clipped product of the others' (Wu et al. 2021, eq. 11)."""
    return Recipe(name="coppo", weighting=Others())


def happo(factor: Literal["outside", "inside"] = "outside") -> Recipe:
    """Heterogeneous-agent PPO: agents move one after another, weighted by the ratios of those before them.

    ``factor="outside"`` is the official code (Kuba et al. 2022, eq. 11), ``"inside"`` A2PO's baseline of that name.
    """
    return Recipe(name="happo", sharing="none", order=RandomSequence(), weighting=Preceding(place=factor))


def a2po(mode: Literal["separate", "shared"] = "separate") -> Recipe:
    """Agent-by-agent policy optimisation (Wang et al. 2023), with parameters of their own or in shared blocks."""
    clip = Clip(adaptive="position" if mode == "separate" else "ratio")
    line = Recipe(name="a2po", sharing="none", estimator=PrecedingTrace(), order=SemiGreedy(), surrogate=clip)
    line = replace(line, weighting=Preceding(clip=0.1))
    return line if mode == "separate" else replace(line, sharing="full", order=SemiGreedy(blocks=2))


def dpo(official: bool = False) -> Recipe:
    """Decentralised policy optimisation: each agent keeps near its old policy by adaptive penalties (Su and Lu 2024).

    ``official`` follows the released code: its initial values, statistics, limits, and no division by N.
    """
    line = Recipe(name="dpo", sharing="none", critic_input=Local(), advantage_norm="agent", surrogate=KlPenalty())
    code = KlPenalty(1.0, 1.0, shared=False, root_of="each", statistic="code", limits=(1e-3, 1e3))
    return replace(line, surrogate=code, advantage_norm="team") if official else line


def dpo_without_sqrt(official: bool = False) -> Recipe:
    """DPO without the square-root penalty, an ablation of its paper (Su and Lu 2024)."""
    line = dpo(official)
    return replace(line, name="dpo_without_sqrt", surrogate=replace(line.surrogate, root=None))


def dpo_without_kl(official: bool = False) -> Recipe:
    """DPO without the linear penalty, an ablation of its paper (Su and Lu 2024)."""
    line = dpo(official)
    return replace(line, name="dpo_without_kl", surrogate=replace(line.surrogate, kl=None))


def ippo_kl(official: bool = False) -> Recipe:
    """Independent PPO with an adaptive KL penalty instead of a clip: DPO's baseline (Su and Lu 2024)."""
    return replace(dpo_without_sqrt(official), name="ippo_kl")


def optimistic_mappo(eta: float = 0.0, norm: Literal["scale", "after", "before", "none"] = "scale") -> Recipe:
    """MAPPO whose negative advantages count ``eta`` times (OptiMAPPO: Zhao et al. 2024).

    ``norm`` says how shaping and normalising meet: ``scale`` divides by the deviation without centring, which keeps
    every sign; ``before`` and ``after`` normalise before or after shaping (``after`` is the released code, and makes
    some of the shaped advantages negative again); ``none`` does not normalise.
    """
    line = Recipe(name="optimistic_mappo", leak=eta)
    if norm == "after":
        return line
    kind = "team" if norm == "before" else norm
    return replace(line, leak=1.0, weighting=Hysteretic(eta), advantage_norm=kind)


def lenient_mappo(forgive: Literal["mask", "factor"] = "mask") -> Recipe:
    """MAPPO that forgives bad outcomes of states and joint actions that are new (lenient policy gradients, LMAPPO)."""
    return replace(mappo(), name="lenient_mappo", weighting=Lenient(forgive=forgive))


def perla_ippo(samples: int = 100) -> Recipe:
    """IPPO whose critic reads the others' actions and averages over their policies (PERLA: Jafferjee et al. 2022)."""
    embedded = PolicyEmbedded(Local(), samples)
    return replace(ippo(), name="perla_ippo", critic_input=embedded, critic=Network((128,), head=(128,)))


def perla_mappo(samples: int = 100) -> Recipe:
    """MAPPO whose critic reads the others' actions and averages over their policies (PERLA: Jafferjee et al. 2022)."""
    embedded = PolicyEmbedded(GlobalState(), samples)
    return replace(mappo(), name="perla_mappo", critic_input=embedded, critic=Network((128,), head=(128,)))


def recurrent(recipe: Recipe, width: int = 64, chunk: int = 0) -> Recipe:
    """The same line-up with a GRU of ``width`` units in actor and critic."""
    net, critic = Network(encoder=(width,), memory=width), recipe.critic
    if isinstance(critic, Network):  # a critic with layers above the memory keeps as many
        critic = replace(net, head=(width,) * len(critic.head))
    return replace(recipe, actor=net, critic=critic, chunk=chunk)


RECIPES = {
    "ippo": ippo, "mappo": mappo, "coppo": coppo, "happo": happo, "a2po": a2po, "dpo": dpo, "ippo_kl": ippo_kl,
    "dpo_without_sqrt": dpo_without_sqrt, "dpo_without_kl": dpo_without_kl, "optimistic_mappo": optimistic_mappo,
    "lenient_mappo": lenient_mappo, "perla_ippo": perla_ippo, "perla_mappo": perla_mappo,
}  # fmt: skip
