"""Code shared by the joins: rows without partner, and conditions that must be asked before a row is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from discosql.executor.compile.code import ANYTHING, BOOL, INTEGER, NOTHING, NULL, Code, row_of, variable
from discosql.executor.compile.pipe import Layout, Pipe
from discosql.executor.compile.producer import Consumer, Needed, Producer, Rows, output_ids
from discosql.planner.plan import HashJoin, NestedLoopJoin


def outer_row(producer: Producer, layout: Layout) -> str:
    """Return the name of a list of one row of NULLs, the partner of rows that have none."""
    width = layout.width or 1 + max([*layout.positions.values(), *layout.extras], default=0)
    return producer.module.constant(((None,) * width,), "N")


def matches(producer: Producer, row: str, found: Code, condition: Code, missing: str) -> Code:
    """Return code for those of the rows found that satisfy a condition, or else for a row of NULLs."""
    if not condition.bound and not condition.yields and not found.bound:
        text = f"([{row} for {row} in {found.text} if {condition.text}] or {missing})"
        names = (found.names | condition.names) - {row}
        depth = 1 + max(found.depth, condition.depth)
        return Code(text, ANYTHING, depth=depth, names=names, yields=found.yields)
    helper = producer.module.function("m", sorted(producer.function.needed_by(found, condition) - {row}))
    helper.line("kept = []")
    with helper.block(f"for {row} in {found.text}:"), helper.block(f"if {condition.text}:"):
        helper.line(f"kept.append({row})")
    helper.line(f"return kept or {missing}")
    return _call(helper.label, helper.arguments, condition.yields or found.yields)


def some(producer: Producer, row: str, found: Code, condition: Code) -> Code:
    """Return code for whether one of the rows found satisfies a condition."""
    if not condition.bound and not condition.yields and not found.bound:
        names = (found.names | condition.names) - {row}
        text = f"any([True for {row} in {found.text} if {condition.text}])"
        depth = 1 + max(found.depth, condition.depth)
        return Code(text, INTEGER | BOOL, depth=depth, names=names, yields=found.yields)
    helper = producer.module.function("m", sorted(producer.function.needed_by(found, condition) - {row}))
    with helper.block(f"for {row} in {found.text}:"), helper.block(f"if {condition.text}:"):
        helper.line("return True")
    helper.line("return False")
    return _call(helper.label, helper.arguments, condition.yields or found.yields)


def _call(label: str, arguments: tuple[str, ...], yields: bool) -> Code:
    text = f"{label}({', '.join(arguments)})"
    return Code(f"(yield from {text})" if yields else text, ANYTHING, names=frozenset(arguments), yields=yields)


@dataclass(frozen=True, slots=True)
class OuterJoin:
    """A right or full join: what is needed of its output and of its left side, and the kept rows of the right."""

    node: HashJoin | NestedLoopJoin
    needed: Needed
    left_needed: Needed
    rights: Rows


def write_outer_join(
    producer: Producer, join: OuterJoin, probe: Callable[[Pipe], tuple[Pipe, str]], consume: Consumer
) -> None:
    """Write a join that keeps the right rows without partner; they come last, in their own order.

    `probe` joins a pipe of the left side with the right rows and tells the variable of those. All rows are kept in a
    list before they are handed on, because the consumer is written only once.
    """
    function, node = producer.function, join.node
    rows, seen = function.name("rows"), function.name("seen")
    function.line(f"{rows} = []")
    function.line(f"{seen} = set()")
    columns = sorted(join.needed & output_ids(node))
    kinds: dict[int, int] = {}

    def keep(pipe: Pipe) -> None:
        joined, row = probe(producer.settled(pipe, join.left_needed))
        codes = [joined.columns[column] for column in columns]
        kinds.update({column: code.kind | NULL for column, code in zip(columns, codes, strict=True)})
        with joined.written(function):
            function.line(f"{seen}.add(id({row}))")
            function.line(f"{rows}.append({row_of(codes).text})")

    with producer.without_factors():
        producer.produce(node.left, join.left_needed, keep)
    row = function.name("r")
    right = join.rights.layout.columns(row)
    item = row_of([right.get(column, NOTHING) for column in columns])
    test = Code(f"id({row}) not in {seen}", INTEGER, names=frozenset((row, seen)))
    pipe = Pipe({}).each(row, variable(join.rights.name, ANYTHING), {}).where(test)
    producer.extend(rows, pipe, item)
    places = {column: place for place, column in enumerate(columns)}
    producer.each(Rows(rows, Layout(places, kinds, width=len(columns))), consume)
