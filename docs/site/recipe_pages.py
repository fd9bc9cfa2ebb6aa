"""A page for each recipe: what docs/recipes.md says of it, and its line-up from the catalogue and the docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from names import ROOT

from coterie.catalogue import RECIPES
from coterie.catalogue import recipe as opened
from coterie.fields import describe, encode, hints, part_name

MATHEMATICS = {
    "recipe": {
        "sharing": "sharing", "critic_input": "critic-inputs", "estimator": "estimators", "order": "orders",
        "weighting": "weightings", "surrogate": "surrogates", "critic": "critic-inputs",
        "value_norm": "value-normalisation",
    },
    "value_recipe": {
        "sharing": "sharing", "critic": "deterministic-gradients", "mixing": "values", "central": "values",
        "objective": "values", "weighting": "values", "scale": "values", "actor_update": "deterministic-gradients",
        "exploration": "replay", "replay": "replay", "target": "replay",
    },
}  # fmt: skip
"""Pages of mathematics by kind of recipe and field."""
_SECTION = r"^## {name}\n(.*?)(?=^## |\Z)"


def split(text: str) -> tuple[str, dict[str, str]]:
    """``docs/recipes.md`` without the sections of single recipes, and these sections."""
    sections = {}
    for name in RECIPES:
        pattern = re.compile(_SECTION.format(name=re.escape(name)), re.MULTILINE | re.DOTALL)
        found = pattern.search(text)
        if found:
            sections[name] = found[1].strip()
            text = text[: found.start()] + text[found.end() :]
    return text, sections


def page(name: str, prose: str) -> str:
    """The page of a recipe; ``prose`` is its section of ``docs/recipes.md``."""
    function = RECIPES[name]
    line = opened(name)
    symbols = "The symbols are explained in the [overview](../recipes.md)." if "$" in prose else ""
    blocks = [f"# {name}", inspect.cleandoc(function.__doc__ or ""), prose, symbols]
    blocks += ["## Line-up", _differences(name, line)]
    blocks += [_lineup(line), *_variants(name), "## Parts", *_parts(line), "## Numbers", _numbers(line)]
    blocks += [_how(name), *_cite(name)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _show(value: Any) -> str:
    """A setting as one would write it on the command line."""
    if isinstance(value, Mapping):
        return value["part"]
    if isinstance(value, list | tuple):
        return ",".join(map(_show, value)) or "none"
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _is_part(value: Any) -> bool:
    return dataclasses.is_dataclass(value)


def _reference(part: Any, label: str = "") -> str:
    kind = type(part)
    return f"[`{label or part_name(kind)}`][{kind.__module__}.{kind.__qualname__}]"


def _settings(part: Any) -> dict[str, Any]:
    return {key: value for key, value in encode(part).items() if key != "part"}


def _chosen(part: Any) -> str:
    """The settings of a part that are not its defaults."""
    usual = _settings(type(part)())
    return ", ".join(f"`{key}` {_show(value)}" for key, value in _settings(part).items() if value != usual[key])


def _used(line: Any) -> dict[str, Any]:
    """The fields that mean something in a line-up, with their types."""
    return {name: kind for name, kind in hints(type(line)).items() if name not in getattr(line, "idle", ())}


def _flat(line: Any) -> dict[str, Any]:
    """Every field of a line-up by its dotted name."""
    found = {}
    for field in _used(line):
        value = getattr(line, field)
        if field == "name":
            continue
        found[field] = part_name(type(value)) if _is_part(value) else encode(value)
        if _is_part(value):
            found |= {f"{field}.{key}": setting for key, setting in _settings(value).items()}
    return found


def _changes(line: Any, base: Any) -> dict[str, str]:
    """What differs; the settings of a part that is itself exchanged are told with it."""
    ours, theirs = _flat(line), _flat(base)
    out = {}
    for key, value in ours.items():
        owner = key.partition(".")[0]
        if value != theirs.get(key) and (key == owner or ours[owner] == theirs.get(owner)):
            part = getattr(line, key, None) if key == owner else None
            chosen = _chosen(part) if _is_part(part) else ""
            out[key] = f"`{_show(value)}`" + f" ({chosen})" * bool(chosen)
    return out


def _differences(name: str, line: Any) -> str:
    base = type(line)()
    if base.name == name or base.name not in RECIPES:
        return ""
    words = "; ".join(f"`{key}` {value}" for key, value in _changes(line, base).items())
    return f"It is [`{base.name}`]({base.name}.md) with {words}."


def _lineup(line: Any) -> str:
    rows = ["| place | part | settings other than its defaults | mathematics |", "|---|---|---|---|"]
    topics = MATHEMATICS[part_name(type(line))]
    for field in _used(line):
        value = getattr(line, field)
        if not _is_part(value) and field not in topics:
            continue
        shown = _reference(value) if _is_part(value) else f"`{_show(encode(value))}`"
        topic = topics.get(field)
        link = f"[{topic.replace('-', ' ')}](../mathematics/{topic}.md)" if topic else ""
        rows.append(f"| `{field}` | {shown} | {_chosen(value) if _is_part(value) else ''} | {link} |")
    return "\n".join(rows)


def _variants(name: str) -> list[str]:
    """The recipe's own switches, and what each choice changes."""
    own = {key: kind for key, kind in hints(RECIPES[name]).items() if key != "return"}
    if not own:
        return []
    words = {key: get_args(kind) for key, kind in own.items() if get_origin(kind) is Literal}
    usual = {key: parameter.default for key, parameter in inspect.signature(RECIPES[name]).parameters.items()}
    rows = ["| switch | what it changes |", "|---|---|"]
    for values in itertools.product(*words.values()):
        chosen = dict(zip(words, values, strict=True))
        switch = " ".join(f"--recipe.{key} {value}" for key, value in chosen.items())
        if all(usual[key] == value for key, value in chosen.items()):
            rows.append(f"| `{switch}` | (the default) |")
            continue
        changes = _changes(opened(name, chosen), opened(name))
        rows.append(f"| `{switch}` | {'; '.join(f'`{key}` {value}' for key, value in changes.items())} |")
    for key in own.keys() - words.keys():
        rows.append(f"| `--recipe.{key}` | {describe(own[key])}; by default {_show(usual[key])} |")
    return ["## Variants", "\n".join(rows)]


