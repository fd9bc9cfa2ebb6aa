"""Off-policy recipes: values of actions, and deterministic policies, as line-ups of parts plus numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import equinox as eqx

from coterie.nets.networks import Network
from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import SimHash
from coterie.value.actor_update import ActorUpdate, Greedy, Marginal, Sequential, Simultaneous
from coterie.value.central import Central, NoCentral, Transformed, Unrestricted
from coterie.value.critic import JointAction, OwnAction, Utilities
from coterie.value.exploration import ActorNoise, EpsilonGreedy, Exploration
from coterie.value.mixing import Apart, Duplex, Mixing, Monotone, Total
from coterie.value.objective import NStep, Objective
from coterie.value.replay import Replay
from coterie.value.scale import ByReturns, Scale
from coterie.value.target import Hard, Soft, Target
from coterie.value.weighting import Hysteretic, One, Promising, Weighting

RELU = Network((64, 64), activation="relu")


class ValueRecipe(eqx.Module):
    """An off-policy method: parts and numbers.

    Floats are traced, so that they can be swept in one compiled program; the rest is static.

    Args:
        name: What it is called in reports.
        sharing: Agent to parameter slot: ``full``, ``type``, ``none``, or one slot number per agent.
        critic: What is valued: the agents' ``utilities``, each ``own_action``, or the ``joint_action``.
        mixing: How utilities make the team's value (critic ``utilities``).
        central: A second value that makes the targets in the mixture's place (critic ``utilities``).
        objective: What values are drawn to.
        weighting: How much bad outcomes count (critic ``utilities``).
        actor_update: Who climbs what; ``greedy`` for utilities.
        exploration: How agents try what they do not think best.
        replay: The memory of steps.
        target: How target networks follow.
        actor: The agents' network: their utilities, or their actions.
        critic_net: The network of a critic of actions, and of QTRAN's joint value.
        actor_fit: The agents' optimiser.
        critic_fit: The optimiser of mixing, central value and critic.
        scale: The unit of rewards in which values are learnt.
        double: Choose the next action by the learning network and value it by the target network (double Q-learning).
        smoothing: Deviation of the noise on the target actors' actions (TD3), cut at 2.5 times; None for none.
        delay: Critic updates for each update of the actors (TD3).
        gamma: Discount.
        gain: Scale of the actor's last layer at the start.
        environments: E, environments stepped side by side.
        rollout: T, steps of each environment per iteration.
        updates: Gradient steps per iteration.
        chunk: L, steps of a sequence in the replay; 0: the whole rollout where something looks beyond a step (memory,
            returns of several steps), else 1.
    """

    name: str = eqx.field(static=True, default="vdn")
    sharing: str | tuple[int, ...] = eqx.field(static=True, default="full")
    critic: Utilities | OwnAction | JointAction = Utilities()
    mixing: Mixing = Total()
    central: Central = NoCentral()
    objective: Objective = NStep()
    weighting: Weighting = One()
    actor_update: ActorUpdate = Greedy()
    exploration: Exploration = EpsilonGreedy()
    replay: Replay = Replay()
    target: Target = Hard()
    actor: Network = RELU
    critic_net: Network = Network((128, 128), activation="relu")
    actor_fit: Adam = Adam(5e-4)
    critic_fit: Adam = Adam(5e-4)
    scale: Scale = ByReturns()
    double: bool = eqx.field(static=True, default=True)
    smoothing: float | None = None
    delay: int = eqx.field(static=True, default=1)
    gamma: float = 0.95
    gain: float = eqx.field(static=True, default=0.01)
    environments: int = eqx.field(static=True, default=8)
    rollout: int = eqx.field(static=True, default=25)
    updates: int = eqx.field(static=True, default=8)
    chunk: int = eqx.field(static=True, default=0)

    @property
    def idle(self) -> tuple[str, ...]:
        """Fields that mean nothing in this line-up."""
        if isinstance(self.critic, Utilities):
            needed = ("critic_net",) * (not isinstance(self.central, Transformed))
            return (*needed, "smoothing", "delay")
        return "mixing", "central", "weighting", "double"

    @property
    def length(self) -> int:
        """L, the length of the sequences in the replay."""
        return self.chunk or (self.rollout if self.actor.memory or self.objective.sequential else 1)


def iql() -> ValueRecipe:
    """Independent Q-learning: every agent learns a value of its own action (Tan 1993; deep: Tampuu et al. 2017)."""
    return ValueRecipe(name="iql", mixing=Apart())


def vdn() -> ValueRecipe:
    """Value decomposition: the team's value is the sum of the agents' utilities (Sunehag et al. 2018)."""
    return ValueRecipe(name="vdn")


def qmix() -> ValueRecipe:
    """QMIX: the team's value rises in every agent's utility, in a way that the state decides (Rashid et al. 2018)."""
    return ValueRecipe(name="qmix", mixing=Monotone())


def owqmix(alpha: float = 0.5) -> ValueRecipe:
    """WQMIX with optimistic weights: overestimated joint actions count ``alpha`` times (Rashid et al. 2020)."""
    return replace(qmix(), name="owqmix", central=Unrestricted(), weighting=Hysteretic(alpha))


def cwqmix(alpha: float = 0.5) -> ValueRecipe:
    """WQMIX with central weights: all but the best joint action may count ``alpha`` times (Rashid et al. 2020)."""
    return replace(qmix(), name="cwqmix", central=Unrestricted(), weighting=Promising(alpha))


def qplex() -> ValueRecipe:
    """QPLEX: duplex duelling, which can represent every value whose best action is decentralised (Wang et al. 2021)."""
    return ValueRecipe(name="qplex", mixing=Duplex())


def qtran() -> ValueRecipe:
    """QTRAN-base: a free joint value, and a sum of utilities drawn to its best action (Son et al. 2019)."""
    return ValueRecipe(name="qtran", central=Transformed())


def hysteretic_dqn(beta: float = 0.5) -> ValueRecipe:
    """Independent deep Q-learning whose bad outcomes count ``beta`` times (Omidshafiei et al. 2017)."""
    return replace(iql(), name="hysteretic_dqn", weighting=Hysteretic(beta))


def lenient_dqn(forgive: Literal["mask", "factor"] = "mask") -> ValueRecipe:
    """Independent deep Q-learning that forgives bad outcomes of actions while they are new (Palmer et al. 2018).

    ``factor`` follows the released code, which multiplies by 1 - l instead of drawing.
    """
    return replace(iql(), name="lenient_dqn", weighting=Lenient(SimHash(of="own"), forgive=forgive))


def _actors(name: str) -> ValueRecipe:
    """What deterministic gradients have in common."""
    return ValueRecipe(
        name=name, sharing="none", actor_update=Simultaneous(), exploration=ActorNoise(), target=Soft(),
        replay=Replay(100_000, 256, 10_000), critic_fit=Adam(1e-3),
    )  # fmt: skip


def iddpg() -> ValueRecipe:
    """Independent DDPG: every agent climbs a value of its own observation and action (baseline of Su and Lu 2024)."""
    return replace(_actors("iddpg"), critic=OwnAction())


def maddpg() -> ValueRecipe:
    """MADDPG: every agent climbs its own value of the joint action (Lowe et al. 2017)."""
    return replace(_actors("maddpg"), critic=JointAction(each=True))


def haddpg() -> ValueRecipe:
    """HADDPG: agents climb one value of the joint action, one after another (Zhong et al. 2024, HARL)."""
    return replace(_actors("haddpg"), critic=JointAction(), actor_update=Sequential())


def hatd3() -> ValueRecipe:
    """HATD3: HADDPG with two critics, delayed actors and noise on target actions (Zhong et al. 2024, HARL)."""
    return replace(haddpg(), name="hatd3", critic=JointAction(ensemble=2), delay=2, smoothing=0.2)


def omdpg() -> ValueRecipe:
    """OMDPG: actors of each type climb optimal marginal values of a pessimistic ensemble (arXiv:2507.09989).

    Ablations: ``critic.pessimism`` 0; ``critic.ensemble`` 1 with ``critic.pessimism`` none; ``sharing`` none, or any
    other map; ``actor_update`` simultaneous with ``actor_update.by`` least.
    """
    critic = JointAction(ensemble=5, pessimism=0.1)
    return replace(_actors("omdpg"), sharing="type", critic=critic, actor_update=Marginal())


def recurrent(recipe: ValueRecipe, width: int = 64, chunk: int = 0) -> ValueRecipe:
    """The same line-up with a GRU of ``width`` units in the agents, drawing 32 sequences instead of many steps.

    Critics of actions stay feed-forward.
    """
    net = Network(encoder=(width,), memory=width, activation="relu")
    return replace(recipe, actor=net, chunk=chunk or recipe.chunk, replay=replace(recipe.replay, batch=32))


RECIPES = {
    "iql": iql, "vdn": vdn, "qmix": qmix, "owqmix": owqmix, "cwqmix": cwqmix, "qplex": qplex, "qtran": qtran,
    "hysteretic_dqn": hysteretic_dqn, "lenient_dqn": lenient_dqn, "iddpg": iddpg, "maddpg": maddpg, "haddpg": haddpg,
    "hatd3": hatd3, "omdpg": omdpg,
}  # fmt: skip
