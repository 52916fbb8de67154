"""Archives: a database in one file, without loss, to be restored on any server.

A zip file: ``schema.json``, for each table ``tables/<id>.jsonl`` with a row a line in the order of rowids, and at last
``manifest.json`` with the format, the slot, and for each member its rows and its SHA-256. Values are written as in the
database's own pages. An archive is not encrypted, whatever the database is.
"""

import datetime
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

from discosql.errors import DatabaseCorruptionError, OperationalError
from discosql.schema import Catalog
from discosql.storage.engine import Engine, Transaction
from discosql.storage.inspection import (
    Progress,
    catalog_changes_from_json,
    catalog_changes_to_json,
    decode_lines,
    encode_lines,
    no_progress,
)
from discosql.types import Row

FORMAT: Final = 1

_MANIFEST: Final = "manifest.json"
_SCHEMA: Final = "schema.json"
_CHUNK: Final = 2**20
_ROWS_AT_ONCE: Final = 50_000
"""Rows that a restore commits together: an archive with no more is restored all or nothing."""


@dataclass(frozen=True, slots=True)
class ArchivedTable:
    """A table in an archive. `used` is the highest rowid that AUTOINCREMENT ever gave out there."""

    id: int
    name: str
    rows: int
    used: int
    member: str
    digest: str


# Writing ----------------------------------------------------------------------------------------------------------


async def write_archive(view: Transaction, path: str | PathLike[str], progress: Progress) -> int:
    """Write a snapshot of a database into a new file; return the number of rows.

    The file gets its name when it is complete. Raises OperationalError if it cannot be written.
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            count = await _write_members(archive, view, progress)
        partial.replace(target)
    except OSError as exc:
        raise OperationalError(f"cannot write {target}: {exc.strerror or exc}") from exc
    finally:
        partial.unlink(missing_ok=True)
    return count


async def archive_bytes(view: Transaction) -> bytes:
    """Return a snapshot of a database as the bytes of an archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        await _write_members(archive, view, no_progress)
    return written.getvalue()


async def _write_members(archive: zipfile.ZipFile, view: Transaction, progress: Progress) -> int:
    catalog = view.catalog
    schema = json.dumps(catalog_changes_to_json(Catalog(), catalog)).encode("ascii")
    archive.writestr(_SCHEMA, schema)
    total = sum(view.statistics(table.id).rows for table in catalog.tables.values())
    done = 0
    tables = []
    for table in catalog.tables.values():
        member, digest, rows = f"tables/{table.id}.jsonl", hashlib.sha256(), 0
        with archive.open(member, "w", force_zip64=True) as out:
            async for batch in _batches(view, table.id):
                data = encode_lines(batch)[0] + b"\n"
                rows += len(batch)
                digest.update(data)
                out.write(data)
                progress("rows", done + rows, total)
        done += rows
        used = view.statistics(table.id).highest_rowid
        tables.append([table.id, table.name, rows, used, member, digest.hexdigest()])
    manifest = {
        "discosql": FORMAT,
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "slot": view.snapshot.slot,
        "schema": hashlib.sha256(schema).hexdigest(),
        "tables": tables,
    }
    archive.writestr(_MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    return done


async def _batches(view: Transaction, table: int) -> AsyncIterator[list[Row]]:
    reading = view.scan(table)
    while (batch := reading.next()) is not None:
        if not isinstance(batch, list):
            batch = await batch.fetch()
        if batch:
            yield batch


# Reading ----------------------------------------------------------------------------------------------------------


class ArchiveFile:
    """An archive, a file or its bytes, that was opened and whose every byte has been verified. A context manager."""

    def __init__(self, source: str | PathLike[str] | bytes, progress: Progress) -> None:
        self.path = Path("what was serialized") if isinstance(source, bytes) else Path(source)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else self.path)
        except OSError as exc:
            raise OperationalError(f"cannot read {self.path}: {exc.strerror or exc}") from exc
        except zipfile.BadZipFile as exc:
            raise DatabaseCorruptionError(f"{self.path} is no archive of a database, or was cut off: {exc}") from exc
        try:
            self._read_manifest(progress)
        except BaseException:
            self._zip.close()
            raise

    def _read_manifest(self, progress: Progress) -> None:
        try:
            manifest = json.loads(self._zip.read(_MANIFEST))
            if manifest["discosql"] > FORMAT:
                raise OperationalError(f"{self.path} was written by a newer version of discosql")
            self.tables = [ArchivedTable(*table) for table in manifest["tables"]]
            members = [(_SCHEMA, manifest["schema"]), *[(table.member, table.digest) for table in self.tables]]
            for done, (member, digest) in enumerate(members):
                progress("verifying the archive", done, len(members))
                if self._digest_of(member) != digest:
                    raise DatabaseCorruptionError(f"{member} in {self.path} is damaged")
            self.catalog = catalog_changes_from_json(Catalog(), json.loads(self._zip.read(_SCHEMA)))
        except (KeyError, TypeError, ValueError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError) as exc:
            raise DatabaseCorruptionError(f"{self.path} is no archive of a database, or is damaged: {exc}") from exc

    def _digest_of(self, member: str) -> str:
        digest = hashlib.sha256()
        with self._zip.open(member) as data:
            while chunk := data.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def rows(self, table: ArchivedTable) -> Iterator[Sequence[Row]]:
        """Yield the rows of a table, some at a time."""
        with self._zip.open(table.member) as data:
            while lines := data.readlines(_CHUNK):
                yield decode_lines(b"".join(lines).rstrip(b"\n"), objects=True)

    def __enter__(self) -> "ArchiveFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()


