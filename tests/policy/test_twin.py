"""Every method against a plain loop: three updates on random rollouts, parameters, optimiser states, orders."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from coterie.nets.networks import Network
from coterie.parts.fit import Adam
from coterie.parts.leniency import Lenient
from coterie.parts.state_index import Exact
from coterie.policy.critic import SharedTrunk
from coterie.policy.critic_input import Local
from coterie.policy.estimator import PrecedingTrace
from coterie.policy.learner import PolicyLearner
from coterie.policy.order import Blocks, SemiGreedy
from coterie.policy.recipes import (
    RECIPES,
    a2po,
    coppo,
    dpo,
    dpo_without_kl,
    dpo_without_sqrt,
    happo,
    ippo,
    ippo_kl,
    lenient_mappo,
    mappo,
    optimistic_mappo,
    perla_ippo,
    perla_mappo,
)  # fmt: skip
from coterie.policy.surrogate import Clip
from tests.oracles.policy_twin import Method, Twin
from tests.policy.rollouts import learn, rollout, small, spec

NONE, FULL, PAIR, FIVE = (0, 1, 2), (0, 0, 0), (0, 1, 0), (0, 1, 0, 1, 0)
HEADED = Network(encoder=(8,), head=(6,))
A2PO = {"trace": "preceding", "order": "semi_greedy", "weight": "bounded"}

CASES = {
    "mappo": (mappo(), Method(FULL)),
    "mappo, partly shared, a reward each": (replace(mappo(), sharing=PAIR), Method(PAIR)),
    "ippo": (ippo(), Method(FULL, critic="local", normalise="agent")),
    "ippo, unequal slots": (replace(ippo(), sharing=FIVE), Method(FIVE, critic="local", normalise="agent")),
    "ippo, shared trunk": (
        replace(ippo(), critic=SharedTrunk(0.7)),
        Method(FULL, critic="local", normalise="agent", trunk=0.7),
    ),
    "happo, shared trunk": (
        replace(happo(), critic=SharedTrunk(0.7), critic_input=Local()),
        Method(NONE, order="random", weight="outside", critic="local", trunk=0.7),
    ),
    "coppo": (coppo(), Method(FULL, weight="others")),
    "coppo, partly shared": (replace(coppo(), sharing=PAIR), Method(PAIR, weight="others")),
    "happo": (happo(), Method(NONE, order="random", weight="outside")),
    "happo, inside": (happo("inside"), Method(NONE, order="random", weight="inside")),
    "happo, by type": (replace(happo(), sharing=PAIR), Method(PAIR, order="random", weight="outside")),
    "a2po": (a2po(), Method(NONE, **A2PO, clip_range="position")),
    "a2po, local, critic in turns": (
        replace(a2po(), critic_input=Local(), critic_turns="turn", estimator=PrecedingTrace(lambda_squared=True)),
        Method(NONE, **A2PO, clip_range="position", critic="local", critic_in_turns=True, squared=True),
    ),
    "a2po, score of the released code": (
        replace(a2po(), order=SemiGreedy(score="ratio"), critic_input=Local()),
        Method(NONE, **A2PO, clip_range="position", score="ratio", critic="local"),
    ),
    "a2po, shared": (a2po("shared"), Method(FULL, **A2PO, clip_range="ratio")),
    "a2po, random blocks": (
        replace(a2po("shared"), order=Blocks(2), surrogate=Clip()),
        Method(FULL, **{**A2PO, "order": "blocks"}),
    ),
    "dpo": (dpo(), Method(NONE, critic="local", normalise="agent", penalty="paper")),
    "dpo, released code": (
        dpo(official=True),
        Method(NONE, critic="local", penalty="code", penalties=(1.0, 1.0, 0.01)),
    ),
    "ippo with kl": (
        ippo_kl(),
        Method(NONE, critic="local", normalise="agent", penalty="paper", penalties=(0.0, 0.01, 0.01)),
    ),
    "dpo without kl": (
        dpo_without_kl(),
        Method(NONE, critic="local", normalise="agent", penalty="paper", penalties=(0.01, 0.0, 0.01)),
    ),
    "optimistic mappo": (optimistic_mappo(0.3), Method(FULL, normalise="scale", eta=0.3)),
    "optimistic mappo, released code": (optimistic_mappo(0.3, "after"), Method(FULL, leak=0.3)),
    "lenient mappo": (
        # Temperatures fall faster than by default: there are three rollouts of twelve steps.
        replace(lenient_mappo(), weighting=Lenient(Exact(), 1, 1.2, 0.9, -1.0, 0.8, 0.9, forgive="factor")),
        Method(FULL, lenient={"scale": 1.2, "start": 0.9, "rho": -1.0, "base": 0.8, "decay": 0.9}),
    ),
    "perla mappo": (perla_mappo(), Method(FULL, others=True)),
    "perla ippo, partly shared": (
        replace(perla_ippo(), sharing=PAIR),
        Method(PAIR, critic="local", normalise="agent", others=True),
    ),
}


def plain(tree, slot):
    return {name: {k: np.asarray(v[slot], np.float64) for k, v in layer.items()} for name, layer in tree.items()}


def plain_rollout(ro, individual):
    view = lambda x: {k: np.asarray(v) for k, v in x._asdict().items()}  # noqa: E731
    rest = {k: np.asarray(getattr(ro, k)) for k in ("action", "log_prob", "reward", "terminated", "truncated")}
    behaviour = np.asarray(ro.behaviour.log_p, np.float64)
    return {**view(ro.observation), "final": view(ro.final), "individual": individual, "behaviour": behaviour, **rest}


def assert_same(found, slot, params, optimiser, state):
    """Parameters to 1e-5; moments to 1e-5 of their own size."""
    for name, layer in params.items():
        for k, v in layer.items():
            np.testing.assert_allclose(found[name][k][slot], v, atol=1e-5, err_msg=f"{name} {k}")
            for moment in ("mu", "nu"):
                ours, wanted = getattr(optimiser, moment)[name][k][slot], state[moment][name][k]
                np.testing.assert_allclose(ours, wanted, atol=1e-5, rtol=1e-3, err_msg=f"{moment} {name} {k}")
    assert int(optimiser.count[slot]) == state["count"]


def strayed(state):
    """Other actors, to be the behaviour: where KL is 0 its root turns float32's rounding into gradients."""
    draw = np.random.default_rng(7)
    actor = jax.device_get(state.actor)
    return state._replace(actor=jax.tree.map(lambda x: x + 0.5 * draw.normal(size=x.shape).astype("f"), actor))


