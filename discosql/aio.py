"""The asynchronous API: ``connect``, `Connection` and `Cursor` for programs with an event loop.

Example::

    async with discosql.aio.connect("shop.disco") as db:
        await db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        await db.execute("INSERT INTO item (name) VALUES (?)", ("tea",))
        await db.commit()
        async for row in await db.execute("SELECT * FROM item"):
            print(row)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Sequence
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from discosql.connection import Progress, check_session, no_progress
from discosql.dbapi_export import Exporting, ExportSettings, export_from
from discosql.dbapi_import import ImportSettings, import_into
from discosql.drive import drive
from discosql.errors import QueryInterruptedError
from discosql.rows import CursorBase

if TYPE_CHECKING:
    from discosql.executor.context import Result
    from discosql.explaining import Steps
    from discosql.opening import Address, ConnectOptions
    from discosql.session import Parameters
    from discosql.storage.engine import ChannelSummary, EncryptionKey, MessageSummary, Pending
    from discosql.transfer.exporting import Exported
    from discosql.transfer.importing import ImportReport
    from discosql.upkeep.check import CheckReport


T = TypeVar("T")


class Cursor(CursorBase["Connection"]):
    """Runs statements and holds the rows of the last one. Also an asynchronous iterator over them."""

    async def execute(self, sql: str, parameters: Parameters = (), /) -> Self:
        """Run one statement and return the cursor.

        Parameters are a sequence for ``?`` and a mapping for ``:name``.
        """
        self._check_open()
        self._reset()
        self._accept(await self.connection._run(lambda: self.connection._session.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Self:
        """Run one statement that changes rows for each set of parameters: all or nothing, in one commit."""
        self._check_open()
        self._reset()
        self._accept(await self.connection._run(lambda: self.connection._session.execute_many(sql, parameters)))
        return self

    async def executescript(self, script: str, /) -> Self:
        """Commit an open transaction, then run every statement of a text."""
        self._check_open()
        self._reset()
        await self.connection._run(lambda: self.connection._session.execute_script(script))
        return self

    async def fetchone(self) -> Any:
        """Return the next row, None at the end."""
        return self._take_one()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next `size` rows (default `arraysize`), fewer at the end."""
        return self._take(self.arraysize if size is None else size)

    async def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        return self._take(None)

    async def fetch_arrow_table(self) -> Any:
        """Return all rows that are left as a `pyarrow.Table`. Raises NotSupportedError without the extra ``arrow``."""
        from discosql.frames import arrow_table

        return self._take_frame(arrow_table)

    async def fetch_df(self) -> Any:
        """Return all rows that are left as a `pandas.DataFrame`.

        Raises NotSupportedError without the extra ``pandas``.
        """
        from discosql.frames import data_frame

        return self._take_frame(data_frame)

    async def close(self) -> None:
        """Close the cursor; it cannot be used afterwards."""
        self._end()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        row = self._take_one()
        if row is None:
            raise StopAsyncIteration
        return row

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _to_its_end(work: Coroutine[Any, Any, T], cancel: Callable[[], None]) -> T:
    """Return the result of work in a thread. If this task is cancelled, tell the thread, and wait for its end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        cancel()
        await asyncio.wait([task])
        task.exception()  # that it was cancelled is known
        raise


class Connection(Exporting):
    """A connection to a database, for one event loop.

    Tasks may share it: within a transaction their statements wait for each other; with autocommit they run side by
    side.

    As an asynchronous context manager it commits at the end, rolls back after an exception, and closes.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lock = asyncio.Lock()

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        self._check_open()
        return Cursor(self)

    async def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        """Run one statement in a new cursor."""
        return await self.cursor().execute(sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Run `Cursor.executemany` in a new cursor."""
        return await self.cursor().executemany(sql, parameters)

    async def executescript(self, script: str, /) -> Cursor:
        """Run `Cursor.executescript` in a new cursor."""
        return await self.cursor().executescript(script)

    async def commit(self) -> None:
        """Commit the open transaction. Raises SerializationError if another one got in its way; it is then undone."""
        await self._run(self._session.commit)

    async def rollback(self) -> None:
        """Undo the open transaction."""
        self._check_open()
        async with self._lock:
            self._session.rollback()

    async def outcome(self, transaction: str) -> bool | None:
        """Return whether the `transaction` of an UnknownOutcomeError was stored; None if that is beyond finding out.

        Raises NoAnswerError if it cannot be found out now: ask again.
        """
        self._check_open()
        return await self._session.engine.outcome(transaction)

    async def channels(self) -> list[ChannelSummary]:
        """Return what the database consists of in its server: channels, messages, files, bytes. Reads all of it."""
        from discosql.storage.engine import describe

        self._check_open()
        return await describe(self._session.engine)

    async def messages(self, channel: str | None = None, limit: int = 20) -> tuple[list[MessageSummary], bool]:
        """Return the newest messages of the database's channels, or of one by name or id, and whether there are more.

        Raises OperationalError if there is no such channel.
        """
        from discosql.storage.engine import list_messages

        self._check_open()
        return await list_messages(self._session.engine, channel, limit)

    async def rekey(self, key: EncryptionKey | None) -> None:
        """Encrypt the database with another key, or with none (None); everything is written anew.

        Raises OperationalError within a transaction. See `Engine.rekey` for what becomes of data under the old key.
        """
        self._check_open()
        async with self._lock:
            self._check_no_transaction("change the key")
            await self._session.engine.rekey(key)
            if self._session.lease is not None:
                self._session.lease.retire()

    async def check(self, *, history: bool = False, progress: Progress | None = None) -> CheckReport:
        """Verify the whole database as it is stored: log, pages, indexes, rows, constraints. Changes nothing.

        With `history`, also the pages that only earlier checkpoints name. `progress` is called with what is being
        looked at, how much of it is done, and how much there is (0: not known).
        """
        self._check_open()
        return await check_session(self._session, history, progress)

    async def export(
        self, target: str | PathLike[str], table: str | Sequence[str] | None = None, **options: Unpack[ExportSettings]
    ) -> Exported:
        """Write tables, a ``query=`` or the whole database to a file, a folder, or another database by file or URL.

        All rows are of one moment. A thread writes, so that other tasks go on; `progress` is called there. Options,
        result and errors are those of `transfer.exporting.export`.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        if self._session.transaction is None:
            await self._session.engine.refresh()

        def fetch(asked: Pending) -> object:
            async def fetching() -> object:
                return await asked.fetch()

            return asyncio.run_coroutine_threadsafe(fetching(), loop).result()

        report = options.get("progress") or no_progress
        is_cancelled = False

        def progress(stage: str, done: int, total: int) -> None:
            if is_cancelled:
                raise QueryInterruptedError("the export was cancelled")
            report(stage, done, total)

        def cancel() -> None:
            nonlocal is_cancelled
            is_cancelled = True

        async with self._lock:
            options["progress"] = progress
            work = asyncio.to_thread(export_from, self._reading(self._runner(), fetch), target, table, options)
            return await _to_its_end(work, cancel)

    async def import_file(
        self, path: str | PathLike[str], table: str | Sequence[str] | None = None, **options: Unpack[ImportSettings]
    ) -> ImportReport:
        """Store the rows of a file in a table, which is made if there is none; of a SQLite file all tables.

        As `discosql.Connection.import_file`. A thread reads the file, so that other tasks go on; it calls `progress`
        and `warn`. Other statements of this connection may wait until all is done, and those that do not are run
        without a look at foreign keys while a SQLite file is imported: let it have a connection of its own.
        """
        from discosql.transfer.statements import Statements

        async with self._lock:
            self._check_open()
            runner = self._runner()
            is_cancelled = False

            def run(start: Callable[[], Steps]) -> Result:
                nonlocal is_cancelled
                if is_cancelled:
                    is_cancelled = False  # what the import does about it, such as ROLLBACK, is run
                    raise QueryInterruptedError("the import was cancelled")
                return runner(start)

            work = asyncio.to_thread(import_into, Statements(self._session, run), path, table, options)

            def cancel() -> None:
                nonlocal is_cancelled
                is_cancelled = True

            return await _to_its_end(work, cancel)

    def _runner(self) -> Callable[[Callable[[], Steps]], Result]:
        """Return what drives a statement on this event loop for another thread, which waits for it."""
        loop = asyncio.get_running_loop()

        def run(start: Callable[[], Steps]) -> Result:
            async def running() -> Result:
                with self._control.start() as operation:
                    return await drive(start(), operation)

            return asyncio.run_coroutine_threadsafe(running(), loop).result()

        return run

    async def close(self) -> None:
        """Roll back what was not committed and close. Safe to call again."""
        if self._closed:
            return
        async with self._lock:
            self._closed = True
            self._session.rollback()
            self._forget_observer()
            # All that runs SQL is imported by now.
            from discosql.sharing import leave

            await leave(self._session.engine, self._session.lease)

    async def _run(self, start: Callable[[], Steps]) -> Result:
        self._check_open()
        with self._control.start() as operation:
            if self._session.is_autocommit:
                # Statements that each are a transaction may run side by side; their commits are joined.
                return await drive(start(), operation)
            async with self._lock:
                self._check_open()
                return await drive(start(), operation)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.commit()
        finally:
            await self.close()


class _Connecting:
    """What `connect` returns: to be awaited, or used in ``async with``."""

    def __init__(self, opening: Callable[[], Any]) -> None:
        self._opening = opening
        self._connection: Connection | None = None

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._opening().__await__()  # type: ignore[no-any-return]

    async def __aenter__(self) -> Connection:
        self._connection = await self
        return self._connection

    async def __aexit__(self, *raised: Any) -> None:
        if self._connection is not None:
            await self._connection.__aexit__(*raised)


def connect(database: Address = None, **options: Unpack[ConnectOptions]) -> _Connecting:
    """Open a database: ``connection = await connect(...)`` or ``async with connect(...) as connection``.

    The arguments are those of `discosql.connect`.
    """
    # All that runs SQL is imported here, so that importing the package takes no time.
    from discosql.opening import Options, open_session

    opened = Options.of(database, options)

    async def opening() -> Connection:
        return Connection(await open_session(opened), **opened.for_connection())

    return _Connecting(opening)
