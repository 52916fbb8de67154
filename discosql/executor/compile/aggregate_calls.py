"""Code for aggregate calls over the gathered items of one group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final

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
    variable,
)
from discosql.executor.compile.pipe import Pipe
from discosql.executor.compile.producer import Producer
from discosql.executor.compile.sorting import sort_key_name
from discosql.planner.plan import Aggregate, AggregateCall


@dataclass(frozen=True, slots=True)
class GroupCode:
    """How the items of a group are read.

    `parts` are the codes that were gathered, `places` where in an item each is (none: the item is the value itself),
    `spans` for each call where its arguments start, where its filter and sort keys start, and where they end. With
    `sharing`, lists that several calls may use are put into variables.
    """

    name: str
    parts: tuple[Code, ...]
    places: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]
    keys: int
    sharing: bool = True

    def named(self, name: str) -> GroupCode:
        """Return the same for a group in another variable."""
        return replace(self, name=name)

    def read(self, part: int, item: str = "x") -> str:
        """Return the text that reads a part of an item."""
        return f"{item}[{self.places[part]}]" if self.places else item

    def first(self, part: int) -> Code:
        """Return the code of a part of the group's first item."""
        text = self.read(part, f"{self.name}[0]")
        return Code(text, self.parts[part].kind, simple=True, names=frozenset((self.name,)))


def _call(producer: Producer, function: Callable[..., Any], values: Code, kind: Kind, more: str = "") -> Code:
    name = producer.module.runtime(function)
    return Code(f"{name}({values.text}{more})", kind, depth=values.depth + 1, names=values.names)


def call_code(producer: Producer, node: Aggregate, group: GroupCode, place: int, pipe: Pipe) -> tuple[Pipe, Code]:
    """Return the code of a call's result, and the pipe with the variables that it needs."""
    call = node.calls[place]
    start, middle, end = group.spans[place]
    if call.bare:
        return pipe, _bare(producer, node, group, start)
    items = group.name
    if call.order_by:
        items = _ordered(producer, call, group, items, end)
    condition = f" if {group.read(middle)}" if call.filter is not None else ""
    if call.name == "count" and not call.arguments:
        counted = f"len([1 for x in {items}{condition}])" if condition else f"len({items})"
        return pipe, Code(counted, INTEGER, depth=2, names=frozenset((group.name,)))
    inline = _FINISHES.get(call.name) if middle - start == 1 else None
    if inline is None:
        return pipe, _registered(producer, call, group, place, f"{items}{condition}")
    pipe, values = _values(producer, call, group, start, items, condition, pipe)
    empty_possible = not node.keys or bool(condition) or group.parts[start].may_be(NULL)
    return pipe, inline(producer, call, values, empty_possible)


def _ordered(producer: Producer, call: AggregateCall, group: GroupCode, items: str, end: int) -> str:
    first = end - len(call.order_by)
    terms = tuple(
        (group.places[first + number], key.descending, key.nulls_first) for number, key in enumerate(call.order_by)
    )
    return f"{producer.module.runtime(aggregating.ordered)}({items}, {producer.module.constant(terms)})"


def _values(
    producer: Producer, call: AggregateCall, group: GroupCode, part: int, items: str, condition: str, pipe: Pipe
) -> tuple[Pipe, Code]:
    """Return the code of the list of a call's values without NULL, in a variable where calls can share it."""
    code = group.parts[part]
    read = group.read(part)
    if code.may_be(NULL):
        condition += f"{' and' if condition else ' if'} {read} is not None"
    kind = code.kind & ~NULL
    if not condition and read == "x":
        values = Code(items, kind, simple=True, names=frozenset((group.name,)))
    else:
        text = f"[{read} for x in {items}{condition}]"
        values = Code(text, kind, depth=2, names=frozenset((group.name,)))
        if group.sharing:
            pipe, values = _shared(producer, pipe, values)
    if call.distinct and call.name not in ("min", "max"):
        values = _without_doubles(producer, call, values)
    return pipe, values


def _shared(producer: Producer, pipe: Pipe, code: Code) -> tuple[Pipe, Code]:
    for clause in pipe.clauses:
        if clause.kind == "let" and clause.code.text == code.text:
            return pipe, variable(clause.name, code.kind)
    name = producer.function.name("a")
    return pipe.let(name, code), variable(name, code.kind)


def _without_doubles(producer: Producer, call: AggregateCall, values: Code) -> Code:
    if call.collation == "BINARY" or not values.may_be(TEXT):
        text = f"list(dict.fromkeys({values.text}))"
        return Code(text, values.kind, depth=values.depth + 2, names=values.names)
    return _call(
        producer, aggregating.without_doubles, values, values.kind, f", {sort_key_name(producer, call.collation)}"
    )


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


def _registered(producer: Producer, call: AggregateCall, group: GroupCode, place: int, items: str) -> Code:
    """Return the code that runs an aggregate function of the registry over a group."""
    start, middle, _ = group.spans[place]
    function = producer.module.registry.aggregate(call.name, middle - start)
    if function is None:
        raise InternalError(f"no such aggregate function: {call.name}")
    factory = _factory(producer, call, function)
    reads = [group.read(part) for part in range(start, middle)]
    if len(reads) == 1:
        values = f"[{reads[0]} for x in {items}]"
        if call.distinct:
            values = f"{producer.module.runtime(aggregating.without_doubles)}({values}, {sort_key_name(producer, call.collation)})"
        run = aggregating.aggregate_values
    else:
        values = f"[({', '.join(reads)}{',' if reads else ''}) for x in {items}]"
        run = aggregating.aggregate_rows
    text = f"{producer.module.runtime(run)}({factory}, {values})"
    kind = ANYTHING | (JSON if function.json else 0)
    return producer.scope({}).normal(Code(text, kind, depth=3, names=frozenset((group.name,))))


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
        items = f"[x for x in {name} if {group.read(middle)}]" if call.filter is not None else name
        place = itemgetter(group.places[start]) if group.places else aggregating.identity
        function = producer.module.runtime(aggregating.best_row)
        arguments = (
            f"{producer.module.constant(place)}, {call.name == 'max'}, {sort_key_name(producer, call.collation)}"
        )
        text, kind = group.read(part, f"{function}({items}, {arguments})"), group.parts[part].kind
    if node.keys:
        return Code(text, kind, depth=4, names=names)
    return Code(f"({text} if {name} else None)", kind | NULL, depth=5, names=names)