async def restore_archive(engine: Engine, archive: ArchiveFile, progress: Progress) -> int:
    """Restore an archive into an empty database; return the number of rows stored by this call.

    Rows are committed in the order of the archive, some 50,000 at a time, the schema with the first. A restore that was
    interrupted goes on where it ended. Raises OperationalError if the database has anything else in it.
    """
    stored = _progress_of(engine, archive)
    writing = _Restoring(engine, archive, progress)
    if engine.catalog.version == 0 and not engine.catalog.tables:
        writing.begin_with(archive.catalog)
    for table in archive.tables:
        await writing.add(table, stored.get(table.id, 0))
    await writing.commit()
    return writing.stored


def _progress_of(engine: Engine, archive: ArchiveFile) -> Mapping[int, int]:
    """Return how many rows of each table are there from an earlier try."""
    catalog = engine.catalog
    if not catalog.tables and not catalog.views:
        return {}
    if catalog != archive.catalog:
        raise OperationalError("the database is not empty: restore into a new one, or drop all its tables and views")
    counts = {table.id: engine.statistics(table.id).rows for table in archive.tables}
    complete = True
    for table in archive.tables:
        if counts[table.id] > (table.rows if complete else 0):
            raise OperationalError("the database holds other rows than those of an interrupted restore of this archive")
        complete = complete and counts[table.id] == table.rows
    return counts


class _Restoring:
    """The transactions of one restore."""

    def __init__(self, engine: Engine, archive: ArchiveFile, progress: Progress) -> None:
        self.stored = 0
        self._engine = engine
        self._archive = archive
        self._progress = progress
        self._total = sum(table.rows for table in archive.tables)
        self._done = 0
        self._transaction = engine.begin()
        self._waiting = 0

    def begin_with(self, catalog: Catalog) -> None:
        """Make the schema."""
        self._transaction.set_catalog(catalog)

    async def add(self, table: ArchivedTable, known: int) -> None:
        """Store the rows of a table beyond those that are known."""
        skip = known
        for rows in self._archive.rows(table):
            fresh = rows[skip:]
            skip = max(0, skip - len(rows))
            self._transaction.insert_all(table.id, fresh)
            self._waiting += len(fresh)
            self._done += len(rows)
            self._progress("rows", self._done, self._total)
            if self._waiting >= _ROWS_AT_ONCE:
                await self.commit()
        if table.used:
            self._transaction.note_used(table.id, table.used)

    async def commit(self) -> None:
        """Store what was added."""
        await self._engine.commit(self._transaction)
        self.stored += self._waiting
        self._waiting = 0
        self._transaction = self._engine.begin()


def describe_archive(archive: ArchiveFile) -> dict[str, Any]:
    """Return what an archive holds: the rows of each table."""
    return {table.name: table.rows for table in archive.tables}
