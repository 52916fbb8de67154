"""Code for aggregates without GROUP BY.

Counts, sums and extremes are brought up to date with each batch of rows, over lists of values that one comprehension
makes; nothing of the batch is kept. Other functions need all their values, which are gathered as for GROUP BY.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from discosql.executor import aggregating
from discosql.executor.compile.aggregate_calls import call_code
from discosql.executor.compile.code import (
    BLOB,
    DECIMAL,
    INTEGER,
    NAN,
    NULL,
    NUMBER,
    PLAIN,
    REAL,
    TEXT,
    Code,
    Kind,
    compose,
    variable,
)
from discosql.executor.compile.gathering import gathered_item
from discosql.executor.compile.pipe import Pipe
from discosql.executor.compile.producer import Consumer, Producer
from discosql.executor.compile.scope import Guards
from discosql.executor.compile.walk import references
from discosql.planner.plan import Aggregate, AggregateCall

_FOLDED: Final = frozenset({"count", "sum", "avg", "total", "min", "max"})


def write_single_group(producer: Producer, node: Aggregate, consume: Consumer) -> None:
    """Write an Aggregate without keys; it has one row, even of no rows."""
    write = _folded if all(_folds(producer, call) for call in node.calls) else _gathered
    columns = write(producer, node)
    pipe = Pipe({})
    by_id: dict[int, Code] = {}
    for column, code in zip(node.output, columns, strict=True):
        if not code.simple and producer.module.uses.get(column.id, 0) > 1:
            name = producer.function.name("v")
            pipe, code = pipe.let(name, code), variable(name, code.kind)
        by_id[column.id] = code
    consume(pipe.with_columns(by_id))


def _folds(producer: Producer, call: AggregateCall) -> bool:
    if call.name not in _FOLDED or len(call.arguments) > 1 or call.bare or call.collation != "BINARY":
        return False
    if call.distinct and call.name not in ("min", "max"):
        return False
    return producer.module.is_built_in(call.name, len(call.arguments))


# Gathering all rows ------------------------------------------------------------------------------------------------


def _gathered(producer: Producer, node: Aggregate) -> list[Code]:
    name = producer.function.name("group")
    producer.function.line(f"{name} = []")
    columns: list[Code] = []

    def gather(pipe: Pipe) -> None:
        item, group = gathered_item(producer, node.calls, pipe)
        group = group.named(name)
        producer.extend(name, pipe, item)
        for place in range(len(node.calls)):
            columns.append(call_code(producer, node, group, place, lambda values: values))

    with producer.without_factors():
        producer.produce(node.child, references(*node.calls), gather)
    return columns


# Folding batches -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stream:
    """Values that calls take in: code that is right where the conditions hold; None: the rows themselves."""

    conditions: Guards
    code: Code | None

    @property
    def key(self) -> tuple[str, ...]:
        """What streams of the same values have in common."""
        return (*[condition.text for condition in self.conditions], self.code.text if self.code is not None else "")


def _folded(producer: Producer, node: Aggregate) -> list[Code]:
    initial = producer.function.reserve()
    columns: list[Code] = []

    def fold(pipe: Pipe) -> None:
        streams = [_stream(producer, call, pipe) for call in node.calls]
        if _needs_cut(pipe, streams):
            pipe = producer.cut(pipe, references(*node.calls))
            streams = [_stream(producer, call, pipe) for call in node.calls]
        lists: dict[tuple[str, ...], Code] = {}
        for stream in sorted(streams, key=lambda stream: stream.code is None):
            if stream.key not in lists:
                lists[stream.key] = _values(producer, pipe, stream, lists)
        for call, stream in zip(node.calls, streams, strict=True):
            columns.append(_FOLDS[call.name](producer, call, lists[stream.key], initial))

    with producer.without_factors():
        producer.produce(node.child, references(*node.calls), fold)
    return columns


def _stream(producer: Producer, call: AggregateCall, pipe: Pipe) -> _Stream:
    conditions: list[Code] = []
    if call.filter is not None:
        conditions.append(producer.truth(call.filter, pipe))
    if not call.arguments:
        return _Stream(tuple(conditions), None)
    (argument,) = call.arguments
    scope = producer.scope(pipe.columns)
    scope.prepare(argument)
    guards, code = scope.guarded(argument)
    conditions += guards
    if code.kind & NAN:
        first, code = scope.named(code)
        conditions.append(compose("{} == {}", first, code, kind=INTEGER))
        code = code.with_kind(code.kind & ~NAN)
    return _Stream(tuple(conditions), scope.normal(code))


def _is_plain(pipe: Pipe) -> bool:
    return len(pipe.clauses) == 1 and pipe.clauses[0].kind == "for" and pipe.clauses[0].code.simple


def _needs_cut(pipe: Pipe, streams: Sequence[_Stream]) -> bool:
    """Whether the rows of a pipe should be kept in a list first, because they are gone through several times."""
    if _is_plain(pipe):
        return False
    valued = {stream.key: stream for stream in streams if stream.code is not None or stream.conditions}
    counted = any(stream.code is None and not stream.conditions for stream in streams)
    return len(valued) > 1 or (counted and any(stream.conditions for stream in valued.values()))


def _values(producer: Producer, pipe: Pipe, stream: _Stream, lists: dict[tuple[str, ...], Code]) -> Code:
    """Write code that makes the list of a stream's values; return its code with the kind of the values."""
    kind = stream.code.kind if stream.code is not None else 0
    if stream.code is None and not stream.conditions:
        if _is_plain(pipe):
            return pipe.clauses[0].code
        for key, values in lists.items():
            if len(key) == 1:
                return values
    if (
        _is_plain(pipe)
        and stream.code is not None
        and not stream.conditions
        and stream.code.text == pipe.clauses[0].name
    ):
        return pipe.clauses[0].code.with_kind(kind)
    name = producer.function.name("a")
    producer.function.line(f"{name} = []")
    for condition in stream.conditions:
        pipe = pipe.where(condition)
    producer.extend(name, pipe, stream.code or Code("1", INTEGER, simple=True))
    return variable(name, kind)


