"""The particle worlds of JaxMARL (``MPE_*``) as games."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax.numpy as jnp
from jaxtyping import Array

from coterie.bridges.jaxmarl import JaxmarlGame, Reading, Told, jaxmarl_game, only_the_clock
from coterie.bridges.jaxmarl_scene import particle_scene
from coterie.bridges.jaxmarl_upstream import environment
from coterie.contracts import RewardKind
from coterie.games.options import number_within, one_of, whole_at_least

ActionOption = Literal["discrete", "continuous"]
LENGTH = 25
OPTIONS = {
    "length": "Steps after which an episode is truncated.",
    "actions": "``discrete`` (choices) or ``continuous`` (weights in [0, 1]).",
    "reward": "``team`` pays every agent the sum of all agents' rewards, ``individual`` pays each its own.",
    "agents": "Number of agents, and of landmarks.",
    "local_ratio": "Weight of an agent's own collisions; the distances of all landmarks weigh the rest.",
}


def summed(env: Any, told: Told, agents: tuple[str, ...]) -> Sequence[Array]:
    """The sum of all agents' rewards, for each of them."""
    del env
    return [jnp.sum(jnp.stack([told.reward[agent] for agent in agents]))] * len(agents)


WORLD = Reading(over=only_the_clock, scene=particle_scene)


def _world(name: str, length: int, reward: RewardKind, reading: Reading = WORLD, **options: Any) -> JaxmarlGame:
    whole_at_least("length", length, 1)
    env = environment(name, length, **options)
    passive = getattr(env, "good_agents", ()) if "facmac" in name else ()
    return jaxmarl_game(env, length, reward, reading, passive=passive)


def _kind(actions: ActionOption) -> str:
    one_of("actions", actions, ("discrete", "continuous"))
    return actions.capitalize()


def _told(opened: Callable[..., JaxmarlGame], first_line: str) -> Callable[..., JaxmarlGame]:
    """With documentation for the options that it has."""
    rows = [f"    {name}: {OPTIONS[name]}" for name in opened.__annotations__ if name in OPTIONS]
    opened.__doc__ = "\n".join([first_line, "", "Args:", *rows])
    return opened


def _either(name: str, about: str, reward: RewardKind) -> Callable[..., JaxmarlGame]:
    """A world with discrete or continuous actions."""

    def opened(actions: ActionOption = "discrete", length: int = LENGTH) -> JaxmarlGame:
        return _world(name, length, reward, action_type=_kind(actions))

    return _told(opened, about)


def _boxed(name: str, about: str, reward: RewardKind) -> Callable[..., JaxmarlGame]:
    """A world that has continuous actions only."""

    def opened(length: int = LENGTH) -> JaxmarlGame:
        return _world(name, length, reward)

    return _told(opened, about)


def _paid(reward: RewardKind) -> Reading:
    one_of("reward", reward, ("team", "individual"))
    return WORLD if reward == "individual" else Reading(over=only_the_clock, scene=particle_scene, pay=summed)


def simple_spread(
    agents: int = 3,
    local_ratio: float = 0.5,
    reward: RewardKind = "team",
    actions: ActionOption = "discrete",
    length: int = LENGTH,
) -> JaxmarlGame:
    """JaxMARL's simple_spread; particle/spread is this library's own."""
    whole_at_least("agents", agents, 2)
    number_within("local_ratio", local_ratio, 0, 1)
    return _world("MPE_simple_spread_v3", length, reward, _paid(reward), action_type=_kind(actions), num_agents=agents,
                  num_landmarks=agents, local_ratio=local_ratio)  # fmt: skip


def simple_reference(
    reward: RewardKind = "team", actions: ActionOption = "discrete", length: int = LENGTH
) -> JaxmarlGame:
    """JaxMARL's simple_reference: each of two agents knows the other's landmark, and they talk."""
    return _world("MPE_simple_reference_v3", length, reward, _paid(reward), action_type=_kind(actions))


_TEAMS = {
    "simple_v3": "JaxMARL's simple: one agent walks to a landmark.",
    "simple_speaker_listener_v4": "JaxMARL's simple_speaker_listener: one agent names a landmark, the other walks.",
}
_SIDES = {
    "simple_tag_v3": "JaxMARL's simple_tag: predators chase prey; two sides, each agent has a reward of its own.",
    "simple_push_v3": "JaxMARL's simple_push: one keeps the other from a landmark; two sides, rewards of their own.",
    "simple_adversary_v3": "JaxMARL's simple_adversary: a spy among friends; two sides, rewards of their own.",
    "simple_crypto_v3": "JaxMARL's simple_crypto: a secret before a listener; two sides, rewards of their own.",
}
_PREY = "JaxMARL's simple_facmac{}: {} predators chase {} prey that JaxMARL moves; one team, continuous actions."
_CHASES = {"v1": ("", 3, 1), "3a_v1": (" 3a", 3, 1), "6a_v1": (" 6a", 6, 2), "9a_v1": (" 9a", 9, 3)}

GAMES: dict[str, Callable[..., JaxmarlGame]] = {
    "jaxmarl/mpe_simple_spread_v3": _told(simple_spread, simple_spread.__doc__ or ""),
    "jaxmarl/mpe_simple_reference_v3": _told(simple_reference, simple_reference.__doc__ or ""),
    **{f"jaxmarl/mpe_{name}": _either(f"MPE_{name}", about, "team") for name, about in _TEAMS.items()},
    **{f"jaxmarl/mpe_{name}": _either(f"MPE_{name}", about, "individual") for name, about in _SIDES.items()},
    "jaxmarl/mpe_simple_world_comm_v3": _boxed(
        "MPE_simple_world_comm_v3",
        "JaxMARL's simple_world_comm: predators with a leader, prey, food and forests; two sides, continuous actions.",
        "individual",
    ),
    **{
        f"jaxmarl/mpe_simple_facmac_{name}": _boxed(f"MPE_simple_facmac_{name}", _PREY.format(*words), "team")
        for name, words in _CHASES.items()
    },
}
"""The games of this file by name."""
