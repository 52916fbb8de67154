"""SET: ``column = value`` and ``(columns) = row``."""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.dml_rows import column_position
from discosql.planner.grammar.syntax import Assignment
from discosql.schema import TableSchema


def assigned(table: TableSchema, assignments: Sequence[Assignment]) -> Iterator[tuple[int, exp.Expr]]:
    """Yield the position of each column that is set, -1 for the rowid, and its new value."""
    for assignment in assignments:
        for name, value in zip(assignment.names, _row_items(assignment), strict=True):
            position = column_position(table, name)
            if position is None:
                raise UnknownNameError(f"no such column: {name}", name)
            if position >= 0 and table.columns[position].generated is not None:
                raise ProgrammingError(f'cannot UPDATE generated column "{table.columns[position].name}"')
            yield position, value


def _row_items(assignment: Assignment) -> list[exp.Expr]:
    """Return one value for each of an assignment's names: itself, a row's values, or a subquery's columns."""
    count, value = len(assignment.names), assignment.value
    while isinstance(value, exp.Paren):
        value = value.this
    if count > 1 and isinstance(value, exp.Tuple):
        items = list(value.expressions)
    elif count > 1 and isinstance(value, exp.Subquery):
        items = [_column_of(value, position, count) for position in range(count)]
    else:
        items = [assignment.value]
    if len(items) != count:
        raise ProgrammingError(f"{count} columns assigned {len(items)} values")
    return items


def _column_of(subquery: exp.Subquery, position: int, count: int) -> exp.Expr:
    """Return a scalar subquery for one column of a subquery of several: ``(WITH s(c0, c1) AS … SELECT c1 FROM s)``."""
    selected = subquery.this.selects if isinstance(subquery.this, exp.Query) else []
    if selected and len(selected) != count and not any(item.is_star for item in selected):
        raise ProgrammingError(f"{count} columns assigned {len(selected)} values")
    names = [exp.to_identifier(f"c{i}", quoted=True) for i in range(count)]
    table = exp.to_identifier("s", quoted=True)
    cte = exp.CTE(this=subquery.this.copy(), alias=exp.TableAlias(this=table, columns=names))
    select = exp.Select(
        expressions=[exp.Column(this=names[position].copy())],
        from_=exp.From(this=exp.Table(this=table.copy())),
        with_=exp.With(expressions=[cte]),
    )
    return exp.Subquery(this=select)
