"""Formulas as MathML, which browsers draw by themselves: no script, no font and no network."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<formula>.*?)\\[)\]]</(?P=tag)>',
    re.DOTALL,
)
_BAR = re.compile(r"<mo[^>]*>&#x0007C;</mo>")
_TIGHT = '<mo stretchy="false" lspace="0.05em" rspace="0.05em">|</mo>'
"""A bar of an absolute value: as an operator it would stand apart from what it holds."""
_NAMED = re.compile(r"<mi>(log|exp|tanh|sin|cos)</mi>(?!<mo[^>]*>&#x00028;)")
_APART = r'<mo form="prefix" lspace="0.15em" rspace="0.15em">\1</mo>'
"""A function's name with what it is applied to, where no bracket stands between them."""
_SCRIPT = re.compile(r'<mi mathvariant="script">([A-Z])</mi>')


def drawn(page: str, complain: Callable[[str], None]) -> str:
    """The HTML of a page with every formula converted; ``complain`` is told of those that cannot be."""

    def one(match: re.Match[str]) -> str:
        formula = html.unescape(match["formula"]).strip()
        block = match["tag"] == "div"
        try:  # a narrow window breaks a line of several formulas between them
            parts = [_drawn(part, block) for part in (formula.split("\\qquad") if block else [formula])]
        except Exception as error:
            complain(f"the formula {formula!r} cannot be drawn: {type(error).__name__}: {error}")
            return match[0]
        return f'<div class="formula">{" ".join(parts)}</div>' if block else parts[0]

    return _FORMULA.sub(one, page)


def _drawn(formula: str, block: bool) -> str:
    known = formula.strip().replace("\\arg\\max", "\\operatorname{argmax}")  # the converter knows no \\arg
    drawing = convert(known, display="block" if block else "inline")
    if "\\" in drawing or formula.count("{") != formula.count("}"):  # the converter passes over both
        raise ValueError("an unknown command, or a brace without its other half")
    drawing = _SCRIPT.sub(lambda match: f"<mi>{_script(match[1])}</mi>", drawing)
    return _NAMED.sub(_APART, _BAR.sub(_TIGHT, drawing))


def _script(letter: str) -> str:
    """A script capital as a character of its own: browsers draw no other variant than the upright."""
    try:
        return unicodedata.lookup(f"MATHEMATICAL SCRIPT CAPITAL {letter}")
    except KeyError:  # some had a place in Unicode before the others
        return unicodedata.lookup(f"SCRIPT CAPITAL {letter}")
