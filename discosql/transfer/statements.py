"""Statements of a session for what stores rows: whoever drives them, a script's thread or an event loop."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from discosql.executor.context import Result
from discosql.explaining import Steps
from discosql.session import Parameters, Session
from discosql.types import Row

Run: TypeAlias = Callable[[Callable[[], Steps]], Result]
"""Drives the steps of a statement to their end."""


class Statements:
    """Runs statements of a session, one after the other. Values are those that SQL sees, not Python's objects."""

    def __init__(self, session: Session, run: Run) -> None:
        self.session = session
        self._run = run

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or opened by every statement."""
        return self.session.in_transaction or self.session.implicit_begin == "always"

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement and return its rows."""
        return list(self._run(lambda: self.session.execute(sql, parameters)).rows)

    def executemany(self, sql: str, parameters: Iterable[Parameters]) -> None:
        """Run a statement that changes rows for each set of parameters."""
        self._run(lambda: self.session.execute_many(sql, parameters))

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Commit what is done within, or undo it after an exception; leave both to whoever opened a transaction."""
        if self.in_transaction:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.session.in_transaction:
                self.execute("ROLLBACK")
            raise

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Undo what is done within after an exception, if that belongs to a transaction which is open already."""
        if not self.in_transaction:
            yield
            return
        self.execute("SAVEPOINT import")
        try:
            yield
        except BaseException:
            if self.session.in_transaction:  # not after ON CONFLICT ROLLBACK
                self.execute("ROLLBACK TO import")
                self.execute("RELEASE import")
            raise
        self.execute("RELEASE import")
