"""Shapes: what the values of a column have in common, for targets whose columns have fixed types.

The type of a table's column says it for most types. DECIMAL needs the digits that its values have, TIMESTAMP whether
they have a zone, ANY and the columns of queries which types there are: then all rows are read once before.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from discosql.adapting import from_value
from discosql.planner.plan import OutputColumn
from discosql.transfer.relations import Relation, Work
from discosql.transfer.text_files import plain
from discosql.types import SqlType, Value

_CERTAIN: Final = frozenset(
    {
        SqlType.INTEGER,
        SqlType.REAL,
        SqlType.TEXT,
        SqlType.BLOB,
        SqlType.BOOLEAN,
        SqlType.DATE,
        SqlType.JSON,
        SqlType.UUID,
    }
)
_CLASSES: Final[dict[SqlType, tuple[type, ...]]] = {
    SqlType.INTEGER: (int,),
    SqlType.REAL: (float,),
    SqlType.TEXT: (str,),
    SqlType.BLOB: (bytes,),
    SqlType.DECIMAL: (Decimal, int),
}
_EXACT: Final = 2**53
_ROOM: Final = 18
_DIGITS: Final = re.compile(r"\(\s*([0-9]{1,3})\s*(?:,\s*([0-9]{1,3})\s*)?\)")


@dataclass(frozen=True, slots=True)
class Shape:
    """A type that all values of a column have: any but NUMERIC and ANY.

    `precision` and `scale` are the digits of a DECIMAL, in all and behind the point. `zoned` tells that moments of a
    TIMESTAMP have a zone; those that have none are in UTC then, as all others are. `mixed`: values of several types,
    to be written as text. `nulls`: some are NULL; None if nobody has looked.
    """

    kind: SqlType
    precision: int = 0
    scale: int = 0
    zoned: bool = False
    mixed: bool = False
    nulls: bool | None = None

    def as_text(self, work: Work, where: str, why: str) -> "Shape":
        """Return the shape of the values as text, and note why."""
        work.warn(f"column {where} is written as text: {why}")
        return replace(self, kind=SqlType.TEXT, mixed=True)

    def within(self, digits: int, work: Work, where: str) -> "Shape":
        """Return the shape for a target whose DECIMALs have at most so many digits: beyond them they are text."""
        if self.kind is not SqlType.DECIMAL or self.precision <= digits:
            return self
        return self.as_text(work, where, f"its numbers take {self.precision} digits")

    def ready(self, values: Sequence[Value], kind: SqlType | None) -> Sequence[Any]:
        """Return values of one class: text of several classes, floats for integers among REALs, and so on."""
        if self.mixed:
            return [None if value is None else plain(value, kind) for value in values]
        convert = _READY.get(self.kind)
        return values if convert is None else [None if value is None else convert(value) for value in values]


_READY: Final[dict[SqlType, Callable[[Any], Any]]] = {
    SqlType.REAL: float,
    SqlType.BOOLEAN: bool,
    SqlType.DECIMAL: Decimal,
}


def shapes_of(work: Work, relation: Relation, *, key: bool = False) -> list[Shape]:
    """Return the shapes of a relation's columns; with `key`, those of its primary key know of NULL."""
    known: list[Shape | None] = [None] * len(relation.columns)
    if relation.table is not None:
        known = [Shape(column.type) if column.type in _CERTAIN else None for column in relation.columns]
        for place in relation.table.primary_key if key else ():
            column = relation.table.columns[place]
            sure = column.not_null or place == relation.table.rowid_column
            shape = known[place]
            known[place] = replace(shape, nulls=False) if sure and shape is not None else None
    places = [place for place, shape in enumerate(known) if shape is None]
    looks = {place: _Look(relation.columns[place]) for place in places}
    if looks:
        done = 0
        for rows in relation.read():
            done += len(rows)
            work.progress(f"{relation.name}, looking at values", done, relation.count)
            columns = list(zip(*rows, strict=True))
            for place, look in looks.items():
                look.at(columns[place])
    return [shape or looks[place].shape(work, relation.name) for place, shape in enumerate(known)]


@dataclass(slots=True)
class _Look:
    """What the values of a column looked at so far are."""

    column: OutputColumn
    _classes: set[type] = field(default_factory=set)
    _fits: bool = True
    _nulls: bool = False
    _whole: int = 1
    _scale: int = 0
    _zones: set[bool] = field(default_factory=set)
    _inexact: bool = False

    def at(self, values: Sequence[Value]) -> None:
        """Look at some more."""
        present = [value for value in values if value is not None]
        self._nulls = self._nulls or len(present) < len(values)
        found = set(map(type, present))
        self._classes |= found
        kind = self.column.type
        if self._fits and kind is not None:
            self._fits = all(_fits(value, kind) for value in present)
        if Decimal in found or kind is SqlType.DECIMAL:
            for value in present:
                if isinstance(value, Decimal | int):
                    self._measure(Decimal(value))
        if kind is SqlType.TIMESTAMP:
            self._zones |= {str(value).endswith("+00:00") for value in present}
        if int in found:
            self._inexact = self._inexact or any(abs(value) > _EXACT for value in present if isinstance(value, int))

    def _measure(self, value: Decimal) -> None:
        _sign, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        self._whole = max(self._whole, len(digits) + exponent)
        self._scale = max(self._scale, -exponent)

    def shape(self, work: Work, table: str) -> Shape:
        """Return the shape of all of them."""
        kind = self._kind()
        digits, scale = self._digits()
        shape = Shape(kind or SqlType.TEXT, digits, scale, True in self._zones, False, self._nulls)
        where = f"{table}.{self.column.name}"
        if kind is None:
            return shape.as_text(work, where, "it has values of several types")
        if kind is SqlType.TIMESTAMP and len(self._zones) > 1:
            work.warn(f"column {where}: moments without a zone are taken as UTC, as others have one")
        return shape

    def _digits(self) -> tuple[int, int]:
        """Return precision and scale, with room for other numbers than those that are there now."""
        declared = _DIGITS.search(self.column.declared)
        scale = max(self._scale, int(declared[2] or 0) if declared else 0)
        room = int(declared[1]) if declared else _ROOM
        return max(self._whole + scale, room), scale

    def _kind(self) -> SqlType | None:
        declared = self.column.type
        if declared is not None and self._fits and declared not in (SqlType.ANY, SqlType.NUMERIC):
            return declared
        if not self._classes:
            return SqlType.TEXT
        for kind, classes in _CLASSES.items():
            if self._classes <= set(classes):
                return kind
        return SqlType.REAL if self._classes == {int, float} and not self._inexact else None


def _fits(value: Value, kind: SqlType) -> bool:
    """Tell whether a value is what a column of a type would store; the type of an expression is an expectation."""
    classes = _CLASSES.get(kind)
    if classes is not None:
        return isinstance(value, classes)
    if kind is SqlType.BOOLEAN:
        return isinstance(value, int) and value in (0, 1)
    return isinstance(value, str) and from_value(value, kind) is not value
