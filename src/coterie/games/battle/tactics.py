"""What allies do, given where everybody is: functions of one battle, without memory.

Arrays are those of one battle, allies ``A`` first, then enemies ``E``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.engine import TICKS
from coterie.games.battle.interface import AIM, MOVE, STOP, WAYS
from coterie.games.battle.roster import Roster

NORTH, SOUTH, EAST, WEST = range(MOVE, AIM)
ASIDE = 0.5
"""How far off along the smaller axis somebody must be for a step there, where the larger one is closed."""
COMPANY = 2.0
"""Distance of centres at which a medivac without a patient stays with the nearest fighter."""


class Glance(NamedTuple):
    """A moment of one battle, in points, cells and loops."""

    x: Float[Array, " N"]
    y: Float[Array, " N"]
    health: Float[Array, " N"]
    shield: Float[Array, " N"]
    wait: Float[Array, " A"]
    """Loops until the next attack; a healer's energy."""
    legal: Bool[Array, "A actions"]
    roster: Roster
    """Attributes ``[N]``."""
    healers: bool
    """Whether some ally may be a healer."""

    @property
    def allies(self) -> int:
        """A."""
        return len(self.wait)

    @property
    def aims(self) -> Bool[Array, "A E"]:
        """Whom each ally may attack, or a healer heal."""
        return self.legal[:, AIM:]

    @property
    def life(self) -> Float[Array, " E"]:
        """What is left of the enemies: health and shield."""
        return (self.health + self.shield)[self.allies :]

    @property
    def apart(self) -> Float[Array, "A N"]:
        """Distances of centres; infinite to the dead."""
        a = self.allies
        away = jnp.hypot(self.x[None] - self.x[:a, None], self.y[None] - self.y[:a, None])
        return jnp.where(self.health > 0, away, jnp.inf)


# Pieces: an action for each ally.


def step_to(seen: Glance, x: Float[Array, " A"], y: Float[Array, " A"]) -> Int[Array, " A"]:
    """A step towards a point along the larger axis; along the other where that one is closed; else stop."""
    a = seen.allies
    dx, dy = x - seen.x[:a], y - seen.y[:a]
    aside = jnp.where(dx > 0, EAST, WEST), jnp.where(dy > 0, NORTH, SOUTH)
    wide = jnp.abs(dx) > jnp.abs(dy)
    first, second = jnp.where(wide, *aside), jnp.where(wide, *aside[::-1])
    worth = jnp.minimum(jnp.abs(dx), jnp.abs(dy)) > ASIDE
    detour = jnp.where(worth & allowed(seen, second), second, STOP)
    return jnp.where(allowed(seen, first), first, detour)


def allowed(seen: Glance, action: Int[Array, " A"]) -> Bool[Array, " A"]:
    """Whether the mask allows each ally its action."""
    return jnp.take_along_axis(seen.legal, action[:, None], 1)[:, 0]


def attack(seen: Glance, cost: Float[Array, "#A E"], otherwise: Int[Array, " A"]) -> Int[Array, " A"]:
    """Attack the enemy of least cost in the mask; without one do what is said ``otherwise``."""
    worth = jnp.where(seen.aims, cost, jnp.inf)
    return jnp.where(seen.aims.any(1), AIM + worth.argmin(1), otherwise).astype(jnp.int32)


def approach(seen: Glance) -> Int[Array, " A"]:
    """A step towards the nearest enemy."""
    near = seen.allies + seen.apart[:, seen.allies :].argmin(1)
    return step_to(seen, seen.x[near], seen.y[near])


def mend(seen: Glance, action: Int[Array, " A"], by_share: bool = False) -> Int[Array, " A"]:
    """``action``, but healers heal the nearest of the hurt in the mask, or the one with the least share of health.

    Without a patient they stay with the nearest fighter.
    """
    a, heals = seen.allies, seen.roster.heals
    if not seen.healers:
        return action
    hurt = seen.aims[:, :a] & (seen.health[:a] < seen.roster.health[:a])
    cost = jnp.broadcast_to(seen.health[:a] / seen.roster.health[:a], (a, a)) if by_share else seen.apart[:, :a]
    cost = jnp.where(hurt, cost, jnp.inf)
    friends = jnp.where(heals[None, :a], jnp.inf, seen.apart[:, :a])
    near = friends.argmin(1)
    follow = jnp.where(friends.min(1) > COMPANY, step_to(seen, seen.x[near], seen.y[near]), STOP)
    return jnp.where(heals[:a], jnp.where(hurt.any(1), AIM + cost.argmin(1), follow), action)


# Tactics.


def stop(seen: Glance) -> Int[Array, " A"]:
    """Everybody stands; allies never attack unless they are told to."""
    return jnp.full(seen.allies, STOP, jnp.int32)


def nearest(seen: Glance) -> Int[Array, " A"]:
    """Attack the nearest enemy in reach, else go for the nearest; medivacs heal the nearest of the hurt."""
    return mend(seen, attack(seen, seen.apart[:, seen.allies :], approach(seen)))


