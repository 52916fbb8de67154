"""Keys of indexes: read from rows, made comparable, and the maps that find rows by them.

Storage knows no SQL: what computes the keys of an index over expressions is given to it by `compile_keys_with`.

Two keys are equal as SQL has it (1 = 1.0, text under the column's collation), which is Python's equality once text is
collated. A key with a NULL in it equals none and is None here. The key of one column is its bare value.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, Final, TypeAlias

from discosql.schema import ComputedIndex, Index, TableSchema
from discosql.types import Row, collate

KeyReader: TypeAlias = Callable[[Row], Any]

KeyCompiler: TypeAlias = Callable[[TableSchema, ComputedIndex], KeyReader]
"""What makes the function that computes an index's key of a stored row; None for a row that is not in the index."""

_MIN_STALE: Final = 1_024
_MOST_COMPILED: Final = 256

_compilers: Final[list[KeyCompiler]] = []
_compiled: Final[dict[tuple[int, int], tuple[TableSchema, KeyReader]]] = {}


def compile_keys_with(compiler: KeyCompiler) -> None:
    """Set what reads the SQL of indexes over expressions, for all databases of the process."""
    _compilers[:] = [compiler]


def key_reader(schema: TableSchema, index: Index | ComputedIndex) -> KeyReader:
    """Return the function that reads an index's key from a stored row; None for a key that equals none."""
    if isinstance(index, ComputedIndex):
        return _computed_reader(schema, index)
    # In a stored row the rowid comes before the columns.
    return _reader(tuple(position + 1 for position in index.columns), index.collations)


def _computed_reader(schema: TableSchema, index: ComputedIndex) -> KeyReader:
    # A schema is immutable and lives as long as it is remembered here, so that its identity stands for it.
    place = id(schema), index.id
    known = _compiled.get(place)
    if known is None:
        while len(_compiled) >= _MOST_COMPILED:
            _compiled.pop(next(iter(_compiled)), None)
        known = _compiled[place] = schema, _compilers[0](schema, index)
    return known[1]


def key_maker(index: Index | ComputedIndex) -> KeyReader:
    """Return the function that makes a comparable key of values given for the index's columns."""
    return _reader(tuple(range(len(index.columns))), index.collations)


def _reader(positions: tuple[int, ...], collations: tuple[str, ...]) -> KeyReader:
    plain = all(collation == "BINARY" for collation in collations)
    if len(positions) == 1:
        read = itemgetter(positions[0])
        return read if plain else lambda row: collate(read(row), collations[0])
    return _many_reader(positions, () if plain else collations)


def _many_reader(positions: tuple[int, ...], collations: tuple[str, ...]) -> KeyReader:
    read = itemgetter(*positions)

    def read_key(row: Row) -> Any:
        key = read(row)
        if None in key:
            return None
        return tuple(map(collate, key, collations)) if collations else key

    return read_key


class IndexMap:
    """Rowids by key for an index; shared by the versions of a table, so it only ever grows.

    It may name rows twice, or rows that a version has no longer, not yet or under another key: who looks up checks the
    row. What it must not do is miss one.
    """

    __slots__ = ("_rowids", "read", "stale")

    def __init__(self, read: KeyReader) -> None:
        self.read = read
        self.stale = 0
        self._rowids: dict[Any, int | list[int]] = {}

    def add_all(self, rows: Iterable[Row | None]) -> None:
        """Note the keys of rows."""
        rowids, read = self._rowids, self.read
        for row in rows:
            if row is None or (key := read(row)) is None:
                continue
            known = rowids.setdefault(key, row[0])
            if known is not row[0] and known != row[0]:
                if isinstance(known, int):
                    rowids[key] = [known, row[0]]
                else:
                    known.append(row[0])

    def get(self, key: Any) -> int | list[int] | None:
        """Return the rowids that may have a key."""
        return self._rowids.get(key)

    def __len__(self) -> int:
        return len(self._rowids)

    def is_worn(self, live: int) -> bool:
        """Tell whether so much in the map is outdated that it should be built anew."""
        return self.stale > max(_MIN_STALE, live)
