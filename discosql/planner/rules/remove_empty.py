"""Do not read what cannot give a row."""

from dataclasses import replace
from typing import Final

from discosql.planner.operands import SUBQUERIES, rewrite
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Compare,
    Constant,
    Distinct,
    Expression,
    Filter,
    InList,
    Limit,
    NestedLoopJoin,
    Node,
    Projection,
    ScalarSubquery,
    Sort,
    TopN,
    Values,
    Window,
)
from discosql.planner.predicates import FALSE, NULL, TRUE, conjuncts, truth
from discosql.planner.rules.optimisation import Optimisation
from discosql.planner.rules.simplify_predicates import condition, simplify
from discosql.planner.traverse import map_expressions, rewrite_plan
from discosql.types import Value, compare


def remove_empty(node: Node, _: Optimisation) -> Node:
    """Replace plans that have no row by `Values` without rows, from the leaves up.

    Such are a Filter that is false or contradicts itself (``a = 1 AND a = 2``, ``a > 2 AND a < 1``), ``LIMIT 0``, and
    what is made of an empty plan: all but a total, which has one row of nothing. An outer join with an empty side
    gives the other's rows with NULLs; a subquery without rows is NULL or false.
    """
    return rewrite_plan(node, lambda item: _emptied(_without_empty_subqueries(item)))


def _without_empty_subqueries(node: Node) -> Node:
    new = map_expressions(node, lambda expression: rewrite(expression, _value_of_nothing))
    if new is node:
        return node
    new = map_expressions(new, lambda expression: rewrite(expression, simplify))
    if isinstance(new, Filter):
        predicate = condition(new.predicate)
        return new.child if predicate is None else replace(new, predicate=predicate)
    return new


def _value_of_nothing(expression: Expression) -> Expression:
    if not isinstance(expression, SUBQUERIES) or not is_empty(expression.plan):
        return expression
    if isinstance(expression, ScalarSubquery):
        return Constant(None, expression.type)
    return TRUE if expression.negated else FALSE


def is_empty(node: Node) -> bool:
    """Whether a plan is known to have no row."""
    return isinstance(node, Values) and not node.rows


def is_false(predicate: Expression) -> bool:
    """Whether a predicate is known to hold for no row."""
    return isinstance(predicate, Constant) and not truth(predicate.value)


def _emptied(node: Node) -> Node:
    if isinstance(node, Filter):
        empty = is_empty(node.child) or is_false(node.predicate) or _contradicts(node.predicate)
    elif isinstance(node, Limit | TopN):
        empty = is_empty(node.child) or (isinstance(node.limit, Constant) and node.limit.value == 0)
    elif isinstance(node, Aggregate):
        empty = bool(node.keys) and is_empty(node.child)
    elif isinstance(node, NestedLoopJoin):
        return _joined(node)
    else:
        empty = isinstance(node, _PASSING) and is_empty(node.child)
    return Values((), node.output) if empty else node


_PASSING: Final = (Projection, Window, Sort, Distinct)


def _joined(node: NestedLoopJoin) -> Node:
    kind = node.kind
    never = node.condition is not None and is_false(node.condition)
    no_left = is_empty(node.left)
    no_right = is_empty(node.right)
    if no_left and kind in ("inner", "left", "semi", "anti"):
        return Values((), node.output)
    if (never or no_right) and kind in ("inner", "semi"):
        return Values((), node.output)
    if (never or no_right) and kind == "anti":
        return node.left
    if no_right and kind == "right":
        return Values((), node.output)
    if (never or no_right) and kind == "left":
        return Projection(node.left, node.left.output + (NULL,) * len(node.right.output), node.output)
    if (never or no_left) and kind == "right":
        return Projection(node.right, (NULL,) * len(node.left.output) + node.right.output, node.output)
    if no_right and kind == "full":
        return _joined(replace(node, kind="left"))
    if no_left and kind == "full":
        return _joined(replace(node, kind="right"))
    return node


# Contradictions ----------------------------------------------------------------------------------------------------


class _Limits:
    """What conjuncts say of a column by constants: the values it may have, and its range."""

    def __init__(self) -> None:
        self.values: list[Value] | None = None
        self.low: tuple[Value, bool] | None = None
        self.high: tuple[Value, bool] | None = None

    def allow(self, values: list[Value]) -> None:
        """Note that the column equals one of some values."""
        if self.values is None:
            self.values = values
        else:
            self.values = [value for value in self.values if any(compare(value, other) == 0 for other in values)]

    def limit(self, operator: str, value: Value) -> None:
        """Note an inequality; of several on a side the strictest counts."""
        closed = operator in ("<=", ">=")
        if operator in (">", ">="):
            if self.low is None or compare(value, self.low[0]) > 0 or (value == self.low[0] and not closed):
                self.low = value, closed
        elif self.high is None or compare(value, self.high[0]) < 0 or (value == self.high[0] and not closed):
            self.high = value, closed

    @property
    def is_impossible(self) -> bool:
        """Whether no value is left."""
        if self.values is not None:
            return not any(self._allows(value) for value in self.values)
        if self.low is None or self.high is None:
            return False
        order = compare(self.low[0], self.high[0])
        return order > 0 or (order == 0 and not (self.low[1] and self.high[1]))

    def _allows(self, value: Value) -> bool:
        if self.low is not None:
            order = compare(value, self.low[0])
            if order < 0 or (order == 0 and not self.low[1]):
                return False
        if self.high is not None:
            order = compare(value, self.high[0])
            return order < 0 or (order == 0 and self.high[1])
        return True


def _contradicts(predicate: Expression) -> bool:
    """Whether conjuncts that compare a column with constants by plain order leave no value for it."""
    parts = conjuncts(predicate)
    if len(parts) < 2:
        return False
    known: dict[int, _Limits] = {}
    for part in parts:
        if isinstance(part, Compare) and part.collation == "BINARY" and part.operator != "<>":
            if isinstance(part.left, ColumnRef) and isinstance(part.right, Constant) and part.right.value is not None:
                limits = known.setdefault(part.left.id, _Limits())
                if part.operator == "=":
                    limits.allow([part.right.value])
                else:
                    limits.limit(part.operator, part.right.value)
        elif isinstance(part, InList) and part.collation == "BINARY" and isinstance(part.operand, ColumnRef):
            values = [item.value for item in part.items if isinstance(item, Constant)]
            if len(values) == len(part.items) <= MAX_VALUES and not part.negated:
                limits = known.setdefault(part.operand.id, _Limits())
                limits.allow([value for value in values if value is not None])
    return any(limits.is_impossible for limits in known.values())


MAX_VALUES: Final = 100
"""Values of an IN list that are compared with what else is said of its operand."""
