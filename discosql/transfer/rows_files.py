"""Writing files of rows so that none is ever seen half done: one, a folder of them, or standard output."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from discosql.errors import OperationalError, ProgrammingError
from discosql.transfer.arrow_export import ARROW_FORMATS
from discosql.transfer.relations import Relation, Work
from discosql.transfer.sqlite_file import is_own
from discosql.transfer.text_files import TEXT_FORMATS, TextFormat

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
        ".parquet": "parquet",
        ".arrow": "arrow",
        ".feather": "arrow",
    }
)
"""The formats of files of rows by their endings."""

_NEEDS_NAMES: Final = frozenset({"json", "jsonl"})
"""Formats of text in which the columns of a row cannot have the same name."""


def refuse_existing(path: Path, *, replace: bool) -> None:
    """Raise OperationalError for a file that is there, with `replace` only for a database of this library."""
    if path.is_file() and is_own(path):
        raise OperationalError(f"{path} is a database of discosql; no export writes over it")
    if path.exists() and not replace:
        raise OperationalError(f"{path} exists already; --if-exists replace writes it anew")


@contextmanager
def replacing(target: Path, *, beside: Sequence[str] = ()) -> Iterator[Path]:
    """Give the path of a file that becomes the target at the end, and goes if there was an error.

    `beside` are the endings of files that a database has beside its own: those of the old target would be applied to
    the new one. Raises OperationalError if it cannot be written.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        partial.touch()  # what cannot be is told here by the name of the target, whoever writes the file then
        partial.unlink()
        yield partial
        for ending in beside:
            target.with_name(target.name + ending).unlink(missing_ok=True)
        partial.replace(target)
    except OSError as exc:
        raise OperationalError(f"cannot write {target}: {exc.strerror or exc}") from exc
    finally:
        for ending in ("", *beside):
            partial.with_name(partial.name + ending).unlink(missing_ok=True)


def write_out(work: Work, kind: str | None) -> None:
    """Write to standard output."""
    if kind is None or kind not in TEXT_FORMATS:
        raise ProgrammingError(f"standard output takes --format {'|'.join(TEXT_FORMATS)}")
    _write_text(work, _only(work), TEXT_FORMATS[kind], sys.stdout.write)
    sys.stdout.flush()


def write_file(work: Work, target: Path, kind: str) -> None:
    """Write a file of one table or query."""
    relation = _only(work)
    with replacing(target) as path:
        _write_relation(work, relation, path, kind)


def _only(work: Work) -> Relation:
    if len(work.relations) != 1:
        raise ProgrammingError(
            f"one file holds one table, not {len(work.relations)}; name it with --table or give a query, "
            "or export to a folder or a database"
        )
    return work.relations[0]


def _write_relation(work: Work, relation: Relation, path: Path, kind: str) -> None:
    if kind in ARROW_FORMATS:
        ARROW_FORMATS[kind](work, relation, path)
        return
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


def write_folder(work: Work, target: Path, kind: str, *, replace: bool) -> None:
    """Write a file a table; all of them get their names when the last is complete."""
    ending = next(ending for ending, known in ENDINGS.items() if known == kind)
    files = {_file_name(relation.name) + ending: relation for relation in work.relations}
    for name in files:
        refuse_existing(target / name, replace=replace)
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
