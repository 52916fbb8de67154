"""The rules of a table's rows, from the texts of the schema: defaults, checks, generated columns.

The same texts are bound again for every statement that changes rows, for the ids of columns belong to a statement.
"""

from collections.abc import Iterator

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.build import Binder
from discosql.planner.parse import parse_expression
from discosql.planner.plan import ColumnRef, ComputedKey, Constant, Expression, GeneratedValue, RowCheck, RowRules
from discosql.planner.scope import Scope
from discosql.schema import Column, ComputedIndex, TableSchema
from discosql.types import SqlType, fold_case

_CHANGING_ACTIONS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def new_row(binder: Binder, table: TableSchema, alias: str | None = None) -> tuple[ColumnRef, ...]:
    """Return columns for a stored row: its rowid, then the table's columns."""
    name = alias or table.name
    rowid = binder.new_column("rowid", name, SqlType.INTEGER, nullable=False)
    row = (rowid, *(_column_ref(binder, table, name, position) for position in range(len(table.columns))))
    binder.note_columns(table, row)
    return row


def _column_ref(binder: Binder, table: TableSchema, alias: str, position: int) -> ColumnRef:
    column = table.columns[position]
    nullable = not column.not_null and position != table.rowid_column
    return binder.new_column(column.name, alias, column.type, nullable, column.collation)


def row_rules(binder: Binder, table: TableSchema, row: tuple[ColumnRef, ...] | None = None) -> RowRules:
    """Return the rules for new rows of a table, over the given columns or new ones."""
    row = row or new_row(binder, table)
    binder.asking.note(table, row)
    with binder.asking.unasked():
        return _row_rules(binder, table, row)


def _row_rules(binder: Binder, table: TableSchema, row: tuple[ColumnRef, ...]) -> RowRules:
    scope = Scope.of_table(table, table.name, row)
    checks = tuple(
        RowCheck(check.name or check.expression, binder.bind(parse_expression(check.expression), scope))
        for check in table.checks
    )
    defaults = tuple(default_value(binder, column) for column in table.columns)
    kept = [index for index in table.computed_indexes if index.unique or index.kept]
    computed = tuple(computed_key(binder, index, scope) for index in kept)
    return RowRules(table, row, defaults, checks, tuple(_generated(binder, table, scope)), computed)


def computed_key(binder: Binder, index: ComputedIndex, scope: Scope) -> ComputedKey:
    """Return the key of an index over expressions or some rows."""
    expressions = tuple(binder.bind(parse_expression(text), scope) for text in index.keys)
    where = None if index.where is None else binder.bind(parse_expression(index.where), scope)
    return ComputedKey(index, expressions, where)


def default_value(binder: Binder, column: Column) -> Expression:
    """Return the expression of a column's default, NULL if it has none. A bare name stands for a text."""
    if column.default is None:
        return Constant(None)
    tree = parse_expression(column.default)
    if isinstance(tree, exp.Column) and not tree.table:
        return Constant(tree.name, SqlType.TEXT)
    return binder.bind(tree, Scope.empty())


def _generated(binder: Binder, table: TableSchema, scope: Scope) -> Iterator[GeneratedValue]:
    trees = {
        position: parse_expression(column.generated)
        for position, column in enumerate(table.columns)
        if column.generated is not None
    }
    for position in _in_order_of_dependence(table, trees):
        yield GeneratedValue(position, binder.bind(trees[position], scope))


def _in_order_of_dependence(table: TableSchema, trees: dict[int, exp.Expr]) -> list[int]:
    """Return the positions of generated columns, each behind those it uses."""
    needs = {
        position: {table.position(column.name) for column in tree.find_all(exp.Column)} & trees.keys()
        for position, tree in trees.items()
    }
    order: list[int] = []
    while len(order) < len(needs):
        ready = [position for position in needs if position not in order and needs[position] <= set(order)]
        if not ready:
            looping = max(position for position in needs if position not in order)
            raise ProgrammingError(f'generated column loop on "{table.columns[looping].name}"')
        order += ready
    return order


def related_rules(binder: Binder, table: TableSchema) -> tuple[RowRules, ...]:
    """Return the rules of the other tables whose rows foreign key actions change when rows of this one do."""
    catalog = binder.context.catalog
    found: dict[int, TableSchema] = {}
    waiting = [table]
    while waiting:
        for child, key in catalog.children(waiting.pop()):
            changes = {key.on_delete, key.on_update} & _CHANGING_ACTIONS
            if changes and child.id != table.id and child.id not in found:
                found[child.id] = child
                waiting.append(child)
    return tuple(row_rules(binder, child) for child in found.values())


def column_position(table: TableSchema, name: str) -> int | None:
    """Return the position of a column to be set, -1 for the rowid under one of its names, None if there is none."""
    position = table.position(name)
    if position is None and fold_case(name) in ("rowid", "oid", "_rowid_") and not table.without_rowid:
        return table.rowid_column if table.rowid_column is not None else -1
    return position
