"""Configuration as data: text and JSON become parts, and back; what does not fit is named with the remedy."""

import dataclasses
import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.catalogue import recipe
from coterie.contracts import CoterieError
from coterie.fields import (
    arguments,
    convert,
    decode,
    describe,
    encode,
    hints,
    nearest,
    override,
    parse,
    part_name,
    parts,
)
from coterie.policy.estimator import NStep, PrecedingTrace
from coterie.policy.weighting import Others, Preceding, Product
from coterie.recipes import RECIPES, AnyRecipe, Recipe, recurrent

VARIANTS = {
    **{name: {} for name in RECIPES},
    "a2po shared": {"mode": "shared"},
    "happo inside": {"factor": "inside"},
    "recurrent": {"memory": "8"},
    "partial": {"sharing": "0,0,1"},
    "n_step": {"estimator": "n_step", "estimator.steps": "3"},
    "qmix recurrent": {"memory": "8", "objective": "td_lambda", "objective.trace": "0.5"},
}


def built(variant):
    name = variant.partition(" ")[0]
    return recipe(name if name in RECIPES else "mappo", VARIANTS[variant])


def round_trip(line):
    return decode(AnyRecipe, json.loads(json.dumps(encode(line), allow_nan=False)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recipe_comes_back_from_json(variant):
    line = built(variant)
    again = round_trip(line)
    assert again == line and hash(again) == hash(line)


def test_parts_within_parts_come_back():
    line = dataclasses.replace(recipe("a2po"), weighting=Product((Preceding(clip=0.1), Others(outer=0.3))))
    assert round_trip(line) == line


def written(value):
    """As one types it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return (
        ",".join(map(str, value))
        if isinstance(value, tuple)
        else repr(value)
        if isinstance(value, float)
        else str(value)
    )


RANGES = {
    "gamma": st.floats(0, 1), "entropy": st.floats(0, 10), "surrogate.epsilon": st.floats(0, 1),
    "value_clip": st.none() | st.floats(0.01, 5), "epochs": st.integers(1, 20), "environments": st.integers(1, 4096),
    "advantage_norm": st.sampled_from(["team", "agent", "none"]), "squash": st.sampled_from(["tanh", "clip"]),
    "actor.encoder": st.lists(st.integers(1, 512), max_size=3).map(tuple), "actor.norm": st.booleans(),
    "sharing": st.sampled_from(["full", "type", "none"]) | st.lists(st.integers(0, 3), min_size=2).map(tuple),
    "actor_fit.rate": st.floats(1e-6, 1), "actor.memory": st.integers(0, 64),
}  # fmt: skip


@given(st.fixed_dictionaries({}, optional=RANGES), st.sampled_from(sorted(RECIPES)))
def test_overrides_are_read_exactly_as_written(values, name):
    known = recipe(name)  # each kind of recipe has fields of its own, and so has each kind of surrogate
    values = {path: value for path, value in values.items() if hasattr(known, path.partition(".")[0])}
    if not hasattr(getattr(known, "surrogate", None), "epsilon"):
        values = {path: value for path, value in values.items() if path != "surrogate.epsilon"}
    line = recipe(name, {path: written(value) for path, value in values.items()})
    assert line == recipe(name, values)  # text, and Python's own values
    assert round_trip(line) == line
    for path, value in values.items():
        at = line
        for step in path.split("."):
            at = getattr(at, step)
        assert at == value and type(at) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "1_000_000", 1_000_000),
        (int, "1e6", 1_000_000),
        (int, "-3", -3),
        (float, "1", 1.0),
        (float, "-0.5", -0.5),
        (bool, "True", True),
        (float | None, "none", None),
        (float | None, "0.2", 0.2),
        (str | tuple[int, ...], "0,1,1", (0, 1, 1)),
        (str | tuple[int, ...], "full", "full"),
        (tuple[int, ...], "(64, 64)", (64, 64)),
        (tuple[int, ...], "[64]", (64,)),
        (tuple[int, ...], "", ()),
        (Literal["map", "vmap"], "vmap", "vmap"),
        (NStep | PrecedingTrace, "preceding_trace", PrecedingTrace()),
        (tuple[Others | Preceding, ...], "others,preceding", (Others(), Preceding())),
    ],
)
def test_text_is_read_by_type(kind, text, value):
    found = parse("it", kind, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(int, "1.5"), (int, "many"), (int, "inf"), (float, "nan"), (float, "inf"), (float, ""), (bool, "1"), (bool, "yes"),
     (Literal["map", "vmap"], "Map"), (NStep | PrecedingTrace, "gae"), (tuple[int, ...], "3,x"), (float | None, "no")],
)  # fmt: skip
def test_text_of_another_type_is_refused_with_what_to_give(kind, text):
    with pytest.raises(CoterieError) as caught:
        parse("--thing", kind, text)
    assert str(caught.value) == f"--thing cannot be {text!r}: give {describe(kind)}"


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [(float, 1, 1.0), (int, 3, 3), (tuple[int, ...], [1, 2], (1, 2)), (bool, True, True), (int | None, None, None)],
)
def test_values_of_python_and_json(kind, value, found):
    assert convert("it", kind, value) == found and type(convert("it", kind, value)) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(int, True), (float, True), (int, 1.0), (float, float("nan")), (float, None), (str, 3), (bool, 1),
     (tuple[int, ...], 3), (tuple[int, ...], [0.5]), (Literal["a"], ["a"]), (Preceding, Others())],
)  # fmt: skip
def test_values_of_another_type_are_refused(kind, value):
    with pytest.raises(CoterieError, match="it cannot be"):
        convert("it", kind, value)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("gama", "1", "recipe has no option 'gama': did you mean gamma?"),
        ("surrogate.epsilom", "1", "clip has no option 'epsilom' (in surrogate.epsilom): did you mean epsilon?"),
        ("gamma.x", "1", "gamma has no options of its own (in gamma.x): give a number"),
        ("critic_input.x", "1", "global_state has no option 'x' (in critic_input.x): it has none"),
        (
            "order",
            "gredy",
            "order cannot be 'gredy': give simultaneous, random_sequence, greedy, semi_greedy or blocks",
        ),
        ("surrogate.epsilon", "big", "surrogate.epsilon cannot be 'big': give a number"),
    ],
)
def test_overrides_that_do_not_fit(path, text, message):
    with pytest.raises(CoterieError) as caught:
        override(Recipe(), path, text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": "0.9"}, "recipe.gamma cannot be '0.9': give a number"),
        ({"gamma": None}, "recipe.gamma cannot be None"),
        ({"squash": "sigmoid"}, "recipe.squash cannot be 'sigmoid': give tanh or clip"),
        (
            {"estimator": {"part": "gaee"}},
            "recipe.estimator is 'gaee', which this coterie does not know: did you mean gae?",
        ),
        ({"estimator": "gae"}, "recipe.estimator cannot be 'gae'"),
        ({"horizon": 3}, "recipe has an unknown field 'horizon': it was written by another version"),
        ({"gamma": {"part": "gae"}}, "recipe.gamma is 'gae', which this coterie does not know: give a number"),
        ({"actor": {"part": "network", "encoder": [0]}}, "layer widths must be positive"),
        ({"actor": {"part": "network", "encoder": "64"}}, "recipe.actor.encoder cannot be '64'"),
    ],
)
def test_json_that_does_not_fit(change, message):
    with pytest.raises(CoterieError) as caught:
        decode(Recipe, {**encode(Recipe()), **change})
    assert str(caught.value).startswith(message)


def nested(inner):
    return st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["part", "gamma"]), inner)


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), nested, max_leaves=5)


@given(JSON, st.sampled_from(sorted(hints(Recipe))))
def test_damaged_json_never_ends_in_anything_but_a_line(value, field):
    data = {**encode(Recipe()), field: value}
    try:
        decode(Recipe, data)
    except CoterieError as error:
        assert "\n" not in str(error)


def test_what_is_missing_in_json_is_the_default():
    assert decode(Recipe, {"part": "recipe", "name": "mappo"}) == Recipe()


def test_names_and_neighbours():
    assert part_name(PrecedingTrace) == "preceding_trace"
    assert parts(hints(Recipe)["estimator"]).keys() >= {"gae", "n_step", "preceding_trace"}
    assert nearest("mapo", RECIPES) == "did you mean mappo?"
    assert nearest("zzz", ["b", "a"]) == "choose from a, b"


def test_arguments_of_functions():
    def game(agents: int = 3, ratio: float | None = None) -> None: ...

    assert arguments(game, {"agents": "5", "ratio": "none"}, "it") == {"agents": 5, "ratio": None}
    assert arguments(game, {"agents": 5, "ratio": 1}, "it") == {"agents": 5, "ratio": 1.0}
    with pytest.raises(CoterieError, match=r"^it has no option 'agent': did you mean agents\?$"):
        arguments(game, {"agent": 5}, "it")
    with pytest.raises(CoterieError, match="^agents cannot be 2.5: give a whole number$"):
        arguments(game, {"agents": 2.5}, "it")
    with pytest.raises(CoterieError, match="it has none"):
        arguments(lambda: None, {"agents": 5}, "it")


def test_recurrent_lines_come_back_too():
    assert round_trip(recurrent(recipe("a2po"), 16)) == recurrent(recipe("a2po"), 16)
