"""A missing package is named with the extra that brings it."""

import sys
from types import ModuleType

import pytest

from coterie.contracts import CoterieError
from coterie.extras import require


def test_an_installed_package_is_imported():
    assert require("json.decoder", "none").JSONDecoder


def test_a_missing_package_names_its_extra():
    with pytest.raises(CoterieError, match=r"^the package no_such_engine.core .*pip install 'coterie\[engine\]'$"):
        require("no_such_engine.core", "engine")


def test_a_package_that_is_itself_broken_says_so(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs"):
        require("half_installed", "engine")
    monkeypatch.setitem(sys.modules, "half_installed", ModuleType("half_installed"))
    assert require("half_installed", "engine").__name__ == "half_installed"