Initial = Callable[[str], None]


def _text(text: str, kind: Kind, *names: str) -> Code:
    return Code(text, kind, depth=2, names=frozenset(names))


def _fold_count(producer: Producer, call: AggregateCall, values: Code, initial: Initial) -> Code:
    name = producer.function.name("n")
    initial(f"{name} = 0")
    producer.function.line(f"{name} += len({values.text})")
    return variable(name, INTEGER)


def _fold_sum(producer: Producer, call: AggregateCall, values: Code, initial: Initial) -> Code:
    name, module = producer.function.name("s"), producer.module
    if values.only(INTEGER):
        initial(f"{name} = None")
        producer.function.line(f"{name} = {module.runtime(aggregating.add_integers)}({name}, {values.text})")
        return variable(name, INTEGER | NULL)
    _keep_parts(producer, name, values, initial)
    if values.only(REAL):
        return _text(f"{module.runtime(aggregating.sum_reals)}({name})", REAL | NULL, name)
    kind = PLAIN | values.kind & DECIMAL | NULL
    return _text(f"{module.runtime(aggregating.sum_values)}({name})", kind, name)


def _keep_parts(producer: Producer, name: str, values: Code, initial: Initial) -> None:
    """Write code that keeps the sum of each batch of REAL values, and all other values."""
    function = producer.function
    initial(f"{name} = []")
    if values.only(REAL):
        with function.block(f"if {values.text}:"):
            function.line(f"{name}.append({producer.module.runtime(aggregating.part_of_sum)}({values.text}))")
    else:
        function.line(f"{name} += {values.text}")


def _fold_total(producer: Producer, call: AggregateCall, values: Code, initial: Initial) -> Code:
    name = producer.function.name("s")
    _keep_parts(producer, name, values, initial)
    function = aggregating.total_reals if values.only(REAL) else aggregating.total_values
    return _text(f"{producer.module.runtime(function)}({name})", REAL | NULL, name)


def _fold_average(producer: Producer, call: AggregateCall, values: Code, initial: Initial) -> Code:
    name, count, function = producer.function.name("s"), producer.function.name("n"), producer.function
    if values.only(INTEGER) or values.only(REAL):
        initial(f"{count} = 0")
        function.line(f"{count} += len({values.text})")
    if values.only(INTEGER):
        initial(f"{name} = 0")
        function.line(f"{name} += sum({values.text})")
        return _text(f"(float({name}) / {count} if {count} else None)", REAL | NULL, name, count)
    _keep_parts(producer, name, values, initial)
    if values.only(REAL):
        average = producer.module.runtime(aggregating.average_of_parts)
        return _text(f"{average}({name}, {count})", REAL | NULL, name, count)
    kind = REAL | values.kind & DECIMAL | NULL
    return _text(f"{producer.module.runtime(aggregating.average_values)}({name})", kind, name)


def _fold_extreme(producer: Producer, call: AggregateCall, values: Code, initial: Initial) -> Code:
    name, function = producer.function.name("m"), producer.function
    initial(f"{name} = None")
    with function.block(f"if {values.text}:"):
        if any(values.only(kind) for kind in (NUMBER, TEXT, BLOB)):
            best = f"{call.name}({values.text})"
            function.line(f"{name} = {best} if {name} is None else {call.name}({name}, {best})")
        else:
            choose = producer.module.runtime(aggregating.least if call.name == "min" else aggregating.greatest)
            function.line(f"{name} = {choose}({values.text} if {name} is None else [{name}, *{values.text}])")
    return variable(name, values.kind | NULL)


_FOLDS: Final = {
    "count": _fold_count,
    "sum": _fold_sum,
    "total": _fold_total,
    "avg": _fold_average,
    "min": _fold_extreme,
    "max": _fold_extreme,
}
