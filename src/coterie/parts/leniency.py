"""Leniency: bad outcomes are forgiven while their state and joint action are new (Lenient policy gradients)."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.contracts import HERE, Across, CoterieError, Observation, Rollout, Spec
from coterie.parts.state_index import CodeHash, Exact, SimHash, mix

BINS = 10
"""Bins of the temperature histogram, from 0 to the starting temperature."""


class Merciful(Protocol):
    """What the weights of a policy's samples are made of, as far as leniency reads it."""

    @property
    def others(self) -> Array:
        """Any array with one entry for each sample."""
        ...

    @property
    def mercy(self) -> Array | None:
        """What is left of each sample."""
        ...


class Temperatures(NamedTuple):
    """The table ``[size]``, the ceiling that falls for all of it, and what the state index has learnt."""

    table: Float[Array, " size"]
    ceiling: Float[Array, ""]
    index: PyTree


class Mercy(NamedTuple):
    """What one rollout is forgiven: the factor of each bad outcome, the temperatures after it, figures.

    ``M`` is 1 for joint actions, N where every agent has temperatures of its own.
    """

    factor: Float[Array, "T E M"]
    after: Temperatures
    metrics: dict[str, Array]


def steps_to_the_end(done: Bool[Array, "T E"], base: Float[Array, ""] | float) -> Float[Array, "T E"]:
    """``base ** n`` for ``n`` steps before the episode's last; 0 where the rollout stops before its end."""

    def back(later: Array, done: Array) -> tuple[Array, Array]:
        now = jnp.where(done, 1.0, base * later)
        return now, now

    return jax.lax.scan(back, jnp.zeros(done.shape[1]), done, reverse=True)[1]


def what_is_left(outcome: Float[Array, "*lead N"], factor: Float[Array, "*lead M"]) -> Float[Array, "*lead N"]:
    """``factor`` where the outcome (an advantage before it is normalised, an error) is negative; 1 elsewhere."""
    return jnp.where(outcome < 0, factor, 1.0)


