"""Which parts go together: refused before anything is compiled, in one line with the remedy."""

from __future__ import annotations

import math

from coterie.contracts import CoterieError, Spec
from coterie.fields import part_name
from coterie.nets.networks import Network
from coterie.nets.sharing import layout
from coterie.parts import checks
from coterie.policy.critic import SharedTrunk
from coterie.policy.critic_input import Local, PolicyEmbedded
from coterie.policy.order import Blocks, Greedy, RandomSequence, SemiGreedy, Simultaneous
from coterie.policy.recipes import Recipe
from coterie.policy.surrogate import Clip, KlPenalty
from coterie.policy.weighting import Hysteretic, Lenient, Others, Preceding, singles


def check(recipe: Recipe, spec: Spec) -> None:
    """Raise CoterieError unless the recipe's numbers are in range, its parts go together, and the game suits it."""
    _numbers(recipe)
    _sequences(recipe)
    _order(recipe, spec)
    _game(recipe, spec)


def _numbers(recipe: Recipe) -> None:
    checks.positive({
        "environments": recipe.environments, "rollout": recipe.rollout, "epochs": recipe.epochs,
        "critic_epochs": recipe.critic_epochs, "minibatches": recipe.minibatches, "huber": recipe.huber,
    })  # fmt: skip
    checks.fits({"actor_fit": recipe.actor_fit, "critic_fit": recipe.critic_fit})
    shares = {"gamma": recipe.gamma, "leak": recipe.leak}
    if isinstance(recipe.surrogate, Clip):
        shares["surrogate.epsilon"] = recipe.surrogate.epsilon
    trace = getattr(recipe.estimator, "trace", None)
    if trace is not None:
        shares["estimator.trace"] = trace
    if isinstance(recipe.surrogate, Clip) and recipe.surrogate.adaptive == "position":
        shares["surrogate.floor"] = recipe.surrogate.floor
    checks.shares(shares)
    for part in singles(recipe.weighting):
        if isinstance(part, Hysteretic):
            checks.shares({"weighting.eta": part.eta})
    if isinstance(recipe.surrogate, KlPenalty):
        _penalty(recipe.surrogate)
    least = [("entropy", recipe.entropy), ("value_clip", recipe.value_clip)]
    for part in singles(recipe.weighting):
        least += [(f"weighting.{name}", getattr(part, name, None)) for name in ("outer", "clip")]
    for name, value in least:
        if value is not None and not value >= 0:
            raise CoterieError(f"{name} is {value}: give 0 or more")
    steps = getattr(recipe.estimator, "steps", 1)
    if steps < 1:
        raise CoterieError(f"estimator.steps is {steps}: give at least 1")


def _penalty(part: KlPenalty) -> None:
    for name, value, least in (("target", part.target, 0.0), ("band", part.band, 1.0), ("factor", part.factor, 1.0)):
        if not value > least or not math.isfinite(value):
            raise CoterieError(f"surrogate.{name} is {value}: give a number above {least:g}")
    for name, value in (("root", part.root), ("kl", part.kl)):
        if value is not None and not (value >= 0 and math.isfinite(value)):
            raise CoterieError(f"surrogate.{name} is {value}: give 0 or more, or none to leave the term out")
    if part.limits and not (len(part.limits) == 2 and 0 < part.limits[0] < part.limits[1]):
        raise CoterieError(f"surrogate.limits are {part.limits}: give the least and the largest coefficient, or none")


def _sequences(recipe: Recipe) -> None:
    checks.chunk(recipe.chunk, recipe.rollout)
    for name, network in (("actor", recipe.actor), ("critic", recipe.critic)):
        length = recipe.sequence(network)
        rows = recipe.environments * recipe.rollout // length
        if rows < recipe.minibatches:
            raise CoterieError(
                f"minibatches {recipe.minibatches} is more than the {rows} sequences that the {name} is trained on: "
                "give fewer minibatches, more environments or a shorter chunk"
            )


