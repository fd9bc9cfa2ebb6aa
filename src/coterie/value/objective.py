"""Targets: what the value of a step is drawn to."""

from __future__ import annotations

import equinox as eqx
from jaxtyping import Array, Bool, Float

from coterie.parts.returns import lambda_return, n_step


class NStep(eqx.Module):
    """y_t = sum_{k<n} gamma^k r_{t+k} + gamma^n max Q(s_{t+n}), cut where an episode or the sequence ends.

    One step is the ordinary temporal difference, TD(0) (Sutton and Barto 2018, eq. 7.1). More steps are not corrected
    for having been taken by an older team.
    """

    steps: int = eqx.field(static=True, default=1)

    @property
    def sequential(self) -> bool:
        """Whether it looks beyond one step."""
        return self.steps > 1

    def __call__(
        self, reward: Float[Array, "L R M"], following: Float[Array, "L R M"], ends: Bool[Array, "L R"],
        gamma: Float[Array, ""] | float,
    ) -> Float[Array, "L R M"]:  # fmt: skip
        """Targets; ``following`` is gamma times the next value, 0 where the task ended."""
        return n_step(reward, following, ends, gamma, self.steps)


class TdLambda(eqx.Module):
    """y_t = r_t + gamma ((1 - lambda) max Q(s_{t+1}) + lambda y_{t+1}), cut where an episode or the sequence ends.

    Peng's Q(lambda) (Sutton and Barto 2018, eq. 12.18), as FACMAC and later QMIX code use it; not corrected for having
    been taken by an older team.
    """

    trace: float = 0.8

    @property
    def sequential(self) -> bool:
        """Whether it looks beyond one step."""
        return True

    def __call__(
        self, reward: Float[Array, "L R M"], following: Float[Array, "L R M"], ends: Bool[Array, "L R"],
        gamma: Float[Array, ""] | float,
    ) -> Float[Array, "L R M"]:  # fmt: skip
        """Targets; ``following`` is gamma times the next value, 0 where the task ended."""
        return lambda_return(reward, following, ends, gamma, self.trace)


Objective = NStep | TdLambda
