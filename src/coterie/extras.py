"""Packages that only an extra brings: imported where they are used, and missed by the name of the extra."""

from __future__ import annotations

import importlib
from types import ModuleType

from coterie.errors import CoterieError


def require(module: str, extra: str) -> ModuleType:
    """The imported ``module``.

    Raises:
        CoterieError: It is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise CoterieError(f"the package {module} is not installed: pip install 'coterie[{extra}]'") from None
