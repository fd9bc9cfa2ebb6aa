"""The unit of rewards: networks learn best where values are about 1."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from coterie.contracts import HERE, Across


class Earned(NamedTuple):
    """Discounted sums of the rewards of the episodes under way, and the running mean of their squares.

    ``weight`` is what the average has given out: 0 before any update, 1 at last.
    """

    total: Float[Array, "E M"]
    square: Float[Array, ""]
    weight: Float[Array, ""]


class ByReturns(eqx.Module):
    """Rewards over the root mean square of discounted sums, R_t = r_t + gamma R_{t-1}, of all that was played.

    Values then are about 1, whatever a game pays. Nothing that is learnt enters the unit, so that it cannot run away
    with the values, as a normaliser of bootstrapped targets can. (Other libraries divide by the deviation of the same
    sums.)

    Args:
        beta: Share of the old average that an iteration keeps, once there have been many.
        floor: The least unit.
    """

    beta: float = 0.999
    floor: float = 1e-4

    def init(self, environments: int, values: int) -> Earned:
        """Nothing was earned yet."""
        return Earned(jnp.zeros((environments, values)), jnp.zeros(()), jnp.zeros(()))

    def see(
        self, state: Earned, reward: Float[Array, "T E M"], ends: Bool[Array, "T E"],
        gamma: Float[Array, ""] | float, across: Across = HERE,
    ) -> Earned:  # fmt: skip
        """The state after a rollout."""

        def step(total: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            reward, end = now
            total = reward + gamma * total
            return jnp.where(end[:, None], 0.0, total), jnp.mean(jnp.square(total))

        total, squares = jax.lax.scan(step, state.total, (reward, ends))
        weight = state.weight + (1.0 - self.beta) * (1.0 - state.weight)
        rate = (1.0 - self.beta) / weight
        square = state.square + rate * (across.mean(jnp.mean(squares)) - state.square)
        return Earned(total, square, weight)

    def unit(self, state: Earned) -> Float[Array, ""]:
        """What rewards are divided by."""
        return jnp.maximum(jnp.sqrt(state.square), self.floor)


class Unscaled(eqx.Module):
    """Rewards as they are."""

    def init(self, environments: int, values: int) -> tuple[()]:
        """Nothing to keep."""
        del environments, values
        return ()

    def see(
        self, state: tuple[()], reward: Float[Array, "T E M"], ends: Bool[Array, "T E"],
        gamma: Float[Array, ""] | float, across: Across = HERE,
    ) -> tuple[()]:  # fmt: skip
        """Nothing to keep."""
        del reward, ends, gamma, across
        return state

    def unit(self, state: tuple[()]) -> Float[Array, ""]:
        """1."""
        del state
        return jnp.ones(())


Scale = ByReturns | Unscaled
