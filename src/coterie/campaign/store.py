"""Runs in SQL: a DuckDB database made from run directories. The files stay the truth; it can be made again any time.

``campaigns(directory, suite, scale)`` · ``runs(directory, campaign, method, game, recipe, options, steps, stage, error,
seconds)`` · ``points(directory, seed, step, metric, agent, value)``: the journal, one row for each number (``agent`` is
NULL for figures of the team) · ``evaluations(directory, method, game, seed, greedy, sampled)``: mean final returns ·
``claims(campaign, name, says, source, published, standing, evidence)``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from coterie.campaign import plan
from coterie.campaign.plan import CAMPAIGN
from coterie.campaign.results import collect, seconds
from coterie.contracts import CoterieError
from coterie.extras import require
from coterie.training import journal
from coterie.training.files import cannot_write, read_json
from coterie.training.record import EVALUATION, RUN

STORE = "coterie.duckdb"
SCHEMA = """
CREATE TABLE campaigns (directory TEXT, suite TEXT, scale TEXT);
CREATE TABLE runs (directory TEXT, campaign TEXT, method TEXT, game TEXT, recipe TEXT, options TEXT, steps BIGINT,
                   stage TEXT, error TEXT, seconds DOUBLE);
CREATE TABLE points (directory TEXT, seed BIGINT, step BIGINT, metric TEXT, agent INTEGER, value DOUBLE);
CREATE TABLE evaluations (directory TEXT, method TEXT, game TEXT, seed BIGINT, greedy DOUBLE, sampled DOUBLE);
CREATE TABLE claims (campaign TEXT, name TEXT, says TEXT, source TEXT, published TEXT, standing TEXT, evidence TEXT);
"""


_DAMAGE = (CoterieError, KeyError, TypeError, ValueError, AttributeError)
"""What reading a file raises that somebody else wrote or changed: that run or campaign is shown as damaged."""


class Row(NamedTuple):
    """One run directory and what it belongs to."""

    directory: Path
    campaign: str
    method: str
    game: str
    steps: int
    stage: str
    error: str


def ask(room: Path, sql: str, rebuild: bool = False) -> tuple[list[str], list[tuple]]:
    """Column names and rows of one reading statement over all runs below ``room``.

    Raises:
        CoterieError: No runs there, a statement that is not one that reads, or one that fails.
    """
    duckdb = require("duckdb", "query")
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise _refused(error) from None
    if len(statements) != 1 or statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise CoterieError("coterie query takes one statement that reads, such as select * from runs")
    path = build(room, rebuild)
    with duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"}) as connection:
        try:
            answer = connection.execute(sql)
            return [column[0] for column in answer.description], answer.fetchall()
        except duckdb.Error as error:
            raise _refused(error) from None


def _refused(error: Exception) -> CoterieError:
    first = str(error).strip().splitlines()[0]
    return CoterieError(f"the query was refused: {first}; coterie query --help names the tables")


def build(room: Path, rebuild: bool = False) -> Path:
    """The database of all runs below ``room``, made again if a file there is newer; written aside, then renamed."""
    duckdb = require("duckdb", "query")
    if not room.is_dir():
        raise CoterieError(f"there is no directory {room}: check --dir")
    path, runs = room / STORE, sorted({found.parent for found in room.rglob(RUN)})
    campaigns = sorted({found.parent for found in room.rglob(CAMPAIGN)})
    if not runs and not campaigns:
        raise CoterieError(f"{room} holds no runs and no campaigns: check --dir, or train first")
    if not rebuild and path.exists() and path.stat().st_mtime > _newest(runs + campaigns):
        return path
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(aside)) as connection:
            connection.execute(SCHEMA)
            _fill(connection, room, runs, campaigns)
        os.replace(aside, path)
    except (OSError, duckdb.IOException) as error:
        wrong = error if isinstance(error, OSError) else OSError(str(error))
        raise cannot_write(path, wrong) from error
    finally:
        aside.unlink(missing_ok=True)
    return path


def _newest(directories: list[Path]) -> float:
    names = (RUN, CAMPAIGN, EVALUATION, journal.METRICS, plan.FINISHED, plan.FAILURE)
    paths = [directory / name for directory in directories for name in names]
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)


def _fill(connection: Any, room: Path, runs: list[Path], campaigns: list[Path]) -> None:
    known = {}
    for directory in campaigns:
        name = _name(room, directory)
        try:
            one = plan.read(directory)
            verdicts = collect(one).verdicts
            rows = [Row(e.directory, name, e.method, e.game, e.steps, e.stage, e.failure) for e in one.entries]
        except _DAMAGE as error:
            _insert(connection, "campaigns", [(name, "", f"damaged: {error}")])
            continue
        _insert(connection, "campaigns", [(name, one.name, one.document["scale"])])
        claims = [(name, c.name, c.says, c.source, c.published, v.standing, v.evidence) for c, v in verdicts]
        _insert(connection, "claims", claims)
        known |= {row.directory: row for row in rows}
    for directory in sorted({*runs, *known}):
        try:
            content = _content(room, known.get(directory) or _alone(directory))
        except _DAMAGE as error:
            row = known.get(directory) or Row(directory, "", "", "", 0, "", "")
            content = {
                "runs": [(_name(room, directory), *row[1:4], "{}", "{}", row.steps, "damaged", str(error), None)]
            }
        for table, rows in content.items():
            _insert(connection, table, rows)


def _alone(directory: Path) -> Row:
    """A run that belongs to no campaign."""
    document = read_json(directory / RUN)
    schedule, recipe, game = document["schedule"], document["recipe"], document["game"]["name"]
    steps = schedule["iterations"] * recipe["environments"] * recipe["rollout"]
    return Row(directory, "", recipe["name"], game, steps, "done" if (directory / EVALUATION).exists() else "begun", "")


def _content(room: Path, row: Row) -> dict[str, list[tuple]]:
    """What one run directory adds to each table."""
    name = _name(room, row.directory)
    document = read_json(row.directory / RUN) if (row.directory / RUN).exists() else {"recipe": {}, "game": {}}
    content: dict[str, list[tuple]] = {"runs": [(
        name, row.campaign, row.method, row.game, json.dumps(document["recipe"], sort_keys=True),
        json.dumps(document["game"].get("options", {}), sort_keys=True), row.steps, row.stage, row.error,
        seconds(row.directory),
    )]}  # fmt: skip
    if (row.directory / journal.METRICS).exists():
        content["points"] = list(_numbers(name, journal.read(row.directory)))
    if (row.directory / EVALUATION).exists():
        found = read_json(row.directory / EVALUATION)
        both = zip(found["seeds"], found["greedy"]["returns"], found["sampled"]["returns"], strict=True)
        content["evaluations"] = [(name, row.method, row.game, *each) for each in both]
    return content


def _numbers(name: str, points: list[dict[str, Any]]) -> Iterator[tuple]:
    for point in points:
        for metric, value in point.items():
            if metric in ("seed", "step"):
                continue
            if isinstance(value, list):
                flat = np.asarray(value, dtype=object).reshape(len(value), -1)
                if flat.shape[1] == 1:
                    yield from ((name, point["seed"], point["step"], metric, i, x) for i, x in enumerate(flat[:, 0]))
            elif isinstance(value, int | float):
                yield (name, point["seed"], point["step"], metric, None, float(value))


def _insert(connection: Any, table: str, rows: list[tuple]) -> None:
    """Columns at once: row by row takes minutes."""
    if not rows:
        return
    columns = [d[0] for d in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(columns, row, strict=True))) + "\n")
        file.flush()
        wanted = ", ".join(columns)
        connection.execute(
            f"INSERT INTO {table} SELECT {wanted} FROM read_json(?, format = 'newline_delimited', columns = "
            f"{_types(connection, table)})", [file.name],
        )  # fmt: skip


def _types(connection: Any, table: str) -> str:
    found = connection.execute(f"DESCRIBE {table}").fetchall()
    return "{" + ", ".join(f"{name}: '{kind}'" for name, kind, *_ in found) + "}"


def _name(room: Path, directory: Path) -> str:
    return str(directory.relative_to(room)) or "."
