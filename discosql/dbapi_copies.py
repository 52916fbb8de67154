"""Copies of a database by a synchronous connection: dumps, backups, archives, exports; and imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from discosql.connection import Progress, no_progress
from discosql.dbapi_export import ExportSettings, export_from
from discosql.dbapi_import import ImportSettings, import_into
from discosql.dbapi_running import Running
from discosql.drive import LOOP_THREAD
from discosql.errors import ArgumentTypeError, ArgumentValueError, OperationalError

if TYPE_CHECKING:
    from discosql.transfer.exporting import Exported
    from discosql.transfer.importing import ImportReport


class Copying(Running):
    """A connection that can copy its database, and what files hold into it."""

    def iterdump(self, *, filter: str | None = None) -> Iterator[str]:
        """Yield the statements that make the database anew, as sqlite3 does; SQLite reads them, too.

        With `filter`, a pattern of LIKE, only those of tables, indexes, views and triggers whose names are like it.
        """
        self._check_open()
        return self._dump(filter)

    def _dump(self, pattern: str | None) -> Iterator[str]:
        # Few programs dump, and all would import what that needs.
        from discosql.upkeep.dump import dump_lines

        lines = dump_lines(self._snapshot(), pattern)
        answer: object = None
        try:
            while True:
                line = lines.send(answer)
                answer = None
                if isinstance(line, str):
                    yield line
                else:
                    answer = LOOP_THREAD.fetch(line)
        except StopIteration:
            return

    def backup(
        self,
        target: Any,
        *,
        pages: int = -1,
        progress: Callable[[int, int, int], object] | None = None,
        name: str = "main",
        sleep: float = 0.25,
    ) -> None:
        """Copy the database into another connection's, in one commit that replaces all that was there.

        Another connection to discosql, or to an empty SQLite database. `progress` is called with 0 and the rows that
        remain and are in all, where sqlite3 counts pages; `pages`, `name` and `sleep` are there for sqlite3's sake.
        """
        self._check_open()
        if target is self:
            raise ArgumentValueError("target cannot be the same connection instance")
        if not hasattr(target, "execute"):
            raise ArgumentTypeError(f"the target of a backup is a connection, not {type(target).__name__}")
        if progress is not None and not callable(progress):
            raise ArgumentTypeError("progress argument must be a callable")
        if name.lower() not in ("main", "temp"):
            raise OperationalError(f"unknown database {name}")
        if not isinstance(target, Copying):
            for line in self.iterdump():
                target.execute(line)
            return
        from discosql.upkeep.copying import copy_database

        def report(_stage: str, done: int, total: int) -> None:
            if progress is not None:
                progress(0, total - done, total)

        target._check_open()
        target._check_no_transaction("be the target of a backup")
        view = self._snapshot()
        with target._lock:
            LOOP_THREAD.run(copy_database(view, target._session.engine, report))

    def serialize(self, *, name: str = "main") -> bytes:
        """Return the database as the bytes of an archive, as `write_archive` writes it; `deserialize` reads them.

        They are not those of an SQLite file: a database in a server is no file.
        """
        from discosql.upkeep.archive import archive_bytes

        self._check_open()
        if name.lower() != "main":
            raise OperationalError(f"unable to serialize '{name}'")
        view = self._snapshot()
        with self._lock:
            return LOOP_THREAD.run(archive_bytes(view))

    def deserialize(self, data: Any, /, *, name: str = "main") -> None:
        """Leave the database of the connection, and go on with one in memory that is a copy of what was serialized.

        Raises DatabaseCorruptionError for bytes that are no archive, OperationalError within a transaction.
        """
        from discosql.sharing import leave
        from discosql.storage.engine import open_memory
        from discosql.upkeep.archive import ArchiveFile, restore_archive

        self._check_open()
        if name.lower() != "main":
            raise OperationalError(f"unable to deserialize '{name}'")
        self._check_no_transaction("deserialize")
        with ArchiveFile(bytes(memoryview(data)), no_progress) as archive, self._lock:
            engine = LOOP_THREAD.run(open_memory())
            LOOP_THREAD.run(restore_archive(engine, archive, no_progress))
            left, held = self._session.engine, self._session.lease
            self._forget_observer()
            self._session.move_to(engine)
            LOOP_THREAD.run(leave(left, held))

    def write_archive(self, path: str | PathLike[str], *, progress: Progress | None = None) -> int:
        """Write the database into one file from which nothing is missing; return the number of rows.

        Raises OperationalError if the file cannot be written. It is not encrypted.
        """
        from discosql.upkeep.archive import write_archive

        view = self._snapshot()
        return LOOP_THREAD.run(write_archive(view, path, progress or no_progress))

    def restore_archive(self, path: str | PathLike[str], *, progress: Progress | None = None) -> int:
        """Fill an empty database from such a file, verified first; return the number of rows.

        After an interruption it goes on where it ended. Raises DatabaseCorruptionError for a damaged file,
        OperationalError if the database is not empty.
        """
        from discosql.upkeep.archive import ArchiveFile, restore_archive

        self._check_open()
        self._check_no_transaction("restore an archive")
        report = progress or no_progress
        with ArchiveFile(path, report) as archive, self._lock:
            return LOOP_THREAD.run(restore_archive(self._session.engine, archive, report))

    def export(
        self, target: str | PathLike[str], table: str | Sequence[str] | None = None, **options: Unpack[ExportSettings]
    ) -> Exported:
        """Write tables, a ``query=`` or the whole database to a file, a folder, or another database by file or URL.

        All rows are of one moment. Options, result and errors are those of `transfer.exporting.export`.
        """
        with self._lock:
            self._snapshot()
            return export_from(self._reading(self._run, LOOP_THREAD.fetch), target, table, options)

    def import_file(
        self, path: str | PathLike[str], table: str | Sequence[str] | None = None, **options: Unpack[ImportSettings]
    ) -> ImportReport:
        """Store the rows of a file in a table, which is made if there is none; of a SQLite file all tables.

        Every batch is a commit, and after an interruption the same call goes on where it stopped. Within an open
        transaction all of the file becomes a part of that, or nothing. `table` names another table than the file does,
        or the tables of a SQLite file that are wanted. Options, result and errors are those of
        `transfer.importing.ImportOptions`, `ImportReport` and `import_file`.
        """
        from discosql.transfer.statements import Statements

        self._check_open()
        with self._lock:
            return import_into(Statements(self._session, self._run), path, table, options)
