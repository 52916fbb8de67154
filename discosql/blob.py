"""Blobs: single values that are read and written in pieces, as `sqlite3.Blob` does.

https://docs.python.org/3/library/sqlite3.html#blob-objects
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, Self, TypeAlias

from discosql.errors import DataError, OperationalError, ProgrammingError, UnknownNameError
from discosql.schema import Catalog, TableSchema, quoted
from discosql.types import Value, type_name

_MAX_OFFSET: Final = 2**31 - 1

Run: TypeAlias = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
"""Runs a statement with parameters and returns its rows as they are stored."""


class Blob:
    """One text or blob of a row. Its length cannot be changed.

    What is written is an UPDATE of the row: part of the open transaction or one that it begins, as any other statement
    of the connection; with autocommit each write is a commit. A change of the value by other means ends it: reading and
    writing raise OperationalError then.
    """

    def __init__(
        self,
        run: Run,
        statements: tuple[str, str],
        row: int,
        readonly: bool,
    ) -> None:
        self._run = run
        self._select, self._update = statements
        self._row = row
        self._readonly = readonly
        self._offset = 0
        self._closed = False
        self._known = self._stored()

    # As a file ----------------------------------------------------------------------------------------------------

    def read(self, length: int = -1, /) -> bytes:
        """Return the next bytes, all that are left by default, and move past them."""
        data = self._read()
        end = len(data) if length < 0 else min(self._offset + length, len(data))
        found = data[self._offset : end]
        self._offset = max(self._offset, end)
        return found

    def write(self, data: Any, /) -> None:
        """Write bytes over those at the offset and move past them. Raises ValueError if they go beyond the end."""
        self._check_open()
        written = bytes(memoryview(data))
        if self._offset + len(written) > len(self):
            raise ValueError("data longer than blob")
        self._write(self._offset, written)
        self._offset += len(written)

    def seek(self, offset: int, origin: int = os.SEEK_SET, /) -> None:
        """Move to an offset from the start, from here (`os.SEEK_CUR`) or from the end (`os.SEEK_END`)."""
        self._check_open()
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset, os.SEEK_END: len(self)}
        if origin not in bases:
            raise ValueError("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")
        if bases[origin] + offset > _MAX_OFFSET:
            raise OverflowError("seek offset results in overflow")
        if not 0 <= bases[origin] + offset <= len(self):
            raise ValueError("offset out of blob range")
        self._offset = bases[origin] + offset

    def tell(self) -> int:
        """Return the offset."""
        self._check_open()
        return self._offset

    def close(self) -> None:
        """End it; it cannot be used afterwards."""
        self._closed = True

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self._check_open()
        self.close()

    # As an array of bytes -----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        self._check_open()
        return len(self._known)

    def __getitem__(self, key: Any, /) -> Any:
        self._check_open()
        if not isinstance(key, slice):
            place = self._place(key)
            return self._read()[place]
        return self._read()[_checked(key)]

    def __setitem__(self, key: Any, value: Any, /) -> None:
        self._check_open()
        if not isinstance(key, slice):
            place = self._place(key)
            self._write(place, bytes((_byte(value),)))
            return
        places = range(*_checked(key).indices(len(self)))
        view = memoryview(value)
        if not view.c_contiguous:
            raise BufferError("underlying buffer is not C-contiguous")
        if view.nbytes != len(places):
            raise IndexError("Blob slice assignment is wrong size")
        if not places:
            return
        data = bytearray(self._read())
        data[key] = bytes(view)
        self._write(0, bytes(data))

    def __delitem__(self, key: Any, /) -> None:
        raise TypeError(f"Blob doesn't support {'slice' if isinstance(key, slice) else 'item'} deletion")

    __iter__ = None  # as in sqlite3: it is no sequence

    def _place(self, key: Any) -> int:
        if not hasattr(key, "__index__"):
            raise TypeError("Blob indices must be integers")
        place = int(key.__index__())
        if abs(place) > 2**63 - 1:
            raise IndexError("cannot fit 'int' into an index-sized integer")
        length = len(self)
        if not -length <= place < length:
            raise IndexError("Blob index out of range")
        return place % length

    # The value ----------------------------------------------------------------------------------------------------

    def reopen(self, row: int, /) -> None:
        """Go on with the same column of another row, from its start."""
        self._check_open()
        self._row, self._offset = row, 0
        self._known = self._stored()

    def _stored(self) -> bytes:
        found = self._run(self._select, (self._row,))
        if not found:
            raise OperationalError(f"no such rowid: {self._row}")
        value: Value = found[0][0]
        if not isinstance(value, str | bytes):
            raise OperationalError(f"cannot open value of type {type_name(value).lower()}")
        self._is_text = isinstance(value, str)
        return value.encode() if isinstance(value, str) else value

    def _read(self) -> bytes:
        self._check_open()
        if self._stored() != self._known:
            raise OperationalError("the blob has expired: its value was changed by other means")
        return self._known

    def _write(self, offset: int, written: bytes) -> None:
        if self._readonly:
            raise OperationalError("attempt to write a readonly database").coded("SQLITE_READONLY")
        data = self._read()
        data = data[:offset] + written + data[offset + len(written) :]
        self._run(self._update, (_decoded(data) if self._is_text else data, self._row))
        self._known = data

    def _check_open(self) -> None:
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed blob.")


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise DataError("the value is TEXT, and would no longer be UTF-8") from exc


def _checked(key: slice) -> slice:
    for part in (key.start, key.stop, key.step):
        if part is not None and not hasattr(part, "__index__"):
            raise TypeError("Blob indices must be integers")
    return key


def _byte(value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
    number = int(value.__index__())
    if not 0 <= number <= 255:
        raise ValueError("byte must be in range(0, 256)")
    return number


def blob_statements(catalog: Catalog, table: str, column: str, database: str) -> tuple[str, str]:
    """Return the SQL that reads and the SQL that changes a column of a row by its rowid.

    Raises UnknownNameError if there is no such column, OperationalError if rows of the table have no rowid.
    """
    schema = _table(catalog, table, database)
    if schema.position(column) is None:
        raise UnknownNameError(f'no such column: "{column}"')
    taken = {known.name.lower() for known in schema.columns}
    rowid = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    if schema.rowid_column is not None:
        rowid = schema.columns[schema.rowid_column].name
    if schema.without_rowid or rowid is None:
        raise OperationalError(f"cannot open table without rowid: {table}")
    name = f"{quoted(database)}.{quoted(table)}"
    where = f"WHERE {quoted(rowid)} = ?"
    return f"SELECT {quoted(column)} FROM {name} {where}", f"UPDATE {name} SET {quoted(column)} = ? {where}"


def _table(catalog: Catalog, name: str, database: str) -> TableSchema:
    known = database.lower() in ("main", "temp")
    part = catalog.part(temporary=database.lower() == "temp")
    if known and part.find_view(name) is not None:
        raise OperationalError(f"cannot open view: {name}")
    found = part.find_table(name) if known else None
    if found is None:
        raise UnknownNameError(f"no such table: {database}.{name}")
    return found
