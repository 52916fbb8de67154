"""FROM: tables, derived tables, table-valued functions and the joins between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.bind import coalesced
from discosql.planner.bind_operators import compared
from discosql.planner.build_sources import build_source
from discosql.planner.infer import Bound
from discosql.planner.plan import And, Expression, NestedLoopJoin, Node, Values
from discosql.planner.scope import MergeSide, Scope, Source
from discosql.planner.traverse import free_columns
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

Kind = Literal["inner", "left", "right", "full"]

_KINDS: dict[str, Kind] = {"": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full"}
_MERGES: dict[Kind, MergeSide] = {"inner": "left", "left": "left", "right": "right", "full": "full"}
_JOIN_CLAUSES = frozenset({"this", "on", "side", "kind", "using", "method"})


def build_from(binder: Binder, tree: exp.Expr, outer: Scope | None) -> tuple[Node, Scope]:
    """Return the plan of a SELECT's FROM clause and the scope of its tables; without one, a single empty row."""
    clause = tree.args.get("from_")
    if clause is None:
        return Values(((),), ()), Scope(outer=outer)
    return build_joined(binder, clause.this, tree.args.get("joins") or [], outer, False)


def build_joined(
    binder: Binder, first: exp.Expr, joins: Sequence[exp.Join], outer: Scope | None, nullable: bool
) -> tuple[Node, Scope]:
    """Return the plan of tables joined from left to right. `nullable`: an outer join around may leave them out."""
    kinds = [_kind(join) for join in joins]
    node, scope = _operand(binder, first, Scope(outer=outer), nullable or _missing_later(kinds, 0))
    for position, join in enumerate(joins):
        kind = kinds[position]
        missing = nullable or kind in ("left", "full") or _missing_later(kinds, position + 1)
        right, right_scope = _operand(binder, join.this, scope, missing)
        node, scope = _join(binder, join, kind, (node, scope), (right, right_scope))
    return node, scope


def _missing_later(kinds: Sequence[Kind], start: int) -> bool:
    return any(kind in ("right", "full") for kind in kinds[start:])


def _kind(join: exp.Join) -> Kind:
    for name, value in join.args.items():
        if value and name not in _JOIN_CLAUSES:
            raise NotSupportedError(f"{name.upper()} is not supported in a join")
    kind = (join.args.get("kind") or "").upper()
    if kind not in ("", "INNER", "OUTER", "CROSS"):
        raise NotSupportedError(f"{kind} JOIN is not supported")
    return _KINDS[(join.args.get("side") or "").upper()]


def _operand(binder: Binder, tree: exp.Expr, left: Scope, nullable: bool) -> tuple[Node, Scope]:
    """Return one operand of a join: a table with joins of its own inside parentheses, or a single source."""
    while isinstance(tree, exp.Subquery | exp.Paren) and isinstance(tree.this, exp.Table | exp.Subquery | exp.Values):
        if tree.args.get("alias") is not None:
            break
        joins = tree.args.get("joins")
        if joins:
            return build_joined(binder, _without_joins(tree), joins, left.outer, nullable)
        tree = tree.this
    joins = tree.args.get("joins")
    if joins:
        return build_joined(binder, _without_joins(tree), joins, left.outer, nullable)
    node, source = build_source(binder, tree, left, nullable)
    return node, Scope((source,), left.outer)


def _without_joins(tree: exp.Expr) -> exp.Expr:
    copy = tree.copy()
    copy.set("joins", None)
    return copy


def _join(
    binder: Binder, join: exp.Join, kind: Kind, left: tuple[Node, Scope], right: tuple[Node, Scope]
) -> tuple[Node, Scope]:
    names = _merged_names(join, left[1], right[1])
    parts = [_merged_condition(name, left[1], right[1]) for name in names]
    side = _MERGES[kind]
    using: dict[str, MergeSide] = {fold_case(name): side for name in names}
    merged = [replace(source, using={**source.using, **using}) for source in right[1].sources]
    scope = Scope((*left[1].sources, *merged), left[1].outer)
    condition = join.args.get("on")
    if condition is not None and not (isinstance(condition, exp.Boolean) and condition.this):
        parts.append(binder.operand(condition, scope).expression)
    lateral = bool(free_columns(right[0]) & {column.id for column in left[0].output})
    if lateral and kind in ("right", "full"):
        raise ProgrammingError(f"{kind.upper()} JOIN with a table-valued function of the left side is not supported")
    return NestedLoopJoin(left[0], right[0], kind, _conjunction(parts), lateral), scope


def _conjunction(parts: list[Expression]) -> Expression | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return And(tuple(parts), nullable=any(part.nullable for part in parts))


def _merged_names(join: exp.Join, left: Scope, right: Scope) -> list[str]:
    """Return the columns that USING lists or NATURAL finds on both sides."""
    using = join.args.get("using")
    if using:
        return [item.name for item in using]
    if (join.args.get("method") or "").upper() != "NATURAL":
        return []
    if join.args.get("on") is not None and not isinstance(join.args["on"], exp.Boolean):
        raise ProgrammingError("a NATURAL join may not have an ON or USING clause")
    found: list[str] = []
    for source in right.sources:
        for column in source.columns:
            folded = fold_case(column.name)
            shared = any(folded in other.names for other in left.sources)
            if shared and not column.hidden and folded not in map(fold_case, found):
                found.append(column.name)
    return found


def _merged_condition(name: str, left: Scope, right: Scope) -> Expression:
    sides = [_merged_operand(name, left), _merged_operand(name, right)]
    if sides[0] is None or sides[1] is None:
        raise ProgrammingError(f"cannot join using column {name} - column not present in both tables")
    return compared("=", sides[0], sides[1])


def _merged_operand(name: str, scope: Scope) -> Bound | None:
    """Return the column that USING compares: where several tables have it, the leftmost, unless a join merged them."""
    folded = fold_case(name)
    sources = [source for source in scope.sources if source.names.get(folded) is not None]
    if not any(source.using.get(folded) in ("right", "full") for source in sources):
        first: Source | None = sources[0] if sources else None
        column = first.names.get(folded) if first is not None else None
        return column.bound if column is not None else None
    found = [column.bound for column in scope.find(name)]
    return found[0] if len(found) == 1 else coalesced(found)
