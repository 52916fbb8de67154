"""Importing a file by the command, in a process of its own: rows, seconds, memory."""

import csv
from pathlib import Path

import pytest

import discosql
from benchmarks.loading.flights import COLUMNS, ROWS, write_flights
from benchmarks.loading.measure import Spent, spend


def imported(folder: Path, count: int) -> Spent:
    """Import flights; all of them are in the table then, with the types that their values have."""
    path, database = folder / "flights.csv", folder / "f.disco"
    write_flights(path, count)
    spent = spend(database, path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = [tuple(value or None for value in row) for row in csv.reader(file)][1:]
    with discosql.connect(database, create=False) as db:
        texts = ", ".join(f'CAST("{name}" AS TEXT)' for name in COLUMNS)
        assert db.execute(f"SELECT {texts} FROM flights ORDER BY rowid").fetchall() == rows
        kinds = dict(db.execute("SELECT name, type FROM pragma_table_info('flights')").fetchall())
    db.close()
    texts_only = {name for name, kind in kinds.items() if kind == "TEXT"}
    assert texts_only == {"carrier", "tailnum", "origin", "dest"}
    assert {name for name, kind in kinds.items() if kind != "INTEGER"} == texts_only | {"time_hour"}
    assert spent.rows == count
    return spent


def test_flights(tmp_path: Path) -> None:
    imported(tmp_path, 4_000)


@pytest.mark.campaign
def test_all_flights(tmp_path: Path) -> None:
    spent = imported(tmp_path, ROWS)
    assert spent.memory <= 700
    assert ROWS / spent.processor >= 35_000  # with two cores the clock shows fewer seconds than the processor
