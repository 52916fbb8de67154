"""The columns of views, which ``PRAGMA table_info`` shows: their names and types are those of the query's result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from discosql.adapting import CONVERTED_TYPES
from discosql.errors import ProgrammingError
from discosql.planner.build_with import build_view
from discosql.planner.built import ResultColumn, scope_columns
from discosql.planner.declared import result_columns
from discosql.planner.plan import Constant, Expression
from discosql.schema import View
from discosql.types import Affinity, SqlType, declared_type, text_of

if TYPE_CHECKING:
    from discosql.planner.build import Binder

DESCRIBING: Final = frozenset({"pragma_table_info", "pragma_table_xinfo", "pragma_table_list"})
"""The functions that tell of the columns of a table or view, the name of which is the first argument."""

_SHORT: Final = {Affinity.INTEGER: "INT", Affinity.NUMERIC: "NUM"}


def described_views(
    binder: Binder, function: str, arguments: Sequence[Expression]
) -> tuple[tuple[View, tuple[tuple[str, str], ...]], ...]:
    """Return the views that a call of such a function may mean, each with its columns' names and declared types.

    That is one if the name is a constant (and they are not listed), else all whose queries can still be planned. Raises
    what planning the query of that one raises, such as UnknownNameError where a table of it is gone.
    """
    lists = function == "pragma_table_list"
    if binder.describing or not (arguments or lists):
        return ()
    catalog = binder.context.catalog
    if not lists and all(isinstance(argument, Constant) for argument in arguments):
        values = [argument.value for argument in arguments if isinstance(argument, Constant)]
        view = catalog.find_view(*[text_of(value) for value in values]) if None not in values else None
        return () if view is None else ((view, _columns(binder, view)),)
    found = []
    for view in (view for part in catalog.parts() for view in part.views.values()):
        try:
            found.append((view, _columns(binder, view)))
        except ProgrammingError:  # its query no longer fits the schema: it has no columns to show
            continue
    return tuple(found)


def _columns(binder: Binder, view: View) -> tuple[tuple[str, str], ...]:
    own = binder.apart()
    own.describing = True
    built = build_view(own, view)
    scope = scope_columns(built.columns, [column.ref for column in built.columns])
    names = view.columns or [column.name for column in scope]
    if len(names) != len(scope):
        raise ProgrammingError(f"expected {len(names)} columns for '{view.name}' but got {len(scope)}")
    shown = result_columns(built.node, [(column.name, column.ref) for column in scope])
    return tuple(
        (name, _type(given.declared, column)) for name, given, column in zip(names, shown, built.columns, strict=True)
    )


def _type(declared: str, column: ResultColumn) -> str:
    """Return the declared type of a table's column, or what SQLite calls the type of an expression."""
    if column.affinity is None or (declared and declared_type(declared).affinity is column.affinity.affinity):
        return declared
    if column.affinity in CONVERTED_TYPES or column.affinity is SqlType.DECIMAL:
        return column.affinity.value
    affinity = column.affinity.affinity
    return _SHORT.get(affinity, affinity.value)
