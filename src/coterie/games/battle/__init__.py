"""Battles of StarCraft's units in compiled code: SMAC's 23 maps and its interface, on the house's own physics."""

from __future__ import annotations

from coterie.games.battle.game import Battle, BattleState
from coterie.games.battle.maps import MAPS, BattleMap, Group
from coterie.games.battle.named import GAMES
from coterie.games.battle.terrain import TERRAINS, Terrain

__all__ = ["GAMES", "MAPS", "TERRAINS", "Battle", "BattleMap", "BattleState", "Group", "Terrain"]
