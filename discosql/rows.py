"""Result rows: their shape for Python, and the parts of a cursor that wait for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from discosql.detecting import Reader, readers, shown, shown_name
from discosql.errors import ArgumentTypeError, InterfaceError, ProgrammingError
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.executor.context import Result
    from discosql.planner.plan import OutputColumn

C = TypeVar("C")

Description: TypeAlias = tuple[tuple[str, Any, None, None, None, None, None], ...]
"""PEP 249's description: seven items a column, of which name and type are given."""

RowFactory: TypeAlias = Callable[[Any, tuple[Any, ...]], Any]
"""Makes a row for the caller of the cursor and the plain tuple."""


class Row(Sequence[Any]):
    """A row that knows its columns' names: ``row[0]``, ``row["name"]`` (in any case), ``dict(row)``. Hashable.

    Set ``connection.row_factory = discosql.Row`` to get them, as with `sqlite3.Row`.
    """

    __slots__ = ("_names", "_values")

    def __init__(self, cursor: CursorBase[Any], values: tuple[Any, ...]) -> None:
        if not issubclass(type(cursor), CursorBase):  # what only says so is none
            raise ArgumentTypeError(f"a row is of a cursor, not of {type(cursor).__name__}")
        if cursor.description is None:
            raise InterfaceError("the cursor has no columns")
        self._names = [column[0] for column in cursor.description]
        self._values = values

    def keys(self) -> list[str]:
        """Return the columns' names."""
        return list(self._names)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            try:
                return self._values[key]
            except TypeError:
                raise IndexError("Index must be int or string") from None
        folded = fold_case(key)
        for name, value in zip(self._names, self._values, strict=True):
            if fold_case(name) == folded:
                return value
        raise IndexError(f"no column named {key}")

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return self._names == other._names and self._values == other._values

    def __hash__(self) -> int:
        return hash((tuple(self._names), self._values))

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={value!r}" for name, value in zip(self._names, self._values, strict=True))
        return f"Row({pairs})"


class CursorBase(Generic[C]):
    """What synchronous and asynchronous cursors share: the result, and taking rows from it.

    `connection` is the connection it belongs to; `arraysize` the default of `fetchmany`; `rowcount` the number of
    changed rows, -1 where there is none to tell; `lastrowid` the rowid of the last inserted row.
    """

    _closed: bool | None = None  # None: not made

    def __init__(self, connection: C) -> None:
        self.connection: Final = connection
        self.arraysize = 1
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.row_factory: RowFactory | None = getattr(connection, "row_factory", None)
        self._readers: Sequence[tuple[int, Reader]] = ()
        self._read_columns: object = None
        self._read_factory: object = None
        self._detect_types: int = getattr(connection, "detect_types", 0)
        self._columns: tuple[OutputColumn, ...] | None = None
        self._description: Description | None = None
        self._rows: list[tuple[Any, ...]] = []
        self._position = 0
        self._closed: bool | None = False

    @property
    def description(self) -> Description | None:
        """The result's columns (PEP 249), None for a statement without rows.

        The type code is the name of the SQL type, such as ``"INTEGER"``, or None where it is not known.
        """
        if self._description is None and self._columns is not None:
            self._description = tuple(
                (
                    shown_name(column.name, self._detect_types),
                    column.type.value if column.type else None,
                    None,
                    None,
                    None,
                    None,
                    None,
                )
                for column in self._columns
            )
        return self._description

    def setinputsizes(self, sizes: Sequence[Any], /) -> None:
        """Do nothing: sizes need not be announced (PEP 249)."""

    def setoutputsize(self, size: int, column: int | None = None, /) -> None:
        """Do nothing: sizes need not be announced (PEP 249)."""

    def _accept(self, result: Result) -> None:
        self._columns = result.columns
        self._description = None
        self._position = 0
        self._rows = result.rows
        if result.columns is not None:
            factory = self._text_factory()
            # A statement that is run again has the very same columns.
            if result.columns is not self._read_columns or factory is not self._read_factory:
                self._readers = readers(result.columns, self._detect_types, factory)
                self._read_columns, self._read_factory = result.columns, factory
            if self._readers:
                self._rows = shown(result.rows, self._readers)
        self.rowcount = result.rowcount
        if result.last_rowid is not None:
            self.lastrowid = result.last_rowid

    def _text_factory(self) -> Any:
        return getattr(self.connection, "text_factory", str)

    def _reset(self) -> None:
        self._columns, self._description, self._rows, self._position, self.rowcount = None, None, [], 0, -1

    def _end(self) -> None:
        """Close; `rowcount` can still be asked for, as in sqlite3."""
        if self._closed is None:
            self._check_open()
        self._closed = True
        rowcount = self.rowcount
        self._reset()
        self.rowcount = rowcount

    def _check_open(self) -> None:
        if self._closed is None:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed cursor.")

    def _check_result(self) -> None:
        self._check_open()
        if self._columns is None:
            raise ProgrammingError("the last statement returns no rows to fetch")

    def _take_one(self) -> Any:
        self._check_result()
        if self._position >= len(self._rows):
            return None
        row = self._rows[self._position]
        self._position += 1
        return row if self.row_factory is None else self.row_factory(self, row)

    def _take(self, size: int | None) -> list[Any]:
        self._check_result()
        end = len(self._rows) if size is None else self._position + max(0, size)
        rows = self._rows[self._position : end]
        self._position = min(end, len(self._rows))
        if self.row_factory is None:
            return rows
        return [self.row_factory(self, row) for row in rows]

    def _take_frame(self, make: Callable[[tuple[OutputColumn, ...], list[tuple[Any, ...]]], Any]) -> Any:
        """Return what a function makes of the columns and all rows that are left."""
        self._check_result()
        assert self._columns is not None
        made = make(self._columns, self._rows[self._position :])
        self._position = len(self._rows)
        return made
