"""Code that loads what a statement is sure to read, all at once, before anything else."""

from __future__ import annotations

from collections.abc import Iterator

from discosql.executor.compile.leaves import keys_code
from discosql.executor.compile.producer import Producer
from discosql.executor.compile.walk import node_children, node_expressions, operands, references
from discosql.planner.plan import (
    Constant,
    Convert,
    Exists,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    InSubquery,
    Limit,
    NestedLoopJoin,
    Node,
    Parameter,
    Projection,
    ScalarSubquery,
    Scan,
)

_STREAMING = (Filter, Projection, Limit)
_JOINS = (HashJoin, NestedLoopJoin, IndexJoin)


def write_prefetch(producer: Producer, plan: Node) -> None:
    """Write code that loads the tables and looks up the keys of a plan together, if there are two or more."""
    leaves = list(_leaves(plan, False))
    scans = sorted({leaf.table.id for leaf in leaves if isinstance(leaf, Scan)})
    lookups = [leaf for leaf in leaves if isinstance(leaf, IndexLookup) and leaf.table.id not in scans]
    if len(scans) + len(lookups) < 2:
        return
    parts = [
        f"({leaf.table.id}, {leaf.index.id if leaf.index is not None else None}, {keys_code(producer, leaf)})"
        for leaf in lookups
    ]
    function = producer.function
    function.line(f"pending = {function.view()}.prefetch({tuple(scans)}, ({', '.join([*parts, ''])}))")
    with function.block("if pending is not None:"):
        function.line("yield pending")


def _leaves(plan: Node, stoppable: bool) -> Iterator[Scan | IndexLookup]:
    """Yield the leaves that are read to the end, whatever the rows; `stoppable` plans may be left early."""
    stack = [(plan, stoppable)]
    while stack:
        node, stops = stack.pop()
        if isinstance(node, Scan):
            # Bounds let a scan skip pages, which loading the whole table would fetch.
            if not stops and not node.bounds and node.as_of is None:
                yield node
        elif isinstance(node, IndexLookup):
            if not stops and node.as_of is None and all(_is_known(part) for key in node.keys for part in key):
                yield node
        else:
            stops = isinstance(node, Limit) or (stops and isinstance(node, (*_STREAMING, *_JOINS)))
            for place, child in enumerate(node_children(node)):
                first = place == 0 or not isinstance(node, _JOINS)
                if isinstance(node, IndexJoin) and not first:
                    continue
                stack.append((child, stops and first))
        for expression in node_expressions(node):
            stack.extend(_subplans(expression))


def _is_known(key: Expression) -> bool:
    while isinstance(key, Convert):
        key = key.operand
    return isinstance(key, Constant | Parameter)


def _subplans(expression: Expression) -> Iterator[tuple[Node, bool]]:
    """Yield the plans of the subqueries in an expression, and whether they may be left early."""
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, ScalarSubquery | Exists | InSubquery):
            yield part.plan, not isinstance(part, InSubquery) and not references(part.plan)
        stack.extend(operands(part))
