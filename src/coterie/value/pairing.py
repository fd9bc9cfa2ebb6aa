"""Which parts of an off-policy recipe go together: refused before anything is compiled, with the remedy."""

from __future__ import annotations

from coterie.contracts import CoterieError, Spec
from coterie.fields import part_name
from coterie.nets.sharing import layout
from coterie.parts import checks
from coterie.parts.leniency import Lenient
from coterie.value.actor_update import Greedy, Marginal, Sequential
from coterie.value.central import NoCentral, Transformed, Unrestricted
from coterie.value.critic import JointAction, OwnAction, Utilities
from coterie.value.exploration import ActorNoise, EpsilonGreedy
from coterie.value.mixing import Duplex, Monotone, Total
from coterie.value.recipes import ValueRecipe
from coterie.value.scale import ByReturns
from coterie.value.target import Hard, Soft
from coterie.value.weighting import Hysteretic, One, Promising


def check(recipe: ValueRecipe, spec: Spec) -> None:
    """Raise CoterieError unless the recipe's numbers are in range, its parts go together, and the game suits it."""
    _numbers(recipe)
    _replay(recipe)
    layout(recipe.sharing, spec)
    if isinstance(recipe.critic, Utilities):
        _utilities(recipe, spec)
    else:
        _actions(recipe, recipe.critic)
        _marginals(recipe, spec)
    needs = {
        "mixing": (isinstance(recipe.critic, Utilities) and isinstance(recipe.mixing, Monotone | Duplex),
                   "mixing total, or apart"),
        "critic": (isinstance(recipe.critic, JointAction), "critic own_action"),
        "central": (not isinstance(recipe.central, NoCentral), "central no_central"),
    }  # fmt: skip
    for field, (needed, remedy) in needs.items():
        if needed and spec.state_size == 0:
            part = part_name(type(getattr(recipe, field)))
            raise CoterieError(f"{field} {part} reads the global state, and the game has none: choose {remedy}")


def _numbers(recipe: ValueRecipe) -> None:
    positive = {
        "environments": recipe.environments, "rollout": recipe.rollout, "updates": recipe.updates,
        "delay": recipe.delay, "replay.batch": recipe.replay.batch, "exploration.steps": recipe.exploration.steps,
        "objective.steps": getattr(recipe.objective, "steps", 1),
    }  # fmt: skip
    widths = {name: getattr(recipe.mixing, name) for name in ("embed", "hidden", "kernels")
              if hasattr(recipe.mixing, name)}  # fmt: skip
    positive |= {f"mixing.{name}": width for name, width in widths.items()}
    if isinstance(recipe.target, Hard):
        positive["target.every"] = recipe.target.every
    if recipe.smoothing is not None:
        positive["smoothing"] = recipe.smoothing
    if isinstance(recipe.exploration, ActorNoise):
        positive["exploration.std"] = recipe.exploration.std
    checks.positive(positive)
    checks.fits({"actor_fit": recipe.actor_fit, "critic_fit": recipe.critic_fit})
    shares = {"gamma": recipe.gamma, "exploration.start": recipe.exploration.start,
              "exploration.finish": recipe.exploration.finish,
              "objective.trace": getattr(recipe.objective, "trace", 0.0)}  # fmt: skip
    if isinstance(recipe.target, Soft):
        shares["target.rate"] = recipe.target.rate
    if isinstance(recipe.weighting, Hysteretic):
        name = "beta" if isinstance(recipe.central, NoCentral) else "alpha"
        shares[f"{name} (weighting.beta)"] = recipe.weighting.beta
    if isinstance(recipe.weighting, Promising):
        shares["alpha (weighting.alpha)"] = recipe.weighting.alpha
    checks.shares(shares)
    if isinstance(recipe.exploration, ActorNoise):
        for end in ("start", "finish"):
            if not getattr(recipe.exploration, end) < 1.0:
                raise CoterieError(
                    f"exploration.{end} is 1, which stands for the warm-up: give less, or a longer exploration.warmup"
                )
    if isinstance(recipe.scale, ByReturns):
        if not 0.0 <= recipe.scale.beta < 1.0:
            raise CoterieError(f"scale.beta is {recipe.scale.beta}: give 0 or more, and less than 1")
        if not recipe.scale.floor > 0.0:
            raise CoterieError(f"scale.floor is {recipe.scale.floor}: give a number above 0")


def _replay(recipe: ValueRecipe) -> None:
    checks.chunk(recipe.chunk, recipe.rollout)
    if recipe.objective.sequential and recipe.length == 1 < recipe.rollout:
        raise CoterieError(
            f"objective {part_name(type(recipe.objective))} looks beyond a step, and chunk 1 keeps single steps: give "
            "a longer chunk, or 0 for the whole rollout"
        )
    least = recipe.environments * recipe.rollout
    if recipe.replay.capacity < least:
        raise CoterieError(
            f"replay.capacity {recipe.replay.capacity} is less than the {least} steps of one iteration: give at least "
            "environments times rollout"
        )
    if recipe.replay.warmup > recipe.replay.capacity:
        raise CoterieError(
            f"replay.warmup {recipe.replay.warmup} is more than replay.capacity {recipe.replay.capacity}: give less"
        )


