"""How a table of temperatures tells states apart: by their number, or by the signs of a few random projections."""

from __future__ import annotations

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import Across, CoterieError, Spec
from coterie.nets.networks import on_host, orthogonal
from coterie.parts.fit import Adam, Batch, Stats, fit

LIMIT = 2**24
"""Entries of an exact table at most."""
Source = Literal["state", "critic", "own"]
"""What is told apart: global states, what the critic makes of them, or each agent's own observations."""


def mix(x: Array) -> Array:
    """A bijection of 32-bit words that spreads every bit over all of them (the finaliser of MurmurHash3)."""
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


class Exact(eqx.Module):
    """The number of the state, for games whose state is constant or a one-hot: one entry for each joint action.

    The number is the place of the largest entry. That is the state itself if it is a one-hot (``stochastic/random``) or
    there is only one (``matrix/...``); of features of any other kind (positions, levels, several one-hots side by side)
    it means nothing, and states which have nothing in common are taken for one. A spec has the size of a state and not
    its meaning, so nothing can refuse this: choose ``sim_hash`` unless you know.
    """

    of: Literal["state", "own"] = eqx.field(static=True, default="state")

    def table(self, spec: Spec) -> int:
        """Entries: states times joint actions, or for each agent observations times own actions."""
        if self.of == "own":
            return spec.n_agents * max(spec.observation_size, 1) * spec.choices**spec.components
        return max(spec.state_size, 1) * spec.choices ** (spec.n_agents * spec.components)

    def check(self, spec: Spec) -> None:
        """Raise CoterieError if the table would be too large."""
        if self.table(spec) <= LIMIT:
            return
        rows = (
            f"{spec.n_agents} agents times {spec.observation_size} observations times "
            f"{spec.choices}^{spec.components} actions"
            if self.of == "own"
            else f"{spec.state_size} states times {spec.choices}^{spec.n_agents * spec.components} joint actions"
        )
        own = " with weighting.index.of own" if self.of == "own" else ""
        raise CoterieError(
            f"weighting.index exact needs {self.table(spec):,} temperatures ({rows}), more than {LIMIT:,}: choose "
            f"weighting.index sim_hash{own}"
        )

    def init(self, key: PRNGKeyArray, features: int) -> tuple[()]:
        """Nothing to learn."""
        del key, features
        return ()

    def number(self, state: tuple[()], features: Float[Array, "*lead F"]) -> Int[Array, "*lead"]:
        """The place of the one."""
        del state
        return jnp.argmax(features, axis=-1).astype(jnp.int32)

    def fit(self, state: tuple[()], features: Array, key: PRNGKeyArray, across: Across) -> tuple[()]:
        """Nothing to learn."""
        del features, key, across
        return state


def _signs(projection: Float[Array, "F bits"], features: Float[Array, "*lead F"]) -> Int[Array, "*lead"]:
    """sign(A x), read as a binary number."""
    up = (features @ projection > 0).astype(jnp.int32)
    return jnp.sum(up * jnp.broadcast_to(2 ** jnp.arange(projection.shape[1]), up.shape), -1)


def _bits(bits: int) -> None:
    if not 1 <= bits <= 30:
        raise CoterieError(f"weighting.index.bits is {bits}: give 1 to 30")


class SimHash(eqx.Module):
    """The signs of ``bits`` random projections of the raw state, or of what the critic makes of it.

    number(s) = sign(A x), A normal and fixed: vectors at a small angle mostly share it. ``critic`` takes the critic's
    last layer below its head, or its recurrent state (of all agents where each has its own); ``own`` takes each agent's
    observation. Source: Tang et al. 2017
    (SimHash); Lenient policy gradients, last slides.
    """

    of: Source = eqx.field(static=True, default="state")
    bits: int = eqx.field(static=True, default=16)

    def check(self, spec: Spec) -> None:
        """Raise CoterieError if there are too few or too many bits."""
        _bits(self.bits)

    def init(self, key: PRNGKeyArray, features: int) -> Float[Array, "F bits"]:
        """The projections."""
        return jnp.asarray(on_host(key).standard_normal((features, self.bits)), jnp.float32)

    def number(self, state: Float[Array, "F bits"], features: Float[Array, "*lead F"]) -> Int[Array, "*lead"]:
        """The signs as a binary number."""
        return _signs(state, features)

    def fit(self, state: Array, features: Array, key: PRNGKeyArray, across: Across) -> Array:
        """Nothing to learn."""
        del features, key, across
        return state


class Coder(NamedTuple):
    """An autoencoder, its optimiser, the projections of its codes, and the samples that it has seen."""

    params: PyTree
    optimiser: PyTree
    projection: Float[Array, "code bits"]
    seen: Float[Array, ""]


