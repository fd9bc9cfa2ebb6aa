"""Line-ups that nobody has: named ones, and drawn at random from all parts; each learns for three updates."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from coterie.contracts import CoterieError
from coterie.nets.networks import Network
from coterie.nets.normaliser import NoNorm, ValueNorm
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import CodeHash, Exact, SimHash
from coterie.policy.critic import SharedTrunk
from coterie.policy.critic_input import AgentSpecific, GlobalState, Local, PolicyEmbedded
from coterie.policy.estimator import Gae, NStep, PrecedingTrace
from coterie.policy.learner import PolicyLearner
from coterie.policy.order import Blocks, Greedy, RandomSequence, SemiGreedy, Simultaneous
from coterie.policy.recipes import Recipe, a2po, coppo, dpo
from coterie.policy.surrogate import Clip, KlPenalty
from coterie.policy.weighting import Hysteretic, One, Others, Preceding, product
from tests.policy.rollouts import E, learn, rollout, small, spec

HEADED = Network(encoder=(5,), head=(4,))
NAMED = {
    "a2po with leniency": replace(a2po(), weighting=product(Preceding(clip=0.1), Lenient())),
    "a2po with PERLA's critic": replace(a2po(), critic_input=PolicyEmbedded(GlobalState()), critic=HEADED),
    "dpo with optimism": replace(dpo(), weighting=Hysteretic(0.3), advantage_norm="scale"),
    "coppo with leniency": replace(coppo(), weighting=product(Others(), Lenient(forgive="factor"))),
}


def drawn(seed):
    """A random line-up, valid or not, of every part that there is."""
    draw = np.random.default_rng(seed)
    pick = lambda *options: options[draw.integers(len(options))]  # noqa: E731
    index = pick(Exact(), SimHash(), SimHash("critic", 4), CodeHash(code=3, hidden=4), CodeHash("critic", code=3))
    weights = [One(), Others(), Preceding(), Preceding(0.1), Preceding(place="outside"), Hysteretic(0.4),
               Lenient(index, buckets=50, forgive=pick("mask", "factor"))]  # fmt: skip
    inner = pick(Local(), GlobalState(), AgentSpecific())
    line = Recipe(
        sharing=pick("full", "type", "none", (0, 1, 0)),
        critic_input=pick(inner, PolicyEmbedded(inner, 3, pick(0, 9))),
        estimator=pick(Gae(), Gae(truncation="zero"), NStep(2), PrecedingTrace(), PrecedingTrace(lambda_squared=True)),
        order=pick(Simultaneous(), RandomSequence(), Greedy(), SemiGreedy(), Blocks(2), SemiGreedy(blocks=2)),
        weighting=product(*(weights[i] for i in draw.choice(len(weights), draw.integers(1, 4), replace=False))),
        surrogate=pick(Clip(), Clip(adaptive="position"), Clip(adaptive="ratio"), KlPenalty(), KlPenalty(root=None)),
        advantage_norm=pick("team", "agent", "scale", "none"),
        leak=pick(1.0, 0.5),
        critic_turns=pick("after", "turn"),
        value_clip=pick(None, 0.2),
        value_norm=pick(ValueNorm(), NoNorm()),
        critic=HEADED,
    )
    allowed = isinstance(line.critic_input, Local) and line.critic_turns == "after"
    return replace(line, critic=pick(HEADED, SharedTrunk())) if allowed else line


def cut(line):
    """A small one with the critic that it has, or with one whose head takes in actions."""
    return small(line, critic=line.critic if isinstance(line.critic, SharedTrunk) else HEADED)


def valid(count):
    """The first ``count`` seeds whose line-up is let through; the others must be refused in one line."""
    seeds, refused = [], 0
    for seed in range(1000):
        try:
            PolicyLearner(cut(drawn(seed)), spec()).checked()
        except CoterieError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        seeds.append(seed)
        if len(seeds) == count:
            return seeds
    raise AssertionError(f"only {len(seeds)} of 1000 line-ups are valid, {refused} refused")


LINES = NAMED | {f"drawn {seed}": drawn(seed) for seed in valid(4)}


@pytest.mark.parametrize("name", LINES)
def test_learns_for_three_updates(name):
    """All that changes stays finite, every actor moves, and the figures have their shapes."""
    learner = PolicyLearner(cut(LINES[name]), spec()).checked()
    state = first = learner.init(jax.random.key(0), E)
    metrics = {}
    for seed in range(3):
        state, metrics = learn(learner, state, rollout(learner, state, seed), jax.random.key(seed))
        assert int(metrics["guard"]) == len(learner.guarded), learner.guarded[int(metrics["guard"])]
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((state, metrics)))
    assert metrics["kl"].shape == (3,) and metrics["policy_loss"].shape == (3,)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).reshape(len(a), -1).max(1), state.actor, first.actor)
    assert (np.max(np.stack(jax.tree.leaves(moved)), 0) > 0).all()


def test_both_kinds_of_values_are_drawn():
    """Normalised and as they are; of a network of its own and of the policy's."""
    lines = [line for name, line in LINES.items() if name.startswith("drawn")]
    assert {type(line.value_norm) for line in lines} == {ValueNorm, NoNorm}
    assert {type(line.critic) for line in lines} == {Network, SharedTrunk}
