"""Which type a column of a SQLite file gets: the declared one if it holds all values that are stored, else another.

SQLite's types are a habit of columns, not a rule (https://www.sqlite.org/datatype3.html); those of discosql are rules.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from discosql.conversion import convert
from discosql.errors import DataError
from discosql.types import SqlType, Value, declared_type, to_numeric

_CLASSES: Final[dict[type, SqlType]] = {
    int: SqlType.INTEGER,
    float: SqlType.REAL,
    str: SqlType.TEXT,
    bytes: SqlType.BLOB,
}
_OF_ONE_CLASS: Final = {kind: python for python, kind in _CLASSES.items()}
_OF_ANY_CLASS: Final = frozenset({SqlType.ANY})
_REMEMBERED: Final = 65_536


class ColumnValues:
    """What is known of the values of a column. `type` is what a column for all of them has."""

    def __init__(self, declared: str) -> None:
        self.declared = declared_type(declared)
        self._classes: set[type] = set()
        self._fits = True
        self._is_numeric = True
        self._known: set[tuple[type, Value]] = set()

    def add(self, values: Sequence[Any]) -> None:
        """Look at some values."""
        if self.declared in _OF_ANY_CLASS:
            return
        classes = set(map(type, values)) - {type(None)}
        self._classes |= classes
        only = _OF_ONE_CLASS.get(self.declared)
        if only is not None:
            self._fits = self._fits and classes <= {only}
            if self._fits:
                return
        # An int and a float that are equal are not the same value.
        fresh = {(type(value), value) for value in values} - self._known
        self._fits = self._fits and all(_keeps(value, self.declared) for _class, value in fresh)
        self._is_numeric = self._is_numeric and all(_keeps(value, SqlType.NUMERIC) for _class, value in fresh)
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known = set()
        self._known |= fresh

    def add_default(self, value: Any) -> None:
        """Look at the value that rows get which are given none."""
        try:
            convert(value, self.declared, "")
        except DataError:
            self._fits = False
            self._classes.add(type(value))

    @property
    def type(self) -> SqlType:
        """The declared type if it keeps all values as they are, else the narrowest other one that does."""
        if self._fits:
            return self.declared
        if len(self._classes) == 1:
            return _CLASSES[next(iter(self._classes))]
        return SqlType.NUMERIC if self._is_numeric and self.declared.affinity.is_numeric else SqlType.ANY


def _keeps(value: Any, kind: SqlType) -> bool:
    """Tell whether a column of a type gives back what is put in: the same, or what the type means by it."""
    if value is None:
        return True
    if kind is SqlType.NUMERIC:
        return type(to_numeric(value)) is type(value)
    try:
        stored = convert(value, kind, "")
    except DataError:
        return False
    if type(stored) is type(value):
        return stored == value or (kind is SqlType.TIMESTAMP and _spelled(stored) == _spelled(value))
    if kind is SqlType.DECIMAL and isinstance(value, int | float):
        return isinstance(stored, Decimal) and type(value)(stored) == value
    return kind is SqlType.JSON and isinstance(value, int)


def _spelled(moment: object) -> str:
    """Return a moment with what may be written in several ways written in one."""
    text = str(moment).replace("T", " ", 1)
    text = f"{text[:-1]}+00:00" if text.endswith("Z") else text
    clock, mark, zone = text.partition("+")
    return (clock.rstrip("0").rstrip(".") if "." in clock else clock) + mark + zone