def meanings(document: str | None) -> dict[str, str]:
    """What the ``Args:`` of a docstring say, by name."""
    section = re.search(r"^Args:\n((?: +.*\n?|\n)+)", inspect.cleandoc(document or ""), re.MULTILINE)
    pairs = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section[1], re.MULTILINE) if section else []
    return {name: " ".join(text.split()) for name, text in pairs}


def _table(values: Mapping[str, Any], kinds: Mapping[str, Any], told: Mapping[str, str], prefix: str) -> str:
    meant = any(name in told for name in values)
    rows = ["| option | value | may be |" + " meaning |" * meant, "|---|---|---|" + "---|" * meant]
    for name, value in values.items():
        cells = [f"`--recipe.{prefix}{name}`", f"`{_show(value)}`", describe(kinds[name])]
        cells += [told.get(name, "")] * meant
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _parts(line: Any) -> list[str]:
    blocks = []
    admitted = _used(line)
    for field in admitted:
        part = getattr(line, field)
        if not _is_part(part):
            continue
        name, others = part_name(type(part)), describe(admitted[field])
        choice = f"`--recipe.{field}` may be {others}." if others != name else ""
        text = inspect.cleandoc(type(part).__doc__ or "").partition("\n\nArgs:")[0]
        blocks += [f"### {field}: {name}", text]
        settings = _settings(part)
        if settings:
            blocks.append(_table(settings, hints(type(part)), meanings(type(part).__doc__), f"{field}."))
        blocks.append(f"{choice} In Python: {_reference(part, type(part).__name__)}.".strip())
    return blocks


def _numbers(line: Any) -> str:
    kinds = _used(line)
    plain = {field: encode(getattr(line, field)) for field in kinds if not _is_part(getattr(line, field))}
    plain.pop("name", None)
    return _table(plain, kinds, meanings(type(line).__doc__), "")


def _how(name: str) -> str:
    return (
        "Besides: `--recipe.memory` with the width of a GRU in actor and critic.\n\n"
        "## Train it\n\n"
        f"```\ncoterie train {name} particle/spread --seeds 4 --steps 1_000_000\ncoterie explain {name}\n```\n\n"
        f'```python\nimport coterie\n\nrun = coterie.train(coterie.recipes.{name}(), "particle/spread", seeds=4)\n```'
    )


def _cite(name: str) -> list[str]:
    papers = (ROOT / "README.md").read_text().partition("\n## Papers\n")[2].partition("\n## ")[0]
    found = re.search(rf"^- \*\*{re.escape(name)}\*\*: ((?:.+\n)(?:  .+\n)*)", papers, re.MULTILINE | re.IGNORECASE)
    return ["## Cite", " ".join(found[1].split())] if found else []
