"""Forbidden pairings and numbers out of range: one line that names the parts and the remedy."""

from dataclasses import replace

import pytest

from coterie.contracts import CoterieError
from coterie.nets.networks import Network
from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.policy.critic import SharedTrunk
from coterie.policy.critic_input import AgentSpecific, PolicyEmbedded
from coterie.policy.estimator import Gae, NStep
from coterie.policy.learner import PolicyLearner
from coterie.policy.order import Blocks, Greedy, RandomSequence, SemiGreedy
from coterie.policy.recipes import (
    RECIPES,
    a2po,
    coppo,
    dpo,
    happo,
    ippo,
    lenient_mappo,
    mappo,
    optimistic_mappo,
    perla_mappo,
    recurrent,
)  # fmt: skip
from coterie.policy.surrogate import Clip, KlPenalty
from coterie.policy.weighting import One, Others, Preceding, product
from tests.policy.rollouts import spec

STATELESS = replace(spec(), state_size=0)
FORBIDDEN = {
    "one by one, one set of parameters": (replace(happo(), sharing="full"), ("random_sequence", "sharing", "blocks")),
    "greedy, one set of parameters": (replace(mappo(), order=Greedy()), ("greedy", "sharing", "blocks")),
    "a2po without blocks, shared": (replace(a2po(), sharing="full"), ("semi_greedy", "sharing", "blocks")),
    "by type, all of one type": (replace(happo(), sharing="type"), ("random_sequence", "sharing", "blocks")),
    "preceding, all at once": (replace(mappo(), weighting=Preceding()), ("preceding", "simultaneous", "others")),
    "preceding in a product": (
        replace(mappo(), weighting=product(One(), Preceding())), ("preceding", "simultaneous", "others")
    ),
    "others, one by one": (replace(happo(), weighting=Others()), ("others", "random_sequence", "preceding")),
    "others in a product": (
        replace(happo(), weighting=product(Others(), Preceding())), ("others", "random_sequence", "preceding")
    ),
    "ratio range, all at once": (replace(mappo(), surrogate=Clip(adaptive="ratio")), ("adaptive ratio", "order")),
    "no blocks": (replace(happo(), order=Blocks(0)), ("blocks", "0", "1")),
    "fewer than no blocks": (replace(a2po(), order=SemiGreedy(blocks=-1)), ("blocks", "-1", "1")),
    "more blocks than agents": (replace(a2po("shared"), order=Blocks(4)), ("blocks", "4", "3")),
    "unequal blocks of slots": (replace(happo(), order=Blocks(2)), ("blocks", "2", "3", "divisor")),
    "trunk with another input": (replace(mappo(), critic=SharedTrunk()), ("shared_trunk", "global_state", "local")),
    "trunk fitted twice": (
        replace(ippo(), critic=SharedTrunk(), critic_turns="turn"), ("shared_trunk", "critic_turns after")
    ),
    "more minibatches than samples": (replace(mappo(), environments=1, rollout=3), ("minibatches", "4", "3")),
    "more minibatches than sequences": (
        replace(recurrent(mappo()), environments=3), ("minibatches", "4", "3", "sequences")
    ),
    "chunks that do not fit": (recurrent(mappo(), chunk=7), ("chunk", "7", "25", "divisor")),
    "slots for another team": (replace(mappo(), sharing=(0, 1)), ("sharing", "2", "3")),
    "a slot left out": (replace(mappo(), sharing=(0, 2, 2)), ("sharing", "(0, 1, 1)")),
    "an unknown sharing": (replace(mappo(), sharing="partial"), ("sharing", "partial", "type")),
    "gamma": (replace(mappo(), gamma=1.1), ("gamma", "1.1", "between 0 and 1")),
    "lambda": (replace(mappo(), estimator=Gae(trace=-0.1)), ("estimator.trace", "-0.1", "between 0 and 1")),
    "steps": (replace(mappo(), estimator=NStep(steps=0)), ("estimator.steps", "0", "1")),
    "epsilon": (replace(mappo(), surrogate=Clip(epsilon=2.0)), ("surrogate.epsilon", "2.0")),
    "rate": (replace(mappo(), actor_fit=Adam(rate=0.0)), ("actor_fit.rate", "0.0", "above 0")),
    "a rate that is no number": (replace(mappo(), critic_fit=Adam(rate=float("nan"))), ("critic_fit.rate", "nan")),
    "halving": (replace(mappo(), critic_fit=Adam(halving=-1)), ("critic_fit.halving", "-1", "0 for never")),
    "epochs": (replace(mappo(), epochs=0), ("epochs", "0", "above 0")),
    "entropy": (replace(mappo(), entropy=-0.1), ("entropy", "-0.1", "0 or more")),
    "gamma that is no number": (replace(mappo(), gamma=float("nan")), ("gamma", "nan")),
    "entropy that is no number": (replace(mappo(), entropy=float("nan")), ("entropy", "nan")),
    "a floor above 1": (replace(a2po(), surrogate=Clip(adaptive="position", floor=1.5)), ("surrogate.floor", "1.5")),
    "a bound below 0": (replace(coppo(), weighting=Others(-0.1)), ("weighting.outer", "-0.1")),
    "a clip below 0": (replace(a2po(), weighting=Preceding(clip=-0.1)), ("weighting.clip", "-0.1")),
    "a leak above 1": (replace(mappo(), leak=1.5), ("leak", "1.5", "between 0 and 1")),
    "optimism below 0": (optimistic_mappo(-0.1), ("weighting.eta", "-0.1", "between 0 and 1")),
    "no target": (replace(dpo(), surrogate=KlPenalty(target=0.0)), ("surrogate.target", "0.0", "above 0")),
    "no band": (replace(dpo(), surrogate=KlPenalty(band=0.5)), ("surrogate.band", "0.5", "above 1")),
    "a coefficient below 0": (replace(dpo(), surrogate=KlPenalty(kl=-1.0)), ("surrogate.kl", "-1.0", "none")),
    "limits upside down": (replace(dpo(), surrogate=KlPenalty(limits=(2.0, 1.0))), ("surrogate.limits", "least")),
    "no draws": (perla_mappo(0), ("critic_input.samples", "0", "at least 1")),
    "enumerating less than nothing": (
        replace(perla_mappo(), critic_input=PolicyEmbedded(enumerated=-1)), ("critic_input.enumerated", "-1"),
    ),
    "actions without a head to come in": (
        replace(perla_mappo(), critic=Network((8,))), ("policy_embedded", "critic.head"),
    ),
    "two tables": (replace(lenient_mappo(), weighting=product(Lenient(), Lenient())), ("more than one lenient",)),
    "a value clip below 0": (replace(mappo(), value_clip=-0.2), ("value_clip", "-0.2")),
}  # fmt: skip


