"""Exporting tables, a query or a whole database: to files of rows, database files, and database servers.

All rows are of one moment. A file gets its name when it is complete, and a database is changed in one transaction
where it can, so that an interrupted export leaves nothing half done.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from discosql.connection import Progress
from discosql.errors import ProgrammingError
from discosql.transfer import rows_files
from discosql.transfer.relations import Relation, Snapshot, Work

BATCH: Final = 50_000
"""Rows that are written together unless told otherwise."""

QUERY: Final = "query"
"""The table that the rows of a query become, unless it is named."""

IfExists: TypeAlias = Literal["fail", "append", "replace"]
IF_EXISTS: Final = ("fail", "append", "replace")

_DATABASES: Final = MappingProxyType(
    {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb", ".ddb": "duckdb"}
)
_BESIDE: Final = MappingProxyType({"sqlite": ("-journal", "-wal", "-shm"), "duckdb": (".wal",)})
"""What a database of each kind has beside its file."""

ENDINGS: Final[Mapping[str, str]] = MappingProxyType({**rows_files.ENDINGS, **_DATABASES})
"""The formats of files by their endings."""

FORMATS: Final = tuple(dict.fromkeys(ENDINGS.values()))
"""The formats of files by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What is exported, and how: `tables` (or views) by name, or the rows of a `query`; without both, all tables.

    `name` is the table that a query becomes in a database. `format` is needed where the target's ending tells none.
    `if_exists` tells what becomes of a target that is there: a file or, on a server, a table. ``append`` is for
    databases. `batch`: rows that are written together.
    """

    tables: Sequence[str] = ()
    query: str | None = None
    name: str = QUERY
    format: str | None = None
    if_exists: IfExists = "fail"
    batch: int = BATCH

    def check(self) -> None:
        """Raise ProgrammingError for options that make no sense."""
        if self.tables and self.query is not None:
            raise ProgrammingError("either tables or a query can be exported")
        if self.format is not None and self.format not in FORMATS:
            raise ProgrammingError(f"unknown format {self.format}; there are {', '.join(FORMATS)}")
        if self.if_exists not in IF_EXISTS:
            raise ProgrammingError(f"if_exists is one of {', '.join(IF_EXISTS)}, not {self.if_exists}")
        if self.batch < 1:
            raise ProgrammingError("a batch has at least one row")

    @property
    def is_whole(self) -> bool:
        """Whether all tables are exported."""
        return not self.tables and self.query is None

    def relations(self, snapshot: Snapshot) -> list[Relation]:
        """Return what is to be exported."""
        if self.query is not None:
            return [snapshot.queried(self.name, self.query)]
        if self.tables:
            named = [snapshot.named(name) for name in self.tables]
            return list({relation.name: relation for relation in named}.values())
        return snapshot.tables()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: where to, without passwords; the rows of each table; what the target cannot hold; seconds."""

    target: str
    rows: Mapping[str, int]
    warnings: Sequence[str]
    seconds: float


def export(snapshot: Snapshot, target: str | os.PathLike[str], options: ExportOptions, progress: Progress) -> Exported:
    """Export what the options say to a file, a folder, a database file, ``-`` for standard output, or a URL.

    Raises ProgrammingError for what cannot be exported there, OperationalError for a target that is there or cannot be
    written, NotSupportedError if a library is missing, DataError or IntegrityError for rows that the target refuses.
    """
    started = time.monotonic()
    options.check()
    shown, write = _writer(os.fspath(target), options)
    work = Work(snapshot, options.relations(snapshot), options.batch, progress, options.is_whole)
    write(work)
    return Exported(shown, work.counts, work.warnings, time.monotonic() - started)


def is_rows_file(target: str) -> bool:
    """Tell whether a target is, by its ending, a file of rows, and not a database."""
    return Path(target).suffix.lower() in rows_files.ENDINGS


_Writer: TypeAlias = Callable[[Work], None]


def _writer(target: str, options: ExportOptions) -> tuple[str, _Writer]:
    """Return the target as messages show it, and what writes to it."""
    if target == "-":
        return target, lambda work: rows_files.write_out(work, options.format)
    if "://" in target:
        from discosql.transfer.server import Server

        server = Server(target, options.if_exists)
        return server.shown, server.write
    path = Path(target)
    several = options.query is None and len(options.tables) != 1 and options.format is not None
    if target.endswith(("/", os.sep)) or path.is_dir() or (several and not path.suffix):
        return target, _folder_writer(path, options)
    kind = options.format or ENDINGS.get(path.suffix.lower())
    if kind is None:
        known = " ".join(ENDINGS)
        raise ProgrammingError(
            f"cannot tell a format from {path.name}; the endings known are {known}; name one with --format"
        )
    is_database = kind in _DATABASES.values()
    if options.if_exists == "append" and not is_database:
        raise ProgrammingError(f"cannot append to files of rows ({kind}); only to databases")
    rows_files.refuse_existing(path, replace=options.if_exists != "fail")
    if is_database:
        return target, _database_writer(path, kind, append=options.if_exists == "append" and path.exists())
    return target, lambda work: rows_files.write_file(work, path, kind)


def _folder_writer(path: Path, options: ExportOptions) -> _Writer:
    kind = options.format
    if kind is None:
        raise ProgrammingError(f"{path} is a folder: name a format with --format")
    if kind in _DATABASES.values() or options.query is not None or options.if_exists == "append":
        what = "rows of a query go" if options.query is not None else f"a database ({kind}) goes"
        raise ProgrammingError(f"{path} is a folder; {what} to a file")
    return lambda work: rows_files.write_folder(work, path, kind, replace=options.if_exists == "replace")


def _database_writer(path: Path, kind: str, *, append: bool) -> _Writer:
    from discosql.transfer.duckdb_export import write_duckdb
    from discosql.transfer.sqlite_export import append_to_sqlite, write_sqlite

    def write(work: Work) -> None:
        for relation in work.relations:
            relation.check_names()
        if append:
            (write_duckdb if kind == "duckdb" else append_to_sqlite)(work, path)
            return
        with rows_files.replacing(path, beside=_BESIDE[kind]) as partial:
            (write_duckdb if kind == "duckdb" else write_sqlite)(work, partial)

    return write