def _order(recipe: Recipe, spec: Spec) -> None:
    slots, order = layout(recipe.sharing, spec), recipe.order
    sequential = not isinstance(order, Simultaneous)
    blocks = order.blocks if isinstance(order, Blocks | SemiGreedy) else 0
    if sequential and slots.slots == 1 and spec.n_agents > 1 and not blocks:
        raise CoterieError(
            f"order {part_name(type(order))} cannot move agents one by one while sharing full gives them one set of "
            "parameters: choose sharing none or type, or an order in blocks (order.blocks 2)"
        )
    units = spec.n_agents if slots.slots == 1 else slots.slots
    if blocks < 0 or (isinstance(order, Blocks) and blocks < 1):
        raise CoterieError(f"order.blocks is {blocks}: give at least 1")
    if blocks > units:
        raise CoterieError(f"order.blocks is {blocks} and there are {units} units to move: give {units} or fewer")
    if blocks and slots.slots > 1 and units % blocks:
        raise CoterieError(f"order.blocks {blocks} does not divide the {units} parameter slots: give a divisor")
    parts = singles(recipe.weighting)
    if any(isinstance(part, Preceding) for part in parts) and not sequential:
        raise CoterieError(
            "weighting preceding needs an order in turns, and order simultaneous has one turn: choose order "
            "random_sequence, semi_greedy or blocks, or weighting others"
        )
    if any(isinstance(part, Others) for part in parts) and isinstance(order, RandomSequence | Greedy):
        raise CoterieError(
            f"weighting others reads the agents that move together, and order {part_name(type(order))} moves one at a "
            "time: choose order simultaneous or blocks, or weighting preceding"
        )
    if isinstance(recipe.surrogate, Clip) and recipe.surrogate.adaptive == "ratio" and not sequential:
        raise CoterieError("surrogate.adaptive ratio needs an order in turns: choose none, or an order in blocks")


def _game(recipe: Recipe, spec: Spec) -> None:
    if isinstance(recipe.critic, SharedTrunk) and not isinstance(recipe.critic_input, Local):
        raise CoterieError(
            "critic shared_trunk sees what the policy sees, and critic_input is "
            f"{part_name(type(recipe.critic_input))}: choose critic_input local, or a critic network"
        )
    if isinstance(recipe.critic, SharedTrunk) and recipe.critic_turns == "turn":
        raise CoterieError(
            "critic shared_trunk is fitted with the policy, and critic_turns turn fits a critic by itself: choose "
            "critic_turns after, or a critic network"
        )
    lenient = [part for part in singles(recipe.weighting) if isinstance(part, Lenient)]
    if len(lenient) > 1:
        raise CoterieError("weighting has more than one lenient part: keep one, there is one table of temperatures")
    for one in lenient:
        one.check(spec)
        if one.index.of == "state" and spec.state_size == 0:
            raise CoterieError("the game has no global state: choose weighting.index.of critic")
    part = recipe.critic_input
    if isinstance(part, PolicyEmbedded):
        _embedded(recipe, part)
    inner = part.inner if isinstance(part, PolicyEmbedded) else part
    if not isinstance(inner, Local) and spec.state_size == 0:
        where = "critic_input.inner" if isinstance(part, PolicyEmbedded) else "critic_input"
        raise CoterieError(f"the game has no global state: choose {where} local")


def _embedded(recipe: Recipe, part: PolicyEmbedded) -> None:
    if part.samples < 1:
        raise CoterieError(f"critic_input.samples is {part.samples}: give at least 1 draw of the others' actions")
    if part.enumerated < 0:
        raise CoterieError(f"critic_input.enumerated is {part.enumerated}: give 0 or more")
    if isinstance(recipe.critic, Network) and not recipe.critic.head:
        raise CoterieError(
            "critic_input policy_embedded brings the others' actions in at the critic's head, and the critic has none: "
            "give critic.head a width, such as 128"
        )
