"""The signatures of Equinox modules and named tuples, for the reference.

The reference is read from the source, where only ``dataclasses.dataclass`` is known to make a constructor.
"""

from __future__ import annotations

from typing import Any

import griffe

_MAKERS = {"equinox.Module", "typing.NamedTuple"}


class Constructors(griffe.Extension):
    """Gives a class whose fields are its constructor's arguments an ``__init__`` that says so."""

    def on_class(self, *, cls: griffe.Class, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Add the constructor."""
        del loader, kwargs
        makers = {base.canonical_path for base in cls.bases if isinstance(base, griffe.Expr)}
        if not makers & _MAKERS or "__init__" in cls.members:
            return
        fields = [_parameter(member) for member in cls.members.values() if isinstance(member, griffe.Attribute)]
        itself = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
        parameters = griffe.Parameters(itself, *(field for field in fields if field))
        init = griffe.Function("__init__", lineno=0, endlineno=0, parent=cls, parameters=parameters, returns="None")
        cls.set_member("__init__", init)


def _parameter(field: griffe.Attribute) -> griffe.Parameter | None:
    """The argument of a field; None if the constructor does not take it."""
    if field.annotation is None or "property" in field.labels:
        return None
    default, value = field.value, field.value
    if isinstance(value, griffe.ExprCall) and value.canonical_path in ("equinox.field", "dataclasses.field"):
        given = {item.name: item.value for item in value.arguments if isinstance(item, griffe.ExprKeyword)}
        if str(given.get("init")) == "False":
            return None
        default = given.get("default")
    kind = griffe.ParameterKind.positional_or_keyword
    return griffe.Parameter(field.name, annotation=field.annotation, kind=kind, default=default)
