"""Code for Window: the rows are sorted and split into partitions, and each call computes a list of results.

Calls with the same partitions and order share one sort. As in SQLite the first of these comes last, so that the rows
come out in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final

from discosql.executor import running
from discosql.executor import windows as runtime
from discosql.executor.compile.aggregate_calls import GroupCode, call_code, takes_json
from discosql.executor.compile.code import (
    ANYTHING,
    BLOB,
    INTEGER,
    NULL,
    NUMBER,
    REAL,
    Code,
    Kind,
    column_of,
    row_of,
    variable,
)
from discosql.executor.compile.pipe import Layout, Pipe, pack
from discosql.executor.compile.producer import PRODUCERS, Consumer, Needed, Producer, wanted
from discosql.executor.compile.sorting import key_code, terms_of, write_sort
from discosql.executor.compile.walk import references
from discosql.planner.plan import Aggregate, AggregateCall, FrameBound, Values, Window, WindowCall

_SIDES: Final = {"preceding": -1, "current": 0, "following": 1}


@dataclass(frozen=True, slots=True)
class Places:
    """Where in a kept row the parts of a call are; `plain` is the sort key's own value."""

    partition: tuple[int, ...]
    order: tuple[int, ...]
    arguments: tuple[int, ...]
    filter: int | None
    plain: int | None


def _extras(producer: Producer, calls: Sequence[WindowCall], pipe: Pipe) -> list[list[Code]]:
    """Return the codes that each call needs of a row."""
    codes = []
    for call in calls:
        parts = [key_code(producer, key, pipe) for key in (*call.partition_by, *call.order_by)]
        evaluate = producer.kept if takes_json(producer, call) else producer.value
        parts += [evaluate(argument, pipe) for argument in call.arguments]
        if call.filter is not None:
            parts.append(producer.truth(call.filter, pipe))
        if _needs_plain_key(call):
            parts.append(producer.value(call.order_by[0].expression, pipe))
        codes.append(parts)
    return codes


def _needs_plain_key(call: WindowCall) -> bool:
    """Whether sort keys are added to an offset, so that their real values are needed."""
    frame = call.frame
    has_offset = frame.start.offset is not None or frame.end.offset is not None
    return frame.unit == "range" and has_offset and len(call.order_by) == 1


def _places(call: WindowCall, extras: Sequence[int]) -> Places:
    first = len(call.partition_by)
    second = first + len(call.order_by)
    third = second + len(call.arguments)
    return Places(
        tuple(extras[:first]),
        tuple(extras[first:second]),
        tuple(extras[second:third]),
        extras[third] if call.filter is not None else None,
        extras[-1] if _needs_plain_key(call) else None,
    )


@dataclass(frozen=True, slots=True)
class _Pass:
    """The calls of one sort, by their numbers, in the order in which they were written."""

    numbers: tuple[int, ...]


def _passes(calls: Sequence[WindowCall]) -> list[_Pass]:
    found: dict[object, list[int]] = {}
    for number, call in enumerate(calls):
        found.setdefault((call.partition_by, call.order_by), []).append(number)
    return [_Pass(tuple(numbers)) for numbers in found.values()]


def _window(producer: Producer, node: Window, needed: Needed, consume: Consumer) -> None:
    function = producer.function
    rows = function.name("rows")
    function.line(f"{rows} = []")
    kept: list[tuple[Layout, list[list[Code]]]] = []
    child_columns = frozenset([column.id for column in node.child.output])
    passes = _passes(node.calls)

    def keep(pipe: Pipe) -> None:
        codes = _extras(producer, node.calls, pipe)
        extras = [code for parts in codes for code in parts]
        item, layout = pack(wanted(pipe, needed & child_columns), extras, copied=len(passes) > 1)
        kept.append((layout, codes))
        producer.extend(rows, pipe, item)

    with producer.without_factors():
        producer.produce(node.child, (needed & child_columns) | references(*node.calls), keep)
    layout, codes = kept[0]
    writer = _Writer(producer, node, rows, layout, codes)
    for number, item in enumerate(reversed(passes)):
        writer.write_pass(item, last=number == len(passes) - 1)
    writer.each(needed, consume)


