"""The optimiser against SQLite and against itself switched off, on random schemas, rows and queries."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from optimising import Tables
from pysqlite3 import dbapi2
from sql_generator import SqlGenerator, Statement, comparable

from discosql.errors import Error

UNFIT = ("no such column", "to its right", "decode", "misuse", "HAVING clause", "interrupted", "overflow")
"""What SQLite says of examples that are no test of ours: its own quirks, and queries that take too long."""

MAX_STEPS = 300_000


def made(generator: SqlGenerator) -> Tables:
    tables = Tables(*generator.schema())
    for (_, rows), table in zip(generator.inserts(), generator.tables, strict=True):
        tables.load(table.name, rows)
    return tables


def expected(tables: Tables, statement: Statement) -> object:
    """Return what SQLite gives; None where that is no test."""
    tables.sqlite.set_progress_handler(lambda: 1, MAX_STEPS)
    try:
        return comparable(statement, tables.sqlite.execute(statement.sql).fetchall())
    except dbapi2.Error as exc:
        return None if any(word in str(exc) for word in UNFIT) else Error
    finally:
        tables.sqlite.set_progress_handler(None, 0)


def given_by(tables: Tables, statement: Statement, optimised: bool) -> object:
    try:
        return comparable(statement, tables.run(statement.sql, optimised=optimised))
    except Error:
        return Error


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_optimised_as_built_and_sqlite_agree(seed: int) -> None:
    generator = SqlGenerator(Random(seed), plain=True)
    tables = made(generator)
    for _ in range(4):
        statement = generator.query()
        oracle = expected(tables, statement)
        if oracle is not None:
            assert given_by(tables, statement, False) == oracle, statement.sql
            assert given_by(tables, statement, True) == oracle, statement.sql


def test_the_generator_reaches_every_rule() -> None:
    fired: set[str] = set()
    for seed in range(120):
        generator = SqlGenerator(Random(seed), plain=True)
        tables = made(generator)
        for _ in range(4):
            try:
                fired.update(tables.rules(generator.query().sql))
            except Error:
                continue
    assert fired >= {
        "choose_hash_joins",
        "decorrelate",
        "flatten_subqueries",
        "fold_constants",
        "index_join",
        "infer_predicates",
        "order_joins",
        "prune_columns",
        "push_down_filters",
        "push_down_limit",
        "remove_empty",
        "remove_redundant",
        "simplify_predicates",
        "top_n",
        "use_index",
    }
