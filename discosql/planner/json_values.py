"""What may be JSON: text that a JSON function takes for an array, object and so on, and not for a string.

Functions of JSON mark their results while a statement runs. The mark goes through whatever passes a value on, but a
column of a derived table, view or common table expression is plain text, as in SQLite.
"""

from collections.abc import Sequence, Set
from typing import Final

from discosql.planner.plan import (
    Aggregate,
    Binary,
    Call,
    Case,
    CatalogScan,
    ColumnRef,
    Constant,
    Convert,
    Distinct,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    ScalarSubquery,
    SetOperation,
    Shared,
    SimpleCase,
    Sort,
    TopN,
    Unary,
    Values,
    Window,
)
from discosql.planner.traverse import children
from discosql.types import SqlType

JSON_FUNCTIONS: Final = frozenset(
    {
        "json",
        "json_array",
        "json_extract",
        "json_insert",
        "json_object",
        "json_patch",
        "json_quote",
        "json_remove",
        "json_replace",
        "json_set",
    }
)
"""Functions whose result may be JSON."""

_JSON_AGGREGATES: Final = frozenset({"json_group_array", "json_group_object"})
_CHOOSING: Final = frozenset({"coalesce", "ifnull", "iif", "if", "nullif"})
_NOTHING: Final[frozenset[int]] = frozenset()


def makes_json(expression: Expression) -> bool:
    """Whether an expression is the call of a JSON function."""
    if isinstance(expression, Binary):
        return expression.operator == "->"
    return isinstance(expression, Call) and expression.name in JSON_FUNCTIONS


def as_text(expression: Expression) -> Expression:
    """Return an expression of which JSON functions do not know that it is JSON."""
    return Convert(expression, SqlType.ANY)


def may_be_json(expression: Expression, columns: Set[int] = _NOTHING) -> bool:
    """Whether the value of an expression may be JSON; `columns` are those that may."""
    todo = [expression]
    while todo:
        part = todo.pop()
        if makes_json(part) or (isinstance(part, ColumnRef) and part.id in columns):
            return True
        if isinstance(part, ScalarSubquery) and part.plan.output[0].id in json_columns(part.plan):
            return True
        todo += _results(part)
    return False


def _results(expression: Expression) -> tuple[Expression, ...]:
    """Return the parts one of which is the value of an expression."""
    if isinstance(expression, Call):
        return expression.arguments if expression.name in _CHOOSING else ()
    if isinstance(expression, Case):
        return (*(when[1] for when in expression.whens), expression.default)
    if isinstance(expression, SimpleCase):
        return (*(when[3] for when in expression.whens), expression.default)
    return (expression.operand,) if isinstance(expression, Unary) else ()


def json_columns(node: Node, shared: dict[int, list[bool]] | None = None) -> frozenset[int]:
    """Return the ids of the columns of a plan that may be JSON.

    `shared` tells it of the columns of shared plans by their ids: one that is used often is looked at once.
    """
    known = {} if shared is None else shared
    if isinstance(node, Projection | Aggregate):
        return _computed(node, json_columns(node.child, known))
    if isinstance(node, Window):
        pairs = zip(node.results, node.calls, strict=True)
        results = frozenset([result.id for result, call in pairs if call.name in _JSON_AGGREGATES])
        return results | json_columns(node.child, known)
    if isinstance(node, Filter | Sort | TopN | Limit | Distinct):
        return json_columns(node.child, known)
    if isinstance(node, NestedLoopJoin | HashJoin):
        return json_columns(node.left, known) | json_columns(node.right, known)
    if isinstance(node, IndexJoin):
        return json_columns(node.left, known)
    if isinstance(node, SetOperation):
        return _chosen(node, list(map(any, zip(*(_places(arm, known) for arm in children(node)), strict=True))))
    if isinstance(node, Shared):
        if node.id not in known:
            known[node.id] = _places(node.child, known)
        return _chosen(node, known[node.id])
    if isinstance(node, Values):
        places = [any(map(_may_be_json_constant, values)) for values in zip(*node.rows, strict=True)]
        return _chosen(node, places or [False] * len(node.output))
    if isinstance(node, CatalogScan) and node.name in ("json_each", "json_tree"):
        return frozenset([column.id for column in node.output if column.name == "value"])
    return _NOTHING


def _may_be_json_constant(expression: Expression) -> bool:
    return type(expression) is not Constant and may_be_json(expression)


def _places(node: Node, shared: dict[int, list[bool]]) -> list[bool]:
    """Tell of each column of a plan whether it may be JSON."""
    found = json_columns(node, shared)
    return [column.id in found for column in node.output]


def _chosen(node: Node, places: Sequence[bool]) -> frozenset[int]:
    return frozenset([column.id for column, is_json in zip(node.output, places, strict=True) if is_json])


def _computed(node: Projection | Aggregate, below: frozenset[int]) -> frozenset[int]:
    if isinstance(node, Projection):
        found = [may_be_json(expression, below) for expression in node.expressions]
    else:
        found = [may_be_json(key, below) for key in node.keys]
        for call in node.calls:
            bare = call.bare and may_be_json(call.arguments[0], below)
            found.append(bare or call.name in _JSON_AGGREGATES)
    return _chosen(node, found)
