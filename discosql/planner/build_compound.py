"""Set operations and VALUES; LIMIT of every query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.bind import known_collation
from discosql.planner.bind_calls import ordered
from discosql.planner.built import BuiltQuery, ResultColumn, combined_affinity
from discosql.planner.infer import Bound, classes, common_type
from discosql.planner.plan import Expression, Limit, Node, SetOperation, Sort, SortKey, Values
from discosql.planner.scope import Scope
from discosql.planner.terms import check_ordinal, is_same_tree, ordinal, ordinal_name, split_collation
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

Operator = Literal["union", "intersect", "except"]

_OPERATORS: dict[type, Operator] = {exp.Union: "union", exp.Intersect: "intersect", exp.Except: "except"}
_CLAUSES = frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_"})


@dataclass(frozen=True, slots=True)
class Arm:
    """One SELECT or VALUES of a set operation, and how it is joined to what is left of it."""

    tree: exp.Expr
    operator: Operator = "union"
    all: bool = True

    @property
    def label(self) -> str:
        """The operator as messages name it."""
        return "UNION ALL" if self.operator == "union" and self.all else self.operator.upper()


def compound_arms(tree: exp.SetOperation) -> list[Arm]:
    """Return the arms of a set operation from left to right; all operators rank alike."""
    arms: list[Arm] = []
    node: exp.Expr = tree
    while True:
        while isinstance(node, exp.Subquery | exp.Paren):
            node = node.this
        if not isinstance(node, exp.SetOperation):
            break
        _check(node, node is tree)
        arms.append(Arm(node.expression, _OPERATORS[type(node)], not node.args.get("distinct")))
        node = node.this
    arms.append(Arm(node))
    return arms[::-1]


def _check(node: exp.SetOperation, is_top: bool) -> None:
    for clause, value in node.args.items():
        if not value:
            continue
        if clause not in _CLAUSES:
            raise NotSupportedError(f"{clause.upper()} is not supported in a set operation")
        if not is_top and clause in ("order", "limit", "offset"):
            raise ProgrammingError(
                f"{clause.upper()} clause should come after {type(node).__name__.upper()} not before"
            )


def build_compound(binder: Binder, tree: exp.SetOperation, outer: Scope | None) -> BuiltQuery:
    """Return the plan of a set operation."""
    arms = compound_arms(tree)
    built = combine(binder, arms, outer)
    keys = compound_order(binder, tree, [arm.tree for arm in arms], built)
    node = Sort(built.node, keys) if keys else built.node
    return BuiltQuery(limited(binder, node, tree), built.columns)


def combine(binder: Binder, arms: Sequence[Arm], outer: Scope | None) -> BuiltQuery:
    """Return the plan of arms put together from left to right."""
    first = binder.query(arms[0].tree, outer)
    node, columns = first.node, first.columns
    parts = [[column] for column in columns]
    for arm in arms[1:]:
        right = binder.query(arm.tree, outer)
        if len(right.columns) != len(columns):
            raise ProgrammingError(
                f"SELECTs to the left and right of {arm.label} do not have the same number of result columns"
            )
        for part, column in zip(parts, right.columns, strict=True):
            part.append(column)
        columns = tuple(
            _combined(binder, arm.operator, left, other, part)
            for left, other, part in zip(columns, right.columns, parts, strict=True)
        )
        output = tuple(column.ref for column in columns)
        collations = tuple(column.collation or "BINARY" for column in columns)
        node = SetOperation(arm.operator, node, right.node, arm.operator == "union" and arm.all, output, collations)
    return BuiltQuery(node, columns)


def _combined(
    binder: Binder, operator: Operator, left: ResultColumn, right: ResultColumn, arms: Sequence[ResultColumn]
) -> ResultColumn:
    if operator == "union":
        kind, nullable = common_type([left.ref, right.ref]), left.ref.nullable or right.ref.nullable
    else:
        kind = left.ref.type
        nullable = left.ref.nullable and (operator == "except" or right.ref.nullable)
    ref = binder.new_column(left.name, None, kind, nullable, left.ref.collation)
    affinity = combined_affinity([(replace(arm.last, affinity=arm.affinity), arm.classes) for arm in arms])
    return ResultColumn(left.name, ref, affinity, left.collation or right.collation, right.last, left.written)


# ORDER BY ----------------------------------------------------------------------------------------------------------


def compound_order(
    binder: Binder, tree: exp.SetOperation, arms: Sequence[exp.Expr], built: BuiltQuery
) -> tuple[SortKey, ...]:
    """Return the sort keys of a set operation; every term must be one of the result columns."""
    clause = tree.args.get("order")
    keys: list[SortKey] = []
    for position, term in enumerate(clause.expressions if clause is not None else []):
        inner, collation = split_collation(term.this)
        column = _ordering_column(inner, position, arms, built)
        operand = Bound(column.ref, column.affinity, column.collation)
        if collation is not None:
            operand = Bound(column.ref, column.affinity, known_collation(binder, collation), True)
        keys.append(ordered(term, operand))
    return tuple(keys)


def _ordering_column(term: exp.Expr, position: int, arms: Sequence[exp.Expr], built: BuiltQuery) -> ResultColumn:
    number = ordinal(term)
    if number is not None:
        check_ordinal(number, position, len(built.columns), "ORDER")
        return built.columns[number - 1]
    for arm in arms:
        projections = arm.selects if isinstance(arm, exp.Select) else []
        for index, projection in enumerate(projections):
            if index < len(built.columns) and _is_column(term, projection):
                return built.columns[index]
    if isinstance(term, exp.Column) and not term.table:
        for column in built.columns:
            if fold_case(column.name) == fold_case(term.name):
                return column
    raise ProgrammingError(f"{ordinal_name(position)} ORDER BY term does not match any column in the result set")


def _is_column(term: exp.Expr, projection: exp.Expr) -> bool:
    if isinstance(projection, exp.Alias):
        if isinstance(term, exp.Column) and not term.table and fold_case(term.name) == fold_case(projection.alias):
            return True
        projection = projection.this
    return is_same_tree(term, projection)


# VALUES and LIMIT --------------------------------------------------------------------------------------------------


def build_values(binder: Binder, tree: exp.Values, outer: Scope | None) -> BuiltQuery:
    """Return the plan of VALUES; its columns are named column1, column2, …"""
    scope = Scope(outer=outer)
    rows = [[binder.operand(item, scope) for item in _row(row)] for row in tree.expressions]
    if any(len(row) != len(rows[0]) for row in rows):
        raise ProgrammingError("all VALUES must have the same number of terms")
    columns = []
    for position, values in enumerate(zip(*rows, strict=True)):
        name = f"column{position + 1}"
        kind, nullable = common_type([value.expression for value in values]), any(value.nullable for value in values)
        affinity = combined_affinity([(value, classes(value)) for value in values])
        columns.append(ResultColumn(name, binder.new_column(name, None, kind, nullable), affinity, None, values[-1]))
    node = Values(
        tuple(tuple(value.expression for value in row) for row in rows), tuple(column.ref for column in columns)
    )
    return BuiltQuery(limited(binder, node, tree), tuple(columns))


def _row(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.Tuple):
        return tree.expressions
    return [tree.this if isinstance(tree, exp.Paren) else tree]


def limits(binder: Binder, tree: exp.Expr) -> tuple[Expression | None, Expression | None]:
    """Return the bounds of a query's LIMIT and OFFSET; neither may name a column."""
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    scope = Scope.empty()
    return (
        binder.operand(limit.expression, scope).expression if limit is not None else None,
        binder.operand(offset.expression, scope).expression if offset is not None else None,
    )


def limited(binder: Binder, node: Node, tree: exp.Expr) -> Node:
    """Return the node with the query's LIMIT and OFFSET on top, if it has them."""
    limit, offset = limits(binder, tree)
    return node if limit is None and offset is None else Limit(node, limit, offset)