class CodeHash(eqx.Module):
    """The signs of random projections of an autoencoder's codes, as the lenient DQN does.

    code = sigmoid(E x + noise), trained to give x back (Huber's loss); the noise before the sigmoid drives codes to 0
    or 1, and 0.5 is taken off before they are projected. Training stops after ``until`` samples. Of a critic's
    recurrent state it has a moving target, as the source says. Source: Palmer et al. 2018; Tang et al. 2017.

    Args:
        of: What is coded: the ``state``, what the ``critic`` makes of it, or each agent's ``own`` observation.
        bits: Projections.
        code: Size of a code.
        hidden: Width of the layer on each side of the code.
        noise: Standard deviation of the noise.
        rate: Of Adam.
        steps: Gradient steps an iteration, each on a part of the rollout.
        until: Samples after which the codes stay as they are.
    """

    of: Source = eqx.field(static=True, default="state")
    bits: int = eqx.field(static=True, default=16)
    code: int = eqx.field(static=True, default=64)
    hidden: int = eqx.field(static=True, default=64)
    noise: float = 0.3
    rate: float = 1e-3
    steps: int = eqx.field(static=True, default=4)
    until: float = 250_000.0

    def check(self, spec: Spec) -> None:
        """Raise CoterieError if a number is out of range."""
        _bits(self.bits)
        for name, value in (("code", self.code), ("hidden", self.hidden), ("steps", self.steps)):
            if value < 1:
                raise CoterieError(f"weighting.index.{name} is {value}: give at least 1")

    def init(self, key: PRNGKeyArray, features: int) -> Coder:
        """A fresh autoencoder."""
        draw, params, width = on_host(key), {}, features
        for name, size in (("in", self.hidden), ("code", self.code), ("out", self.hidden), ("back", features)):
            weight = jnp.asarray(orthogonal(draw, width, size, 1.0), jnp.float32)
            params[name], width = {"weight": weight, "bias": jnp.zeros(size)}, size
        projection = jnp.asarray(draw.standard_normal((self.code, self.bits)), jnp.float32)
        return Coder(params, optax.scale_by_adam().init(params), projection, jnp.zeros(()))

    def codes(self, params: PyTree, x: Float[Array, "B F"], noise: Array | float = 0.0) -> Float[Array, "B code"]:
        """The codes, in (0, 1)."""
        return jax.nn.sigmoid(_layer(params["code"], jnp.tanh(_layer(params["in"], x))) + noise)

    def back(self, params: PyTree, codes: Float[Array, "B code"]) -> Float[Array, "B F"]:
        """What was coded, as far as the codes tell."""
        return _layer(params["back"], jnp.tanh(_layer(params["out"], codes)))

    def number(self, state: Coder, features: Float[Array, "*lead F"]) -> Int[Array, "*lead"]:
        """The signs as a binary number."""
        codes = self.codes(state.params, features.reshape(-1, features.shape[-1]))
        return _signs(state.projection, codes.reshape(*features.shape[:-1], -1) - 0.5)

    def fit(self, state: Coder, features: Float[Array, "*lead F"], key: PRNGKeyArray, across: Across) -> Coder:
        """One pass over this rollout in ``steps`` minibatches, unless enough was seen."""
        order, draw = jax.random.split(key)
        rows = features.reshape(1, 1, -1, features.shape[-1])
        noise = self.noise * jax.random.normal(across.key(draw), (*rows.shape[:3], self.code))
        data: Batch = {"x": rows, "noise": noise, "weight": jnp.ones(rows.shape[:3])}

        def loss(params: PyTree, batch: Batch, count: Float[Array, "1"]) -> tuple[Array, Stats]:
            params, batch = _first(params), _first(_first(batch))
            back = self.back(params, self.codes(params, batch["x"], batch["noise"]))
            each = jnp.mean(optax.losses.huber_loss(back, batch["x"]), axis=1)
            return jnp.sum(batch["weight"] * each) / count[0], {}

        before = state.params, state.optimiser
        params, optimiser = jax.tree.map(lambda leaf: leaf[None], before)  # one slot
        adam = Adam(self.rate, limit=jnp.inf, epsilon=1e-8)
        fitted = fit(loss, adam, params, optimiser, data, order, epochs=1, minibatches=self.steps, across=across)
        learning, after = state.seen < self.until, _first((fitted.params, fitted.optimiser))
        params, optimiser = jax.tree.map(lambda new, old: jnp.where(learning, new, old), after, before)
        return Coder(params, optimiser, state.projection, state.seen + across.sum(jnp.float32(features[..., 0].size)))


def _first(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: leaf[0], tree)


def _layer(layer: dict[str, Array], x: Array) -> Array:
    y = x @ layer["weight"]
    return y + jnp.broadcast_to(layer["bias"], y.shape)
