"""Find and change the plans of a statement: the one it reads from, and those of subqueries in its other expressions."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from discosql.planner.operands import SUBQUERIES, Change, rewrite, walk
from discosql.planner.plan import (
    ChangeSchema,
    CheckIntegrity,
    ColumnRef,
    ComputedKey,
    Delete,
    Exists,
    Explain,
    Expression,
    GeneratedValue,
    Insert,
    InSubquery,
    Node,
    Query,
    Returning,
    RowCheck,
    RowRules,
    ScalarSubquery,
    SetPragma,
    Shared,
    Statement,
    TransactionControl,
    Update,
    Upsert,
    Vacuum,
    ViewChange,
)
from discosql.planner.traverse import expressions, keep_output, map_expressions, rewrite_plan, walk_plan, with_subplan

_T = TypeVar("_T")

_SOURCES: Final[dict[type, str]] = {
    Query: "plan",
    Insert: "source",
    Update: "source",
    Delete: "source",
    ViewChange: "source",
    ChangeSchema: "fill",
    Explain: "statement",
}
"""The attribute that holds a statement's plan, or the statement within it."""

_PLANLESS: Final = (TransactionControl, SetPragma, Vacuum, CheckIntegrity)

_HELD: Final[dict[type, tuple[str, ...]]] = {
    Insert: ("rules", "upserts", "returning", "related"),
    Update: ("rules", "returning", "related", "values"),
    Delete: ("rules", "returning", "related"),
    ViewChange: ("returning",),
    RowRules: ("defaults", "checks", "generated", "computed"),
    ComputedKey: ("expressions", "where"),
    RowCheck: ("expression",),
    GeneratedValue: ("expression",),
    Returning: ("expressions",),
    Upsert: ("assignments", "where"),
}
"""The attributes of statements and their parts that hold other expressions."""


def source(statement: Statement) -> Node | None:
    """Return the plan that a statement reads from; None for one that reads nothing."""
    name = _SOURCES.get(type(statement))
    below = getattr(statement, name) if name is not None else None
    if below is None or isinstance(below, _PLANLESS):
        return None
    return source(below) if type(below) in _SOURCES else below


def map_plans(statement: _T, change: Callable[[Node], Node]) -> _T:
    """Return the statement with its plans changed; each keeps its columns in their order."""
    name = _SOURCES.get(type(statement))
    changes: dict[str, Any] = {}
    if name is not None:
        old = getattr(statement, name)
        if type(old) in _SOURCES:
            new = map_plans(old, change)
        elif old is None or isinstance(old, _PLANLESS):
            new = old
        else:
            new = keep_output(old, change(old))
        if new is not old:
            changes[name] = new
    for held in _HELD.get(type(statement), ()):
        old = getattr(statement, held)
        new = _mapped(old, lambda part: _with_subplans(part, change))
        if new is not old:
            changes[held] = new
    return replace(statement, **changes) if changes else statement  # type: ignore[type-var]


def _with_subplans(expression: Expression, change: Callable[[Node], Node]) -> Expression:
    def change_part(part: Expression) -> Expression:
        return with_subplan(part, change(part.plan)) if isinstance(part, SUBQUERIES) else part

    return rewrite(expression, change_part)


def map_subplans(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with the plans of its own expressions' subqueries changed."""
    return map_expressions(node, lambda expression: _with_subplans(expression, change))


def _mapped(value: Any, change: Change) -> Any:
    kind = type(value)
    if kind is tuple:
        items = tuple([_mapped(item, change) for item in value])
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if kind in _HELD:
        changes = {}
        for name in _HELD[kind]:
            old = getattr(value, name)
            new = _mapped(old, change)
            if new is not old:
                changes[name] = new
        return replace(value, **changes) if changes else value
    return value if value is None or kind is int else change(value)


def plans(statement: Statement) -> list[Node]:
    """Return all plans of a statement that no other plan contains."""
    found: list[Node] = []

    def collect(plan: Node) -> Node:
        found.append(plan)
        return plan

    map_plans(statement, collect)
    return found


def rewrite_all(plan: Node, change: Callable[[Node], Node]) -> Node:
    """Return the plan with `change` applied to every node, those in subqueries too, children before parents."""

    def change_node(node: Node) -> Node:
        return change(map_subplans(node, lambda inner: rewrite_all(inner, change)))

    return rewrite_plan(plan, change_node)


def subqueries(items: Iterable[Expression]) -> Iterator[ScalarSubquery | Exists | InSubquery]:
    """Yield the subqueries that are parts of the expressions."""
    for item in items:
        for part in walk(item):
            if isinstance(part, SUBQUERIES):
                yield part


def walk_all(plan: Node) -> Iterator[Node]:
    """Yield every node of a plan, in subqueries and below common table expressions too."""
    stack = [plan]
    seen: set[int] = set()
    while stack:
        for node in walk_plan(stack.pop()):
            yield node
            stack.extend(subquery.plan for subquery in subqueries(expressions(node)))
            if isinstance(node, Shared) and node.id not in seen:
                seen.add(node.id)
                stack.append(node.child)


def columns_of(plan: Node) -> Iterator[ColumnRef]:
    """Yield the columns that the nodes of a plan produce, some more than once."""
    for node in walk_all(plan):
        yield from node.output
