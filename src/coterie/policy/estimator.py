"""Advantage estimators: pure functions of one rollout, scanned backwards in time.

All of them read ``reward_t``, ``value_t = V(s_t)``, ``next_value_t = V`` of the observation that step ``t`` led to
(before any reset) and the two ends, each ``[T, E, M]`` or ``[T, E]``. A terminated step bootstraps nothing, a
truncated one bootstraps ``next_value_t``; neither lets a later step of another episode leak back.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from coterie.parts.returns import n_step


class Returns(NamedTuple):
    """What an estimator reads; ``discount_t`` is ``gamma`` unless step ``t`` terminated, then 0."""

    reward: Float[Array, "T E M"]
    value: Float[Array, "T E M"]
    next_value: Float[Array, "T E M"]
    terminated: Bool[Array, "T E"]
    truncated: Bool[Array, "T E"]


Estimate = tuple[Float[Array, "T E M"], Float[Array, "T E M"]]


def lambda_trace(
    returns: Returns,
    gamma: Float[Array, ""] | float,
    trace: Float[Array, ""] | float,
    correction: Float[Array, "T E 1"] | None = None,
    zero_truncated: bool = False,
) -> Float[Array, "T E M"]:
    """A_t = delta_t + gamma trace c_{t+1} (1 - done_t) A_{t+1}, delta_t = r_t + gamma (1 - term_t) V(s'_t) - V(s_t).

    Args:
        returns: Rewards, values and ends.
        gamma: Discount.
        trace: The lambda of the trace.
        correction: c_t, the weight of step ``t`` seen from the step before; ones if None.
        zero_truncated: Set the running advantage of a truncated step to 0, as the official MAPPO code does.
    """
    live = jnp.where(returns.terminated, 0.0, 1.0)[..., None]
    going = jnp.where(returns.terminated | returns.truncated, 0.0, 1.0)[..., None]
    kept = jnp.where(returns.truncated, 0.0, 1.0)[..., None] if zero_truncated else jnp.ones_like(live)
    delta_t = returns.reward + gamma * live * returns.next_value - returns.value
    decay_t = gamma * trace * going
    if correction is not None:
        decay_t = decay_t * jnp.concatenate([correction[1:], jnp.ones_like(correction[:1])])

    def back(running: Array, step: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        delta, decay, keep = step
        running = (delta + decay * running) * keep
        return running, running

    _, advantage = jax.lax.scan(back, jnp.zeros_like(delta_t[0]), (delta_t, decay_t, kept), reverse=True)
    return advantage


class Gae(eqx.Module):
    """Generalised advantage estimation: A_t = sum_k (gamma lambda)^k delta_{t+k}.

    Source: Schulman et al. 2016, eq. 16. ``truncation="zero"`` is the official MAPPO code's treatment of time
    limits (its ``bad_masks``), which is biased; ``"bootstrap"`` uses the value of the final observation.
    """

    trace: float = 0.95
    truncation: Literal["bootstrap", "zero"] = eqx.field(static=True, default="bootstrap")

    @property
    def per_turn(self) -> bool:
        """Whether the estimate changes with the preceding agents' updates."""
        return False

    def __call__(
        self, returns: Returns, gamma: Float[Array, ""] | float, log_ratio: Float[Array, "T E"], turn: Array
    ) -> Estimate:
        """Advantages and value targets ``V + A``, each ``[T, E, M]``."""
        del log_ratio, turn
        advantage = lambda_trace(returns, gamma, self.trace, zero_truncated=self.truncation == "zero")
        return advantage, advantage + returns.value


class NStep(eqx.Module):
    """n-step returns: A_t = sum_{k<n} gamma^k r_{t+k} + gamma^n V(s_{t+n}) - V(s_t), cut where an episode ends.

    Source: EPyMARL's actor-critic (its default n is 5).
    """

    steps: int = eqx.field(static=True, default=5)

    @property
    def per_turn(self) -> bool:
        """Whether the estimate changes with the preceding agents' updates."""
        return False

    def __call__(
        self, returns: Returns, gamma: Float[Array, ""] | float, log_ratio: Float[Array, "T E"], turn: Array
    ) -> Estimate:
        """Advantages and value targets, each ``[T, E, M]``."""
        del log_ratio, turn
        live = jnp.where(returns.terminated, 0.0, 1.0)[..., None]
        following = gamma * live * returns.next_value
        target = n_step(returns.reward, following, returns.terminated | returns.truncated, gamma, self.steps)
        return target - returns.value, target


class PrecedingTrace(eqx.Module):
    """A2PO's preceding-agent off-policy correction (PreOPC).

    A_t = delta_t + gamma lambda c_{t+1} A_{t+1}, c_t = min(1, prod_{j preceding} r^j(a_t | s_t)); delta is not
    weighted. Source: A2PO, eq. 4 (PreOPC). ``lambda_squared`` reproduces the released code, which multiplies by
    lambda twice for every turn but the first.
    """

    trace: float = 0.95
    lambda_squared: bool = eqx.field(static=True, default=False)

    @property
    def per_turn(self) -> bool:
        """Whether the estimate changes with the preceding agents' updates."""
        return True

    def __call__(
        self, returns: Returns, gamma: Float[Array, ""] | float, log_ratio: Float[Array, "T E"], turn: Array
    ) -> Estimate:
        """Advantages of the policy as updated so far, and targets ``V + A``; ``log_ratio`` is the joint one."""
        trace = jnp.where(turn == 0, 1.0, self.trace) * self.trace if self.lambda_squared else self.trace
        correction = jnp.exp(jnp.minimum(log_ratio, 0.0))[..., None]
        advantage = lambda_trace(returns, gamma, trace, correction)
        return advantage, advantage + returns.value


Estimator = Gae | NStep | PrecedingTrace
