"""The wheel holds the library, its page templates and its licence, and nothing else; its core needs no extra."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_what_it_should_and_nothing_else(wheel):
    source = ROOT / "src"
    files = {str(path.relative_to(source)) for path in (source / "coterie").rglob("*") if path.is_file()}
    expected = {name for name in files if "__pycache__" not in name}
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == expected
    assert {Path(name).suffix for name in found} <= {".py", ".html", ".css", ".js", ".json", ".typed"}
    more = {name.partition(".dist-info/")[2] for name in wheel.namelist() if ".dist-info/" in name}
    assert more == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_the_core_needs_no_extra(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    lines = wheel.read(name).decode().splitlines()
    core = [
        line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist") and ";" not in line
    ]
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert sorted(core) == sorted(project["dependencies"])
    extras = {line.removeprefix("Provides-Extra: ") for line in lines if line.startswith("Provides-Extra")}
    assert extras == set(project["optional-dependencies"]) and {"all", "ray", "onnx", "query", "sweep"} <= extras


def test_importing_coterie_imports_no_extra():
    """An extra that is not installed is missed where it is used, not when the library is imported."""
    heavy = "ray", "optuna", "duckdb", "onnx", "onnxruntime", "jax2onnx", "pettingzoo", "wandb", "tensorboardX"
    code = f"import sys, coterie, coterie.cli.commands; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert done.stdout.strip() == "[]"
