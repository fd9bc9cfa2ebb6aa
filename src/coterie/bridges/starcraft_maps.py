"""The battles of SMAC and SMACv2: plain tables. Nothing here imports the game or JAX."""

from __future__ import annotations

from typing import Any, NamedTuple

UNITS = {"b": "baneling", "c": "colossus", "g": "zergling", "h": "hydralisk", "m": "marine", "r": "marauder",
         "s": "stalker", "v": "medivac", "z": "zealot"}  # fmt: skip
_ALLIES = {
    "3m": "3m", "8m": "8m", "25m": "25m", "5m_vs_6m": "5m", "8m_vs_9m": "8m", "10m_vs_11m": "10m", "27m_vs_30m": "27m",
    "MMM": "2r7m1v", "MMM2": "2r7m1v", "2s3z": "2s3z", "3s5z": "3s5z", "3s5z_vs_3s6z": "3s5z", "3s_vs_3z": "3s",
    "3s_vs_4z": "3s", "3s_vs_5z": "3s", "1c3s5z": "1c3s5z", "2m_vs_1z": "2m", "corridor": "6z", "6h_vs_8z": "6h",
    "2s_vs_1sc": "2s", "so_many_baneling": "7z", "bane_vs_bane": "4b20g", "2c_vs_64zg": "2c",
}  # fmt: skip


def _names(code: str) -> tuple[str, ...]:
    """``2s3z`` -> ``stalker_0``, ``stalker_1``, ``zealot_0``, ...: SMAC sorts its agents by type."""
    names: list[str] = []
    count = ""
    for letter in code:
        if letter.isdigit():
            count += letter
        else:
            names += [f"{UNITS[letter]}_{i}" for i in range(int(count))]
            count = ""
    return tuple(names)


MAPS = {name: _names(code) for name, code in _ALLIES.items()}
"""SMAC's maps (Samvelyan et al. 2019): the agents in SMAC's order, so that agents of one type can share parameters."""


class Race(NamedTuple):
    """What SMACv2 draws a team of: types, how often each, and those that do not make a team alone."""

    units: tuple[str, ...]
    weights: tuple[float, ...]
    never_alone: tuple[str, ...]


RACES = {
    "protoss": Race(("stalker", "zealot", "colossus"), (0.45, 0.45, 0.1), ()),
    "terran": Race(("marine", "marauder", "medivac"), (0.45, 0.45, 0.1), ("medivac",)),
    "zerg": Race(("zergling", "baneling", "hydralisk"), (0.45, 0.1, 0.45), ("baneling",)),
}
"""SMACv2's races (Ellis et al. 2023, table of unit probabilities)."""
SIZES = ((5, 5), (10, 10), (10, 11), (20, 20), (20, 23))
"""Allies and enemies of SMACv2's scenarios."""


def capability(race: str, allies: int, enemies: int) -> dict[str, Any]:
    """SMACv2's ``capability_config``: teams by ``RACES``, half of the battles surrounded, half face to face."""
    drawn = RACES[race]
    return {
        "n_units": allies,
        "n_enemies": enemies,
        "team_gen": {
            "dist_type": "weighted_teams",
            "unit_types": list(drawn.units),
            "weights": list(drawn.weights),
            "exception_unit_types": list(drawn.never_alone),
            "observe": True,
        },
        "start_positions": {"dist_type": "surrounded_and_reflect", "p": 0.5, "map_x": 32, "map_y": 32},
    }
