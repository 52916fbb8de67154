"""Exporting tables, a query or a whole database: to files of rows, database files, and database servers.

All rows are of one moment. A file gets its name when it is complete, and a database is changed in one transaction
where it can, so that an interrupted export leaves nothing half done.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from discosql.connection import Progress
from discosql.errors import OperationalError, ProgrammingError
from discosql.transfer.relations import Relation, Snapshot, Work
from discosql.transfer.text_files import TEXT_FORMATS, TextFormat

BATCH: Final = 50_000
"""Rows that are written together unless told otherwise."""

QUERY: Final = "query"
"""The table that the rows of a query become, unless it is named."""

IfExists: TypeAlias = Literal["fail", "append", "replace"]
IF_EXISTS: Final = ("fail", "append", "replace")

ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".csv": "csv",
        ".tsv": "tsv",
        ".json": "json",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".md": "markdown",
        ".html": "html",
        ".txt": "table",
    }
)
"""The formats of files by their endings."""

FORMATS: Final = tuple(dict.fromkeys(ENDINGS.values()))
"""The formats of files by name."""

_NEEDS_NAMES: Final = frozenset({"json", "jsonl"})
"""Formats in which the columns of a row cannot have the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What is exported, and how: `tables` (or views) by name, or the rows of a `query`; without both, all tables.

    `name` is the table that a query becomes in a database. `format` is needed where the target's ending tells none.
    `if_exists` tells what becomes of a target that is there. `batch`: rows that are written together.
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

    def relations(self, snapshot: Snapshot) -> list[Relation]:
        """Return what is to be exported."""
        if self.query is not None:
            return [snapshot.queried(self.name, self.query)]
        if self.tables:
            return [snapshot.named(name) for name in self.tables]
        return snapshot.tables()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: where to, the rows of each table, what the target cannot hold, seconds."""

    target: str
    rows: Mapping[str, int]
    warnings: Sequence[str]
    seconds: float


def export(snapshot: Snapshot, target: str | os.PathLike[str], options: ExportOptions, progress: Progress) -> Exported:
    """Export what the options say to a file, a folder, a database file, ``-`` for standard output, or a URL.

    Raises ProgrammingError for what cannot be exported there, OperationalError for a target that is there or cannot be
    written, NotSupportedError if a library is missing, DataError for a value that the target refuses.
    """
    started = time.monotonic()
    options.check()
    name = os.fspath(target)
    write = _writer(name, options)
    work = Work(snapshot, options.relations(snapshot), options.batch, progress)
    write(work)
    return Exported(name, work.counts, work.warnings, time.monotonic() - started)


def is_rows_file(target: str) -> bool:
    """Tell whether a target is, by its ending, a file of rows, and not a database."""
    return ENDINGS.get(Path(target).suffix.lower()) in FORMATS


def _writer(target: str, options: ExportOptions) -> Callable[[Work], None]:
    """Return what writes to the target."""
    if target == "-":
        return lambda work: _write_out(work, options.format)
    path = Path(target)
    is_folder = target.endswith(("/", os.sep)) or path.is_dir() or (not path.suffix and _is_whole(options))
    kind = options.format or ENDINGS.get(path.suffix.lower())
    if kind is None:
        known = " ".join(ENDINGS)
        hint = "a folder needs a format" if is_folder else f"the endings known are {known}"
        raise ProgrammingError(f"cannot tell a format from {path.name}; {hint}; name one with --format")
    if options.if_exists == "append":
        raise ProgrammingError(f"cannot append to files of rows ({kind}); only to databases")
    if not is_folder:
        _refuse_existing(path, options)
    return lambda work: _write_folder(work, path, kind, options) if is_folder else _write_file(work, path, kind)


def _is_whole(options: ExportOptions) -> bool:
    return options.query is None and len(options.tables) != 1 and options.format is not None


def _refuse_existing(path: Path, options: ExportOptions) -> None:
    if options.if_exists == "fail" and path.exists():
        raise OperationalError(f"{path} exists already; --if-exists replace writes it anew")


# Files ------------------------------------------------------------------------------------------------------------


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give the path of a file that becomes the target at the end, and goes if there was an error.

    Raises OperationalError if it cannot be written.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(target)
    except OSError as exc:
        raise OperationalError(f"cannot write {target}: {exc.strerror or exc}") from exc
    finally:
        partial.unlink(missing_ok=True)


def _write_out(work: Work, kind: str | None) -> None:
    if kind is None or kind not in TEXT_FORMATS:
        raise ProgrammingError(f"standard output takes --format {'|'.join(TEXT_FORMATS)}")
    _write_text(work, _only(work), TEXT_FORMATS[kind], sys.stdout.write)
    sys.stdout.flush()


def _write_file(work: Work, target: Path, kind: str) -> None:
    relation = _only(work)
    with replacing(target) as path:
        _write_relation(work, relation, path, kind)


def _only(work: Work) -> Relation:
    if len(work.relations) != 1:
        raise ProgrammingError(
            f"one file holds one table, not {len(work.relations)}; name it with --table or give a query, "
            "or export to a folder"
        )
    return work.relations[0]


def _write_relation(work: Work, relation: Relation, path: Path, kind: str) -> None:
    if kind in _NEEDS_NAMES:
        relation.check_names()
    with path.open("w", encoding="utf-8", newline="") as out:
        _write_text(work, relation, TEXT_FORMATS[kind], out.write)


def _write_text(work: Work, relation: Relation, kind: type[TextFormat], write: Callable[[str], object]) -> None:
    text = kind(relation.columns)
    write(text.head())
    for rows in work.rows(relation):
        write(text.rows(rows))
    write(text.tail())


def _write_folder(work: Work, target: Path, kind: str, options: ExportOptions) -> None:
    """Write a file a table; all of them get their names when the last is complete."""
    if options.query is not None:
        raise ProgrammingError(f"{target} is a folder; the rows of a query go to a file")
    ending = next(ending for ending, known in ENDINGS.items() if known == kind)
    files = {_file_name(relation.name) + ending: relation for relation in work.relations}
    for name in files:
        _refuse_existing(target / name, options)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        partial.mkdir()
        for name, relation in files.items():
            _write_relation(work, relation, partial / name, kind)
        target.mkdir(exist_ok=True)
        for name in files:
            (partial / name).replace(target / name)
    except OSError as exc:
        raise OperationalError(f"cannot write {target}: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _file_name(table: str) -> str:
    """Return a table's name without what no file may be named."""
    safe = "".join("_" if character in '/\\:*?"<>|' or ord(character) < 32 else character for character in table)
    return f"_{safe}" if safe.startswith(".") or not safe else safe