@pytest.mark.parametrize("case", FORBIDDEN)
def test_refused_in_one_line(case):
    recipe, words = FORBIDDEN[case]
    with pytest.raises(CoterieError) as caught:
        PolicyLearner(recipe, spec()).checked()
    line = str(caught.value)
    assert "\n" not in line and all(word in line for word in words), line


@pytest.mark.parametrize("recipe", [mappo(), replace(ippo(), critic_input=AgentSpecific())], ids=["state", "both"])
def test_a_game_without_a_state_needs_local_values(recipe):
    with pytest.raises(CoterieError, match="no global state: choose critic_input local"):
        PolicyLearner(recipe, STATELESS).checked()
    PolicyLearner(replace(recipe, critic_input=ippo().critic_input), STATELESS).checked()


ALLOWED = {
    **{name: make() for name, make in RECIPES.items()},
    **{f"{name}, recurrent": recurrent(make(), chunk=5) for name, make in RECIPES.items()},
    "happo, inside": happo("inside"),
    "a2po, shared": a2po("shared"),
    "happo, partly shared": replace(happo(), sharing=(0, 1, 0)),
    "a2po, random blocks": replace(a2po("shared"), order=Blocks(3)),
    "coppo, separate": replace(coppo(), sharing="none"),
    "coppo in blocks": replace(coppo(), order=Blocks(2)),
    "mappo, one by one": replace(mappo(), sharing="none", order=RandomSequence()),
    "ippo, trunk": replace(ippo(), critic=SharedTrunk()),
    "mappo, linear": replace(mappo(), actor=Network(encoder=()), critic=Network(encoder=())),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_the_mathematics_allows_is_let_through(case):
    PolicyLearner(ALLOWED[case], spec()).checked()


@pytest.mark.parametrize("name", RECIPES)
def test_a_team_of_one_is_always_allowed(name):
    PolicyLearner(RECIPES[name](), spec(1)).checked()


def test_the_remedies_work():
    """What the errors recommend is accepted."""
    for recipe in (
        replace(happo(), sharing="none"),
        replace(happo(), sharing="full", order=Blocks(2)),
        replace(mappo(), sharing="none", order=RandomSequence(), weighting=Preceding()),
        replace(happo(), weighting=Preceding()),
        replace(happo(), order=Blocks(3)),
    ):
        PolicyLearner(recipe, spec()).checked()
