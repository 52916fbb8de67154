"""GROUP BY: its keys, and how expressions above an Aggregate see what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.infer import Bound, is_same
from discosql.planner.operands import operands, rewrite, walk
from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    ColumnRef,
    Constant,
    Exists,
    Expression,
    InSubquery,
    Node,
    ScalarSubquery,
    WindowCall,
)
from discosql.planner.projections import Item
from discosql.planner.scope import Scope
from discosql.planner.terms import check_ordinal, is_same_tree, ordinal, split_collation, unwrapped
from discosql.planner.traverse import columns_in, free_columns, map_parts, substitute_plan, with_subplan
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder


def bind_keys(binder: Binder, tree: exp.Select, scope: Scope, items: Sequence[Item]) -> list[Bound]:
    """Return the keys of GROUP BY; a term may be the number, the alias or the expression of a result column."""
    clause = tree.args.get("group")
    if clause is None:
        return []
    for name, value in clause.args.items():
        if value and name != "expressions":
            raise NotSupportedError(f"GROUP BY {name.upper()} is not supported")
    keys = [_key(binder, term, position, scope, items) for position, term in enumerate(clause.expressions)]
    for term, key in zip(clause.expressions, keys, strict=True):
        _check_calls(scope, term, columns_in(key.expression))
    return keys


def _check_calls(scope: Scope, term: exp.Expr, used: set[int]) -> None:
    """Refuse a key that is or contains a call to be computed above the groups."""
    assert scope.level is not None
    for call, column in scope.level.window_calls:
        if column.id in used:
            inner = unwrapped(term)
            name = f"aliased window function {inner.name}" if isinstance(inner, exp.Column) else None
            raise ProgrammingError(f"misuse of {name or f'window function {call.name}()'}")
    if any(column.id in used for _, column in scope.level.aggregates):
        raise ProgrammingError("aggregate functions are not allowed in the GROUP BY clause")


def _key(binder: Binder, term: exp.Expr, position: int, scope: Scope, items: Sequence[Item]) -> Bound:
    number = ordinal(split_collation(term)[0])
    if number is not None:
        check_ordinal(number, position, len(items), "GROUP")
        return items[number - 1].bound
    inner = unwrapped(term)
    if isinstance(inner, exp.Column):
        if inner.table or scope.find(inner.name):
            return binder.operand(inner, scope)
        named = [item for item in items if item.alias and fold_case(item.alias) == fold_case(inner.name)]
        return named[0].bound if named else binder.operand(inner, scope)
    for item in items:
        if item.tree is not None and is_same_tree(item.tree, inner):
            return item.bound
    return binder.operand(inner, scope.allowing(aggregates=True, aliases=True))


class Lift:
    """Turns expressions over FROM's columns into expressions over an Aggregate's output.

    A key is its column; any other column of FROM becomes a bare one. Those that nothing needs in the end are left out.
    """

    def __init__(self, binder: Binder, scope: Scope, keys: Sequence[Bound]) -> None:
        assert scope.level is not None
        self._binder = binder
        self._owned = {column.id: column for column in scope.columns()}
        self._calls = scope.level.aggregates
        self._keys = keys
        self._outputs = [self._key_column(key) for key in keys]
        self._columns: dict[int, ColumnRef] = {}
        self._bare: list[tuple[ColumnRef, ColumnRef]] = []
        self._used: set[int] = set()
        for key, output in zip(keys, self._outputs, strict=True):
            if isinstance(key.expression, ColumnRef):
                self._columns.setdefault(key.expression.id, output)
        self._computed: list[tuple[Expression, int, ColumnRef]] = []
        computed = []
        for key, output in zip(keys, self._outputs, strict=True):
            if not isinstance(key.expression, ColumnRef | Constant):
                lifted = self._lifted(key.expression)
                computed.append((lifted, sum(1 for _ in walk(lifted)), output))
        self._computed = computed

    def _key_column(self, key: Bound) -> ColumnRef:
        name, table = "", None
        if isinstance(key.expression, ColumnRef):
            name, table = key.expression.name, key.expression.table
        return self._binder.new_column(name, table, key.type, key.nullable, key.collation or "BINARY")

    def bound(self, bound: Bound) -> Bound:
        """Return an operand as it is above the Aggregate."""
        return replace(bound, expression=self.expression(bound.expression))

    def expression(self, expression: Expression) -> Expression:
        """Return an expression as it is above the Aggregate."""
        lifted = self._lifted(expression)
        self._used |= columns_in(lifted)
        return lifted

    def _lifted(self, expression: Expression) -> Expression:
        # Of a chain of thousands of operands only the parts as large as a key are compared with it.
        sizes: dict[int, int] = {}
        alive: list[Expression] = []

        def change(part: Expression) -> Expression:
            size = 1 + sum(sizes.get(id(item), 1) for item in operands(part))
            new = self._replace(part, size)
            sizes[id(new)] = 1 if isinstance(new, ColumnRef) else size
            alive.append(new)
            return new

        return rewrite(expression, change)

    def call(self, call: WindowCall) -> WindowCall:
        """Return a window call as it is above the Aggregate."""
        lifted: WindowCall = map_parts(call, self.expression)
        return lifted

    def aggregate(self, child: Node) -> Aggregate:
        """Return the Aggregate that produces what the lifted expressions use."""
        bare = [(raw, column) for raw, column in self._bare if column.id in self._used]
        calls = [call for call, _ in self._calls]
        calls += [AggregateCall("", (raw,), type=raw.type, nullable=column.nullable, bare=True) for raw, column in bare]
        output = (*self._outputs, *(column for _, column in self._calls), *(column for _, column in bare))
        keys = tuple(key.expression for key in self._keys)
        return Aggregate(child, keys, tuple(key.collation or "BINARY" for key in self._keys), tuple(calls), output)

    def _replace(self, part: Expression, size: int) -> Expression:
        if isinstance(part, ColumnRef):
            return self._column(part)
        if isinstance(part, ScalarSubquery | Exists | InSubquery):
            part = self._subquery(part)
        for key, key_size, output in self._computed:
            if size == key_size and is_same(part, key):
                return output
        return part

    def _column(self, column: ColumnRef) -> ColumnRef:
        known = self._columns.get(column.id)
        if known is not None:
            return known
        if column.id not in self._owned:
            return column
        # Without keys the one group may have no rows, and then every bare column is NULL.
        nullable = column.nullable or not self._keys
        bare = self._binder.new_column(column.name, column.table, column.type, nullable, column.collation)
        self._columns[column.id] = bare
        self._bare.append((column, bare))
        return bare

    def _subquery(self, part: ScalarSubquery | Exists | InSubquery) -> Expression:
        outer = sorted(free_columns(part.plan) & self._owned.keys())
        if not outer:
            return part
        return with_subplan(part, substitute_plan(part.plan, {id: self._column(self._owned[id]) for id in outer}))
