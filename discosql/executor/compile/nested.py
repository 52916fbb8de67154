"""Code for NestedLoopJoin: every pair of rows, or the right side run again for each left row."""

from __future__ import annotations

from discosql.executor.compile.code import ANYTHING, INTEGER, NULL, Code, compose, variable
from discosql.executor.compile.matching import OuterJoin, matches, outer_row, some, write_outer_join
from discosql.executor.compile.pipe import Layout, Pipe
from discosql.executor.compile.producer import (
    MAX_LOOPS,
    PRODUCERS,
    STATE,
    Consumer,
    Needed,
    Producer,
    Rows,
    output_ids,
)
from discosql.executor.compile.rows import output_layout, return_rows
from discosql.executor.compile.walk import references
from discosql.planner.plan import NestedLoopJoin


def _nested_loop_join(producer: Producer, node: NestedLoopJoin, needed: Needed, consume: Consumer) -> None:
    above = needed | references(node.condition)
    if node.lateral:
        _lateral_join(producer, node, above, consume)
        return
    rights = producer.collect(node.right, above & output_ids(node.right))
    if node.kind in ("right", "full"):
        _outer_join(producer, node, needed, rights, consume)
        return
    found = variable(rights.name, ANYTHING)

    def join(pipe: Pipe) -> None:
        if pipe.loops > 1 and producer.function.loops < MAX_LOOPS:
            _in_steps(producer, pipe, above, factor, lambda part: consume(join_pairs(producer, part, node, rights)))
        else:
            consume(join_pairs(producer, producer.settled(pipe, above), node, rights))

    factor = producer.function.name("count")
    producer.function.line(f"{factor} = len({found.text}) or 1")
    with producer.multiplied(factor):
        producer.produce(node.left, above, join)


def _in_steps(producer: Producer, pipe: Pipe, needed: Needed, factor: str, consume: Consumer) -> None:
    """Write a loop over the rows of a pipe in pieces, so that the driver is let in between loops inside loops."""
    kept = producer.cut(pipe, needed)
    (clause,) = kept.clauses
    slots = {column: code.slot[1] for column, code in kept.columns.items() if code.slot is not None}
    kinds = {column: code.kind for column, code in kept.columns.items()}
    producer.each(Rows(clause.code.text, Layout(slots, kinds)), consume)


def join_pairs(producer: Producer, pipe: Pipe, node: NestedLoopJoin, rights: Rows) -> Pipe:
    """Return a pipe of the left side joined with kept rows of the right, without right and full joins."""
    return _joined(producer, pipe, node, variable(rights.name, ANYTHING), rights.layout)[0]


def _joined(producer: Producer, pipe: Pipe, node: NestedLoopJoin, found: Code, layout: Layout) -> tuple[Pipe, str]:
    row = producer.function.name("r")
    columns = layout.columns(row)
    condition = None
    if node.condition is not None:
        condition = producer.truth(node.condition, pipe.with_columns({**pipe.columns, **columns}))
    if node.kind in ("semi", "anti"):
        test = compose("len({}) > 0", found, kind=INTEGER)
        if condition is not None:
            test = some(producer, row, found, condition)
        return pipe.where(compose("not {}", test, kind=INTEGER) if node.kind == "anti" else test), row
    if node.kind in ("left", "full"):
        missing = outer_row(producer, layout)
        if condition is not None:
            found = matches(producer, row, found, condition, missing)
        else:
            found = compose(f"({{}} or {missing})", found, kind=ANYTHING)
        return pipe.each(row, found, layout.columns(row, NULL)), row
    pipe = pipe.each(row, found, columns)
    return (pipe if condition is None else pipe.where(condition)), row


def _outer_join(producer: Producer, node: NestedLoopJoin, needed: Needed, rights: Rows, consume: Consumer) -> None:
    above = needed | references(node.condition)
    found = variable(rights.name, ANYTHING)
    write_outer_join(
        producer,
        OuterJoin(node, needed, above, rights),
        lambda pipe: _joined(producer, pipe, node, found, rights.layout),
        consume,
    )


def _lateral_join(producer: Producer, node: NestedLoopJoin, above: Needed, consume: Consumer) -> None:
    """Write a join whose right side is a function of the left row."""
    needed = above | references(node.right)

    def join(pipe: Pipe) -> None:
        pipe = producer.settled(pipe, needed)
        inner, given = producer.subfunction(node.right, "j", pipe.columns)
        kinds = return_rows(inner, node.right)
        places = ", ".join((*STATE, *["{}"] * len(given)))
        call = compose(f"(yield from {inner.function.label}({places}))", *given, kind=ANYTHING)
        names = call.names | set(STATE)
        found = Code(call.text, ANYTHING, depth=call.depth, names=names, bound=call.bound, yields=True)
        consume(_joined(producer, pipe, node, found, output_layout(node.right, kinds))[0])

    producer.produce(node.left, needed, join)


PRODUCERS[NestedLoopJoin] = _nested_loop_join
