"""Code for aggregate calls over the gathered items of one group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final, TypeAlias

from discosql.errors import InternalError
from discosql.executor import aggregating
from discosql.executor.compile.code import (
    ANYTHING,
    BLOB,
    DECIMAL,
    INTEGER,
    JSON,
    NULL,
    NUMBER,
    PLAIN,
    REAL,
    TEXT,
    Code,
    Kind,
)
from discosql.executor.compile.producer import Producer
from discosql.executor.compile.sorting import sort_key_name
from discosql.planner.plan import Aggregate, AggregateCall, WindowCall


@dataclass(frozen=True, slots=True)
class GroupCode:
    """How the items of a group are read.

    `parts` are the codes that were gathered, `places` where in an item each is (none: the item is the value itself),
    `spans` for each call where its arguments start, where its filter and sort keys start, and where they end.
    """

    name: str
    parts: tuple[Code, ...]
    places: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]

    def named(self, name: str) -> GroupCode:
        """Return the same for a group in another variable."""
        return replace(self, name=name)

    def read(self, part: int, item: str = "x") -> str:
        """Return the text that reads a part of an item."""
        return f"{item}[{self.places[part]}]" if self.places else item


def _call(producer: Producer, function: Callable[..., Any], values: Code, kind: Kind, more: str = "") -> Code:
    name = producer.module.runtime(function)
    return Code(f"{name}({values.text}{more})", kind, depth=values.depth + 1, names=values.names)


Sharing: TypeAlias = Callable[[Code], Code]
"""Puts a list into a variable that the calls of one group can share, and returns the code that reads it."""


def call_code(producer: Producer, node: Aggregate, group: GroupCode, place: int, share: Sharing) -> Code:
    """Return the code of a call's result for one group."""
    call = node.calls[place]
    start, middle, end = group.spans[place]
    if call.bare:
        return _bare(producer, node, group, start)
    items = _ordered(producer, call, group, end) if call.order_by else group.name
    condition = f" if {group.read(middle)}" if call.filter is not None else ""
    built_in = producer.module.is_built_in(call.name, middle - start)
    if built_in and call.name == "count" and not call.arguments:
        counted = f"len([1 for x in {items}{condition}])" if condition else f"len({items})"
        return Code(counted, INTEGER, depth=2, names=frozenset((group.name,)))
    inline = _FINISHES.get(call.name) if built_in and middle - start == 1 else None
    if inline is None:
        return _registered(producer, call, group, place, f"{items}{condition}")
    values = _values(group, start, items, condition, share)
    if call.distinct and call.name not in ("min", "max"):
        values = _without_doubles(producer, call, values)
    may_be_empty = not node.keys or bool(condition) or group.parts[start].may_be(NULL)
    return inline(producer, call, values, may_be_empty)


def _ordered(producer: Producer, call: AggregateCall, group: GroupCode, end: int) -> str:
    """Return the code of a group's items in the order that a call wants."""
    first = end - len(call.order_by)
    terms = tuple(
        (group.places[first + number], key.descending, key.nulls_first) for number, key in enumerate(call.order_by)
    )
    return f"{producer.module.runtime(aggregating.ordered)}({group.name}, {producer.module.constant(terms)})"


def _values(group: GroupCode, part: int, items: str, condition: str, share: Sharing) -> Code:
    """Return the code of the list of a call's values without NULL."""
    code = group.parts[part]
    read = group.read(part)
    if code.may_be(NULL):
        condition += f"{' and' if condition else ' if'} {read} is not None"
    kind, names = code.kind & ~NULL, frozenset((group.name,))
    if not condition and read == "x":
        return Code(items, kind, simple=True, names=names)
    return share(Code(f"[{read} for x in {items}{condition}]", kind, depth=2, names=names))


def _without_doubles(producer: Producer, call: AggregateCall, values: Code) -> Code:
    if call.collation == "BINARY" or not values.may_be(TEXT):
        text = f"list(dict.fromkeys({values.text}))"
        return Code(text, values.kind, depth=values.depth + 2, names=values.names)
    key = sort_key_name(producer, call.collation)
    return _call(producer, aggregating.without_doubles, values, values.kind, f", {key}")


# The functions that need no object ---------------------------------------------------------------------------------


def _count(producer: Producer, call: AggregateCall, values: Code, may_be_empty: bool) -> Code:
    return Code(f"len({values.text})", INTEGER, depth=values.depth + 1, names=values.names)


def _sum(producer: Producer, call: AggregateCall, values: Code, may_be_empty: bool) -> Code:
    empty = NULL if may_be_empty else 0
    if values.only(INTEGER):
        return _call(producer, aggregating.sum_integers, values, INTEGER | empty)
    if values.only(REAL):
        return _call(producer, aggregating.sum_reals, values, REAL | NULL)
    return _call(producer, aggregating.sum_values, values, PLAIN | values.kind & DECIMAL | NULL)


