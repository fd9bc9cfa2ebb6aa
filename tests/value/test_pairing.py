"""Forbidden pairings and numbers out of range: one line that names the parts and the remedy."""

from dataclasses import replace

import pytest

from coterie.contracts import CoterieError
from coterie.nets.networks import Network
from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import Exact, SimHash
from coterie.value.actor_update import Greedy, Marginal, Sequential, Simultaneous
from coterie.value.central import Transformed, Unrestricted
from coterie.value.critic import JointAction, OwnAction, Utilities
from coterie.value.exploration import ActorNoise, EpsilonGreedy
from coterie.value.learner import ValueLearner
from coterie.value.mixing import Apart, Monotone, Total
from coterie.value.objective import NStep, TdLambda
from coterie.value.recipes import (
    RECIPES,
    cwqmix,
    haddpg,
    hatd3,
    hysteretic_dqn,
    iddpg,
    lenient_dqn,
    maddpg,
    omdpg,
    owqmix,
    qmix,
    qplex,
    qtran,
    recurrent,
    vdn,
)  # fmt: skip
from coterie.value.replay import Replay
from coterie.value.scale import ByReturns
from coterie.value.target import Hard, Soft
from coterie.value.weighting import Hysteretic, Promising
from tests.value.sequences import spec

STATELESS, BOXES = replace(spec(), state_size=0), spec(kind="continuous")


def lenient(**changes):
    return replace(lenient_dqn(), weighting=replace(lenient_dqn().weighting, **changes))


