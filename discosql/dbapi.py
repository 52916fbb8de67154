"""The synchronous API, PEP 249 (https://peps.python.org/pep-0249/), with the habits of the standard library's sqlite3.

Statements run in the caller's own thread as long as what they need is in memory; requests are made on one event loop in
a thread of its own that all connections of a process share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, Unpack, cast, overload

from discosql.blob import Blob, blob_statements
from discosql.connection import Progress, check_session
from discosql.cursor import Cursor
from discosql.dbapi_copies import Copying
from discosql.drive import LOOP_THREAD
from discosql.types import SQLITE_VERSION

if TYPE_CHECKING:
    from discosql.opening import Address, ConnectOptions
    from discosql.session import Parameters
    from discosql.storage.engine import ChannelSummary, EncryptionKey, MessageSummary
    from discosql.upkeep.check import CheckReport

C = TypeVar("C", bound="Connection")

apilevel: Final = "2.0"
"""The version of the DB-API."""

threadsafety: Final = 2
"""Threads may share the module and connections, but not cursors."""

paramstyle: Final = "qmark"
"""Parameters are written ``?``; ``:name``, ``@name`` and ``$name`` work too, with a mapping."""


sqlite_version: Final = SQLITE_VERSION
"""The version of SQLite whose SQL this library follows, as `sqlite_version()` says in SQL."""

sqlite_version_info: Final = tuple(map(int, SQLITE_VERSION.split(".")))
"""The same as numbers."""


def enable_callback_tracebacks(flag: bool, /) -> None:
    """Tell whether errors in functions that SQL calls are printed with their traceback, by `sys.unraisablehook`.

    They are the causes of the errors that statements raise in any case.
    """
    from discosql.executor.functions.user import show_tracebacks

    show_tracebacks(flag)


class Connection(Copying):
    """A connection to a database. Threads may share it: operations wait for each other.

    As a context manager it commits at the end or rolls back after an exception, and stays open, as in sqlite3.
    """

    def __init__(self, database: Address = None, *, check_same_thread: bool = False, **options: Any) -> None:
        # All that runs SQL is imported here, so that importing the package takes no time.
        from discosql.opening import Options, open_session

        self._closed = None  # a connection that cannot be opened anew cannot be used
        opened = Options.of(database, cast("ConnectOptions", options))
        session = LOOP_THREAD.run(open_session(opened))
        super().__init__(session, check_same_thread=check_same_thread, **opened.for_connection())

    def cursor(self, factory: Callable[[Connection], Any] = Cursor) -> Any:
        """Return a new cursor. `factory` is given the connection and returns a `Cursor`, as that class does."""
        self._check_open()
        cursor = factory(self)
        if not issubclass(type(cursor), Cursor):  # what only says so is none
            raise TypeError(f"factory must return a cursor, not {type(cursor).__name__}")
        return cursor

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """Run one statement in a new cursor."""
        self._check_open()
        return Cursor(self).execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Run `Cursor.executemany` in a new cursor."""
        self._check_open()
        return Cursor(self).executemany(sql, parameters)

    def executescript(self, script: str, /) -> Cursor:
        """Run `Cursor.executescript` in a new cursor."""
        self._check_open()
        return Cursor(self).executescript(script)

    def commit(self) -> None:
        """Commit the open transaction. Raises SerializationError if another one got in its way; it is then undone.

        Does nothing if `autocommit` is True, as in sqlite3.
        """
        self._check_open()
        if self._autocommit is not True:
            self._run(self._session.commit)

    def rollback(self) -> None:
        """Undo the open transaction. Does nothing if `autocommit` is True, as in sqlite3."""
        self._check_open()
        if self._autocommit is True:
            return
        with self._lock:
            self._at_engine(self._session.rollback)

    def outcome(self, transaction: str) -> bool | None:
        """Return whether the `transaction` of an UnknownOutcomeError was stored; None if that is beyond finding out.

        Raises NoAnswerError if it cannot be found out now: ask again.
        """
        self._check_open()
        with self._lock:
            return LOOP_THREAD.run(self._session.engine.outcome(transaction))

    def channels(self) -> list[ChannelSummary]:
        """Return what the database consists of in its server: channels, messages, files, bytes. Reads all of it."""
        from discosql.storage.engine import describe

        self._check_open()
        with self._lock:
            return LOOP_THREAD.run(describe(self._session.engine))

    def messages(self, channel: str | None = None, limit: int = 20) -> tuple[list[MessageSummary], bool]:
        """Return the newest messages of the database's channels, or of one by name or id, and whether there are more.

        Raises OperationalError if there is no such channel.
        """
        from discosql.storage.engine import list_messages

        self._check_open()
        with self._lock:
            return LOOP_THREAD.run(list_messages(self._session.engine, channel, limit))

    def rekey(self, key: EncryptionKey | None) -> None:
        """Encrypt the database with another key, or with none (None); everything is written anew.

        Raises OperationalError within a transaction. See `Engine.rekey` for what becomes of data under the old key.
        """
        self._check_open()
        with self._lock:
            self._check_no_transaction("change the key")
            LOOP_THREAD.run(self._session.engine.rekey(key))
            if self._session.lease is not None:
                self._session.lease.retire()

    def check(self, *, history: bool = False, progress: Progress | None = None) -> CheckReport:
        """Verify the whole database as it is stored: log, pages, indexes, rows, constraints. Changes nothing.

        With `history`, also the pages that only earlier checkpoints name. `progress` is called with what is being
        looked at, how much of it is done, and how much there is (0: not known).
        """
        self._check_open()
        with self._lock:
            return LOOP_THREAD.run(check_session(self._session, history, progress))

    def blobopen(self, table: str, column: str, row: int, /, *, readonly: bool = False, name: str = "main") -> Blob:
        """Return a `Blob`: the text or blob in a column of the row with that rowid, to be read and written in pieces.

        `name` is the database, ``main`` or ``temp``. What is written is an UPDATE, in the open transaction or one that
        begins as with any other change; with autocommit each write is a commit.
        """
        self._check_open()
        statements = blob_statements(self._session.catalog, table, column, name)
        return Blob(self._rows, statements, row, readonly)

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._run(lambda: self._session.execute(sql, parameters)).rows

    def close(self) -> None:
        """Roll back what was not committed and close.

        What connections to one database on Discord share ends with the last of them. Raises ProgrammingError when
        called again, as PEP 249's compliance suite asks.
        """
        # All that runs SQL is imported by now.
        from discosql.sharing import leave

        self._check_open()
        with self._lock:
            self._check_open()
            self._closed = True
            self._forget_observer()
            self._at_engine(self._session.rollback)
            LOOP_THREAD.run(leave(self._session.engine, self._session.lease))

    def _apply_transaction_mode(self) -> None:
        super()._apply_transaction_mode()
        if self._session.implicit_begin == "never" and self._session.in_transaction:
            self._run(self._session.commit)

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.rollback()


@overload
def connect(
    database: Address = None, *, check_same_thread: bool = False, **options: Unpack[ConnectOptions]
) -> Connection: ...


@overload
def connect(
    database: Address = None,
    *,
    factory: Callable[..., C],
    check_same_thread: bool = False,
    **options: Unpack[ConnectOptions],
) -> C: ...


def connect(
    database: Address = None,
    *,
    factory: Callable[..., Any] = Connection,
    check_same_thread: bool = False,
    **options: Unpack[ConnectOptions],
) -> Any:
    """Open a database and return a connection.

    `database` is a file's path, ``":memory:"``, or ``"discord://<server name or id>"``, optionally followed by
    ``/<database name>``. `factory` is `Connection` or a subclass. With `check_same_thread` only the thread that opened
    the connection may use it; threads may share it by default. The other options are those of `opening.Options`.

    Raises OperationalError when it cannot be opened, with what to do about it.
    """
    return factory(database, check_same_thread=check_same_thread, **options)
