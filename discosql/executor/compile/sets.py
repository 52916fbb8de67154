"""Code for UNION, INTERSECT and EXCEPT, and for recursive unions.

As in SQLite, all but UNION ALL come out in the order of their columns, and of equal rows the last one is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from discosql.executor.compile.code import Kind, column_of, row_of, variable
from discosql.executor.compile.comparison import collated
from discosql.executor.compile.pipe import Layout
from discosql.executor.compile.producer import PRODUCERS, STATE, Consumer, Needed, Producer, Rows
from discosql.executor.compile.rows import output_layout
from discosql.executor.compile.sorting import orderable, terms_of, write_sort
from discosql.planner.plan import Node, SetOperation, SortKey

_MANY: int = 12
"""With more arms than this each becomes a function of its own, so that no function grows without end."""


def _set_operation(producer: Producer, node: SetOperation, needed: Needed, consume: Consumer) -> None:
    operations: list[SetOperation] = []
    first: Node = node
    while isinstance(first, SetOperation):
        operations.append(first)
        first = first.left
    split = len(operations) > _MANY
    rows, kinds = _arm(producer, first, split)
    for operation in reversed(operations):
        other, more = _arm(producer, operation.right, split)
        kinds = [kind | extra for kind, extra in zip(kinds, more, strict=True)]
        _combine(producer, operation, rows, other, kinds)
    producer.each(Rows(rows, output_layout(node, kinds)), consume)


def _arm(producer: Producer, node: Node, split: bool) -> tuple[str, list[Kind]]:
    if not split:
        return producer.tuples(node)
    inner, given = producer.subfunction(node, "u", {})
    rows, kinds = inner.tuples(node)
    inner.function.line(f"return {rows}")
    name = producer.function.name("rows")
    arguments = ", ".join((*STATE, *[code.text for code in given]))
    producer.function.line(f"{name} = yield from {inner.function.label}({arguments})")
    return name, kinds


def row_key(producer: Producer, kinds: Sequence[Kind], collations: Sequence[str]) -> str | None:
    """Return the code of what makes rows equal as a function of ``r``; None for the row itself."""
    codes = [column_of("r", place, kind) for place, kind in enumerate(kinds)]
    keys = [collated(producer.scope({}), code, name) for code, name in zip(codes, collations, strict=True)]
    if all(key.text == code.text for key, code in zip(keys, codes, strict=True)):
        return None
    return row_of(keys).text


def _combine(producer: Producer, node: SetOperation, rows: str, other: str, kinds: Sequence[Kind]) -> None:
    """Write code that combines two lists of rows into the first."""
    line = producer.function.line
    if node.kind == "union" and node.all:
        line(f"{rows} += {other}")
        return
    key = row_key(producer, kinds, node.collations)
    if node.kind == "union":
        line(f"{rows} += {other}")
        line(f"{rows} = {_last_of_equals(rows, key)}")
    else:
        test = "in" if node.kind == "intersect" else "not in"
        members = f"set({other})" if key is None else f"{{{key} for r in {other}}}"
        line(f"s = {members}")
        line(f"{rows} = [r for r in {_last_of_equals(rows, key)} if {key or 'r'} {test} s]")
    _write_row_sort(producer, rows, kinds, node.collations)


def _last_of_equals(rows: str, key: str | None) -> str:
    return f"list({{{key or 'r'}: r for r in {rows}}}.values())"


def _write_row_sort(producer: Producer, rows: str, kinds: Sequence[Kind], collations: Sequence[str]) -> None:
    """Write code that sorts rows by all their columns, the first one first."""
    codes = [column_of("r", place, kind) for place, kind in enumerate(kinds)]
    keys = [orderable(producer, code, name) for code, name in zip(codes, collations, strict=True)]
    sort_keys = [SortKey(None) for _ in keys]  # type: ignore[arg-type]
    if all(key.text == code.text for key, code in zip(keys, codes, strict=True)):
        layout = Layout({}, {}, tuple(range(len(kinds))), len(kinds), tuple(kinds))
        write_sort(producer, rows, terms_of(sort_keys, layout))
        return
    places = tuple(range(1, len(keys) + 1))
    layout = Layout({}, {}, places, len(kinds), tuple(key.kind for key in keys))
    producer.function.line(f"{rows} = [{row_of([variable('r', 0), *keys]).text} for r in {rows}]")
    write_sort(producer, rows, terms_of(sort_keys, layout))
    producer.function.line(f"{rows} = [r[0] for r in {rows}]")


PRODUCERS[SetOperation] = _set_operation
