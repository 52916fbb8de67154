"""One SELECT: result columns, WHERE, GROUP BY, HAVING, windows, DISTINCT, ORDER BY and LIMIT.

The parts are bound over the columns of FROM; aggregate and window calls found on the way wait in the `Level`, each
under a column of its own. Once all is bound, what a grouped SELECT evaluates above its Aggregate is lifted onto the
keys, calls and bare columns that come out of it (`groups.Lift`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.bind import known_collation
from discosql.planner.bind_calls import ordered
from discosql.planner.build_compound import limited
from discosql.planner.build_from import build_from
from discosql.planner.built import BuiltQuery, ResultColumn
from discosql.planner.groups import Lift, bind_keys
from discosql.planner.infer import Bound, classes, is_same
from discosql.planner.plan import (
    Aggregate,
    AggregateCall,
    ColumnRef,
    Distinct,
    Expression,
    Filter,
    Node,
    Projection,
    Sort,
    SortKey,
    Window,
)
from discosql.planner.projections import Item, expand
from discosql.planner.scope import Level, Scope
from discosql.planner.terms import check_ordinal, is_same_tree, ordinal, split_collation, unwrapped
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

_CLAUSES = frozenset(
    {
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "windows",
        "distinct",
        "order",
        "limit",
        "offset",
        "with_",
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of ORDER BY: as written, and either the position of the result column it names or its operand.

    `collation` is that of its COLLATE.
    """

    tree: exp.Ordered
    column: int | None = None
    bound: Bound | None = None
    collation: str | None = None


def build_select(binder: Binder, tree: exp.Select, outer: Scope | None) -> BuiltQuery:
    """Return the plan of a SELECT."""
    _check(tree)
    binder.asking.select(tree)
    level = _level(tree)
    node, scope = build_from(binder, tree, outer, level)
    items = expand(binder, tree, scope.allowing(aggregates=True, windows=True))
    keys = bind_keys(binder, tree, scope, items)
    grouped = bool(tree.args.get("group") or level.aggregates)
    having = _having(binder, tree, scope, grouped)
    terms = _order_terms(binder, tree, scope.allowing(aggregates=grouped, windows=True, aliases=True), items)
    where = tree.args.get("where")
    if where is not None:
        node = Filter(node, binder.operand(where.this, scope.allowing(aliases=True)).expression)
    calls = [call for call, _ in level.window_calls]
    if grouped:
        lift = Lift(binder, scope, keys)
        items = [replace(item, bound=lift.bound(item.bound)) for item in items]
        terms = [replace(term, bound=lift.bound(term.bound)) if term.bound else term for term in terms]
        calls = [lift.call(call) for call in calls]
        having = lift.expression(having) if having is not None else None
        node = lift.aggregate(node)
        node = Filter(node, having) if having is not None else node
    if calls:
        node = Window(node, tuple(calls), tuple(column for _, column in level.window_calls))
    return _finish(binder, tree, node, items, terms)


def _level(tree: exp.Select) -> Level:
    level = Level()
    for projection in tree.expressions:
        if isinstance(projection, exp.Alias):
            level.aliases.setdefault(fold_case(projection.alias), projection.this)
    for window in tree.args.get("windows") or []:
        level.windows.setdefault(fold_case(window.name), window)
    return level


def _check(tree: exp.Select) -> None:
    for clause, value in tree.args.items():
        if value and clause not in _CLAUSES:
            raise NotSupportedError(f"{clause.rstrip('_').upper()} is not supported in SELECT")
    distinct = tree.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        raise NotSupportedError("DISTINCT ON is not supported")


def _having(binder: Binder, tree: exp.Select, scope: Scope, grouped: bool) -> Expression | None:
    clause = tree.args.get("having")
    if clause is None:
        return None
    if not grouped:
        raise ProgrammingError("HAVING clause on a non-aggregate query")
    return binder.operand(clause.this, scope.allowing(aggregates=True, aliases=True)).expression


# ORDER BY ----------------------------------------------------------------------------------------------------------