class Lenient(eqx.Module):
    """Outside: a bad outcome counts with probability 1 - l, l(s, u) = 1 - exp(-K T(s, u)); a good one always.

    T starts at ``start`` for every state and joint action and falls when they are met: T <- T exp(rho d^n), n steps
    before the end of the episode, so that early steps are forgiven longer (retroactive temperature decay). No T is
    above the ceiling, which falls by ``ceiling_decay`` an iteration. Bad is what has a negative advantage before it is
    normalised. Source: Lenient policy gradients, with the schedule of lenient DQN (Palmer et al. 2018, eqs. 3 to 5).

    With an index of each agent's ``own`` observations there is a temperature T(o, a) for each agent's own action, as
    in lenient DQN; otherwise temperatures are the team's. ``exact`` means something only where the state is constant
    or a one-hot: it goes by the place of the largest entry, so that of any other kind states which have nothing in
    common share a temperature. A game does not say what its state is made of, so this is not refused.

    Args:
        index: How states are told apart.
        buckets: Entries of the table; states and joint actions are hashed into them. Of no use to ``exact``.
        scale: The K of l.
        start: T at the start; 0 forgives nothing.
        rho: At most 0; how fast T falls.
        base: The d; 0 < d <= 1.
        ceiling_decay: Factor of the ceiling (which starts at ``start``) in every iteration.
        repeats: A state and joint action met m times in a rollout decay m times (``each``), or once, by their mean
            exponent (``once``).
        forgive: By a random ``mask``, drawn once for each sample of an iteration, or by the ``factor`` 1 - l that it
            has in the mean (the released lenient DQN).
    """

    index: Exact | SimHash | CodeHash = SimHash()
    buckets: int = eqx.field(static=True, default=65536)
    scale: float = 1.0
    start: float = 1.0
    rho: float = -0.01
    base: float = 0.9
    ceiling_decay: float = 0.9998
    repeats: Literal["once", "each"] = eqx.field(static=True, default="once")
    forgive: Literal["mask", "factor"] = eqx.field(static=True, default="mask")

    def __call__(self, context: Merciful) -> tuple[Array, Array]:
        """Inside and outside weights of a policy's samples."""
        one = jnp.ones_like(context.others)
        return one, one if context.mercy is None else jnp.broadcast_to(context.mercy, one.shape)

    def check(self, spec: Spec) -> None:
        """Raise CoterieError unless numbers are in range and the game's joint actions can be counted."""
        if spec.action_kind == "continuous":
            raise CoterieError(
                "weighting lenient keeps a temperature for each joint action, and the game's actions are continuous: "
                "choose weighting hysteretic"
            )
        if self.buckets < 1:
            raise CoterieError(f"weighting.buckets is {self.buckets}: give at least 1")
        for name, value in (("scale", self.scale), ("start", self.start)):
            if not value >= 0.0:
                raise CoterieError(f"weighting.{name} is {value}: give 0 or more")
        if not self.rho <= 0.0:
            raise CoterieError(f"weighting.rho is {self.rho}, which lets temperatures grow: give 0 or less")
        for name, value in (("base", self.base), ("ceiling_decay", self.ceiling_decay)):
            if not 0.0 < value <= 1.0:
                raise CoterieError(f"weighting.{name} is {value}: give a number above 0 and at most 1")
        self.index.check(spec)

    def size(self, spec: Spec) -> int:
        """Entries of the table."""
        return self.index.table(spec) if isinstance(self.index, Exact) else self.buckets

    def seen(self, observation: Observation) -> Float[Array, "*lead F"]:
        """What the index looks at, unless that is the critic's."""
        return observation.local if self.index.of == "own" else observation.state

    def seen_size(self, spec: Spec) -> int:
        """The size of what the index looks at, unless that is the critic's."""
        return spec.observation_size if self.index.of == "own" else spec.state_size

    def init(self, key: PRNGKeyArray, spec: Spec, features: int) -> Temperatures:
        """Every temperature at the start; ``features`` is the size of what the index looks at."""
        table = jnp.full(self.size(spec), self.start, jnp.float32)
        return Temperatures(table, jnp.asarray(self.start, jnp.float32), self.index.init(key, features))

    def bucket(
        self, spec: Spec, state: PyTree, features: Float[Array, "T E *N F"], action: Int[Array, "T E N *D"]
    ) -> Int[Array, "T E M"]:
        """The table entry of every state and joint action, or of every agent's observation and own action."""
        own = self.index.of == "own"
        flat = action.reshape(*action.shape[:2], spec.n_agents, -1)
        place = self.index.number(state, features)
        place = place if own else place[..., None]
        who = jnp.arange(flat.shape[2] * flat.shape[3], dtype=jnp.int32).reshape(flat.shape[2:])
        if isinstance(self.index, Exact):
            if own:
                place = place + jnp.broadcast_to(who[:, 0] // flat.shape[3], place.shape) * max(
                    spec.observation_size, 1
                )
            taken = flat if own else flat.reshape(*flat.shape[:2], 1, -1)
            for i in range(taken.shape[3]):
                place = place * spec.choices + taken[..., i]
            return place
        mark = jnp.broadcast_to(mix(who.astype(jnp.uint32)), flat.shape)
        each = jnp.sum(mix(flat.astype(jnp.uint32) * jnp.uint32(2654435761) + mark), -1, dtype=jnp.uint32)
        each = each if own else jnp.sum(each, -1, keepdims=True, dtype=jnp.uint32)
        both = mix(mix(place.astype(jnp.uint32)) + each)
        return (both % jnp.uint32(self.buckets)).astype(jnp.int32)

    def look(
        self, before: Temperatures, spec: Spec, rollout: Rollout, features: Float[Array, "T E *N F"],
        key: PRNGKeyArray, across: Across = HERE,
    ) -> Mercy:  # fmt: skip
        """Forgive by the temperatures as they were met, then let them fall."""
        draw, fit = jax.random.split(key)
        place = self.bucket(spec, before.index, features, rollout.action)
        met = jnp.minimum(before.table[place], before.ceiling)
        kept = jnp.exp(-self.scale * met)  # 1 - l
        if self.forgive == "mask":
            kept = (jax.random.uniform(across.key(draw), kept.shape) >= 1.0 - kept).astype(kept.dtype)
        near = steps_to_the_end(rollout.terminated | rollout.truncated, self.base)[..., None]
        if self.index.of == "own":
            near = near * rollout.observation.alive.astype(near.dtype)
        after = self._cool(before, place, near, across)
        index = self.index.fit(before.index, features, fit, across)
        edges = jnp.linspace(0.0, 1.0, BINS + 1)[1:-1] * self.start
        bins = jnp.sum((met[..., None] > jnp.broadcast_to(edges, (*met.shape, BINS - 1))).astype(jnp.int32), -1)
        metrics = {
            "temperature_mean": jnp.mean(met),
            "temperature_load": jnp.mean((after.table < self.start).astype(jnp.float32)),
            "temperature_histogram": jnp.mean(jax.nn.one_hot(bins, BINS, dtype=jnp.float32), (0, 1, 2)),
        }
        return Mercy(kept, after._replace(index=index), metrics)

    def _cool(self, before: Temperatures, place: Array, near: Array, across: Across) -> Temperatures:
        """T <- T exp(rho d^n) for all that was met in episodes that ended, and a lower ceiling."""
        count = jnp.zeros_like(before.table)
        total = across.sum(count.at[place].add(near))
        if self.repeats == "once":
            total = total / jnp.maximum(across.sum(count.at[place].add(jnp.sign(near))), 1.0)
        return before._replace(
            table=before.table * jnp.exp(self.rho * total), ceiling=before.ceiling * self.ceiling_decay
        )
