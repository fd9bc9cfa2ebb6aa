"""MuJoCo's robots and the teams that they can be cut into. Plain tables: nothing here imports MuJoCo or JAX."""

from __future__ import annotations

from typing import NamedTuple

from coterie.errors import CoterieError
from coterie.fields import nearest


class Robot(NamedTuple):
    """A robot and its partitions.

    ``scenario`` is MaMuJoCo's name. ``known`` are MaMuJoCo's own partitions; ``added`` are made from its graph: the
    joints of each agent by MaMuJoCo's labels, or nothing for one agent to each joint. A robot of ``segments`` can be
    cut into any number of agents with any number of segments each.
    """

    scenario: str
    known: tuple[str, ...] = ()
    added: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()
    segments: bool = False

    @property
    def partitions(self) -> tuple[str, ...]:
        """All partitions that have a name."""
        return tuple(sorted((*self.known, *(name for name, _ in self.added))))


_CHEETAH = (("bfoot", "bshin"), ("bthigh", "ffoot"), ("fshin", "fthigh"))
_WALKER = (("foot_joint", "leg_joint"), ("thigh_joint", "foot_left_joint"), ("leg_left_joint", "thigh_left_joint"))
ROBOTS = {
    "ant": Robot("Ant", ("2x4", "2x4d", "4x2"), (("8x1", ()),)),
    "halfcheetah": Robot("HalfCheetah", ("2x3", "6x1"), (("3x2", _CHEETAH),)),
    "hopper": Robot("Hopper", ("3x1",)),
    "humanoid": Robot("Humanoid", ("9|8",), (("17x1", ()),)),
    "manyagent-ant": Robot("ManySegmentAnt", segments=True),
    "manyagent-swimmer": Robot("ManySegmentSwimmer", segments=True),
    "swimmer": Robot("Swimmer", ("2x1",)),
    "walker2d": Robot("Walker2d", ("2x3",), (("3x2", _WALKER), ("6x1", ()))),
}
"""The robots by name. The joints of a 3x2, which MaMuJoCo lacks, are grouped as in HAPPO's code (Kuba et al. 2022)."""
MOST = 64
"""Segments of the longest robot."""


def robot_of(robot: str, partition: str) -> Robot:
    """The robot, if it can be cut so.

    Raises:
        CoterieError: There is no such robot, or the partition does not fit it; says which do.
    """
    if robot not in ROBOTS:
        raise CoterieError(f"there is no robot {robot!r}: {nearest(robot, ROBOTS)}")
    found = ROBOTS[robot]
    if found.segments:
        segments(robot, partition)
    elif partition not in found.partitions:
        raise CoterieError(f"{robot} has no partition {partition!r}: choose from {', '.join(found.partitions)}")
    return found


def segments(robot: str, partition: str) -> int:
    """How many segments ``partition`` (agents x segments of each) takes.

    Raises:
        CoterieError: It is not of that form, or the robot would be too short or too long.
    """
    left, _, right = partition.partition("x")
    count = int(left) * int(right) if left.isdecimal() and right.isdecimal() else 0
    if not 2 <= count <= MOST:
        raise CoterieError(
            f"{robot} has no partition {partition!r}: give agents x segments of each, 2 to {MOST} segments in all, "
            "such as 10x2"
        )
    return count
