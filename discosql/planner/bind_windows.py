"""Calls over a window: OVER with its partitions, orders and frames (https://www.sqlite.org/windowfunctions.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, UnknownNameError
from discosql.planner.bind_calls import Arguments, aggregate_result, find_function, first_collation, sort_key
from discosql.planner.infer import Bound, is_same
from discosql.planner.plan import (
    ColumnRef,
    Constant,
    Expression,
    Frame,
    FrameBound,
    FunctionSignature,
    SortKey,
    WindowCall,
)
from discosql.planner.scope import Level, Scope
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

_UNITS: Final[dict[str, Literal["rows", "range", "groups"]]] = {"ROWS": "rows", "RANGE": "range", "GROUPS": "groups"}
_EXCLUSIONS: Final[dict[str, Literal["no others", "current row", "group", "ties"]]] = {
    "NO OTHERS": "no others",
    "CURRENT ROW": "current row",
    "GROUP": "group",
    "TIES": "ties",
}


def bind_windowed(binder: Binder, tree: exp.Window, scope: Scope) -> Bound:
    """Bind a call with OVER."""
    call, condition = tree.this, None
    if isinstance(call, exp.Filter):
        call, condition = call.this, call.expression.this
    if not isinstance(call, exp.Anonymous):
        raise NotSupportedError(f"{call.key.upper()} is not supported as a window function")
    arguments = Arguments(call)
    signature = _window_function(binder, arguments, condition is not None)
    if not scope.windows or scope.level is None:
        raise ProgrammingError(f"misuse of window function {arguments.name}()")
    if not binder.asking.may_call(arguments.name):
        return Bound(Constant(None))
    level = scope.level
    inner = scope.allowing(aggregates=scope.aggregates)
    bounds = [binder.operand(item, inner) for item in arguments.trees]
    partition, order, frame = _window(binder, tree, level, inner)
    kind, nullable = aggregate_result(signature, bounds)
    result = WindowCall(
        fold_case(arguments.name),
        tuple(bound.expression for bound in bounds),
        partition,
        order,
        frame,
        binder.operand(condition, inner).expression if condition is not None else None,
        first_collation(bounds),
        kind,
        nullable,
    )
    return Bound(_placed(binder, result, level))


def _window_function(binder: Binder, arguments: Arguments, filtered: bool) -> FunctionSignature:
    name, count = arguments.name, len(arguments.trees)
    functions, folded = binder.context.functions, fold_case(name)
    if (folded, "scalar") in functions and not {(folded, "aggregate"), (folded, "window")} & functions.keys():
        raise ProgrammingError(f"{name}() may not be used as a window function")
    signature = find_function(binder, name, ("window", "aggregate"), count)
    if arguments.distinct:
        raise ProgrammingError("DISTINCT is not supported for window functions")
    if arguments.order:
        raise NotSupportedError("ORDER BY among the arguments of a window function is not supported")
    if filtered and signature.kind != "aggregate":
        raise ProgrammingError("FILTER clause may only be used with aggregate window functions")
    return signature


def _placed(binder: Binder, call: WindowCall, level: Level) -> ColumnRef:
    for known, column in level.window_calls:
        if is_same(known, call):
            return column
    column = binder.new_column(f"{call.name}()", None, call.type, call.nullable)
    level.window_calls.append((call, column))
    return column


def _window(
    binder: Binder, tree: exp.Window, level: Level, scope: Scope
) -> tuple[tuple[SortKey, ...], tuple[SortKey, ...], Frame]:
    """Return partition, order and frame of a window, with what it takes over from the window it names."""
    partition, order, spec = _inherited(tree, level, ())
    keys = [binder.operand(item, scope) for item in partition]
    order_by = tuple(sort_key(binder, term, scope) for term in order)
    return (
        tuple(SortKey(key.expression, collation=key.collation or "BINARY") for key in keys),
        order_by,
        _frame(binder, spec, len(order_by)),
    )


def _inherited(
    tree: exp.Window, level: Level, seen: tuple[str, ...]
) -> tuple[list[exp.Expr], list[exp.Expr], exp.WindowSpec | None]:
    partition: list[exp.Expr] = tree.args.get("partition_by") or []
    clause = tree.args.get("order")
    order: list[exp.Expr] = clause.expressions if clause is not None else []
    spec = tree.args.get("spec")
    base = tree.args.get("alias")
    if base is None:
        return partition, order, spec
    name = fold_case(base.name)
    named = level.windows.get(name)
    if named is None or name in seen:
        raise UnknownNameError(f"no such window: {base.name}")
    base_partition, base_order, base_spec = _inherited(named, level, (*seen, name))
    if partition:
        raise ProgrammingError(f"cannot override PARTITION clause of window: {base.name}")
    if order and base_order:
        raise ProgrammingError(f"cannot override ORDER BY clause of window: {base.name}")
    if base_spec is not None and (order or spec is not None):
        raise ProgrammingError(f"cannot override frame specification of window: {base.name}")
    return base_partition, order or base_order, spec or base_spec


def _frame(binder: Binder, spec: exp.WindowSpec | None, terms: int) -> Frame:
    if spec is None:
        return Frame()
    unit = _UNITS[str(spec.args["kind"]).upper()]
    start = _bound(binder, spec.args["start"], spec.args.get("start_side"))
    end_value = spec.args.get("end")
    end = _bound(binder, end_value, spec.args.get("end_side")) if end_value is not None else FrameBound("current")
    if _rank(start) > _rank(end) or _rank(start) == 4 or _rank(end) == 0:
        raise ProgrammingError("unsupported frame specification")
    offsets = start.offset is not None or end.offset is not None
    if unit == "range" and offsets and terms != 1:
        raise ProgrammingError("RANGE with offset PRECEDING/FOLLOWING requires one ORDER BY expression")
    if unit == "groups" and offsets and not terms:
        raise ProgrammingError("unsupported frame specification")
    exclude = spec.args.get("exclude")
    return Frame(unit, start, end, _EXCLUSIONS[exclude.name.upper()] if exclude is not None else "no others")


def _bound(binder: Binder, value: Any, side: str | None) -> FrameBound:
    if isinstance(value, str) and value.upper() == "CURRENT ROW":
        return FrameBound("current")
    kind: Literal["preceding", "following"] = "preceding" if str(side).upper() == "PRECEDING" else "following"
    if isinstance(value, str):
        return FrameBound(kind)
    offset: Expression = binder.operand(value, Scope.empty()).expression
    if isinstance(offset, Constant) and (not isinstance(offset.value, int | float) or offset.value < 0):
        place = "starting" if kind == "preceding" else "ending"
        raise ProgrammingError(f"frame {place} offset must be a non-negative integer")
    return FrameBound(kind, offset)


def _rank(bound: FrameBound) -> int:
    """Return the place of a bound's kind in a partition, from its beginning to its end."""
    if bound.kind == "current":
        return 2
    if bound.kind == "preceding":
        return 0 if bound.offset is None else 1
    return 4 if bound.offset is None else 3
