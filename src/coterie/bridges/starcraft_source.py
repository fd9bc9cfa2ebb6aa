"""SMAC's and SMACv2's battles as PettingZoo environments, or one line that says what is not installed.

Worker processes read this, so nothing here imports JAX.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from coterie.bridges.starcraft_env import StarCraftEnv
from coterie.bridges.starcraft_maps import MAPS, RACES, capability
from coterie.errors import CoterieError
from coterie.fields import nearest

GUIDE = "docs/starcraft.md"
PLACES = {"darwin": "/Applications/StarCraft II", "win32": "C:/Program Files (x86)/StarCraft II"}
"""Where pysc2 looks for the game when ``SC2PATH`` is not set; on Linux in the home directory."""


def smac(
    map_name: str, difficulty: str = "7", sparse: bool = False, version: str = "", restart: bool = False
) -> StarCraftEnv:
    """A battle of SMAC.

    Args:
        map_name: Such as ``3m``.
        difficulty: Of the built-in player, ``1`` to ``9`` or ``A``.
        sparse: Pay 1 for a win and -1 for a defeat, nothing else.
        version: Of the game, such as ``4.10``; empty for the newest that is installed.
        restart: See ``StarCraftEnv``.

    Raises:
        CoterieError: No such map, or SMAC, the game or the map is not installed; says what to do.
    """
    if map_name not in MAPS:
        raise CoterieError(f"SMAC has no map {map_name!r}: {nearest(map_name, MAPS)}")
    package = installed("smac", map_name)

    def build(seed: int | None) -> Any:
        return package.StarCraft2Env(map_name=map_name, seed=seed, **_options(difficulty, sparse, version))

    return StarCraftEnv(build, MAPS[map_name], restart)


def smacv2(
    race: str,
    allies: int,
    enemies: int,
    difficulty: str = "7",
    sparse: bool = False,
    conic_view: bool = False,
    version: str = "",
    restart: bool = False,
) -> StarCraftEnv:
    """A battle of SMACv2, whose teams and starting positions are drawn at every reset.

    Args:
        race: ``protoss``, ``terran`` or ``zerg``.
        allies: Number of agents.
        enemies: Number of enemies.
        difficulty: Of the built-in player, ``1`` to ``9`` or ``A``.
        sparse: Pay 1 for a win and -1 for a defeat, nothing else.
        conic_view: Agents see a cone only, and have actions that turn it.
        version: Of the game; empty for the newest that is installed.
        restart: See ``StarCraftEnv``.

    Raises:
        CoterieError: No such race, or SMACv2, the game or the map is not installed; says what to do.
    """
    if race not in RACES:
        raise CoterieError(f"SMACv2 has no race {race!r}: {nearest(race, RACES)}")
    package = installed("smacv2", "32x32_flat")

    def build(seed: int | None) -> Any:
        return package.StarCraftCapabilityEnvWrapper(
            capability_config=capability(race, allies, enemies), map_name=f"10gen_{race}", seed=seed, step_mul=8,
            obs_own_pos=True, use_unit_ranges=True, min_attack_range=2, conic_fov=conic_view, num_fov_actions=12,
            **_options(difficulty, sparse, version),
        )  # fmt: skip

    return StarCraftEnv(build, (), restart)


def _options(difficulty: str, sparse: bool, version: str) -> dict[str, Any]:
    """What both are made with. The scale would shrink a sparse reward; ``continuing_episode`` makes the limit show."""
    return {"difficulty": difficulty, "reward_sparse": sparse, "reward_scale": not sparse,
            "game_version": version or None, "continuing_episode": True}  # fmt: skip


def installed(package: str, map_file: str) -> Any:
    """The imported ``package.env``, after a look at all that it needs.

    Raises:
        CoterieError: Something is missing; says what, and what to do.
    """
    found = importlib.util.find_spec(package)
    get = f"pip install git+https://github.com/oxwhirl/{package}.git (see {GUIDE})"
    if found is None:
        raise CoterieError(f"the package {package} is not installed: {get}")
    if not any((Path(place) / "env" / "starcraft2").is_dir() for place in found.submodule_search_locations or ()):
        raise CoterieError(
            f"the {package} that is installed is another package of that name: pip uninstall it, then {get}"
        )
    game = Path(os.environ.get("SC2PATH") or PLACES.get(sys.platform, "~/StarCraftII")).expanduser()
    if not any(game.glob("Versions/Base*")):
        raise CoterieError(f"StarCraft II is not at {game}: install it, or set SC2PATH to where it is (see {GUIDE})")
    path = game / "Maps" / "SMAC_Maps" / f"{map_file}.SC2Map"
    if not path.exists():
        raise CoterieError(f"there is no map {path}: copy {package}'s folder SMAC_Maps into Maps there (see {GUIDE})")
    try:
        return importlib.import_module(f"{package}.env")
    except TypeError as error:
        if "Descriptors" not in str(error):
            raise
        raise CoterieError(
            f"{package} needs protobuf 3.20 and a newer one is installed: pip install 'protobuf<3.21', or set "
            f"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python (see {GUIDE})"
        ) from error