def _order_terms(binder: Binder, tree: exp.Select, scope: Scope, items: Sequence[Item]) -> list[Term]:
    clause = tree.args.get("order")
    terms = clause.expressions if clause is not None else []
    return [_order_term(binder, term, position, scope, items) for position, term in enumerate(terms)]


def _order_term(binder: Binder, term: exp.Ordered, position: int, scope: Scope, items: Sequence[Item]) -> Term:
    inner, name = split_collation(term.this)
    collation = known_collation(binder, name) if name is not None else None
    number = ordinal(inner)
    if number is not None:
        check_ordinal(number, position, len(items), "ORDER")
        return Term(term, number - 1, collation=collation)
    column = _named_item(inner, items)
    if column is not None:
        return Term(term, column, collation=collation)
    bound = binder.operand(inner, scope)
    for index, item in enumerate(items):
        if is_same(item.bound.expression, bound.expression):
            return Term(term, index, collation=collation)
    return Term(term, None, bound, collation)


def _named_item(inner: exp.Expr, items: Sequence[Item]) -> int | None:
    if isinstance(inner, exp.Column) and not inner.table:
        folded = fold_case(inner.name)
        for index, item in enumerate(items):
            if item.alias is not None and fold_case(item.alias) == folded:
                return index
        return None
    for index, item in enumerate(items):
        if item.tree is not None and is_same_tree(item.tree, inner):
            return index
    return None


# The result --------------------------------------------------------------------------------------------------------


def _finish(binder: Binder, tree: exp.Select, node: Node, items: Sequence[Item], terms: Sequence[Term]) -> BuiltQuery:
    columns = [_result_column(binder, item) for item in items]
    refs = [column.ref for column in columns]
    extra = [term.bound for term in terms if term.bound is not None]
    hidden = [binder.new_column("", None, bound.type, bound.nullable, bound.collation or "BINARY") for bound in extra]
    expressions = [bound.expression for bound in (*(item.bound for item in items), *extra)]
    node = Projection(node, tuple(expressions), (*refs, *hidden))
    if tree.args.get("distinct") is not None:
        node, hidden = _distinct(binder, node, refs, hidden)
    if terms:
        node = Sort(node, tuple(_sort_keys(terms, columns, hidden)))
    node = limited(binder, node, tree)
    if hidden:
        visible = [replace(ref, id=binder.new_column(ref.name).id) for ref in refs]
        node = Projection(node, tuple(refs), tuple(visible))
        columns = [replace(column, ref=ref) for column, ref in zip(columns, visible, strict=True)]
    return BuiltQuery(node, tuple(columns))


def _result_column(binder: Binder, item: Item) -> ResultColumn:
    bound = item.bound
    table = bound.expression.table if isinstance(bound.expression, ColumnRef) else None
    ref = binder.new_column(item.name, table, bound.type, bound.nullable, bound.collation or "BINARY")
    written = unwrapped(item.tree).name if item.alias is None and isinstance(item.tree, exp.Column) else None
    return ResultColumn(item.name, ref, bound.affinity, bound.collation, bound, written, classes(bound))


def _distinct(
    binder: Binder, node: Node, refs: Sequence[ColumnRef], hidden: list[ColumnRef]
) -> tuple[Node, list[ColumnRef]]:
    """Return the node without doubles. What only ORDER BY needs is taken from the first row of each."""
    collations = tuple(ref.collation for ref in refs)
    if not hidden:
        return Distinct(node, collations), hidden
    calls = tuple(AggregateCall("", (ref,), type=ref.type, nullable=ref.nullable, bare=True) for ref in hidden)
    kept = [replace(ref, id=binder.new_column(ref.name).id) for ref in hidden]
    return Aggregate(node, tuple(refs), collations, calls, (*refs, *kept)), kept


def _sort_keys(
    terms: Sequence[Term], columns: Sequence[ResultColumn], hidden: Sequence[ColumnRef]
) -> Iterator[SortKey]:
    rest = iter(hidden)
    for term in terms:
        if term.column is not None:
            column = columns[term.column]
            operand = Bound(column.ref, column.affinity, term.collation or column.ref.collation)
        else:
            ref = next(rest)
            operand = Bound(ref, None, term.collation or ref.collation)
        yield ordered(term.tree, operand)
