"""Anybody's environment as a game that the host steps in worker processes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import PyTree

from coterie.bridges import shared
from coterie.bridges.layout import Layout, layout
from coterie.bridges.parallel import Reward
from coterie.bridges.source import Source, load, options, parameters
from coterie.bridges.workers import Hosting, Workers
from coterie.contracts import ActionSpace, CoterieError, Simulators, Spec
from coterie.extras import require
from coterie.fields import arguments, hints


@dataclass(frozen=True)
class HostedGame:
    """A function that makes environments, and what training sees of them (``contracts.HostGame``)."""

    spec: Spec
    source: Source
    hosting: Hosting
    seen: Layout = field(repr=False, compare=False)

    def open(self, environments: int) -> Simulators:
        """``environments`` of them in worker processes.

        Raises:
            CoterieError: A worker could not make them.
        """
        return Workers(self.source, self.seen, self.hosting, environments)

    def blank(self, environments: int) -> PyTree:
        """Seeds, episode numbers and actions of no episode yet."""
        wanted = shared.shapes(self.seen, environments, len(self.hosting.metrics))
        return {name: np.zeros(*wanted[name]) for name in shared.KEPT}


def hosted(
    factory: str | Callable[..., Any], given: Mapping[str, Any] | None = None, hosting: Hosting | None = None
) -> HostedGame:
    """A game out of a function that makes PettingZoo or Gymnasium environments.

    One environment is made, reset and closed here, so that what cannot be trained on is refused before any worker
    starts.

    Args:
        factory: ``module:function``, or a function.
        given: Options: the factory's own, and those of ``Hosting`` where the factory has none of that name.
        hosting: Where the options of ``Hosting`` begin; its defaults if None.

    Raises:
        CoterieError: The extra games is not installed, bad options, a factory that raises, or an environment that
            cannot be trained on.
    """
    require("gymnasium", "games")
    name = Source(factory).name
    own, ours = divided(load(factory) if isinstance(factory, str) else factory, given or {}, name)
    hosting = Hosting(**{**(vars(hosting) if hosting else {}), **ours})
    source = Source(factory, tuple(own.items()))
    env = source.make()
    try:
        seen = layout(env, 0, hosting.horizon)
    except CoterieError as error:
        raise CoterieError(f"{name}: {error}") from error
    finally:
        getattr(env, "close", lambda: None)()
    return HostedGame(spec(seen, hosting.reward), source, hosting, seen)


def divided(function: Callable[..., Any], given: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options as values: the factory's own, and those of ``Hosting`` where the factory has none of that name.

    Raises:
        CoterieError: Neither has such an option, or the value is of another type.
    """
    own, ours = parameters(function), hints(Hosting)
    mine = {key: value for key, value in given.items() if key in ours and key not in own}
    rest = {key: value for key, value in given.items() if key not in mine}
    return options(function, rest, name), arguments(Hosting, mine, name)


def spec(seen: Layout, reward: Reward) -> Spec:
    """A layout as every room of the house knows it; agents whose names differ in a number only are of one type."""
    names = tuple(map(str, seen.agents))
    return Spec(
        agents=names,
        types=tuple(re.sub(r"[\s_-]*\d+$", "", name) or "agent" for name in names),
        observation_sizes=tuple(each.size for each in seen.sees),
        action_spaces=tuple(ActionSpace(each.kind, each.sizes, each.low, each.high) for each in seen.acts),
        state_size=seen.state_size,
        horizon=seen.horizon,
        reward="individual" if reward == "individual" else "team",
    )