def weakest(seen: Glance) -> Int[Array, " A"]:
    """Attack the enemy in reach that has the least health and shield left, else go for the nearest."""
    return mend(seen, attack(seen, seen.life[None], approach(seen)))


@dataclass(frozen=True)
class Focus:
    """The team fells one enemy after the other: each in turn takes the one with the least life that others leave."""

    line: float = 0.8
    alert: float = 10.0
    focus: bool = True
    retreat: float = 0.0
    run: float = 6.2
    early: float = 4.0
    one: bool = False

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        a = seen.allies
        far = seen.apart[:, a:]
        engaged = seen.aims.any()
        x, y = seen.x[:a], seen.y[:a]
        alive = seen.health[:a] > 0
        rank = (
            ((y[None] + 0.001 * np.arange(a)[None] < y[:, None] + 0.001 * np.arange(a)[:, None]) & alive[None])
            .sum(1)
            .astype(jnp.float32)
        )
        slot = 16 + (rank - (alive.sum() - 1) / 2) * self.line
        cx = jnp.where(alive, x, 0).sum() / jnp.maximum(alive.sum(), 1)
        there = jnp.hypot(x - cx, y - slot) < 0.6
        form = jnp.where(there, STOP, step_to(seen, jnp.full(a, cx), slot))
        calm = far.min() > self.alert
        idle = jnp.where(calm, form, jnp.where(engaged, approach(seen), STOP))
        pick = focused(seen, far) if self.focus else jnp.where(seen.aims, far, jnp.inf).argmin(1)
        action = jnp.where(seen.aims.any(1), AIM + pick, idle)
        if self.retreat:
            # the one in front steps back when hurt
            front = far.min(1)
            hurt = (seen.health[:a] + seen.shield[:a] < self.retreat) & (front < self.run) & (alive.sum() > 1)
            healthy = alive & ~hurt
            if self.one:
                life = jnp.where(alive, seen.health[:a] + seen.shield[:a], jnp.inf)
                hurt &= life == life.min()
            action = jnp.where(hurt & healthy.any() & (seen.wait > self.early), away(seen), action)
        return mend(seen, action.astype(jnp.int32))


def focused(seen, far):
    ready = seen.wait < TICKS
    company = 0.01 * seen.aims.sum(0)

    def choose(left, given):
        can, hit, is_ready, near = given
        cost = jnp.where(left > 0, left, 1000.0 - left) - company + 0.001 * near
        pick = jnp.where(can, cost, jnp.inf).argmin()
        took = jnp.where(can.any() & is_ready, hit[pick], 0.0)
        return left.at[pick].add(-took), pick

    return jax.lax.scan(choose, seen.life, (seen.aims, hits(seen), ready, jnp.where(seen.aims, far, 0.0)))[1]


def hits(seen):
    a, r = seen.allies, seen.roster
    bonus = r.light[:a, None] * r.is_light[None, a:] + r.armored[:a, None] * r.is_armored[None, a:]
    return r.hits[:a, None] * jnp.maximum(r.damage[:a, None] + bonus - r.armour[None, a:], 0.5)


@dataclass(frozen=True)
class Kiting:
    """Shoot when the weapon is ready; else walk away from enemies that are near.

    Args:
        near: Distance of centres within which an ally whose weapon is not ready walks away.
        safe: Distance of centres within which it walks away even with a ready weapon.
        focus: whether weakest
    """

    near: float = 5.0
    safe: float = 2.4
    weak: bool = False

    def __call__(self, seen: Glance) -> Int[Array, " A"]:
        """An action for each ally."""
        a = seen.allies
        far = seen.apart[:, a:]
        nearest = far.min(1)
        fight = attack(seen, seen.life[None] + 0.1 * far if self.weak else far, approach(seen))
        flees = (nearest < self.safe) | ((nearest < self.near) & (seen.wait > TICKS - 4))
        return jnp.where(flees, away(seen), fight)


def away(seen: Glance):
    """The move that leads furthest from enemies and walls."""
    a = seen.allies
    x, y = seen.x[:a, None] + 2 * WAYS[:, 0], seen.y[:a, None] + 2 * WAYS[:, 1]
    squared = (x[..., None] - seen.x[a:]) ** 2 + (y[..., None] - seen.y[a:]) ** 2
    danger = jnp.where(seen.health[a:] > 0, 1 / jnp.maximum(squared, 0.1), 0.0).sum(-1)
    wall = sum(1 / jnp.maximum(v, 0.3) ** 2 for v in (x, 32 - x, y, 32 - y))
    cost = jnp.where(seen.legal[:, MOVE:AIM], danger + wall, jnp.inf)
    return jnp.where(jnp.isfinite(cost).any(1), MOVE + cost.argmin(1), STOP)


