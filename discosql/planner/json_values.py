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


def json_columns(node: Node) -> frozenset[int]:
    """Return the ids of the columns of a plan that may be JSON."""
    if isinstance(node, Projection | Aggregate):
        return _computed(node, json_columns(node.child))
    if isinstance(node, Window):
        pairs = zip(node.results, node.calls, strict=True)
        results = frozenset([result.id for result, call in pairs if call.name in _JSON_AGGREGATES])
        return results | json_columns(node.child)
    if isinstance(node, Filter | Sort | TopN | Limit | Distinct):
        return json_columns(node.child)
    if isinstance(node, NestedLoopJoin | HashJoin):
        return json_columns(node.left) | json_columns(node.right)
    if isinstance(node, IndexJoin):
        return json_columns(node.left)
    if isinstance(node, SetOperation | Shared):
        arms = children(node) if isinstance(node, SetOperation) else (node.child,)
        return _by_place(node, arms)
    if isinstance(node, Values):
        places = {
            place
            for row in node.rows
            for place, expression in enumerate(row)
            if type(expression) is not Constant and may_be_json(expression)
        }
        return frozenset([node.output[place].id for place in places])
    if isinstance(node, CatalogScan) and node.name in ("json_each", "json_tree"):
        return frozenset([column.id for column in node.output if column.name == "value"])
    return _NOTHING


def _computed(node: Projection | Aggregate, below: frozenset[int]) -> frozenset[int]:
    if isinstance(node, Projection):
        found = [may_be_json(expression, below) for expression in node.expressions]
    else:
        found = [may_be_json(key, below) for key in node.keys]
        for call in node.calls:
            bare = call.bare and may_be_json(call.arguments[0], below)
            found.append(bare or call.name in _JSON_AGGREGATES)
    return frozenset([column.id for column, is_json in zip(node.output, found, strict=True) if is_json])


def _by_place(node: SetOperation | Shared, arms: Sequence[Node]) -> frozenset[int]:
    found = [(arm, json_columns(arm)) for arm in arms]
    pairs = enumerate(node.output)
    return frozenset([column.id for place, column in pairs if any(arm.output[place].id in ids for arm, ids in found)])
