"""The order in which a team is updated: who moves in which turn.

A *unit* is what moves as one: a parameter slot, or, where all agents share one slot, an agent. An order cuts the
units into turns; it is chosen at run time, turn by turn, so that it may depend on the advantages as the
preceding turns left them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import HERE, Across
from coterie.nets.sharing import Layout


class Choice(NamedTuple):
    """The units of one turn; ``valid`` is False for the padding of a last, shorter turn."""

    units: Int[Array, " K"]
    valid: Bool[Array, " K"]


def choose(
    priority: Float[Array, " U"], remaining: Bool[Array, " U"], members: int
) -> tuple[Choice, Bool[Array, " U"]]:
    """The ``members`` remaining units of highest priority, and what remains after them."""
    top, units = jax.lax.top_k(jnp.where(remaining, priority, -jnp.inf), members)
    valid = top > -jnp.inf
    taken = jnp.zeros_like(remaining).at[units].set(valid, mode="drop")
    return Choice(units, valid), remaining & ~taken


class Simultaneous(eqx.Module):
    """All units in one turn: nobody sees anybody's update."""

    def turns(self, units: int) -> int:
        """Number of turns of one pass over the team."""
        del units
        return 1

    def priority(self, key: PRNGKeyArray, turn: Int[Array, ""], score: Float[Array, " U"]) -> Float[Array, " U"]:
        """Higher moves earlier."""
        del key, turn
        return -jnp.arange(score.shape[0], dtype=score.dtype)


class RandomSequence(eqx.Module):
    """One unit per turn, in an order drawn anew each iteration (HAPPO, algorithm 1)."""

    def turns(self, units: int) -> int:
        """Number of turns of one pass over the team."""
        return units

    def priority(self, key: PRNGKeyArray, turn: Int[Array, ""], score: Float[Array, " U"]) -> Float[Array, " U"]:
        """Higher moves earlier."""
        del turn
        return jax.random.uniform(key, score.shape)


def _by_score(key: PRNGKeyArray, score: Float[Array, " U"]) -> Float[Array, " U"]:
    """The score; ties (all of them, when the team shares one advantage) are broken by a draw."""
    tie = jax.random.permutation(key, score.shape[0]).astype(score.dtype)
    rank = jnp.sum(score[:, None] > score[None, :], axis=1).astype(score.dtype)
    return rank * score.shape[0] + tie


class Greedy(eqx.Module):
    """One unit per turn, the one with the highest score first."""

    score: Literal["advantage", "ratio"] = eqx.field(static=True, default="advantage")

    def turns(self, units: int) -> int:
        """Number of turns of one pass over the team."""
        return units

    def priority(self, key: PRNGKeyArray, turn: Int[Array, ""], score: Float[Array, " U"]) -> Float[Array, " U"]:
        """Higher moves earlier."""
        del turn
        return _by_score(key, score)


class SemiGreedy(eqx.Module):
    """A2PO's semi-greedy rule: alternately the unit with the highest score and a random one.

    Source: A2PO, section 4.3. The released code starts greedily; read with k from 1 the paper starts at random.
    With ``blocks`` above 0 a turn takes a block of units instead of one.
    """

    start: Literal["greedy", "random"] = eqx.field(static=True, default="greedy")
    score: Literal["advantage", "ratio"] = eqx.field(static=True, default="advantage")
    blocks: int = eqx.field(static=True, default=0)

    def turns(self, units: int) -> int:
        """Number of turns of one pass over the team."""
        return self.blocks or units

    def priority(self, key: PRNGKeyArray, turn: Int[Array, ""], score: Float[Array, " U"]) -> Float[Array, " U"]:
        """Higher moves earlier."""
        greedy = (turn % 2 == 0) if self.start == "greedy" else (turn % 2 == 1)
        return jnp.where(greedy, _by_score(key, score), jax.random.uniform(key, score.shape))


class Blocks(eqx.Module):
    """Random blocks of units, one block per turn.

    Where all agents share one slot, a turn trains every agent of the blocks so far, as A2PO's released code does.
    """

    blocks: int = eqx.field(static=True, default=2)

    def turns(self, units: int) -> int:
        """Number of turns of one pass over the team."""
        return min(self.blocks, units)

    def priority(self, key: PRNGKeyArray, turn: Int[Array, ""], score: Float[Array, " U"]) -> Float[Array, " U"]:
        """Higher moves earlier."""
        del turn
        return jax.random.uniform(key, score.shape)


Order = Simultaneous | RandomSequence | Greedy | SemiGreedy | Blocks


class Plan(NamedTuple):
    """How an iteration is cut into turns.

    Args:
        turns: Number of turns.
        members: Units of a turn.
        lap: Turns of one pass over the team.
        epochs: Epochs of a turn.
        blocks: Whether the units are agents that all share one slot.
    """

    turns: int
    members: int
    lap: int
    epochs: int
    blocks: bool


def plan(order: Order, slots: Layout, epochs: int) -> Plan:
    """The turns of one iteration.

    Shared blocks go around the team ``epochs / blocks`` times (rounded up) with one epoch a turn, as A2PO's released
    code does; all else goes around once.
    """
    blocks = slots.slots == 1 and slots.members > 1 and order.turns(slots.members) > 1
    units = slots.members if blocks else slots.slots
    lap = order.turns(units)
    members = -(-units // lap)
    return Plan(lap * -(-epochs // lap), members, lap, 1, True) if blocks else Plan(lap, members, lap, epochs, False)


def unit_scores(
    order: Order,
    advantage: Float[Array, "T E M"],
    normal: Float[Array, "T E N"],
    value: Float[Array, "T E M"],
    alive: Bool[Array, "T E N"],
    slots: Layout,
    across: Across = HERE,
) -> Float[Array, " U"]:
    """The score of every unit that orders may read.

    ``advantage`` (the paper): E|A|, as the turns so far left it. ``ratio`` (the released code): the mean of
    |normalised A / the critic's output|, in which a small output dominates.
    """
    weight = alive.astype(normal.dtype)
    raw = jnp.broadcast_to(advantage, normal.shape)
    if getattr(order, "score", "advantage") == "ratio":
        output = jnp.broadcast_to(value, normal.shape)
        raw = normal / jnp.where(jnp.abs(output) < 1e-8, 1e-8, output)
    size, count = across.sum((jnp.sum(weight * jnp.abs(raw), (0, 1)), jnp.sum(weight, (0, 1))))
    agents = size / jnp.maximum(count, 1.0)
    if slots.slots == 1:
        return agents
    valid = jnp.asarray(slots.valid, agents.dtype)
    return jnp.sum(slots.arrange(agents, 0) * valid, 1) / jnp.sum(valid, 1)
