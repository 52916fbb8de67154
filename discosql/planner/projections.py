"""The result columns of a SELECT: stars written out, names as SQLite gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.bind import coalesced
from discosql.planner.infer import Bound
from discosql.planner.parse import output_name
from discosql.planner.scope import Scope, Source
from discosql.planner.terms import unwrapped
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder


@dataclass(frozen=True, slots=True)
class Item:
    """A result column: its name, what it is, and its tree and alias as written, where it has them."""

    name: str
    bound: Bound
    tree: exp.Expr | None = None
    alias: str | None = None


def expand(binder: Binder, tree: exp.Select, scope: Scope) -> list[Item]:
    """Return the result columns of a SELECT, or of RETURNING."""
    items: list[Item] = []
    for projection in tree.expressions:
        if isinstance(projection, exp.Star):
            if not scope.sources:
                raise ProgrammingError("no tables specified")
            items += [replace(item, bound=binder.asking.readable(item.bound)) for item in _all_columns(scope)]
        elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            source = scope.source(projection.table, projection.db or None)
            if source is None:
                raise UnknownNameError(f"no such table: {projection.table}", projection.table)
            shown = [column for column in source.columns if not column.hidden]
            for column in shown:
                _refuse_ambiguous(scope, source, column.name)
            items += [Item(column.name, binder.asking.readable(column.bound)) for column in shown]
        else:
            items.append(_item(binder, projection, scope))
    return items


def _all_columns(scope: Scope) -> Iterator[Item]:
    """Yield the columns of ``*``; those joined by USING come once, where the leftmost table has them."""
    for position, source in enumerate(scope.sources):
        for column in source.columns:
            folded = fold_case(column.name)
            if column.hidden or folded in source.using:
                continue
            _refuse_ambiguous(scope, source, column.name)
            if _is_merged_later(scope.sources[position + 1 :], folded):
                found = [match.bound for match in scope.find(column.name)]
                yield Item(column.name, found[0] if len(found) == 1 else coalesced(found))
            else:
                yield Item(column.name, column.bound)


def _refuse_ambiguous(scope: Scope, source: Source, name: str) -> None:
    """Raise ProgrammingError if another table of the same name has a column of that name, too, and not by USING."""
    for other in scope.sources:
        if other is source or fold_case(other.name) != fold_case(source.name):
            continue
        is_same = source.schema is None or source.schema == other.schema
        if source.name and is_same and fold_case(name) in other.names and fold_case(name) not in other.using:
            raise ProgrammingError(f"ambiguous column name: {source.name}.{name}")


def _is_merged_later(sources: tuple[Source, ...], folded: str) -> bool:
    return any(source.using.get(folded) in ("right", "full") for source in sources)


def _item(binder: Binder, projection: exp.Expr, scope: Scope) -> Item:
    if isinstance(projection, exp.Alias):
        return Item(projection.alias, binder.operand(projection.this, scope), projection.this, projection.alias)
    bound = binder.operand(projection, scope)
    return Item(_column_name(projection, scope) or output_name(projection), bound, projection)


def _column_name(projection: exp.Expr, scope: Scope) -> str | None:
    """Return the name of the column that an expression is, as its table has it; None for any other expression."""
    inner = unwrapped(projection)
    if not isinstance(inner, exp.Column):
        return None
    for level in scope.enclosing():
        found = level.find(inner.name, inner.table or None, inner.db or None)
        if found:
            return found[0].name
    return None
