"""The SQL reference: it is current and complete, and SQLite gives what its examples give."""

import typing
from collections import Counter

import pytest
from pysqlite3 import dbapi2 as sqlite

import discosql
from discosql.planner import pragma
from discosql.planner.catalog_tables import CATALOG_TABLES
from discosql.planner.grammar import syntax
from discosql.planner.parse import parse
from discosql.types import SqlType, declared_type
from documentation import sql_reference as reference
from documentation.function_examples import FUNCTIONS, REFUSING
from documentation.sql_examples import AGGREGATES, PRAGMAS, STATEMENTS, TYPES, WINDOWS

OWN = {"median", "percentile", "percentile_cont", "percentile_disc", "regexp"}
"""Functions that SQLite has only where they were compiled in."""

CALLS = [call for calls in FUNCTIONS.values() for call in calls]


def test_the_page_is_current() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run python -m documentation.sql_reference"


def test_every_kind_of_statement_has_an_example() -> None:
    shown = {type(parse(sql).syntax) for section in STATEMENTS for sql in section.examples}
    shown |= {type(parse(sql).syntax) for _, sql in PRAGMAS.values()}
    assert shown == set(typing.get_args(syntax.StatementSyntax))


def test_every_function_is_told_once() -> None:
    names = Counter((reference.function_of(call), "scalar") for call in CALLS)
    names.update((name, "aggregate") for name in AGGREGATES)
    names.update((name, "window") for name in WINDOWS)
    names.update((name, "scalar") for name in REFUSING)
    assert names == Counter(dict.fromkeys(reference.SIGNATURES, 1))
    assert all(f"{name}(" in call for name, call in (AGGREGATES | WINDOWS).items())


def test_every_pragma_and_type_is_told() -> None:
    tables = {name.removeprefix("pragma_") for name in CATALOG_TABLES if name.startswith("pragma_")}
    accepted = tables | pragma.SETTINGS | pragma.CHECKS | pragma.KEPT | (pragma.REFUSED & tables)
    assert set(PRAGMAS) == (accepted - set(pragma.FIXED)) | {"pragma_list"}
    assert set(TYPES) == {kind.value for kind in SqlType}
    for name, (others, _, _) in TYPES.items():
        for other in others.replace("whatever has INT in it", "").replace("any unknown name", "COLOUR").split(", "):
            if other.isalpha():
                assert declared_type(other) is SqlType(name), other


def test_statements_give_what_sqlite_gives() -> None:
    ours, theirs = discosql.connect(":memory:", autocommit=True), sqlite.connect(":memory:", isolation_level=None)
    theirs.execute("PRAGMA foreign_keys = ON")
    compared = 0
    for section in STATEMENTS:
        for sql in section.examples:
            rows = reference.run(ours, sql)
            if not section.own:
                assert (rows or []) == theirs.execute(sql).fetchall(), sql
                compared += 1
    ours.close()
    theirs.close()
    assert compared > 40


@pytest.fixture(scope="module")
def oracle() -> typing.Iterator[sqlite.Connection]:
    connection = sqlite.connect(":memory:")
    yield connection
    connection.close()


def outcome(oracle: sqlite.Connection, name: str, sql: str) -> list[tuple[typing.Any, ...]] | None:
    """Return the rows that SQLite gives, None where it does not have the function."""
    if name not in OWN:
        return oracle.execute(sql).fetchall()
    with pytest.raises(sqlite.OperationalError, match="no such function"):
        oracle.execute(sql)
    return None


def test_functions_give_what_sqlite_gives(oracle: sqlite.Connection) -> None:
    queries = [(reference.function_of(call), f"SELECT {call}") for call in CALLS]
    queries = [(name, sql) for name, sql in queries if not reference.varies(name)]
    queries += [(name, f"SELECT {call} FROM {reference.AGGREGATE_ROWS}") for name, call in AGGREGATES.items()]
    queries += [
        (name, f"SELECT {call} OVER (ORDER BY x) FROM {reference.WINDOW_ROWS}") for name, call in WINDOWS.items()
    ]
    with discosql.connect(":memory:") as db:
        for name, sql in queries:
            expected = outcome(oracle, name, sql)
            assert expected is None or db.execute(sql).fetchall() == expected, sql
    db.close()
    assert len(queries) > 120


def test_what_varies_can_be_called() -> None:
    with discosql.connect(":memory:") as db:
        for call in CALLS:
            if reference.varies(reference.function_of(call)):
                assert reference.only(db, f"SELECT {call}") is not None, call
    db.close()
