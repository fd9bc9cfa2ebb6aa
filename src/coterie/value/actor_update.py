"""Who climbs what: the joint actions at which each agent's actor follows the gradient of the critic.

Every kind gives, for each agent i, the joint action as it takes it to be, ``[L, R, N, N, F]``: its own action live, the
others' held still.
"""

from __future__ import annotations

from itertools import product
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from coterie.value.batch import Sequences
from coterie.value.critic import ActionValue


class Situation(NamedTuple):
    """What an actor update reads: actions, and the critic with its parameters."""

    live: Float[Array, "L R N F"]
    """Those that carry gradients; choices are drawn."""
    held: Float[Array, "L R N F"]
    """The current actors', mu(o), without noise or gradients."""
    taken: Float[Array, "L R N F"]
    """Those in the replay."""
    batch: Sequences
    critic: ActionValue
    params: PyTree
    discrete: bool


class Greedy(eqx.Module):
    """None: agents take the best of their utilities, so that there is no actor to update (value-based methods)."""


class Simultaneous(eqx.Module):
    """All at once: grad_i Q_i(s, a_1, ..., mu_i(o_i), ..., a_N), the others' actions from the replay or current.

    MADDPG takes them from the replay (Lowe et al. 2017, eq. 6); a critic of own actions reads none (independent DDPG).
    """

    others: Literal["buffer", "current"] = eqx.field(static=True, default="buffer")
    by: Literal["first", "least"] = eqx.field(static=True, default="first")

    def joint(self, now: Situation, key: PRNGKeyArray) -> Float[Array, "L R N N F"]:
        """Each agent's own action live, the others' as they are."""
        del key
        others = now.taken if self.others == "buffer" else now.held
        return arranged(now.live, others, others, np.arange(now.live.shape[2]))


class Sequential(eqx.Module):
    """One after another in random order, each against the others' current actions, those before it updated already.

    HADDPG and HATD3 (Zhong et al. 2024, HARL): a_i = mu_i(o_i) climbs Q(s, a); then its new action takes its place.
    """

    by: Literal["first", "least"] = eqx.field(static=True, default="first")


class Marginal(eqx.Module):
    """Optimal marginal values: phi_i = max over a_{i+1:N} of Q(s, a_{1:i-1}, mu_i(o_i), a_{i+1:N}) (OMDPG).

    The future is the best joint completion where the team has at most ``enumerated`` joint actions, else the actors'
    own actions. With prefix and future from the actors every phi_i is the same number Q(s, mu(o)) and the sequence has
    no effect; the prefix of the replay is the reading in which it has.

    Args:
        prefix: Actions of the agents before: those in the replay, or the ``current`` actors'.
        order: The sequence: agents as they are numbered, or at ``random`` in every gradient step.
        enumerated: Joint actions that are tried for the best completion at most; 0 always takes the actors'.
        by: Which value of an ensemble is climbed: its least, or its first.
        gradient: Of choices: through the critic's input (``straight``), or where completions are enumerated that of
            the ``expected`` phi_i of an action drawn from the softmax, which reads no slope off the critic.
    """

    prefix: Literal["buffer", "current"] = eqx.field(static=True, default="buffer")
    order: Literal["fixed", "random"] = eqx.field(static=True, default="fixed")
    enumerated: int = eqx.field(static=True, default=128)
    by: Literal["first", "least"] = eqx.field(static=True, default="least")
    gradient: Literal["straight", "expected"] = eqx.field(static=True, default="straight")

    def joint(self, now: Situation, key: PRNGKeyArray) -> Float[Array, "L R N N F"]:
        """Each agent's own action live, prefix and best future as they are."""
        prefix, rank = self._sequence(now, key)
        if not self.exact(now):
            return arranged(now.live, prefix, now.held, rank)
        table, score = completions(now, prefix, rank, self.by)
        own = jnp.asarray(table)[None, None] == jnp.argmax(now.live, -1)[:, :, None]
        best = jnp.argmax(jnp.where(own, score, -jnp.inf), 2)  # [L, R, N]
        future = jax.nn.one_hot(jnp.asarray(table)[best], now.live.shape[3], dtype=jnp.float32)
        future = future * now.batch.observation.alive[:, :, None, :, None].astype(jnp.float32)  # the dead do nothing
        return arranged(now.live, prefix, stop_gradient(future), rank)

    def of_choices(self, now: Situation, key: PRNGKeyArray) -> Float[Array, "L R N A"]:
        """phi_i of every choice of agent i, by enumeration; 0 for illegal ones."""
        table, score = completions(now, *self._sequence(now, key), self.by)
        choices = range(now.live.shape[3])
        each = [jnp.max(jnp.where((table == a)[None, None], score, -jnp.inf), 2) for a in choices]
        return jnp.where(now.batch.observation.legal, jnp.stack(each, -1), 0.0)

    def exact(self, now: Situation) -> bool:
        """Whether the team's joint actions are few enough to be enumerated."""
        legal = now.batch.observation.legal
        return now.discrete and legal.ndim == 4 and legal.shape[-1] ** legal.shape[-2] <= self.enumerated

    def expected(self, now: Situation) -> bool:
        """Whether actors climb the expectation of an enumerated value."""
        return self.gradient == "expected" and self.exact(now)

    def _sequence(self, now: Situation, key: PRNGKeyArray) -> tuple[Float[Array, "L R N F"], Int[Array, " N"]]:
        n = now.live.shape[2]
        rank = jnp.arange(n) if self.order == "fixed" else jax.random.permutation(key, n)
        return (now.taken if self.prefix == "buffer" else now.held), rank


