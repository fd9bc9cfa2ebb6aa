"""The attributes of the units of one battle, as arrays that physics and combat read.

Arrays of this room that end in ``L`` have the environments as their last axis: the loops over them are the innermost
ones, so they run in vector registers however few units there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from coterie.games.battle.units import KINDS, LOOPS, Unit

SCAN = 5.0
"""Least range, edge to edge, in which an enemy without a target looks for one."""


class Roster(NamedTuple):
    """Units ``N`` (allies first) by attribute; ``L`` is 1 where every environment has the same units."""

    health: Float[Array, "N L"]
    shield: Float[Array, "N L"]
    armour: Float[Array, "N L"]
    radius: Float[Array, "N L"]
    separation: Float[Array, "N L"]
    speed: Float[Array, "N L"]
    period: Float[Array, "N L"]
    point: Float[Array, "N L"]
    reach: Float[Array, "N L"]
    damage: Float[Array, "N L"]
    light: Float[Array, "N L"]
    armored: Float[Array, "N L"]
    hits: Float[Array, "N L"]
    sweep: Float[Array, "N L"]
    blast: Float[Array, "N L"]
    regeneration: Float[Array, "N L"]
    energy: Float[Array, "N L"]
    scale: Float[Array, "N L"]
    is_light: Bool[Array, "N L"]
    is_armored: Bool[Array, "N L"]
    biological: Bool[Array, "N L"]
    grounded: Bool[Array, "N L"]
    hits_air: Bool[Array, "N L"]
    flies: Bool[Array, "N L"]
    strides: Bool[Array, "N L"]

    @property
    def heals(self) -> Bool[Array, "N L"]:
        """Who heals and does not attack."""
        return self.energy > 0


def tables(kinds: Mapping[str, Unit]) -> Roster:
    """One row for each of ``KINDS``, without the axis of environments."""
    units = [kinds[name] for name in KINDS]

    def column(read: Callable[[Unit], float]) -> Any:
        values = np.array([read(unit) for unit in units])
        return values if values.dtype == bool else values.astype(np.float32)

    return Roster(
        health=column(lambda u: u.health),
        shield=column(lambda u: u.shield),
        armour=column(lambda u: u.armour),
        radius=column(lambda u: u.radius),
        separation=column(lambda u: u.separation),
        speed=column(lambda u: u.speed / LOOPS),
        period=column(lambda u: u.period),
        point=column(lambda u: u.point),
        reach=column(lambda u: u.reach),
        damage=column(lambda u: u.damage),
        light=column(lambda u: u.bonus * (u.versus == "light")),
        armored=column(lambda u: u.bonus * (u.versus == "armored")),
        hits=column(lambda u: u.hits),
        sweep=column(lambda u: u.sweep),
        blast=column(lambda u: u.blast),
        regeneration=column(lambda u: u.regeneration / LOOPS),
        energy=column(lambda u: u.energy),
        scale=column(lambda u: u.scale),
        is_light=column(lambda u: u.light),
        is_armored=column(lambda u: u.armored),
        biological=column(lambda u: u.biological),
        grounded=column(lambda u: u.plane != "air"),
        hits_air=column(lambda u: u.hits_air),
        flies=column(lambda u: u.plane == "air"),
        strides=column(lambda u: u.plane == "both"),
    )


def fixed(units: Sequence[str], kinds: Mapping[str, Unit]) -> Roster:
    """The roster of units by name, the same in every environment: NumPy arrays ``[N, 1]``."""
    numbers = np.array([KINDS.index(name) for name in units])
    columns: list[Any] = [np.asarray(column)[numbers][:, None] for column in tables(kinds)]
    return Roster(*columns)


def drawn(kind: Int[Array, "N L"], kinds: Mapping[str, Unit], possible: Sequence[str]) -> Roster:
    """The roster of units by number, each of one of the ``possible`` kinds."""
    numbers = [KINDS.index(name) for name in possible]

    def column(values: np.ndarray) -> Array:
        found = jnp.full(kind.shape, values[numbers[0]])
        for number in numbers[1:]:
            found = jnp.where(kind == number, values[number], found)
        return found

    return Roster(*(column(np.asarray(values)) for values in tables(kinds)))


class Powers(NamedTuple):
    """What some unit of a side may do; the code for what none may is not compiled."""

    sweeps: bool
    bursts: bool
    heals: bool


def powers(names: Sequence[str], kinds: Mapping[str, Unit]) -> Powers:
    """What units by name may do."""
    units = [kinds[name] for name in names]
    return Powers(*(any(getattr(unit, what) > 0 for unit in units) for what in ("sweep", "blast", "energy")))


def part(roster: Roster, where: slice | np.ndarray) -> Roster:
    """The rows of some units."""
    return Roster(*(column[where] for column in roster))
