"""The ten units of SMAC's maps: what they can take, deal, see, and how they move.

Times are in game loops, of which a normal second has 16; lengths in cells. Ranges are from edge to edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

LOOPS = 16
"""Game loops in a normal second."""
Balance = Literal["base", "ladder"]
"""Whose weapons: those of the base data that SMAC's maps depend on, or those of later multiplayer versions."""
Plane = Literal["ground", "air", "both"]


@dataclass(frozen=True)
class Unit:
    """A kind of unit.

    Args:
        health: Hit points.
        radius: Radius of the body, which ranges are measured from.
        separation: Radius that it keeps from others of its plane.
        sight: How far it sees.
        speed: Cells per normal second.
        shield: Shield points; they regenerate after ten seconds without damage.
        armour: What it takes off every hit on its health.
        damage: Of one hit.
        bonus: Added against ``versus``.
        versus: The attribute that the bonus is for.
        hits: Hits of one attack.
        period: Loops from one attack to the next.
        reach: Range of the weapon, or of healing.
        point: Loops that it stands still for an attack.
        plane: Where it is, and so who can hit it.
        hits_air: Whether its weapon reaches units in the air.
        light: An attribute that bonuses are for.
        armored: The other one.
        biological: Whether it can be healed.
        sweep: Half length of the line across the shot that an attack hits; 0: the target alone.
        blast: Radius of the explosion in which it ends; 0: it does not explode.
        energy: What a healer starts with; 0: it does not heal.
        regeneration: Health per normal second.
        scale: What SMAC divides cooldowns by in the state (healers: energy).
    """

    health: float
    radius: float
    separation: float
    sight: float
    speed: float
    shield: float = 0.0
    armour: float = 0.0
    damage: float = 0.0
    bonus: float = 0.0
    versus: Literal["light", "armored"] = "armored"
    hits: int = 1
    period: float = 0.0
    reach: float = 0.1
    point: float = 0.167 * LOOPS
    plane: Plane = "ground"
    hits_air: bool = False
    light: bool = False
    armored: bool = False
    biological: bool = False
    sweep: float = 0.0
    blast: float = 0.0
    energy: float = 0.0
    regeneration: float = 0.0
    scale: float = 15.0


BASE: Mapping[str, Unit] = {
    "marine": Unit(
        45, 0.375, 0.375, 9, 2.25, damage=6, period=0.8608 * LOOPS, reach=5, point=0.05 * LOOPS, hits_air=True,
        light=True, biological=True, scale=15,
    ),
    "marauder": Unit(
        125, 0.5625, 0.5, 10, 2.25, armour=1, damage=10, bonus=10, period=1.5 * LOOPS, reach=6, point=0, armored=True,
        biological=True, scale=25,
    ),
    "medivac": Unit(
        150, 0.75, 0.75, 11, 2.75, armour=1, reach=4, plane="air", armored=True, energy=50, scale=200,
    ),
    "stalker": Unit(
        80, 0.625, 0.625, 10, 2.9531, shield=80, armour=1, damage=10, bonus=4, period=1.44 * LOOPS, reach=6,
        hits_air=True, armored=True, scale=35,
    ),
    "zealot": Unit(
        100, 0.5, 0.375, 9, 2.25, shield=50, armour=1, damage=8, hits=2, period=1.2 * LOOPS, point=0, light=True,
        biological=True, scale=22,
    ),
    "colossus": Unit(
        200, 1.0, 0.75, 10, 2.25, shield=150, armour=1, damage=20, versus="light", hits=2, period=2.2 * LOOPS, reach=6,
        point=0.083 * LOOPS, plane="both", armored=True, sweep=1.25, scale=24,
    ),
    "zergling": Unit(
        35, 0.375, 0.375, 8, 2.9531, damage=5, period=0.696 * LOOPS, light=True, biological=True, regeneration=0.2734,
        scale=11,
    ),
    "hydralisk": Unit(
        80, 0.625, 0.5, 9, 2.25, damage=12, period=0.83 * LOOPS, reach=5, point=0.208 * LOOPS, hits_air=True,
        light=True, biological=True, regeneration=0.2734, scale=10,
    ),
    "baneling": Unit(
        30, 0.375, 0.375, 8, 2.5, damage=20, bonus=15, versus="light", period=0.833 * LOOPS, reach=0.25, point=0,
        biological=True, blast=2.2, regeneration=0.2734, scale=1,
    ),
    "spine_crawler": Unit(
        300, 0.875, 0.875, 11, 0.0, armour=2, damage=25, bonus=5, period=1.6 * LOOPS, reach=7, point=0.333 * LOOPS,
        armored=True, biological=True, regeneration=0.2734, scale=15,
    ),
}  # fmt: skip
"""Every unit by name, with the weapons of the base data."""

LADDER: Mapping[str, Unit] = {
    **BASE,
    "stalker": replace(BASE["stalker"], damage=13, bonus=5, period=1.87 * LOOPS),
    "colossus": replace(BASE["colossus"], damage=10, bonus=5, period=1.5 * LOOPS, reach=7),
    "spine_crawler": replace(BASE["spine_crawler"], period=1.85 * LOOPS),
}
"""Every unit by name, with the weapons of later multiplayer versions."""
BALANCES: Mapping[Balance, Mapping[str, Unit]] = {"base": BASE, "ladder": LADDER}
KINDS = tuple(BASE)
"""Names of the units; the numbers in a battle's state are places in this list."""
