"""Drop columns that nothing uses."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar

from discosql.planner.plan import (
    Aggregate,
    CatalogScan,
    ColumnRef,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexLookup,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    Scan,
    SetOperation,
    Sort,
    TopN,
    Window,
)
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.traverse import children, columns_in, expressions, free_columns, map_children
from discosql.planner.unique import is_unique

_T = TypeVar("_T")


def prune_columns(node: Node, _: Optimisation) -> Node:
    """Let every node produce only the columns that something above it uses, or the result consists of.

    A left join of which no column of the right side is used goes, if each left row has at most one partner by a key
    there. Columns of a Distinct or of a set operation that compares rows all count as used, and so do those of a common
    table expression, which is planned by itself. A group's keys stay, too.
    """
    return _pruned(node, _ids(node))


def _pruned(node: Node, needed: set[int]) -> Node:
    handler = _HANDLERS.get(type(node))
    if handler is not None:
        return handler(node, needed)
    return map_children(node, lambda child: _pruned(child, _ids(child)))


def _used(parts: Iterable[Expression]) -> set[int]:
    found: set[int] = set()
    for part in parts:
        found |= columns_in(part)
    return found


def _kept(items: tuple[_T, ...], keep: list[bool]) -> tuple[_T, ...]:
    return tuple([item for item, kept in zip(items, keep, strict=True) if kept])


def _leaf(node: Scan | IndexLookup | CatalogScan, needed: set[int]) -> Node:
    keep = [column.id in needed for column in node.output]
    if all(keep):
        return node
    return replace(node, output=_kept(node.output, keep), positions=_kept(node.positions, keep))


def _passing(node: Filter | Sort | TopN | Limit | NestedLoopJoin | HashJoin | IndexJoin, needed: set[int]) -> Node:
    if isinstance(node, HashJoin | IndexJoin) and node.kind in ("left", "right"):
        kept = _without_partners(node, needed)
        if kept is not None:
            return _pruned(kept, needed)
    needed = needed | _used(expressions(node))
    if isinstance(node, IndexJoin):
        needed |= _used(expressions(node.lookup))
    elif isinstance(node, NestedLoopJoin) and node.lateral:
        needed |= free_columns(node.right)
    return map_children(node, lambda child: _pruned(child, needed))


def _without_partners(node: HashJoin | IndexJoin, needed: set[int]) -> Node | None:
    """Return the side of an outer join that is kept, if the other one neither adds nor repeats anything."""
    if isinstance(node, IndexJoin):
        index = node.lookup.index
        one = index is None or index.unique
        return node.left if one and needed.isdisjoint(_ids(node.lookup)) else None
    kept, filled, keys = node.left, node.right, node.right_keys
    if node.kind == "right":
        kept, filled, keys = node.right, node.left, node.left_keys
    columns = [key for key in keys if isinstance(key, ColumnRef)]
    if len(columns) < len(keys) or not needed.isdisjoint(_ids(filled)):
        return None
    return kept if is_unique(filled, columns, node.collations) else None


def _ids(node: Node) -> set[int]:
    return {column.id for column in node.output}


def _projection(node: Projection, needed: set[int]) -> Node:
    keep = [column.id in needed for column in node.output]
    if not all(keep):
        node = replace(node, expressions=_kept(node.expressions, keep), output=_kept(node.output, keep))
    child = _pruned(node.child, _used(node.expressions))
    return node if child is node.child else replace(node, child=child)


def _aggregate(node: Aggregate, needed: set[int]) -> Node:
    count = len(node.keys)
    keep = [at < count or column.id in needed for at, column in enumerate(node.output)]
    if any(call.bare and kept for call, kept in zip(node.calls, keep[count:], strict=True)):
        # The row that a bare column is from is that of the only min() or max().
        keep[count:] = [
            kept or call.name in ("min", "max") for call, kept in zip(node.calls, keep[count:], strict=True)
        ]
    if not all(keep):
        node = replace(node, calls=_kept(node.calls, keep[count:]), output=_kept(node.output, keep))
    child = _pruned(node.child, _used(expressions(node)))
    return node if child is node.child else replace(node, child=child)


def _window(node: Window, needed: set[int]) -> Node:
    keep = [column.id in needed for column in node.results]
    if not any(keep):
        return _pruned(node.child, needed)
    if not all(keep):
        node = replace(node, calls=_kept(node.calls, keep), results=_kept(node.results, keep))
    child = _pruned(node.child, needed | _used(expressions(node)))
    return node if child is node.child else replace(node, child=child)


def _set_operation(node: SetOperation, needed: set[int]) -> Node:
    spine: Node = node
    while isinstance(spine, SetOperation):
        if not spine.all:
            return map_children(node, lambda child: _pruned(child, _ids(child)))
        spine = spine.left
    keep = [column.id in needed for column in node.output]
    if all(keep):
        return map_children(node, lambda child: _pruned(child, _ids(child)))
    return _narrowed(node, keep)


def _narrowed(node: SetOperation, keep: list[bool]) -> Node:
    """Return a chain of UNION ALL with some of its columns only."""
    arms: list[Node] = []
    for arm in children(node):
        columns = _kept(arm.output, keep)
        pruned = _pruned(arm, {column.id for column in columns})
        if [column.id for column in pruned.output] != [column.id for column in columns]:
            pruned = Projection(pruned, columns, columns)
        arms.append(pruned)
    result = arms[0]
    for arm in arms[1:]:
        output = _kept(node.output, keep)
        result = SetOperation("union", result, arm, True, output, _kept(node.collations, keep))
    return result


_HANDLERS: Final[dict[type, Callable[[Any, set[int]], Node]]] = {
    Scan: _leaf,
    IndexLookup: _leaf,
    CatalogScan: _leaf,
    Projection: _projection,
    Aggregate: _aggregate,
    Window: _window,
    SetOperation: _set_operation,
    **dict.fromkeys((Filter, Sort, TopN, Limit, NestedLoopJoin, HashJoin, IndexJoin), _passing),
}
