"""Parameters of `executemany`: many sets of them become values of SQL, a column at a time where that can be."""

import datetime
import math
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from types import NoneType
from typing import Any, Final

from discosql.adapting import PrepareProtocol, adapters, to_value
from discosql.errors import DataError
from discosql.planner.parse import bind_parameters
from discosql.types import MAX_INTEGER, MIN_INTEGER, Value

_SLAB: Final = 1_024
"""Sets of parameters that are looked at together: as many as stay in the processor's cache."""

_OWN: Final = frozenset(
    {NoneType, bool, int, float, str, bytes, Decimal, datetime.datetime, datetime.date, datetime.time, uuid.UUID}
)
"""Types whose conversion runs no code of anybody else, so that its order does not show."""


def bind_many(
    names: Sequence[str | None], rows: Iterable[Sequence[Any] | Mapping[str, Any]]
) -> Generator[None, object, list[tuple[Value, ...]]]:
    """Return the values for a statement's parameters of each set, as `bind_parameters` and `to_value` give them.

    Steps of a session: it yields a tick after every few sets.
    """
    bound: list[tuple[Value, ...]] = []
    given = iter(rows)
    while some := list(islice(given, _SLAB)):
        bound += _bind_by_column(len(names), some) or [
            tuple(map(to_value, bind_parameters(names, row))) for row in some
        ]
        yield None
    return bound


def _bind_by_column(count: int, rows: list[Any]) -> list[tuple[Value, ...]] | None:
    """Return the values of sets given by place, None if each set needs a look of its own."""
    if not count or not set(map(type, rows)) <= {tuple, list} or set(map(len, rows)) != {count}:
        return None
    columns = list(zip(*rows, strict=True))
    types = [frozenset(map(type, values)) for values in columns]
    found = frozenset().union(*types)
    if not found <= _OWN or (adapters and any((kind, PrepareProtocol) in adapters for kind in found)):
        return None
    plain = [_are_values(values, kinds) for values, kinds in zip(columns, types, strict=True)]
    if all(plain):
        return list(map(tuple, rows))
    try:
        done = [values if fit else list(map(to_value, values)) for values, fit in zip(columns, plain, strict=True)]
    except DataError:
        return None  # an earlier set may have a fault, too
    return list(zip(*done, strict=True))


def _are_values(values: Sequence[Any], kinds: frozenset[type]) -> bool:
    """Tell whether objects of these types are certain to be values of SQL as they are."""
    if len(kinds) == 2 and NoneType in kinds:
        values = [value for value in values if value is not None]
        kinds -= {NoneType}
    if len(kinds) != 1:
        return False
    (kind,) = kinds
    try:
        if kind is int:
            return bool(min(values) >= MIN_INTEGER and max(values) <= MAX_INTEGER)
        if kind is str:
            "".join(values).encode()
        elif kind is float:
            return not math.isnan(sum(values))
        else:
            return kind in (NoneType, bytes)
    except UnicodeEncodeError:
        return False
    return True
