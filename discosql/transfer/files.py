"""Importing a file, whatever its format: the door for the command, the shell and connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from discosql.connection import LEGACY_TRANSACTION_CONTROL, Progress
from discosql.dbapi import Connection
from discosql.errors import ProgrammingError
from discosql.transfer.importing import Imported, ImportOptions, import_file
from discosql.transfer.sqlite_file import SqliteFile, is_sqlite
from discosql.transfer.sqlite_import import SqliteImport, Warn


def import_path(
    connection: Connection, path: Path, options: ImportOptions, progress: Progress, warn: Warn
) -> list[Imported]:
    """Import a file and return what came into each table. `warn` is told what a SQLite file has that cannot be kept.

    Within an open transaction all of it becomes a part of that, or nothing. Otherwise every batch is a commit, and an
    import that was interrupted goes on where it stopped. Raises as `import_file` does.
    """
    with _settings_of_its_own(connection), _whole_within_a_transaction(connection):
        if not is_sqlite(path):
            return [import_file(connection, path, options, progress)]
        if options.primary_key:
            raise ProgrammingError(f"the tables of {path} have keys of their own; none can be given")
        with SqliteFile(path) as file:
            return SqliteImport(connection, file, options, progress, warn).run()


@contextmanager
def _settings_of_its_own(connection: Connection) -> Iterator[None]:
    """Let a connection commit when it is told to and show rows as tuples; what it did before it does again behind."""
    wanted: dict[str, Any] = {"row_factory": None, "text_factory": str}
    if not connection.in_transaction:  # to set these would commit it, as in sqlite3
        wanted |= {"autocommit": LEGACY_TRANSACTION_CONTROL, "isolation_level": None}
    before = {name: getattr(connection, name) for name in wanted}
    for name, value in wanted.items():
        setattr(connection, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(connection, name, value)


@contextmanager
def _whole_within_a_transaction(connection: Connection) -> Iterator[None]:
    if not connection.in_transaction:
        yield
        return
    connection.execute("SAVEPOINT import")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO import")
        connection.execute("RELEASE import")
        raise
    connection.execute("RELEASE import")
