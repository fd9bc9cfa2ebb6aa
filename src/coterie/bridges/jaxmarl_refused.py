"""What of JaxMARL is not carried, and why: the remedy is part of the sentence."""

_WRAP = "pass it to coterie.bridges.jaxmarl.jaxmarl_game"
_STORM = (
    f"its observations do not stand under its agents' names and cannot be batched: wrap it so that they do, and {_WRAP}"
)
_ROBOTARIUM = f"it needs the package jaxrobotarium, which no registry has: build it, and {_WRAP}"
_MABRAX = "JaxMARL has deprecated it, and its dynamics are not MuJoCo's: use mujoco/{}"
_UNIT = "SMAX does not model {}: see smax/custom for the units that it does"

_ROBOTS = {"ant_4x2": "ant-4x2", "halfcheetah_6x1": "halfcheetah-6x1", "hopper_3x1": "hopper-3x1",
           "humanoid_9|8": "humanoid-9-8", "walker2d_2x3": "walker2d-2x3"}  # fmt: skip
_ARENAS = ("navigation", "discovery", "material_transport", "warehouse", "arctic_transport", "foraging", "rware",
           "predator_prey")  # fmt: skip
_MAPS = {"MMM": "medivacs", "MMM2": "medivacs", "6m2m_15m": "medivacs", "1c3s5z": "colossi", "2c_vs_64zg": "colossi",
         "2s_vs_1sc": "spine crawlers", "so_many_baneling": "banelings", "bane_vs_bane": "banelings"}  # fmt: skip

REFUSED = {
    "jaxmarl/smax": "somebody would have to play both sides: use smax/3m or another of the maps, with a scripted enemy",
    "jaxmarl/heuristicenemysmax": "it has a name for each map: use smax/3m or another",
    "jaxmarl/learnedpolicyenemysmax": "it needs a trained enemy: use smax/3m or another, with a scripted one",
    **{f"jaxmarl/{name}": _STORM for name in ("storm", "storm_2p", "storm_np")},
    **{f"jaxmarl/{name}": _MABRAX.format(ours) for name, ours in _ROBOTS.items()},
    **{f"jaxmarl/jaxrobotarium_{name}": _ROBOTARIUM for name in _ARENAS},
    **{f"smax/{name}": _UNIT.format(unit) for name, unit in _MAPS.items()},
}
"""What each would be called, and why it is not there."""
