"""FROM: tables, derived tables, table-valued functions and the joins between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.bind import coalesced
from discosql.planner.bind_operators import compared
from discosql.planner.build_sources import build_source
from discosql.planner.infer import Bound
from discosql.planner.plan import And, Constant, Expression, Filter, NestedLoopJoin, Node, Values
from discosql.planner.scope import Level, MergeSide, Scope
from discosql.planner.traverse import columns_in, free_columns
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

Kind = Literal["inner", "left", "right", "full"]

_KINDS: dict[str, Kind] = {"": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full"}
_MERGES: dict[Kind, MergeSide] = {"inner": "left", "left": "left", "right": "right", "full": "full"}
_JOIN_CLAUSES = frozenset({"this", "on", "side", "kind", "using", "method"})


@dataclass(frozen=True, slots=True)
class _Step:
    """One more operand of a join: its plan, the conditions that USING gives, and the tree of ON."""

    node: Node
    kind: Kind
    conditions: tuple[Expression, ...]
    on: exp.Expr | None
    ordered: bool


def build_from(binder: Binder, tree: exp.Select, outer: Scope | None, level: Level) -> tuple[Node, Scope]:
    """Return the plan of a SELECT's FROM clause and the scope of its tables; without one, a single empty row."""
    clause = tree.args.get("from_")
    if clause is None:
        return Values(((),), ()), Scope(outer=outer, level=level)
    joins = [*(clause.this.args.get("joins") or []), *(tree.args.get("joins") or [])]
    return build_joined(binder, clause.this, joins, Scope(outer=outer, level=level), False)


def build_joined(
    binder: Binder, first: exp.Expr, joins: Sequence[exp.Join], around: Scope, nullable: bool
) -> tuple[Node, Scope]:
    """Return the plan of tables joined from left to right. `nullable`: an outer join around may leave them out."""
    kinds = [_kind(join) for join in joins]
    node, scope = _single(binder, first, around, nullable or _missing_later(kinds, 0))
    strict = _missing_later(kinds, 0)
    steps: list[_Step] = []
    for position, join in enumerate(joins):
        kind = kinds[position]
        missing = nullable or kind in ("left", "full") or _missing_later(kinds, position + 1)
        right, right_scope = _operand(binder, join.this, scope, missing)
        names = _merged_names(join, scope, right_scope)
        merged = [_merged_condition(name, scope, right_scope, strict) for name in names]
        conditions = tuple(part if binder.asking.may_read(part) else Constant(None) for part in merged)
        on = join.args.get("on")
        ordered = join.args.get("kind") == "ORDERED"
        steps.append(_Step(right, kind, conditions, None if isinstance(on, exp.Boolean) and on.this else on, ordered))
        scope = _merged_scope(scope, right_scope, names, kind)
    return _assemble(binder, node, steps, scope, strict), scope


def _assemble(binder: Binder, node: Node, steps: Sequence[_Step], scope: Scope, strict: bool) -> Node:
    """Return the joins of all operands.

    ON sees every table of FROM; that of an inner join may use later ones unless a RIGHT or FULL JOIN is there.
    """
    known = {column.id for column in node.output}
    everything = known.union(*({column.id for column in step.node.output} for step in steps))
    late: list[Expression] = []
    for step in steps:
        lateral = bool(free_columns(step.node) & known)
        if lateral and step.kind in ("right", "full"):
            kind = step.kind.upper()
            raise ProgrammingError(f"{kind} JOIN with a table-valued function of the left side is not supported")
        known |= {column.id for column in step.node.output}
        conditions = list(step.conditions)
        if step.on is not None:
            condition = binder.operand(step.on, scope.allowing(aliases=True)).expression
            if not columns_in(condition) & everything <= known:
                if strict or step.kind != "inner":
                    raise ProgrammingError("ON clause references tables to its right")
                late.append(condition)
            else:
                conditions.append(condition)
        node = NestedLoopJoin(node, step.node, step.kind, _conjunction(conditions), lateral, step.ordered)
    predicate = _conjunction(late)
    return node if predicate is None else Filter(node, predicate)


def _missing_later(kinds: Sequence[Kind], start: int) -> bool:
    return any(kind in ("right", "full") for kind in kinds[start:])


def _kind(join: exp.Join) -> Kind:
    for name, value in join.args.items():
        if value and name not in _JOIN_CLAUSES:
            raise NotSupportedError(f"{name.upper()} is not supported in a join")
    kind = (join.args.get("kind") or "").upper()
    if kind not in ("", "INNER", "OUTER", "CROSS", "ORDERED"):
        raise NotSupportedError(f"{kind} JOIN is not supported")
    return _KINDS[(join.args.get("side") or "").upper()]


def _operand(binder: Binder, tree: exp.Expr, left: Scope, nullable: bool) -> tuple[Node, Scope]:
    """Return one operand of a join, which may have joins of its own inside parentheses."""
    joins = tree.args.get("joins")
    if joins:
        return build_joined(binder, tree, joins, replace(left, sources=()), nullable)
    return _single(binder, tree, left, nullable)


def _single(binder: Binder, tree: exp.Expr, left: Scope, nullable: bool) -> tuple[Node, Scope]:
    inner = tree.this if isinstance(tree, exp.Subquery | exp.Paren) and tree.args.get("alias") is None else None
    if isinstance(inner, exp.Table | exp.Subquery | exp.Values):
        return _operand(binder, inner, left, nullable)
    node, source = build_source(binder, tree, left, nullable)
    return node, replace(left, sources=(source,))


def _merged_scope(left: Scope, right: Scope, names: Sequence[str], kind: Kind) -> Scope:
    using: dict[str, MergeSide] = {fold_case(name): _MERGES[kind] for name in names}
    merged = [replace(source, using={**source.using, **using}) for source in right.sources]
    return replace(left, sources=(*left.sources, *merged))


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


def _merged_condition(name: str, left: Scope, right: Scope, strict: bool) -> Expression:
    sides = [_merged_operand(name, left, strict), _merged_operand(name, right, strict)]
    if sides[0] is None or sides[1] is None:
        raise ProgrammingError(f"cannot join using column {name} - column not present in both tables")
    return compared("=", sides[0], sides[1])


def _merged_operand(name: str, scope: Scope, strict: bool) -> Bound | None:
    """Return the column that USING compares: where several tables have it, the leftmost.

    In a FROM clause with a RIGHT or FULL JOIN (`strict`) that is an error unless earlier joins merged them.
    """
    folded = fold_case(name)
    found = [source.names[folded] for source in scope.sources if folded in source.names]
    if not found:
        return None
    if not strict:
        return found[0].bound
    if len(found) > 1 and any(folded not in source.using for source in scope.sources[1:] if folded in source.names):
        raise ProgrammingError(f"ambiguous reference to {name} in USING()")
    bounds = [column.bound for column in scope.find(name)]
    return bounds[0] if len(bounds) == 1 else coalesced(bounds)
