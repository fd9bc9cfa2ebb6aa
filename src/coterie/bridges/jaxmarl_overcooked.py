"""JaxMARL's two kitchens (``overcooked``, ``overcooked_v2``) as games."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

from jaxtyping import Array

from coterie.bridges.jaxmarl import JaxmarlGame, JaxmarlState, Reading, jaxmarl_game, only_the_clock
from coterie.bridges.jaxmarl_kitchen_scene import kitchen_scene, kitchen_v2_scene
from coterie.bridges.jaxmarl_upstream import build, environment, upstream
from coterie.games.options import number_within, one_of, whole_at_least

DELIVERY = 20.0
"""What a soup at the counter pays."""
LayoutV2 = Literal[
    "cramped_room", "asymm_advantages", "coord_ring", "forced_coord", "counter_circuit", "cramped_room_v2",
    "asymm_advantages_recipes_center", "asymm_advantages_recipes_right", "asymm_advantages_recipes_left", "two_rooms",
    "two_rooms_both", "long_room", "fun_coordination", "more_fun_coordination", "fun_symmetries",
    "fun_symmetries_plates", "fun_symmetries1", "grounded_coord_simple", "grounded_coord_ring", "test_time_simple",
    "test_time_wide", "demo_cook_simple", "demo_cook_wide",
]  # fmt: skip


def delivered(env: Any, state: JaxmarlState) -> Mapping[str, Array]:
    """Soups at the counter so far."""
    del env
    return {"delivered": state.score / DELIVERY}


def _checked(length: int, shaping: float) -> None:
    whole_at_least("length", length, 1)
    number_within("shaping", shaping, 0, 1e6)


@lru_cache(maxsize=64)
def _room(layout: str, random_reset: bool, length: int) -> Any:
    plan = upstream("jaxmarl.environments.overcooked").overcooked_layouts[layout]
    return build("overcooked", length, layout=plan, random_reset=random_reset)


def _kitchen(layout: str, about: str) -> Callable[..., JaxmarlGame]:
    def opened(shaping: float = 0.0, random_reset: bool = False, length: int = 400) -> JaxmarlGame:
        _checked(length, shaping)
        env = _room(layout, random_reset, length)
        reading = Reading(over=only_the_clock, shaping=shaping, info=delivered, scene=kitchen_scene)
        return jaxmarl_game(env, length, "team", reading)

    opened.__doc__ = f"""JaxMARL's Overcooked, {about}

    Args:
        shaping: What the learner is paid besides, per unit of JaxMARL's shaped reward of both cooks (3 for an
            ingredient into a pot or a plate in time, 5 for a soup on a plate).
        random_reset: Whether an episode starts with cooks, hands and pots at random.
        length: Steps after which an episode is truncated.
    """
    return opened


def overcooked_v2(
    layout: LayoutV2 = "cramped_room",
    sight: int | None = None,
    shaping: float = 0.0,
    negative_rewards: bool = False,
    random_reset: bool = False,
    length: int = 400,
) -> JaxmarlGame:
    """JaxMARL's OvercookedV2 (Gessler et al. 2025): recipes to be found out, and cooks that see part of the kitchen.

    Args:
        layout: The kitchen.
        sight: How many cells far a cook sees in each direction; None: everything.
        shaping: What the learner is paid besides, per unit of JaxMARL's shaped reward of all cooks.
        negative_rewards: Whether wrong soups cost as much as right ones pay.
        random_reset: Whether an episode starts with cooks, hands and pots at random.
        length: Steps after which an episode is truncated.
    """
    _checked(length, shaping)
    one_of("layout", layout, get_args(LayoutV2))
    if sight is not None:
        whole_at_least("sight", sight, 1)
    env = environment("overcooked_v2", length, layout=layout, agent_view_size=sight, negative_rewards=negative_rewards,
                      random_reset=random_reset)  # fmt: skip
    reading = Reading(over=only_the_clock, shaping=shaping, scene=kitchen_v2_scene)
    return jaxmarl_game(env, length, "team", reading)


_KITCHENS = {
    "cramped_room": "cramped room: two cooks in one small room.",
    "asymm_advantages": "asymmetric advantages: two rooms, each with a shorter way to something else.",
    "coord_ring": "coordination ring: two cooks go round one table.",
    "forced_coord": "forced coordination: one room has the ingredients, the other the pots.",
    "counter_circuit": "counter circuit: a long way round, or over the table.",
}
GAMES: dict[str, Callable[..., JaxmarlGame]] = {
    **{f"jaxmarl/overcooked_{name}": _kitchen(name, about) for name, about in _KITCHENS.items()},
    "jaxmarl/overcooked_v2": overcooked_v2,
}
"""The games of this file by name."""
