"""Code for RecursiveUnion, the recursive common table expression.

A queue that is first in, first out may be followed a whole generation of rows at a time, where the step goes through
these rows in order: what comes out is the same as for one row after the other. The step is written in place then.
Where a Limit around ends it all, rows are passed on as they come, for there may be no end of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from discosql.executor.compile.code import Code, Kind, column_of, row_of, variable
from discosql.executor.compile.pipe import Pipe
from discosql.executor.compile.producer import (
    PRODUCERS,
    STATE,
    Consumer,
    Needed,
    Producer,
    Rows,
    output_ids,
    output_row,
    start_subfunction,
)
from discosql.executor.compile.rows import limits, output_layout
from discosql.executor.compile.sets import row_key
from discosql.executor.compile.sorting import orderable
from discosql.executor.compile.walk import references
from discosql.executor.ordering import Queue
from discosql.planner.plan import (
    Filter,
    HashJoin,
    IndexJoin,
    NestedLoopJoin,
    Node,
    Projection,
    RecursiveUnion,
    WorkingScan,
)

PassOn: TypeAlias = Callable[[str], None]
"""Writes what is done with the rows of a named list."""


def _recursive_union(producer: Producer, node: RecursiveUnion, needed: Needed, consume: Consumer) -> None:
    rows, kinds = producer.tuples(node.initial)
    kinds = _settled_kinds(producer, node, kinds)
    producer.module.facts["working", node.id] = kinds
    by_generation = node.limit is None and node.offset is None and not node.keys
    write = _by_generation if by_generation and _goes_row_by_row(node.step, node.id) else _by_row
    layout = output_layout(node, kinds)

    def pass_on(found: str) -> None:
        producer.each(Rows(found, layout), consume)

    if producer.function.limited and node.offset is None:
        write(producer, node, rows, kinds, pass_on)
    else:
        pass_on(write(producer, node, rows, kinds, None))


def _goes_row_by_row(step: Node, working: int) -> bool:
    """Whether a step makes the rows of a generation in the order of those they are made from."""
    while not isinstance(step, WorkingScan):
        if isinstance(step, Filter | Projection):
            step = step.child
        elif isinstance(step, HashJoin | NestedLoopJoin | IndexJoin) and step.kind in ("inner", "left"):
            if not isinstance(step, IndexJoin) and ~working in references(step.right):
                return False
            step = step.left
        else:
            return False
    return step.id == working


def _settled_kinds(producer: Producer, node: RecursiveUnion, kinds: list[Kind]) -> list[Kind]:
    """Return the kinds of the columns, given those of the first rows: the step may make others, and so on."""
    module = producer.module
    columns = {**producer.outer, ~node.id: variable("row", 0)}
    while True:
        written, facts = len(module.functions), dict(module.facts)
        module.facts["working", node.id] = kinds
        inner, _ = start_subfunction(module, node.step, "s", columns, True)
        more = inner.tuples(node.step)[1]
        del module.functions[written:]
        module.facts.clear()
        module.facts.update(facts)
        joined = [kind | extra for kind, extra in zip(kinds, more, strict=True)]
        if joined == kinds:
            return kinds
        kinds = joined


# A generation at a time --------------------------------------------------------------------------------------------


def _by_generation(
    producer: Producer, node: RecursiveUnion, initial: str, kinds: list[Kind], pass_on: PassOn | None
) -> str:
    """Write a loop over generations; return the name of all rows if they are not passed on within it."""
    function = producer.function
    queue, rows, generation = function.name("queue"), function.name("rows"), function.name("rows")
    key = row_key(producer, kinds, node.collations) or "r"
    seen = function.name("seen")
    if node.all:
        function.line(f"{queue} = {initial}")
    else:
        function.line(f"{seen} = {{}}")
        function.line(f"{queue} = [{seen}.setdefault({key}, r) for r in {initial} if {key} not in {seen}]")
    function.line(f"{rows} = []")
    with function.block(f"while {queue}:"):
        function.line(f"{generation} = {queue}")
        if pass_on is None:
            function.line(f"{rows} += {generation}")
        else:
            pass_on(generation)
        function.line(f"{queue} = []")
        _write_step(producer, node, generation, queue, None if node.all else (seen, key))
        producer.tick(f"len({generation})")
    return rows


def _write_step(
    producer: Producer, node: RecursiveUnion, generation: str, queue: str, seen: tuple[str, str] | None
) -> None:
    """Write the step over the rows of a generation."""
    function = producer.function

    def keep(pipe: Pipe) -> None:
        item = output_row(pipe, node.step)
        with pipe.written(function):
            if seen is None:
                function.line(f"{queue}.append({item.text})")
                return
            name, key = seen
            function.line(f"r = {item.text}")
            function.line(f"k = {key}")
            with function.block(f"if k not in {name}:"):
                function.line(f"{name}[k] = r")
                function.line(f"{queue}.append(r)")

    outer, repeated = producer.outer, function.repeated
    producer.outer = {**outer, ~node.id: variable(generation, 0)}
    producer.module.facts["generation", node.id] = True
    function.repeated = True
    with producer.without_factors():
        producer.produce(node.step, output_ids(node.step), keep)
    producer.outer, function.repeated = outer, repeated


# One row at a time -------------------------------------------------------------------------------------------------


def _by_row(producer: Producer, node: RecursiveUnion, initial: str, kinds: list[Kind], pass_on: PassOn | None) -> str:
    """Write a loop that takes rows from a queue and adds those that the step makes of each.

    Return the name of all rows if they are not passed on within it.
    """
    function, module = producer.function, producer.module
    skip, stop = limits(producer, node.limit, node.offset, leave=False)
    queue, rows, row = function.name("queue"), function.name("rows"), function.name("row")
    columns = {**producer.outer, ~node.id: variable(row, 0)}
    step, given = start_subfunction(module, node.step, "s", columns, True)
    step.function.line(f"return {step.tuples(node.step)[0]}")
    arguments = ", ".join((*STATE, *[code.text for code in given]))
    key, order = _queue_functions(producer, node, kinds)
    function.line(f"{queue} = {module.runtime(Queue)}({initial}, {key}, {order})")
    function.line(f"{rows} = []")
    taken = f"len({rows})" if pass_on is None else function.name("taken")
    if pass_on is not None:
        function.line(f"{taken} = 0")
    with function.block(f"while {queue}.items and {taken} < {stop}:"):
        function.line(f"{row} = {queue}.take()")
        if pass_on is None:
            function.line(f"{rows}.append({row})")
        else:
            function.line(f"{taken} += 1")
            function.line(f"{rows} = [{row}]")
            pass_on(rows)
        function.line(f"{queue}.add((yield from {step.function.label}({arguments})))")
        producer.tick("1")
    if skip != "0":
        function.line(f"del {rows}[:{skip}]")
    return rows


def _queue_functions(producer: Producer, node: RecursiveUnion, kinds: list[Kind]) -> tuple[str, str]:
    """Return code for what makes rows equal, None with ALL, and for the order of the queue, None if it has none."""
    key = "None"
    if not node.all:
        key = f"lambda r: {row_key(producer, kinds, node.collations) or 'r'}"
    if not node.keys:
        return key, "None"
    columns = {
        column.id: column_of("r", place, kind)
        for place, (column, kind) in enumerate(zip(node.output, kinds, strict=True))
    }
    scope = producer.scope(columns)
    codes = [orderable(producer, scope.value(sort.expression), sort.collation) for sort in node.keys]
    terms = tuple((sort.descending, sort.nulls_first) for sort in node.keys)
    return key, f"(lambda r: {row_of(codes).text}, {producer.module.constant(terms)})"


def _working_scan(producer: Producer, node: WorkingScan, needed: Needed, consume: Consumer) -> None:
    working = producer.outer[~node.id].text
    kinds: list[Kind] = producer.module.facts["working", node.id]
    whole = ("generation", node.id) in producer.module.facts
    row = producer.function.name("r") if whole else working
    columns: dict[int, Code] = {
        column.id: column_of(row, place, kind, len(kinds))
        for place, (column, kind) in enumerate(zip(node.output, kinds, strict=True))
    }
    if whole:
        consume(Pipe({}).each(row, variable(working, 0), columns))
    else:
        consume(Pipe(columns))


PRODUCERS.update({RecursiveUnion: _recursive_union, WorkingScan: _working_scan})
