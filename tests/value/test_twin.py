"""Every value-based method against a plain loop: three gradient steps on random batches, parameters and targets."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import SimHash
from coterie.value.central import Transformed, Unrestricted
from coterie.value.learner import ValueLearner
from coterie.value.mixing import Duplex, Free, Monotone
from coterie.value.objective import NStep, TdLambda
from coterie.value.recipes import cwqmix, hysteretic_dqn, iql, lenient_dqn, owqmix, qmix, qplex, qtran, vdn
from coterie.value.target import Hard, Soft
from tests.oracles.value_twin import Method, Twin, leaves
from tests.value.sequences import GRU, batch, small, spec, step

FULL, PAIR, NONE = (0, 0, 0), (0, 1, 0), (0, 1, 2)
MONOTONE, DUPLEX = Monotone(embed=3, hidden=4), Duplex(kernels=2, hidden=4)
CENTRAL = Unrestricted(Free((6,)))

CASES = {
    "vdn": (vdn(), Method(FULL, every=2)),
    "vdn, lambda": (replace(vdn(), objective=TdLambda(0.7)), Method(FULL, returns="lambda", trace=0.7)),
    "vdn, gru, a reward each": (replace(vdn(), actor=GRU, sharing=PAIR), Method(PAIR, individual=True)),
    "iql": (replace(iql(), sharing=PAIR), Method(PAIR, mixing="apart", individual=True, every=2)),
    "iql, three steps": (
        replace(iql(), sharing="none", objective=NStep(3), double=False),
        Method(NONE, mixing="apart", steps=3, double=False),
    ),
    "qmix": (replace(qmix(), mixing=MONOTONE), Method(FULL, mixing="monotone")),
    "qplex": (replace(qplex(), mixing=DUPLEX), Method(FULL, mixing="duplex", every=2)),
    "owqmix, gru": (
        replace(owqmix(0.3), mixing=MONOTONE, central=CENTRAL, actor=GRU),
        Method(FULL, mixing="monotone", central="free", weight="hysteretic", share=0.3),
    ),
    "cwqmix": (
        replace(cwqmix(0.3), mixing=MONOTONE, central=CENTRAL),
        Method(FULL, mixing="monotone", central="free", weight="promising", share=0.3),
    ),
    "qtran": (replace(qtran(), central=Transformed(0.7, 0.4)), Method(FULL, central="transformed", opt=0.7, other=0.4)),
    "hysteretic": (hysteretic_dqn(0.4), Method(FULL, mixing="apart", weight="hysteretic", share=0.4)),
    "lenient": (
        replace(lenient_dqn(), weighting=Lenient(SimHash("own"), forgive="factor")),
        Method(FULL, mixing="apart", weight="mercy"),
    ),
}  # fmt: skip


def plain(tree):
    """``[slots, ...]`` arrays as a list of slots."""
    tree = jax.device_get(tree)  # slices of arrays on the device would be compiled
    slots = len(jax.tree.leaves(tree)[0])
    return [jax.tree.map(lambda x, slot=slot: np.asarray(x[slot], np.float64), tree) for slot in range(slots)]


def named(actor, critic):
    return {"actor": plain(actor), **{name: plain(module) for name, module in critic.items()}}


def arrays(seen, memory):
    """A batch as a dictionary of arrays."""
    view = lambda x: {k: np.asarray(v) for k, v in x._asdict().items()}  # noqa: E731
    rest = {k: np.asarray(getattr(seen, k)) for k in ("action", "reward", "terminated", "truncated", "reset")}
    rows, agents = seen.reset.shape[1], seen.reward.shape[2]
    carry = np.asarray(seen.carry, np.float64) if memory else np.zeros((rows, agents, 1))
    mercy = np.asarray(seen.mercy, np.float64) if isinstance(seen.mercy, jax.Array) else np.ones(seen.reward.shape)
    return {**view(seen.observation), "final": view(seen.final), "carry": carry, "mercy": mercy, **rest}


def assert_same(found, wanted):
    for name, slots in wanted.items():
        assert len(found[name]) == len(slots)
        for ours, theirs in zip(found[name], slots, strict=True):
            theirs = leaves(theirs)
            for path, x in leaves(ours).items():
                np.testing.assert_allclose(x, theirs[path], atol=1e-5, err_msg=f"{name} {path}")


@pytest.mark.parametrize("case", CASES)
def test_three_steps_equal_a_plain_loop(case):
    recipe, method = CASES[case]
    method = replace(method, unit=1.7)
    target = Hard(method.every) if method.every else Soft(method.follow)
    fits = {"actor_fit": Adam(method.rate, method.limit), "critic_fit": Adam(method.critic_rate, method.limit)}
    memory = recipe.actor.memory
    length, rows = (4, 4) if memory or recipe.objective.sequential else (1, 7)
    recipe = small(recipe, length, actor=recipe.actor if memory else small(recipe).actor, target=target, **fits)
    learner = ValueLearner(recipe, spec(reward="individual" if method.individual else "team")).checked()
    learning = learner.init(jax.random.key(0), recipe.environments).learning
    # Targets of their own from the start, and mixing networks that do not begin small.
    draw = np.random.default_rng(1)
    strayed = lambda x: jnp.asarray(np.asarray(x) + 0.3 * draw.normal(size=x.shape), jnp.float32)  # noqa: E731
    learning = learning._replace(target=jax.tree.map(strayed, learning.target),
                                 critic=jax.tree.map(strayed, learning.critic))  # fmt: skip
    twin = Twin(method, named(learning.actor, learning.critic))
    twin.target = named(learning.target["actor"], learning.target["critic"])
    for update in range(3):
        seen = batch(learner.spec, length, rows, update, memory=memory, mercy=3 if method.weight == "mercy" else 0)
        learning, _ = step(learner, learning, seen, jnp.float32(method.unit), jax.random.key(0))
        twin.step(arrays(seen, memory))
        assert_same(named(learning.actor, learning.critic), twin.params)
        assert_same(named(learning.target["actor"], learning.target["critic"]), twin.target)
    assert int(learning.count) == 3