def _total(producer: Producer, call: AggregateCall, values: Code, may_be_empty: bool) -> Code:
    function = aggregating.total_reals if values.only(REAL) else aggregating.total_values
    return _call(producer, function, values, REAL | NULL)


def _average(producer: Producer, call: AggregateCall, values: Code, may_be_empty: bool) -> Code:
    if values.only(INTEGER):
        return _call(producer, aggregating.average_integers, values, REAL | (NULL if may_be_empty else 0))
    if values.only(REAL):
        return _call(producer, aggregating.average_reals, values, REAL | NULL)
    return _call(producer, aggregating.average_values, values, REAL | values.kind & DECIMAL | NULL)


def _extreme(producer: Producer, call: AggregateCall, values: Code, may_be_empty: bool) -> Code:
    kind = values.kind | (NULL if may_be_empty else 0)
    plain = any(values.only(kind) for kind in (NUMBER, TEXT, BLOB))
    if plain and (call.collation == "BINARY" or not values.may_be(TEXT)):
        default = ", default=None" if may_be_empty else ""
        text = f"{call.name}({values.text}{default})"
        return Code(text, kind, depth=values.depth + 1, names=values.names)
    function = aggregating.least if call.name == "min" else aggregating.greatest
    return _call(producer, function, values, kind, f", {sort_key_name(producer, call.collation)}")


_FINISHES: Final = {
    "count": _count,
    "sum": _sum,
    "total": _total,
    "avg": _average,
    "min": _extreme,
    "max": _extreme,
}


# Other functions, and bare columns -----------------------------------------------------------------------------------


def takes_json(producer: Producer, call: AggregateCall | WindowCall) -> bool:
    """Return whether a call is of a function that tells JSON from other text."""
    function = producer.module.registry.aggregate(call.name, len(call.arguments))
    return function is not None and function.json


def _registered(producer: Producer, call: AggregateCall, group: GroupCode, place: int, items: str) -> Code:
    """Return the code that runs an aggregate function of the registry over a group."""
    start, middle, _ = group.spans[place]
    module = producer.module
    function = module.registry.aggregate(call.name, middle - start)
    if function is None:
        raise InternalError(f"no such aggregate function: {call.name}")
    factory = _factory(producer, call, function)
    reads = [group.read(part) for part in range(start, middle)]
    if len(reads) == 1:
        run, values = module.runtime(aggregating.aggregate_values), f"[{reads[0]} for x in {items}]"
    else:
        run, values = module.runtime(aggregating.aggregate_rows), f"[({', '.join([*reads, ''])}) for x in {items}]"
    if call.distinct:
        key = sort_key_name(producer, call.collation)
        values = f"{module.runtime(aggregating.without_doubles)}({values}, {key})"
    kind = ANYTHING | (JSON if function.json else 0)
    return Code(f"{run}({factory}, {values})", kind, depth=3, names=frozenset((group.name,)))


def _factory(producer: Producer, call: AggregateCall, function: Any) -> str:
    """Return the name of what makes the state of a group."""
    if call.collation == "BINARY" or function.collated is None:
        return producer.module.constant(function.factory, "f")
    make = producer.module.constant(function.collated, "f")
    return producer.function.local(producer.function.name("make"), f"{make}({sort_key_name(producer, call.collation)})")


def _bare(producer: Producer, node: Aggregate, group: GroupCode, part: int) -> Code:
    """Return the code of a bare column: its value in the row of the only min() or max(), or in the first row."""
    extremes = [number for number, call in enumerate(node.calls) if call.name in ("min", "max") and not call.bare]
    name, names = group.name, frozenset((group.name,))
    if len(extremes) != 1:
        text, kind = group.read(part, f"{name}[0]"), group.parts[part].kind
    else:
        call = node.calls[extremes[0]]
        start, middle, _ = group.spans[extremes[0]]
        items = name
        if call.filter is not None:  # where it lets no row through, the first row counts
            items = f"([x for x in {name} if {group.read(middle)}] or {name}[:1])"
        place = itemgetter(group.places[start]) if group.places else aggregating.identity
        function = producer.module.runtime(aggregating.best_row)
        arguments = (
            f"{producer.module.constant(place)}, {call.name == 'max'}, {sort_key_name(producer, call.collation)}"
        )
        text, kind = group.read(part, f"{function}({items}, {arguments})"), group.parts[part].kind
    if node.keys:
        return Code(text, kind, depth=4, names=names)
    return Code(f"({text} if {name} else None)", kind | NULL, depth=5, names=names)
