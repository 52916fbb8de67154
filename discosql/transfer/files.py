"""Importing a file, whatever its format: the door for connections."""

from pathlib import Path

from discosql.connection import Progress
from discosql.errors import ProgrammingError
from discosql.transfer.importing import Imported, ImportOptions, import_file
from discosql.transfer.sqlite_file import SqliteFile, is_sqlite
from discosql.transfer.sqlite_import import SqliteImport, Warn
from discosql.transfer.statements import Statements


def import_path(
    statements: Statements, path: Path, options: ImportOptions, progress: Progress, warn: Warn
) -> list[Imported]:
    """Import a file and return what came into each table. `warn` is told what a SQLite file has that cannot be kept.

    Within an open transaction all of it becomes a part of that, or nothing. Otherwise every batch is a commit, and an
    import that was interrupted goes on where it stopped. Raises as `import_file` does.
    """
    with statements.whole():
        if not is_sqlite(path):
            return [import_file(statements, path, options, progress)]
        if options.primary_key:
            raise ProgrammingError(f"the tables of {path} have keys of their own; none can be given")
        with SqliteFile(path) as file:
            return SqliteImport(statements, file, options, progress, warn).run()
