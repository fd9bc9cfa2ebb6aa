"""One table: every recipe, feed-forward and recurrent, on every kind of action, through all that a learner must do.

Every row is traced on every kind of game; every recipe is compiled, played, taught, saved and loaded on one of them.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from coterie.catalogue import learner as learner_of
from coterie.contracts import Learner
from coterie.games.probe_teams import continuous, mixed, multi_discrete
from coterie.nets.networks import Network
from coterie.policy.recipes import (
    a2po,
    coppo,
    dpo,
    happo,
    ippo,
    lenient_mappo,
    mappo,
    optimistic_mappo,
    perla_ippo,
    perla_mappo,
)  # fmt: skip
from coterie.training.checkpoint import load, save
from coterie.training.collect import open_stage, scan
from coterie.value.critic import Utilities
from coterie.value.learner import ValueLearner
from coterie.value.recipes import RECIPES as OFF
from coterie.value.recipes import ValueRecipe
from coterie.value.replay import Replay

E, T, CHUNK = 3, 4, 2
PLAIN, GRU = Network(encoder=(4,)), Network(encoder=(4,), memory=4)
GAMES = {"mixed": mixed(), "multi_discrete": multi_discrete(), "continuous": continuous()}
OFF_POLICY = {name: make() for name, make in OFF.items()}
RECIPES = {
    "ippo": ippo(),
    "ippo separate": replace(ippo(), sharing="none"),
    "mappo": mappo(),
    "mappo by type": replace(mappo(), sharing="type"),
    "coppo": coppo(),
    "coppo separate": replace(coppo(), sharing="none"),
    "happo": happo(),
    "happo inside": happo("inside"),
    "a2po": a2po(),
    "a2po shared": a2po("shared"),
    "dpo": dpo(),
    "dpo code": dpo(official=True),
    "optimistic": optimistic_mappo(0.2),
    "optimistic after": optimistic_mappo(0.2, "after"),
    "lenient": lenient_mappo(),
    "perla ippo": perla_ippo(3),
    "perla mappo": perla_mappo(3),
    **OFF_POLICY,
}


# What sees the kind of action: ratios in sum (ippo), of the others (coppo) and of those before (a2po), KL (dpo), means
# over the others' actions (perla). Orders, sharing and optimism do not, nor does memory.
SEES_KIND = ("ippo", "coppo", "a2po", "dpo", "perla mappo")
ROWS = [
    (name, net, game)
    for name in RECIPES
    if name not in OFF_POLICY
    for net in ("plain", "gru")
    for game in GAMES
    if game == "mixed" or (net == "plain" and name in SEES_KIND)
]
ROWS += [("lenient", "plain", "multi_discrete")]  # its table; there is none of continuous joint actions
# Off-policy methods meet several choices, boxes and memory in the same few places.
ROWS += [(name, "plain", "mixed") for name in OFF_POLICY]
ROWS += [(name, "plain", "multi_discrete") for name in ("lenient_dqn", "omdpg")]
ROWS += [(name, "plain", "continuous") for name in ("iddpg", "haddpg")]
ROWS += [(name, "gru", "mixed") for name in ("qtran", "lenient_dqn", "hatd3")]
COMPILED = [
    ("ippo", "gru", "continuous"),
    ("mappo", "plain", "multi_discrete"),
    ("a2po", "plain", "continuous"),
    ("a2po shared", "gru", "mixed"),
    ("dpo", "plain", "continuous"),
    ("lenient", "plain", "mixed"),
    ("perla ippo", "gru", "mixed"),
    ("perla mappo", "plain", "continuous"),
    ("vdn", "gru", "mixed"),
    ("qplex", "plain", "multi_discrete"),
    ("qtran", "plain", "mixed"),
    ("lenient_dqn", "plain", "mixed"),
    ("maddpg", "gru", "mixed"),
    ("hatd3", "plain", "mixed"),
    ("omdpg", "plain", "continuous"),
]
AGENT = {"policy_loss", "kl", "entropy", "clip_fraction", "ratio_mean", "ratio_max", "clip_range", "gradient_norm",
         "turn"}  # fmt: skip
TEAM = {"value_loss", "value_gradient_norm", "value_mean", "advantage_std", "guard"}
VALUES = {"td_error", "value_mean", "target_mean", "exploration", "replay_filled", "guard"}
TEMPERATURES = {"temperature_mean": (), "temperature_load": (), "temperature_histogram": (10,)}


def opened(name, net, game):
    network = {"plain": PLAIN, "gru": GRU}[net]
    if isinstance(RECIPES[name], ValueRecipe):
        recipe = replace(
            RECIPES[name], actor=network, critic_net=PLAIN, environments=E, rollout=T, updates=2,
            chunk=CHUNK if net == "gru" else 0, replay=Replay(24, 4, 0),
        )  # fmt: skip
        return learner_of(recipe, game.spec)
    headed = replace(network, head=(3,) * len(RECIPES[name].critic.head))
    recipe = replace(
        RECIPES[name], actor=network, critic=headed, environments=E, rollout=T, chunk=CHUNK,
        epochs=2, critic_epochs=1, minibatches=2,
    )  # fmt: skip
    return learner_of(recipe, game.spec)


def acting(state):
    """The parameters of those who act."""
    return state.learning.actor if hasattr(state, "learning") else state.actor


def begun(learner, *seeds):
    states = [jax.device_get(learner.init(jax.random.key(seed), E)) for seed in seeds]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)


def iteration(game, learner, state, key):
    """Fresh episodes, one rollout, one update."""
    reset, play, teach = jax.random.split(key, 3)
    _, rollout, _ = scan(game, learner, state, open_stage(game, learner, reset, E), play)
    return *learner.learn(state, rollout, teach), rollout


def check_metrics(metrics, learner, lead):
    """Shapes as documented."""
    shapes = of_values(learner) if isinstance(learner, ValueLearner) else of_policies(learner)
    if learner.spec.action_kind == "discrete":
        shapes["action_probability"] = (learner.spec.n_agents, learner.spec.choices)
    assert {name: x.shape for name, x in metrics.items()} == {name: lead + shape for name, shape in shapes.items()}


def of_values(learner):
    recipe, n = learner.recipe, learner.spec.n_agents
    shapes = {**dict.fromkeys(VALUES, ()), "gradient_norm": (n,)}
    if isinstance(recipe.critic, Utilities):
        return {**shapes, "weight_mean": (), **(TEMPERATURES if recipe.name == "lenient_dqn" else {})}
    shapes |= {"value_std": (), "value_gradient_norm": (), "policy_loss": (n,)}
    return shapes | dict.fromkeys(("pessimism_loss", "untried_std") if recipe.name == "omdpg" else (), ())


def of_policies(learner):
    n = learner.spec.n_agents
    shapes = dict.fromkeys(AGENT, (n,)) | dict.fromkeys(TEAM, ())
    shapes |= dict.fromkeys(("joint_ratio_mean", "joint_ratio_max"), ())
    each = learner.critic.input.per_agent or learner.critic.marginal is not None
    shapes |= {"explained_variance": (n if each else 1,)}
    if learner.recipe.name == "lenient_mappo":
        shapes |= {"forgiven": (n,), **TEMPERATURES}
    if learner.recipe.name == "dpo":
        shapes = {name: shape for name, shape in shapes.items() if not name.startswith("clip")}
        shapes |= dict.fromkeys(("root_kl", "root_coefficient", "kl_coefficient"), (n,))
    return shapes


@pytest.mark.parametrize(("name", "net", "game"), ROWS)
def test_every_row_suits_every_kind_of_action(name, net, game):
    """One iteration gives a state of the same structure, shapes and dtypes, and the documented metrics."""
    game = GAMES[game]
    learner = opened(name, net, game)
    assert all(hasattr(learner, name) for name in vars(Learner) if not name.startswith("_"))
    assert learner.sizes == (E, T, CHUNK if net == "gru" else T)
    state = learner.init(jax.random.key(0), E)
    after, metrics, rollout = jax.eval_shape(partial(iteration, game), learner, state, jax.random.key(1))
    kind = lambda tree: jax.tree.map(lambda x: (x.shape, x.dtype), tree)  # noqa: E731
    assert kind(after) == kind(state)
    jax.tree.broadcast(learner.per_environment(), state)  # it must be a prefix
    assert rollout.action.shape == (T, E, game.spec.n_agents, *game.spec.action_shape)
    assert rollout.log_prob.shape == (T, E, game.spec.n_agents)
    assert jax.tree.leaves(rollout.carry) == [] or net == "gru"
    check_metrics(metrics, learner, ())


def assert_equal_to_seeds_alone(one, given, together):
    """To 1e-5: XLA orders the sums of a batched product otherwise."""
    (learner, states, keys), one = given, jax.jit(one)
    for seed in range(2):
        alone = jax.device_get(one(learner, jax.tree.map(lambda x: x[seed], states), keys[seed]))  # noqa: B023
        jax.tree.map(lambda x, y: np.testing.assert_allclose(x[seed], y, atol=1e-5, rtol=1e-4), together, alone)  # noqa: B023


@pytest.mark.parametrize(("name", "net", "game"), COMPILED)
def test_a_row_plays_learns_and_is_saved(name, net, game, tmp_path):
    game = GAMES[game]
    learner, traces = opened(name, net, game), []

    @jax.jit
    def seeds(learner, states, keys):
        traces.append(name)
        return jax.vmap(partial(iteration, game, learner))(states, keys)

    first, keys = begun(learner, 0, 1), jax.random.split(jax.random.key(0), 2)
    state, *rest = seeds(learner, first, keys)
    after, metrics, rollout = jax.device_get((state, *rest))  # on the host, where comparing compiles nothing

    check_metrics(metrics, learner, (2,))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((metrics, after)))
    assert (metrics["guard"] == len(learner.guarded)).all()
    legal, action = rollout.observation.legal, rollout.action
    if game.spec.action_kind != "continuous":
        assert np.take_along_axis(np.asarray(legal), np.asarray(action)[..., None], -1).all()
    moved = jax.tree.map(lambda a, b: np.any(a != b, axis=tuple(range(2, a.ndim))), acting(first), acting(after))
    assert np.any(np.stack(jax.tree.leaves(moved)), axis=0).all(), "every slot of every seed learns"

    # Seeds do not touch each other, and the same seed gives the same bytes.
    twice = seeds(learner, jax.tree.map(lambda x: x[[0, 0]], first), keys[jnp.array([0, 0])])
    twice = jax.device_get(twice[:2])
    jax.tree.map(lambda x, y: np.testing.assert_array_equal(x[1], y[0]), twice, (after, metrics))
    if name == "a2po":
        assert_equal_to_seeds_alone(partial(iteration, game), (learner, first, keys), (after, metrics, rollout))

    # Numbers are data: others do not compile anew, and they count.
    recipe = learner.recipe
    own = {} if isinstance(recipe, ValueRecipe) else {"entropy": 0.1}
    other = replace(recipe, gamma=0.5, actor_fit=replace(recipe.actor_fit, rate=0.1), **own)
    changed, _, _ = seeds(replace(learner, recipe=other), first, keys)
    gap = jax.tree.map(lambda x, y: np.abs(x - y).max(), acting(after), acting(jax.device_get(changed)))
    assert max(jax.tree.leaves(gap)) > 1e-2

    # A checkpoint goes on as if nothing had happened.
    save(tmp_path, 1, state, {})
    loaded, _ = load(tmp_path, jax.eval_shape(lambda: state))
    jax.tree.map(np.testing.assert_array_equal, loaded, after)
    a, b = (seeds(learner, each, keys)[0] for each in (state, loaded))
    jax.tree.map(np.testing.assert_array_equal, a, b)
    assert len(traces) == 1


@pytest.mark.parametrize("net", ["plain", "gru"])
def test_a_team_plays_by_itself(net):
    """Greedy play takes the mode, sampled play the key's draw, both from local observations only."""
    game = mixed()
    learner = opened("happo", net, game)
    state = learner.init(jax.random.key(0), E)
    stage = open_stage(game, learner, jax.random.key(1), E)
    blind = stage.observation._replace(state=jnp.full_like(stage.observation.state, jnp.nan))
    greedy, sampled = learner.team(state, True), learner.team(state, False)
    carry = greedy.carry(E)
    key = jax.random.key(2)
    best, after = greedy.act(carry, blind, key)
    dist, wanted = learner.distribution(state.actor, carry, stage.observation)
    np.testing.assert_array_equal(best, learner.family.mode(dist))
    jax.tree.map(np.testing.assert_array_equal, after, wanted)
    np.testing.assert_array_equal(greedy.act(carry, blind, jax.random.key(3))[0], best)
    step = learner.act(state, carry, stage.observation, key)
    np.testing.assert_array_equal(sampled.act(carry, blind, key)[0], step.action)
    latent, log_prob, params = step.extras
    np.testing.assert_array_equal(log_prob, learner.family.log_prob(params, latent))
    other = blind._replace(local=blind.local.at[:, 1].set(7.0))
    np.testing.assert_array_equal(greedy.act(carry, other, key)[0][:, 0], best[:, 0])
