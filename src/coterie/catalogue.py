"""Names of games and recipes: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from coterie.bridges.hosted import divided, hosted
from coterie.bridges.jaxmarl_refused import REFUSED
from coterie.bridges.source import load
from coterie.contracts import CoterieError, Game, HostGame, Spec
from coterie.fields import arguments, convert, decode, encode, hints, nearest, override, parse
from coterie.policy.learner import PolicyLearner
from coterie.recipes import RECIPES, AnyRecipe, ValueRecipe, recurrent
from coterie.value.learner import ValueLearner

_GAME_MODULES = ("matrix", "stochastic", "stag_hunt", "foraging", "particle_spread", "particle_formation", "probe",
                 "probe_teams", "battle")  # fmt: skip
_BRIDGE_MODULES = ("mujoco", "smax", "jaxmarl_mpe", "jaxmarl_overcooked", "jaxmarl_more", "football", "starcraft")


def games() -> dict[str, Callable[..., Game | HostGame]]:
    """Every game with a name: name -> the function or class that opens it; listing them imports no simulator."""
    found: dict[str, Callable[..., Game | HostGame]] = {}
    for module in (*(f"games.{name}" for name in _GAME_MODULES), *(f"bridges.{name}" for name in _BRIDGE_MODULES)):
        found |= import_module(f"coterie.{module}").GAMES
    return found


def make(name: str, **options: Any) -> Game | HostGame:
    """Open a game by name.

    Args:
        name: Such as ``particle/spread``, ``coterie list`` prints them all; or ``module:factory``, a function that
            makes PettingZoo or Gymnasium environments.
        options: The game's own options; text is read by their types. Of a factory, its arguments and those of
            ``bridges.hosted.Hosting``.

    Raises:
        CoterieError: No such game, no such option, or a value out of range.
    """
    if ":" in name:
        return hosted(name, options)
    known = games()
    if name in REFUSED:
        raise CoterieError(f"{name} is not carried: {REFUSED[name]}")
    if name not in known:
        raise CoterieError(f"there is no game {name!r}: {nearest(name, known)}")
    return known[name](**arguments(known[name], options, name))


def jittable(name: str, **options: Any) -> Game:
    """As ``make``, for what only compiled games can do.

    Raises:
        CoterieError: As ``make``; or the host steps this game.
    """
    found = make(name, **options)
    if isinstance(found, HostGame):
        raise CoterieError(f"{name} is stepped on the host, and this needs a compiled game, such as particle/spread")
    return found


def read(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` of a game by name as a run's record keeps them: text is read by their types."""
    if ":" in name:
        own, ours = divided(load(name), options, name)
        return {**own, **ours}
    return arguments(games()[name], options, name)


def recipe(name: str, options: Mapping[str, Any] | None = None) -> AnyRecipe:
    """Build a recipe by name.

    Args:
        name: Such as ``a2po``.
        options: Arguments of the recipe's function (``mode``), ``memory`` (a GRU of that width in actor and critic,
            off-policy in the agents), and dotted fields (``gamma``, ``order``, ``surrogate.epsilon``); text is read by
            their types.

    Raises:
        CoterieError: No such recipe or option, or a value out of range.
    """
    if name not in RECIPES:
        raise CoterieError(f"there is no recipe {name!r}: {nearest(name, RECIPES)}")
    rest = dict(options or {})
    own = {key: rest.pop(key) for key in hints(RECIPES[name]) if key in rest and key != "return"}
    line = RECIPES[name](**arguments(RECIPES[name], own, name))
    if "memory" in rest:
        given = rest.pop("memory")
        width = (parse if isinstance(given, str) else convert)("memory", int, given)
        if width < 1:
            raise CoterieError(f"memory is {width}: give the width of the GRU, at least 1")
        line = recurrent(line, width)
    for path in sorted(rest, key=lambda p: p.count(".")):  # a part first, then the part's own options
        if path.partition(".")[0] not in hints(type(line)):
            known = {*hints(type(line)), *hints(RECIPES[name]), "memory"} - {"return"}
            raise CoterieError(f"{name} has no option {path!r}: {nearest(path.partition('.')[0], known)}")
        line = override(line, path, rest[path])
    return line


def said(recipe: AnyRecipe, before: Any = None) -> Any:
    """``recipe`` as data: ``before``, if that says the same in an older version's words, which lack newer fields."""
    try:
        same = before is not None and decode(AnyRecipe, before) == recipe
    except CoterieError:
        same = False
    return before if same else encode(recipe)


def learner(recipe: AnyRecipe, spec: Spec, seeds: int = 1) -> PolicyLearner | ValueLearner:
    """The learner of a recipe on a game.

    Args:
        recipe: The method.
        spec: The game.
        seeds: How many are trained in one process, each with a replay of its own where the method has one.

    Raises:
        CoterieError: Recipe and game do not go together, or the replays do not fit in memory.
    """
    if isinstance(recipe, ValueRecipe):
        return ValueLearner(recipe, spec).checked(seeds)
    return PolicyLearner(recipe, spec).checked()