@dataclass(frozen=True)
class Hold:
    """Everybody goes to a place and fights whom it can reach there."""

    x: float
    y: float
    slack: float = 1.0
    reach: float = 1.6
    weak: bool = False

    def __call__(self, seen):
        a = seen.allies
        far = seen.apart[:, a:]
        gap = jnp.hypot(seen.x[:a] - self.x, seen.y[:a] - self.y)
        go = jnp.where(gap > self.slack, step_to(seen, jnp.full(a, self.x), jnp.full(a, self.y)), STOP)
        cost = jnp.where(seen.aims & (far <= self.reach), seen.life[None] if self.weak else far, jnp.inf)
        fight = jnp.isfinite(cost).any(1)
        return mend(seen, jnp.where(fight, AIM + cost.argmin(1), go).astype(jnp.int32))


@dataclass(frozen=True)
class Spread:
    """keep apart."""

    gap: float = 4.0
    fight: float = 3.0

    def __call__(self, seen):
        a = seen.allies
        far = seen.apart[:, a:]
        mates = seen.apart[:, :a] + jnp.where(np.eye(a, dtype=bool), jnp.inf, 0.0)
        near = mates.argmin(1)
        x, y = seen.x[:a], seen.y[:a]
        wx, wy = x[:, None] + 1.25 * WAYS[:, 0], y[:, None] + 1.25 * WAYS[:, 1]

        def crowd(px, py):
            d = jnp.hypot(px[..., None] - x, py[..., None] - y)
            ok = (seen.health[:a] > 0) & ~np.eye(a, dtype=bool).reshape(a, *(1,) * (px.ndim - 1), a)
            return jnp.where(ok, jnp.maximum(self.gap - d, 0) ** 2, 0).sum(-1)

        cost = jnp.where(seen.legal[:, MOVE:AIM], crowd(wx, wy), jnp.inf)
        move = jnp.where(cost.min(1) < crowd(x, y) - 0.05, MOVE + cost.argmin(1), STOP)
        score = jnp.where(seen.aims & (far <= self.fight), far, jnp.inf)
        return jnp.where(jnp.isfinite(score).any(1), AIM + score.argmin(1), move).astype(jnp.int32)


@dataclass(frozen=True)
class Bunch:
    """draw together."""

    fight: float = 3.0

    def __call__(self, seen):
        a = seen.allies
        far = seen.apart[:, a:]
        alive = seen.health[:a] > 0
        cx, cy = (jnp.where(alive, v[:a], 0).sum() / jnp.maximum(alive.sum(), 1) for v in (seen.x, seen.y))
        score = jnp.where(seen.aims & (far <= self.fight), far, jnp.inf)
        gap = jnp.hypot(seen.x[:a] - cx, seen.y[:a] - cy)
        go = jnp.where(gap > 1.0, step_to(seen, jnp.full(a, cx), jnp.full(a, cy)), STOP)
        return jnp.where(jnp.isfinite(score).any(1), AIM + score.argmin(1), go).astype(jnp.int32)


@dataclass(frozen=True)
class Plug:
    """stand abreast across a diagonal lane."""

    x: float = 12.6
    y: float = 12.6
    wide: int = 3
    gap: float = 0.85
    deep: float = 0.9
    reach: float = 1.2
    slack: float = 0.6
    bend: float = 0.0
    rest: float = 0.0

    def __call__(self, seen):
        a = seen.allies
        far = seen.apart[:, a:]
        alive = seen.health[:a] > 0
        x, y = seen.x[:a], seen.y[:a]
        along = x + y
        if self.rest:
            along = along - jnp.where(seen.health[:a] + seen.shield[:a] < self.rest, 10.0, 0.0)
        order = (
            (
                (along[None] > along[:, None])
                | ((along[None] == along[:, None]) & (np.arange(a)[None] < np.arange(a)[:, None]))
            )
            & alive[None]
        ).sum(1)
        row = order // self.wide
        side = y - x
        same = (row[None] == row[:, None]) & alive[None]
        place = (same & (side[None] < side[:, None])).sum(1)
        count = same.sum(1)
        off = (place - (count - 1) / 2) * self.gap
        depth = row * self.deep - self.bend * off**2
        r = 0.5**0.5
        px, py = self.x - r * depth - r * off, self.y - r * depth + r * off
        gap = jnp.maximum(jnp.abs(px - x), jnp.abs(py - y))
        go = jnp.where(gap > self.slack, step_to(seen, px, py), STOP)
        cost = jnp.where(seen.aims & (far <= self.reach), seen.life[None] + far, jnp.inf)
        return jnp.where(jnp.isfinite(cost).any(1), AIM + cost.argmin(1), go).astype(jnp.int32)


@dataclass(frozen=True)
class Heal:
    weak: bool = True
    how: str = "share"

    def __call__(self, seen):
        a = seen.allies
        cost = seen.life[None] if self.weak else seen.apart[:, a:]
        act = attack(seen, cost, approach(seen))
        if self.how == "none":
            heals = seen.roster.heals
            friends = jnp.where(heals[None, :a], jnp.inf, seen.apart[:, :a])
            near = friends.argmin(1)
            follow = jnp.where(friends.min(1) > COMPANY, step_to(seen, seen.x[near], seen.y[near]), STOP)
            return jnp.where(heals[:a], follow, act)
        return mend(seen, act, self.how == "share")