def _utilities(recipe: ValueRecipe, spec: Spec) -> None:
    if spec.action_kind == "continuous":
        raise CoterieError(
            f"{recipe.name} chooses among actions, and the game's are continuous: choose maddpg, haddpg, hatd3, iddpg "
            "or omdpg"
        )
    if not isinstance(recipe.actor_update, Greedy):
        raise CoterieError(
            f"actor_update {part_name(type(recipe.actor_update))} climbs a critic of actions, and critic utilities "
            "needs no actor: choose actor_update greedy, or critic joint_action"
        )
    if not isinstance(recipe.exploration, EpsilonGreedy):
        raise CoterieError(
            "exploration actor_noise is for actors, and critic utilities has none: choose epsilon_greedy"
        )
    if recipe.smoothing is not None or recipe.delay != 1:
        raise CoterieError(
            "smoothing and delay are for actors, and critic utilities has none: choose smoothing none and delay 1"
        )
    if isinstance(recipe.weighting, Promising) and isinstance(recipe.central, NoCentral):
        raise CoterieError(
            "weighting promising compares with a central value, and central is no_central: choose central "
            "unrestricted, or weighting hysteretic"
        )
    if isinstance(recipe.central, Transformed):
        _transformed(recipe)
    if isinstance(recipe.central, Unrestricted) and not recipe.mixing.team:
        raise CoterieError(
            "central unrestricted values the team, and mixing apart has a value for each agent: choose mixing "
            "monotone or total"
        )
    if isinstance(recipe.weighting, Lenient):
        recipe.weighting.check(spec)
        _leniency(recipe, recipe.weighting, spec)


def _transformed(recipe: ValueRecipe) -> None:
    if not isinstance(recipe.mixing, Total):
        raise CoterieError("central transformed (QTRAN) transforms a sum of utilities: choose mixing total")
    if not isinstance(recipe.weighting, One):
        raise CoterieError(
            f"weighting {part_name(type(recipe.weighting))} weighs the errors of a mixture, and with central "
            "transformed (QTRAN) it has none of its own: choose weighting one"
        )
    if recipe.critic_net.memory:
        raise CoterieError("critic_net.memory: QTRAN's joint value is feed-forward: give 0, and memory to the agents")


def _leniency(recipe: ValueRecipe, part: Lenient, spec: Spec) -> None:
    if part.index.of == "critic":
        raise CoterieError("weighting.index.of critic is for policy gradients: choose own, or state")
    if (part.index.of == "own") == recipe.mixing.team:
        wanted = "state, for temperatures of joint actions" if recipe.mixing.team else "own"
        raise CoterieError(
            f"weighting.index.of {part.index.of} does not go with mixing {part_name(type(recipe.mixing))}: choose "
            f"{wanted}"
        )
    if part.index.of == "state" and spec.state_size == 0:
        raise CoterieError("the game has no global state: choose mixing apart and weighting.index.of own")


def _actions(recipe: ValueRecipe, critic: OwnAction | JointAction) -> None:
    name, update = part_name(type(critic)), part_name(type(recipe.actor_update))
    if isinstance(recipe.actor_update, Greedy):
        raise CoterieError(
            f"critic {name} is climbed by actors, and actor_update is greedy: choose actor_update simultaneous, "
            "sequential or marginal, or critic utilities"
        )
    if not isinstance(recipe.exploration, ActorNoise):
        raise CoterieError(f"exploration epsilon_greedy is for utilities, and critic is {name}: choose actor_noise")
    if isinstance(critic, OwnAction) and isinstance(recipe.actor_update, Marginal | Sequential):
        raise CoterieError(
            f"actor_update {update} reads the others' actions, which critic own_action does not: choose critic "
            "joint_action, or actor_update simultaneous"
        )
    if critic.ensemble < 1:
        raise CoterieError(f"critic.ensemble is {critic.ensemble}: give at least 1")
    if isinstance(critic, JointAction) and critic.pessimism is not None:
        if critic.ensemble < 2:
            raise CoterieError(
                "critic.pessimism weighs the disagreement of an ensemble, and critic.ensemble is 1: give at least 2, "
                "or critic.pessimism none"
            )
        if not critic.pessimism >= 0 or not critic.kappa >= 0:
            raise CoterieError("critic.pessimism and critic.kappa cannot be negative: give 0 or more")
    if recipe.critic_net.memory:
        raise CoterieError("critic_net.memory: critics of actions are feed-forward: give 0, and memory to the actors")
    utilities = {"mixing": Total, "central": NoCentral, "weighting": One}
    for field, plain in utilities.items():
        if not isinstance(getattr(recipe, field), plain):
            part = part_name(type(getattr(recipe, field)))
            raise CoterieError(f"{field} {part} is for utilities, and critic is {name}: choose {part_name(plain)}")


def _marginals(recipe: ValueRecipe, spec: Spec) -> None:
    part = recipe.actor_update
    if not isinstance(part, Marginal) or part.gradient != "expected":
        return
    if spec.action_kind == "continuous" or spec.components > 1:
        kind = "continuous" if spec.action_kind == "continuous" else "several choices each"
        raise CoterieError(
            f"actor_update.gradient expected adds up over one choice of each agent, and the game's actions are {kind}: "
            "choose straight"
        )
    joint = spec.choices**spec.n_agents
    if joint > part.enumerated:
        raise CoterieError(
            f"actor_update.gradient expected enumerates {joint:,} joint actions, more than actor_update.enumerated "
            f"{part.enumerated}: raise it, or choose straight"
        )