OUT_OF_RANGE = {
    "environments": (replace(vdn(), environments=0), "environments is 0"),
    "rollout": (replace(vdn(), rollout=0), "rollout is 0"),
    "updates": (replace(vdn(), updates=0), "updates is 0"),
    "delay": (replace(hatd3(), delay=0), "delay is 0"),
    "batch": (replace(vdn(), replay=Replay(batch=0)), "replay.batch is 0"),
    "rate": (replace(vdn(), actor_fit=Adam(0.0)), "actor_fit.rate is 0.0"),
    "a rate that is no number": (replace(vdn(), critic_fit=Adam(float("nan"))), "critic_fit.rate is nan"),
    "limit": (replace(vdn(), actor_fit=Adam(limit=-1.0)), "actor_fit.limit is -1.0"),
    "an infinite limit": (replace(vdn(), critic_fit=Adam(limit=float("inf"))), "critic_fit.limit is inf"),
    "steps": (replace(vdn(), objective=NStep(0)), "objective.steps is 0"),
    "exploration": (replace(vdn(), exploration=EpsilonGreedy(steps=0.0)), "exploration.steps is 0.0"),
    "every": (replace(vdn(), target=Hard(0)), "target.every is 0"),
    "smoothing": (replace(hatd3(), smoothing=0.0), "smoothing is 0.0"),
    "deviation": (replace(maddpg(), exploration=ActorNoise(0.0)), "exploration.std is 0.0"),
    "gamma": (replace(vdn(), gamma=1.1), "gamma is 1.1"),
    "gamma that is no number": (replace(vdn(), gamma=float("nan")), "gamma is nan"),
    "start": (replace(vdn(), exploration=EpsilonGreedy(start=1.5)), "exploration.start is 1.5"),
    "finish": (replace(vdn(), exploration=EpsilonGreedy(finish=-0.1)), "exploration.finish is -0.1"),
    "lambda": (replace(vdn(), objective=TdLambda(1.2)), "objective.trace is 1.2"),
    "soft": (replace(vdn(), target=Soft(2.0)), "target.rate is 2.0"),
    "beta": (hysteretic_dqn(1.5), "beta (weighting.beta) is 1.5"),
    "alpha": (cwqmix(-0.5), "alpha (weighting.alpha) is -0.5"),
}
FORBIDDEN = {
    **{name: (recipe, f"{words}: give a number ", ()) for name, (recipe, words) in OUT_OF_RANGE.items()},
    "halving": (replace(vdn(), actor_fit=Adam(halving=-1)), "actor_fit.halving is -1", ("0 for never",)),
    "actors that always explore": (
        replace(maddpg(), exploration=ActorNoise(start=1.0)), "exploration.start is 1, which", ("longer exploration",)
    ),
    "actors that end as they began": (
        replace(maddpg(), exploration=ActorNoise(finish=1.0)), "exploration.finish is 1, which", ("longer",)
    ),
    "a delay of nobody": (replace(vdn(), delay=2), "smoothing and delay are for actors", ("delay 1",)),
    "a mixture of actors": (replace(maddpg(), mixing=Monotone()), "mixing monotone is for utilities", ("total",)),
    "an expectation over too many": (
        replace(omdpg(), actor_update=Marginal(gradient="expected", enumerated=4)),
        "actor_update.gradient expected enumerates", ("raise it, or choose straight",),
    ),
    "a narrow mixture": (replace(qmix(), mixing=Monotone(embed=0)), "mixing.embed is 0", ("above 0",)),
    "an average that never moves": (replace(vdn(), scale=ByReturns(1.0)), "scale.beta is 1.0: give", ("less than 1",)),
    "no floor": (replace(vdn(), scale=ByReturns(floor=0.0)), "scale.floor is 0.0: give", ("above 0",)),
    "chunks that do not fit": (recurrent(vdn(), chunk=7), "chunk 7 does not divide", ("25 steps", "divisor")),
    "single steps for several": (
        replace(vdn(), objective=TdLambda(), chunk=1), "objective td_lambda looks beyond a step", ("longer chunk",)
    ),
    "chunks below 0": (replace(vdn(), chunk=-5), "chunk -5 does not divide", ("divisor",)),
    "a replay smaller than an iteration": (
        replace(vdn(), replay=Replay(199)), "replay.capacity 199 is less than the 200 steps", ("at least",)
    ),
    "a warm-up beyond the replay": (
        replace(vdn(), replay=Replay(500, 8, 501)), "replay.warmup 501 is more than replay.capacity 500", ("give less",)
    ),
    "slots for another team": (replace(vdn(), sharing=(0, 1)), "sharing (0, 1) names 2 agents", ("3",)),
    "an actor update without actors": (
        replace(vdn(), actor_update=Simultaneous()), "actor_update simultaneous climbs", ("greedy", "joint_action")
    ),
    "an actor's noise on utilities": (
        replace(vdn(), exploration=ActorNoise()), "exploration actor_noise is for actors", ("choose epsilon_greedy",)
    ),
    "promising without a central value": (
        replace(qmix(), weighting=Promising()), "weighting promising compares", ("no_central", "unrestricted")
    ),
    "qtran of anything but a sum": (replace(qtran(), mixing=Monotone()), "central transformed", ("mixing total",)),
    "weights of errors that qtran has not": (
        replace(qtran(), weighting=Hysteretic()), "weighting hysteretic weighs", ("transformed", "weighting one")
    ),
    "a joint value with memory": (
        replace(qtran(), critic_net=Network((8,), memory=8)), "critic_net.memory: QTRAN", ("give 0",)
    ),
    "a central value of nobody's": (
        replace(owqmix(), mixing=Apart()), "central unrestricted values the team", ("apart", "monotone or total")
    ),
    "the critic's states": (
        lenient(index=SimHash("critic")), "weighting.index.of critic is for policy", ("own, or state",)
    ),
    "joint temperatures of own values": (
        lenient(index=SimHash("state")), "weighting.index.of state does not go with mixing apart", ("choose own",)
    ),
    "own temperatures of a joint value": (
        replace(vdn(), weighting=Lenient(SimHash("own"))),
        "weighting.index.of own does not go with mixing total", ("choose state, for temperatures of joint",),
    ),
    "temperatures out of range": (lenient(rho=0.5), "weighting.rho is 0.5", ("0 or less",)),
    "greedy actors": (replace(maddpg(), actor_update=Greedy()), "critic joint_action is climbed", ("simultaneous",)),
    "greedy actors of their own": (replace(iddpg(), actor_update=Greedy()), "critic own_action is climbed", ()),
    "actors that choose greedily": (
        replace(maddpg(), exploration=EpsilonGreedy()), "exploration epsilon_greedy is for utilities", ("actor_noise",)
    ),
    "turns on own values": (
        replace(iddpg(), actor_update=Sequential()), "actor_update sequential reads", ("own_action", "simultaneous")
    ),
    "marginals of own values": (replace(iddpg(), actor_update=Marginal()), "actor_update marginal reads", ()),
    "no copy": (replace(iddpg(), critic=OwnAction(0)), "critic.ensemble is 0", ("at least 1",)),
    "one copy that disagrees": (
        replace(omdpg(), critic=JointAction(pessimism=0.1)), "critic.pessimism weighs", ("at least 2", "none")
    ),
    "optimism": (replace(omdpg(), critic=JointAction(False, 2, -0.1)), "critic.pessimism and critic.kappa", ()),
    "deviations above": (replace(omdpg(), critic=JointAction(False, 2, 0.1, -1.0)), "critic.pessimism and", ("0 or",)),
    "a critic with memory": (
        replace(haddpg(), critic_net=Network((8,), memory=8)), "critic_net.memory: critics of actions", ("give 0",)
    ),
    "a central value beside a critic": (
        replace(maddpg(), central=Unrestricted()), "central unrestricted is for utilities", ("choose no_central",)
    ),
    "weights of a critic's errors": (
        replace(maddpg(), weighting=Hysteretic()), "weighting hysteretic is for utilities", ("choose one",)
    ),
}  # fmt: skip
OF_GAMES = {
    "utilities of a box": (vdn(), BOXES, "vdn chooses among actions, and the game's are continuous", ("omdpg",)),
    "a mixture of no state": (qmix(), STATELESS, "mixing monotone reads the global state", ("total, or apart",)),
    "a duplex of no state": (qplex(), STATELESS, "mixing duplex reads the global state", ("total, or apart",)),
    "qtran of no state": (qtran(), STATELESS, "central transformed reads the global state", ("no_central",)),
    "a critic of no state": (maddpg(), STATELESS, "critic joint_action reads the global state", ("own_action",)),
    "leniency of no state": (
        replace(vdn(), weighting=Lenient()), STATELESS, "the game has no global state", ("apart", "of own")
    ),
    "a table too large": (
        replace(vdn(), weighting=Lenient(Exact())), replace(spec(), state_size=10**7),
        "weighting.index exact needs", ("sim_hash",),
    ),
}  # fmt: skip
CASES = {**{name: (recipe, spec(), start, words) for name, (recipe, start, words) in FORBIDDEN.items()}, **OF_GAMES}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_line(case):
    recipe, own, start, words = CASES[case]
    with pytest.raises(CoterieError) as caught:
        ValueLearner(recipe, own).checked()
    line = str(caught.value)
    assert line.startswith(start), line
    assert "\n" not in line and all(word in line for word in words), line


