"""Random schemas, rows, queries and changes: discosql, with its optimiser and without, does what SQLite does."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any

import pysqlite3.dbapi2 as sqlite
import pytest
from sql_generator import SqlGenerator, Statement, comparable

import discosql

EXAMPLES = 45
BLOCK = 15
CAMPAIGN = 20_000
CAMPAIGN_BLOCK = 200

CLASSES = {sqlite.IntegrityError: (discosql.IntegrityError, discosql.DataError)}
"""What discosql may raise where SQLite raises such an error; by default any DatabaseError."""

MANY_STEPS = 50_000
"""Statements that take SQLite's machine more than this are left out: random joins can be of any size."""

LOST = re.compile(r"no such column: s\d+\.\w+|HAVING clause on a non-aggregate query|ON clause .* its right")
"""What SQLite says of right queries, of those with a doubled ORDER BY or with RIGHT JOIN in a derived table."""

PATIENCE = 1.0
"""Seconds that a query may take without the optimiser."""

Outcome = list[Any] | type[Exception] | None


class Refused(Exception):
    """A value that SQLite stores with loss and discosql does not: from there on the databases differ."""


class Contestants:
    """The three databases with one schema and the same rows."""

    def __init__(self, seed: int) -> None:
        self.generator = SqlGenerator(Random(seed))
        self.loose = False
        self.sqlite = sqlite.connect(":memory:", isolation_level=None)
        self.sqlite.execute("PRAGMA foreign_keys = ON")
        # A blob that was cast to text need not be UTF-8; discosql, too, shows it with replacement characters.
        self.sqlite.text_factory = lambda text: text.decode(errors="replace")
        self.optimised = discosql.connect(":memory:", isolation_level=None)
        self.unoptimised = discosql.connect(":memory:", isolation_level=None)
        self.unoptimised._session.optimise = False
        self.all = (self.sqlite, self.optimised, self.unoptimised)
        for sql in self.generator.schema():
            for database in self.all:
                database.execute(sql)
        for sql, rows in self.generator.inserts():
            if " OR IGNORE " in sql:
                for row in rows:
                    self.check(Statement(sql, parameters=row))
            else:
                for database in self.all:
                    database.executemany(sql, rows)

    def close(self) -> None:
        for database in self.all:
            database.close()

    def check_query(self, statement: Statement) -> None:
        """Run a query on all of them; without the optimiser it may take too long."""
        self.unoptimised.timeout = PATIENCE
        self.check(statement)
        self.unoptimised.timeout = None

    def check_change(self, statement: Statement) -> None:
        """Run a statement that changes rows on all of them, and compare the tables."""
        # Which of equal rows, such as one with 0 and one with 0.0, a LIMIT leaves out may be stored from then on.
        self.loose = self.loose or " LIMIT " in statement.sql
        # A value of a wrong type makes SQLite forget to undo what the statement did to the rows before.
        self.sqlite.execute("SAVEPOINT s")
        self.check(statement, undo="ROLLBACK TO s")
        if self.sqlite.in_transaction:  # it is rolled back where the statement was interrupted
            self.sqlite.execute("RELEASE s")
        self.check_contents(statement.sql)

    def check(self, statement: Statement, undo: str | None = None) -> None:
        """Run a statement on all of them; they must agree. `undo` is for SQLite to run after an error."""
        statement = replace(statement, loose=statement.loose or self.loose)
        self.sqlite.set_progress_handler(lambda: True, MANY_STEPS)
        expected = _outcome(self.sqlite, statement)
        self.sqlite.set_progress_handler(None, 0)
        if undo is not None and isinstance(expected, type):
            self.sqlite.execute(undo)
        if expected is None:
            return
        for database, name in ((self.optimised, "optimised"), (self.unoptimised, "unoptimised")):
            found = _outcome(database, statement)
            if found is None:
                continue
            assert _agree(expected, found), f"{name}: {statement.sql}\nSQLite: {expected}\nfound:  {found}"

    def check_contents(self, sql: str) -> None:
        """Compare the rows of all tables."""
        for table in self.generator.tables:
            statement = Statement(f"SELECT * FROM {table.name}", loose=self.loose)
            expected, *found = (_outcome(database, statement) for database in self.all)
            assert [expected, expected] == found, f"{table.name} after {sql}"


@contextmanager
def contestants(seed: int) -> Iterator[Contestants]:
    opened = Contestants(seed)
    try:
        yield opened
    finally:
        opened.close()


def _outcome(database: Any, statement: Statement) -> Outcome:
    """Return the rows or the error of a statement; None if there is none to be had."""
    try:
        cursor = database.execute(statement.sql, statement.parameters)
        rows = cursor.fetchall() if cursor.description else []
    except sqlite.Error as error:
        return None if str(error) == "interrupted" or LOST.fullmatch(str(error)) else type(error)
    except discosql.QueryTimeoutError:
        return None
    except discosql.DataError as error:
        if str(error).startswith("cannot store INT value in REAL column"):
            raise Refused from error
        return type(error)
    except discosql.Error as error:
        return type(error)
    if not statement.ordered:
        return comparable(statement, rows)
    # Equal values of different kinds, 0 and 0.0, come in any order.
    unordered = [] if "LIMIT" in statement.sql else comparable(replace(statement, ordered=False), rows)
    return [comparable(replace(statement, loose=True), rows), unordered]


def _agree(expected: Outcome, found: Outcome) -> bool:
    if isinstance(expected, type):
        return isinstance(found, type) and issubclass(found, CLASSES.get(expected, discosql.DatabaseError))
    return expected == found


def _examples(seeds: Sequence[int]) -> None:
    for seed in seeds:
        with suppress(Refused), contestants(seed) as databases:
            for _ in range(4):
                databases.check_query(databases.generator.query())
            for _ in range(3):
                databases.check_change(databases.generator.change())
            databases.check_query(databases.generator.query())


@pytest.mark.parametrize("start", range(0, EXAMPLES, BLOCK))
def test_random_statements(start: int) -> None:
    _examples(range(start, start + BLOCK))


@pytest.mark.campaign
@pytest.mark.parametrize("start", range(EXAMPLES, EXAMPLES + CAMPAIGN, CAMPAIGN_BLOCK))
def test_many_random_statements(start: int) -> None:
    _examples(range(start, start + CAMPAIGN_BLOCK))


ARMS = ("a", "b", "abs(b)", "b + 0", "+a", "'1'", "1", "NULL", "a || ''", "CASE WHEN b THEN b ELSE 'x' END", "count(*)")
"""Expressions whose affinity and classes SQLite sees differently."""


def test_affinity_of_set_operations() -> None:
    ours, theirs = discosql.connect(":memory:"), sqlite.connect(":memory:")
    for database in (ours, theirs):
        database.execute("CREATE TABLE t (a TEXT, b INTEGER) STRICT")
        database.execute("INSERT INTO t VALUES ('1', 1)")
    for first in ARMS:
        for second in ARMS:
            arms = f"SELECT {first} AS x FROM t UNION ALL SELECT {second} FROM t"
            sql = f"SELECT x = 1, x = '1', x < 'a' FROM ({arms})"
            assert ours.execute(sql).fetchall() == theirs.execute(sql).fetchall(), sql
    ours.close()
    theirs.close()
