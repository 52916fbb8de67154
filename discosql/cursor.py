"""The cursor of synchronous connections (PEP 249)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

from discosql.connection import ConnectionBase
from discosql.errors import ArgumentTypeError
from discosql.rows import CursorBase

if TYPE_CHECKING:
    from discosql.dbapi import Connection
    from discosql.session import Parameters


class Cursor(CursorBase["Connection"]):
    """Runs statements and holds the rows of the last one; also an iterator over them."""

    def __init__(self, connection: Connection) -> None:
        if not isinstance(connection, ConnectionBase):
            raise ArgumentTypeError(f"a cursor is of a connection, not of {type(connection).__name__}")
        super().__init__(connection)

    def execute(self, sql: str, parameters: Parameters = (), /) -> Self:
        """Run one statement and return the cursor.

        Parameters are a sequence for ``?`` and a mapping for ``:name``.
        """
        self._check_open()
        self._reset()
        connection = self.connection
        self._accept(connection._run(lambda: connection._session.execute(sql, parameters)))
        return self

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Self:
        """Run one statement that changes rows for each set of parameters: all or nothing, in one commit."""
        self._check_open()
        self._reset()
        connection = self.connection
        self._accept(connection._run(lambda: connection._session.execute_many(sql, parameters)))
        return self

    def executescript(self, script: str, /) -> Self:
        """Commit an open transaction, then run every statement of a text."""
        self._check_open()
        self._reset()
        connection = self.connection
        connection._run(lambda: connection._session.execute_script(script))
        return self

    def fetchone(self) -> Any:
        """Return the next row, None at the end."""
        return self._take_one()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next `size` rows (default `arraysize`), fewer at the end."""
        return self._take(self.arraysize if size is None else size)

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        return self._take(None)

    def fetch_arrow_table(self) -> Any:
        """Return all rows that are left as a `pyarrow.Table`. Raises NotSupportedError without the extra ``arrow``."""
        from discosql.frames import arrow_table

        return self._take_frame(arrow_table)

    def fetch_df(self) -> Any:
        """Return all rows that are left as a `pandas.DataFrame`.

        Raises NotSupportedError without the extra ``pandas``.
        """
        from discosql.frames import data_frame

        return self._take_frame(data_frame)

    def close(self) -> None:
        """Close the cursor; it cannot be used afterwards."""
        self._end()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = self._take_one()
        if row is None:
            raise StopIteration
        return row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