@pytest.mark.parametrize("case", CASES)
def test_three_updates_equal_a_plain_loop(case):
    recipe, method = CASES[case]
    individual = "a reward each" in case
    # 12 rows in 5 minibatches: two rows sit out of every pass.
    numbers = {"actor_fit": Adam(3e-3, limit=0.5), "critic_fit": Adam(2e-3, limit=0.5)}
    if isinstance(recipe.critic, SharedTrunk):
        numbers["critic"] = recipe.critic
    elif method.others:
        numbers["critic"] = HEADED
    recipe = small(recipe, epochs=3, minibatches=5, **numbers)
    n = len(method.slot_of)
    own = spec(n, reward="individual" if individual else "team")
    # Few states: the same ones are met again, with their temperatures.
    own = replace(own, state_size=2) if method.lenient else own
    learner = PolicyLearner(recipe, own).checked()
    state = learner.init(jax.random.key(0), recipe.environments)
    method = replace(method, epochs=3, critic_epochs=2, minibatches=5, rate=3e-3, critic_rate=2e-3, limit=0.5)
    actors = [plain(state.actor["net"], slot) for slot in range(method.slots)]
    critics = [plain(state.critic, slot) for slot in range(learner.critic.tower.layout.slots if state.critic else 0)]
    twin = Twin(method, actors, critics)
    for update in range(3):
        ro, key = rollout(learner, strayed(state) if method.penalty else state, update), jax.random.key(100 + update)
        state, metrics = learn(learner, state, ro, key)
        now, metrics = jax.device_get((state, metrics))  # slices of arrays on the device would be compiled
        history = twin.learn(plain_rollout(ro, individual), key)
        first = [min(turn for turn, agents in enumerate(history) if i in agents) for i in range(n)]
        assert metrics["turn"].tolist() == first
        for slot in range(method.slots):
            net = jax.tree.map(lambda x: x, now.actor_optimiser)
            moments = net._replace(mu=net.mu["net"], nu=net.nu["net"])
            assert_same(now.actor["net"], slot, twin.actor[slot], moments, twin.actor_state[slot])
        if method.penalty:
            np.testing.assert_allclose(now.coefficients, [twin.root, twin.kl], rtol=1e-6)
        for slot in range(len(critics)):
            assert_same(now.critic, slot, twin.critic[slot], now.critic_optimiser, twin.critic_state[slot])
        if method.lenient:
            table = np.full((own.state_size, *(own.choices,) * n), twin.temperatures.start)
            for place, temperature in twin.temperatures.table.items():
                table[place] = temperature
            np.testing.assert_allclose(now.temperatures.table, table.ravel(), rtol=1e-5)
            np.testing.assert_allclose(now.temperatures.ceiling, twin.temperatures.ceiling, rtol=1e-6)
        mean, variance = twin.norm.moments()
        np.testing.assert_allclose([now.scale.mean, now.scale.variance], [mean, variance], rtol=1e-4, atol=1e-5)


def test_every_recipe_has_a_row():
    """IPPO with a KL penalty is what DPO without the square root is."""
    assert replace(dpo_without_sqrt(), name="ippo_kl") == ippo_kl()
    assert {recipe.name for recipe, _ in CASES.values()} == set(RECIPES) - {"dpo_without_sqrt"}