class _Writer:
    """Writes the passes over the kept rows of one Window, and keeps track of where results are."""

    def __init__(
        self, producer: Producer, node: Window, rows: str, layout: Layout, codes: Sequence[Sequence[Code]]
    ) -> None:
        self.producer = producer
        self.node = node
        self.rows = rows
        self.layout = layout
        self.codes = codes
        self.results: dict[int, Code] = {}
        self.lists: dict[int, tuple[str, Kind]] = {}
        self._width = layout.width
        starts = [sum(len(parts) for parts in codes[:number]) for number in range(len(codes))]
        self.places = [
            _places(call, layout.extras[start : start + len(parts)])
            for call, start, parts in zip(node.calls, starts, codes, strict=True)
        ]

    def write_pass(self, item: _Pass, *, last: bool) -> None:
        """Write the sort and the calls of one pass."""
        function, module = self.producer.function, self.producer.module
        first = item.numbers[0]
        call, places = self.node.calls[first], self.places[first]
        keys = self.codes[first][len(call.partition_by) :][: len(call.order_by)]
        layout = Layout({}, {}, places.order, self._width, tuple(code.kind for code in keys))
        write_sort(self.producer, self.rows, terms_of(call.order_by, layout))
        parts = function.name("parts")
        function.line(f"{parts} = {module.runtime(runtime.partitions)}({self.rows}, {places.partition})")
        if call.partition_by:
            function.line(f"{self.rows} = {module.runtime(runtime.flattened)}({parts}) if {parts} else []")
        for number in item.numbers:
            self._write_call(number, parts)
        if not last:
            self._append(item)

    def _write_call(self, number: int, parts: str) -> None:
        call = self.node.calls[number]
        text, kind = call_results(self.producer, call, self.places[number], self._arguments(number), parts)
        name = self.producer.function.name("x")
        self.producer.function.line(f"{name} = {text}")
        self.lists[number] = (name, kind)

    def _arguments(self, number: int) -> list[Code]:
        """Return the codes of a call's arguments as parts of a kept row ``x``."""
        call, places = self.node.calls[number], self.places[number]
        first = len(call.partition_by) + len(call.order_by)
        codes = self.codes[number][first : first + len(call.arguments)]
        return [column_of("x", place, code.kind) for place, code in zip(places.arguments, codes, strict=True)]

    def _append(self, item: _Pass) -> None:
        """Write code that adds results to the rows themselves, which another pass will sort again."""
        names = ", ".join([self.lists[number][0] for number in item.numbers])
        width = self._width
        self.producer.function.line(f"{self.rows} = [(*r, *x) for r, x in zip({self.rows}, zip({names}))]")
        for offset, number in enumerate(item.numbers):
            _, kind = self.lists.pop(number)
            self.results[number] = column_of("r", width + offset, kind)
        self._width += len(item.numbers)

    def each(self, needed: Needed, consume: Consumer) -> None:
        """Write the loop over the rows with their results."""
        function = self.producer.function
        row, part, cut = function.name("r"), function.name("part"), self.producer.cutting()
        # Results that were appended have made the rows longer.
        columns = replace(self.layout, width=self._width).columns(row)
        names = []
        for number, column in enumerate(self.node.results):
            if number in self.lists:
                name = function.name("x")
                names.append(name)
                columns[column.id] = variable(name, self.lists[number][1])
            else:
                code = self.results[number]
                assert code.slot is not None
                columns[column.id] = column_of(row, code.slot[1], code.kind, self._width)
        lists = ", ".join([self.rows, *[name for name, _ in self.lists.values()]])
        with function.block(f"for {part} in {cut(f'list(zip({lists}))')}:"):
            pipe = Pipe({}).each(", ".join([row, *names]), variable(part, ANYTHING), columns)
            consume(pipe)
            self.producer.tick(f"len({part})")


# Calls -----------------------------------------------------------------------------------------------------------


def _getter(producer: Producer, places: Sequence[int]) -> str:
    return producer.module.constant(itemgetter(*places), "K") if places else "None"


_RANKS: Final = {
    "rank": (runtime.ranks, INTEGER),
    "dense_rank": (runtime.dense_ranks, INTEGER),
    "percent_rank": (runtime.percent_ranks, REAL),
    "cume_dist": (runtime.cumulative_distances, REAL),
}
_PICKS: Final = {"first_value": 0, "last_value": -1}


def call_results(
    producer: Producer, call: WindowCall, places: Places, arguments: list[Code], parts: str
) -> tuple[str, Kind]:
    """Return the text that computes the results of a call for all partitions, and their kind."""
    module, name = producer.module, call.name
    peer_key = _getter(producer, places.order)
    if name == "row_number":
        return f"{module.runtime(runtime.row_numbers)}({parts})", INTEGER
    if name in _RANKS:
        function, kind = _RANKS[name]
        return f"{module.runtime(function)}({parts}, {peer_key})", kind
    getters = [_getter(producer, (place,)) for place in places.arguments]
    if name == "ntile":
        return f"{module.runtime(runtime.tiles)}({parts}, {getters[0]})", INTEGER
    if name in ("lag", "lead"):
        kind = arguments[0].kind | (arguments[2].kind if len(arguments) > 2 else 0) | NULL
        more = ", ".join([*getters, "None", "None"][:3])
        direction = -1 if name == "lag" else 1
        return f"{module.runtime(runtime.shifted)}({parts}, {direction}, {more})", kind
    if name in (*_PICKS, "nth_value"):
        place = str(_PICKS[name]) if name in _PICKS else getters[1]
        frame = _frame_arguments(producer, call, places)
        text = f"(yield from {module.runtime(runtime.picked)}({parts}, {frame}, {getters[0]}, {place}))"
        return text, arguments[0].kind | NULL
    return _aggregate_results(producer, call, places, arguments, parts)