ActorUpdate = Greedy | Simultaneous | Sequential | Marginal


def arranged(
    live: Float[Array, "L R N F"], before: Array, after: Array, rank: Int[Array, " N"] | np.ndarray
) -> Float[Array, "L R N N F"]:
    """Joint actions for each agent: live for itself, ``before`` for those of lower rank, ``after`` for the others.

    ``before`` and ``after`` are ``[L, R, N, F]``, or ``[L, R, N, N, F]`` where each agent has its own picture.
    """
    n = live.shape[2]
    rank = jnp.asarray(rank)
    earlier = (rank[None, :] < rank[:, None])[None, None, :, :, None]
    own = jnp.eye(n, dtype=bool)[None, None, :, :, None]
    wide = lambda x: x if x.ndim == 5 else x[:, :, None]  # noqa: E731
    others = jnp.where(earlier, stop_gradient(wide(before)), stop_gradient(wide(after)))
    return jnp.where(own, live[:, :, None], others)


def chosen_value(value: Float[Array, "C *rest"], by: str) -> Float[Array, "*rest"]:
    """The value of an ensemble that an actor climbs."""
    return jnp.min(value, 0) if by == "least" else value[0]


def completions(
    now: Situation, prefix: Float[Array, "L R N F"], rank: Int[Array, " N"], by: str
) -> tuple[Int[np.ndarray, "J N"], Float[Array, "L R J N"]]:
    """All joint actions, and for each agent their values where they agree with its prefix and are legal after it."""
    length, rows, n, choices = now.live.shape
    table = np.array(list(product(range(choices), repeat=n)), np.int32)  # [J, N]
    seen = now.batch.observation
    wide = lambda x: jnp.repeat(x, len(table), axis=1)  # noqa: E731
    onehot = jax.nn.one_hot(jnp.asarray(table), choices, dtype=jnp.float32)  # [J, N, A]
    tried = jnp.broadcast_to(onehot[None, None], (length, rows, *onehot.shape))
    tried = tried * seen.alive[:, :, None, :, None].astype(jnp.float32)
    flat = tried.reshape(length, rows * len(table), n, choices)
    value = chosen_value(now.critic.joint(now.params, wide(seen.local), wide(seen.state), flat), by)
    value = value.reshape(length, rows, len(table), -1)  # M is 1, or N
    fits = _consistent(table, prefix, rank, seen.legal, seen.alive)
    return table, jnp.where(fits, jnp.broadcast_to(value, fits.shape), -jnp.inf)


def _consistent(
    table: Int[np.ndarray, "J N"], prefix: Array, rank: Array, legal: Array, alive: Array
) -> Bool[Array, "L R J N"]:
    """Where a joint action agrees with each agent's prefix and is legal for those after it."""
    joint = jnp.asarray(table)[None, None]
    before = joint == jnp.argmax(prefix, -1)[:, :, None]
    may = jnp.take_along_axis(jnp.moveaxis(legal, 2, -1), jnp.broadcast_to(joint, (*legal.shape[:2], *table.shape)), 2)
    free = may | ~alive[:, :, None]
    earlier = rank[None, :] < rank[:, None]
    fits = []
    for i in range(table.shape[1]):
        needed = jnp.where(earlier[i][None, None, None], before, free)
        fits.append(jnp.all(needed.at[..., i].set(True), -1))
    return jnp.stack(fits, -1)