def test_the_remedies_work():
    """What the errors recommend is accepted."""
    for recipe, own in (
        (replace(qtran(), central=vdn().central), STATELESS),
        (replace(qmix(), mixing=Total()), STATELESS),
        (replace(vdn(), mixing=Apart(), weighting=Lenient(SimHash("own"))), STATELESS),
        (replace(vdn(), weighting=Lenient(SimHash("state"))), spec()),
        (replace(qmix(), weighting=Promising(), central=Unrestricted()), spec()),
        (replace(qmix(), weighting=Hysteretic()), spec()),
        (replace(maddpg(), critic=OwnAction()), STATELESS),
        (replace(vdn(), critic=JointAction(), actor_update=Simultaneous(), exploration=ActorNoise()), spec()),
        (replace(maddpg(), critic=Utilities(), actor_update=Greedy(), exploration=EpsilonGreedy()), spec()),
        (replace(qtran(), central=Transformed(0.5, 0.5)), spec()),
    ):
        ValueLearner(recipe, own).checked()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_suits_its_games(name):
    """Teams of one, recurrent agents, choices; boxes and games without a state where the method allows it."""
    recipe, stateless = RECIPES[name](), ("iql", "vdn", "hysteretic_dqn", "lenient_dqn", "iddpg")
    own = [spec(), spec(1), spec(kind="multi_discrete")]
    own += [BOXES] if not isinstance(recipe.critic, Utilities) else []
    own += [STATELESS] if name in stateless else []
    for game in own:
        for line in (recipe, recurrent(recipe, 8, 5), replace(recipe, sharing="none")):
            ValueLearner(line, game).checked()