def _frame_arguments(producer: Producer, call: WindowCall, places: Places) -> str:
    frame = call.frame
    spec = runtime.FrameSpec(
        frame.unit,
        _SIDES[frame.start.kind],
        _SIDES[frame.end.kind],
        frame.exclude,
        bool(call.order_by) and call.order_by[0].descending,
    )
    offsets = f"({_offset(producer, frame.start)}, {_offset(producer, frame.end)})"
    plain = _getter(producer, (places.plain,)) if places.plain is not None else "None"
    return f"{producer.module.constant(spec)}, {offsets}, ({_getter(producer, places.order)}, {plain})"


def _offset(producer: Producer, bound: FrameBound) -> str:
    return producer.value(bound.offset).text if bound.offset is not None else "None"


def _aggregate_results(
    producer: Producer, call: WindowCall, places: Places, arguments: list[Code], parts: str
) -> tuple[str, Kind]:
    """Return the text of an aggregate's results, by the quickest way that its frame allows."""
    registered = producer.module.registry.aggregate(call.name, len(arguments))
    if registered is not None and registered.invertible and registered.signature.by_user:
        values = row_of(arguments).text
        if places.filter is not None:
            values = f"{values} if x[{places.filter}] else None"
        function = producer.module.runtime(runtime.sliding)
        factory = producer.module.constant(registered.factory, "f")
        frame = _frame_arguments(producer, call, places)
        return f"{function}({parts}, {frame}, {factory}, lambda x: {values})", ANYTHING
    code = _over_list(producer, call, places, arguments)
    start, end, exclude = call.frame.start, call.frame.end, call.frame.exclude
    from_start = start.kind == "preceding" and start.offset is None
    to_end = end.kind == "following" and end.offset is None
    whole = to_end or (end.kind == "current" and not call.order_by and call.frame.unit != "rows")
    if from_start and whole and exclude == "no others":
        return f"[v for p in {parts} for v in [{code.text}] * len(p)]", code.kind
    if from_start and end.kind == "current" and exclude == "no others":
        compute = _running(producer, call, places, arguments)
        if compute is not None:
            by_rows = call.frame.unit == "rows"
            function = producer.module.runtime(running.running)
            text = f"{function}({parts}, {_getter(producer, places.order)}, {compute}, {by_rows})"
            return text, code.kind | NULL
    frame = _frame_arguments(producer, call, places)
    function = producer.module.runtime(runtime.framed)
    text = f"(yield from {function}({parts}, {frame}, lambda p: {code.text}))"
    if call.name == "sum" and exclude == "no others" and not from_start and code.may_be(INTEGER) and code.may_be(REAL):
        text = f"{producer.module.runtime(runtime.lasting_reals)}({parts}, {text})"
    return text, code.kind | NULL


def _over_list(producer: Producer, call: WindowCall, places: Places, arguments: list[Code]) -> Code:
    """Return the code of an aggregate over a list of rows ``p``."""
    aggregate = AggregateCall(call.name, call.arguments, filter=call.filter, collation=call.collation)
    count = len(arguments)
    parts = tuple(arguments) + ((variable("x", INTEGER),) if places.filter is not None else ())
    slots = places.arguments + ((places.filter,) if places.filter is not None else ())
    group = GroupCode("p", parts, slots or (0,), ((0, count, count),))
    node = Aggregate(Values((), ()), (), (), (aggregate,), ())
    return call_code(producer, node, group, 0, lambda values: values)


def _running(producer: Producer, call: WindowCall, places: Places, arguments: list[Code]) -> str | None:
    """Return the text of a function from a partition to an aggregate's result after each row; None if there is none."""
    if call.filter is not None:
        return None
    module = producer.module
    built_in = module.is_built_in(call.name, len(arguments))
    if built_in and call.name == "count" and not arguments:
        return "lambda p: range(1, len(p) + 1)"
    function = _running_function(call, arguments) if built_in else None
    if function is not None:
        more = f", {call.name}" if call.name in ("min", "max") else ""
        return f"lambda p: {module.runtime(function)}([{arguments[0].text} for x in p]{more})"
    registered = module.registry.aggregate(call.name, len(arguments))
    if registered is None or not registered.invertible or call.collation != "BINARY":
        return None
    factory = module.constant(registered.factory, "f")
    steps = module.runtime(running.running_steps)
    return f"lambda p: {steps}({factory}, [{row_of(arguments).text} for x in p])"


def _running_function(call: WindowCall, arguments: list[Code]) -> Callable[..., object] | None:
    """Return the function that computes a running aggregate of values of the argument's kind."""
    if len(arguments) != 1:
        return None
    (argument,) = arguments
    if call.name == "count":
        return running.running_counts
    if argument.only(INTEGER | NULL) and call.name in ("sum", "avg"):
        return running.running_integers if call.name == "sum" else running.running_averages
    if argument.only(REAL | NULL) and call.name in ("sum", "avg", "total"):
        return {
            "sum": running.running_reals,
            "avg": running.running_averages,
            "total": running.running_totals,
        }[call.name]
    if call.name in ("min", "max") and any(argument.only(kind | NULL) for kind in (NUMBER, BLOB)):
        return running.running_extremes
    return None


PRODUCERS[Window] = _window
