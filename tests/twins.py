"""A database of ours and one of SQLite that are given the same statements and must tell the same."""

from typing import Any

import pysqlite3.dbapi2 as sqlite

import discosql

CLASSES = {
    "cannot store": discosql.DataError,
    "datatype mismatch": discosql.DataError,
    "no such": discosql.UnknownNameError,
    "error in trigger": discosql.ProgrammingError,
    "foreign key mismatch": discosql.ProgrammingError,
}
"""The errors that are of another class here than in sqlite3, by how their messages start."""

ErrorInfo = tuple[type[Exception], str]
Outcome = tuple[list[Any], int] | ErrorInfo


class Twins:
    """Runs statements on both sides in autocommit mode, and compares results, counters and what is stored then."""

    def __init__(self, *script: str) -> None:
        self.ours = discosql.connect(":memory:", isolation_level=None)
        self.theirs = sqlite.connect(":memory:", isolation_level=None)
        self.theirs.execute("PRAGMA foreign_keys = ON")
        self.compares_rowids = True
        self.run(*script)

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

    def run(self, *script: str) -> None:
        """Run statements, which must succeed."""
        for sql in script:
            result = self.both(sql)
            assert not is_error(result), f"{sql}: {result}"

    def error(self, sql: str, parameters: Any = ()) -> str:
        """Run a statement, which must fail, and return the message."""
        result = self.both(sql, parameters)
        assert is_error(result), f"{sql}: {result}"
        return str(result[1])

    def rows(self, sql: str, parameters: Any = ()) -> list[Any]:
        """Run a statement, which must succeed, and return its rows."""
        result = self.both(sql, parameters)
        assert not is_error(result), f"{sql}: {result}"
        return result[0]

    def both(self, sql: str, parameters: Any = ()) -> Outcome:
        """Run a statement on both sides and return the outcome, which must be the same."""
        ours = _outcome(self.ours, sql, parameters, discosql.Error)
        theirs = _outcome(self.theirs, sql, parameters, sqlite.Error)
        if is_error(theirs):
            theirs = _our_class(theirs)
        assert ours == theirs, sql
        self.compares_rowids = self.compares_rowids and not is_error(ours)
        for question in self._questions(sql, is_error(ours)):
            left, right = (sorted(map(repr, side.execute(question))) for side in (self.ours, self.theirs))
            assert left == right, f"{sql}; {question}"
        return ours

    def _questions(self, sql: str, failed: bool) -> list[str]:
        # SQLite's counters tell of statements that failed, too; then only the contents are compared.
        counters = ["SELECT changes()"] if _changes_rows(sql) and not failed else []
        if self.compares_rowids:
            counters.append("SELECT last_insert_rowid()")
        tables = self.theirs.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()
        contents = [f"SELECT * FROM {name}" for (name,) in tables if not name.startswith("sqlite_")]
        return [*counters, *contents]


def is_error(outcome: Any) -> bool:
    """Return whether a statement failed."""
    return isinstance(outcome[0], type)


def _changes_rows(sql: str) -> bool:
    return sql.split()[0] in ("INSERT", "REPLACE", "UPDATE", "DELETE")


def _outcome(connection: Any, sql: str, parameters: Any, errors: type[Exception]) -> Any:
    try:
        cursor = connection.execute(sql, parameters)
        rows = cursor.fetchall() if cursor.description else []
    except errors as error:
        kinds = (
            kind
            for kind in type(error).__mro__
            if kind.__module__ in ("discosql.errors", "pysqlite3.dbapi2", "sqlite3")
        )
        return next(kinds, type(error)), str(error)
    return rows, cursor.rowcount if _changes_rows(sql) and not cursor.description else 0


def _our_class(outcome: Any) -> ErrorInfo:
    kind, message = outcome
    for start, ours in CLASSES.items():
        if message.startswith(start):
            return ours, message
    return getattr(discosql, kind.__name__), message
