"""CREATE TABLE: from a definition as written to the table's schema (https://www.sqlite.org/lang_createtable.html)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.context import PlanContext
from discosql.planner.dml_rows import row_rules
from discosql.planner.grammar.syntax import (
    ColumnDefinition,
    IndexedColumn,
    KeyConstraint,
    Reference,
    TableDefinition,
)
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse_expression
from discosql.schema import Check, Column, ForeignKey, Index, TableSchema
from discosql.types import SqlType, declared_type, fold_case

MAX_COLUMNS: Final = 2000
_STANDARD_TYPES: Final = frozenset({"INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"})
"""The types of STRICT tables, which SQLite shows in upper case however they were written."""

_OWN_TYPES: Final = frozenset(
    {SqlType.BOOLEAN, SqlType.DATE, SqlType.TIMESTAMP, SqlType.DECIMAL, SqlType.JSON, SqlType.UUID}
)


def build_table(context: PlanContext, table: TableSchema, definition: TableDefinition) -> TableSchema:
    """Return the schema of a new table, its expressions checked. `table` has its id, name and text."""
    columns = tuple(_columns(table.name, definition))
    table = table.replace(columns=columns, without_rowid=definition.without_rowid)
    table = _with_keys(table, definition)
    table = table.replace(
        checks=tuple(Check(check.name, check.text) for check in definition.checks),
        foreign_keys=tuple(foreign_key(table, reference) for reference in definition.references),
    )
    if all(column.generated is not None for column in columns):
        raise ProgrammingError("must have at least one non-generated column")
    check_collations(context, definition)
    for column in definition.columns:
        check_default(column)
    check_expressions(context, table)
    return table


# Columns ------------------------------------------------------------------------------------------------------------


def _columns(table: str, definition: TableDefinition) -> Iterator[Column]:
    if len(definition.columns) > MAX_COLUMNS:
        raise ProgrammingError(f"too many columns on {table}")
    known: set[str] = set()
    for identity, column in enumerate(definition.columns, start=1):
        if fold_case(column.name) in known:
            raise ProgrammingError(f"duplicate column name: {column.name}")
        known.add(fold_case(column.name))
        if definition.strict:
            _check_strict(table, column)
        yield build_column(column, identity)


def build_column(column: ColumnDefinition, identity: int) -> Column:
    """Return a column with an id, as defined."""
    if column.generated is not None and column.default is not None:
        raise ProgrammingError(f'error in generated column "{column.name}"')
    return Column(
        identity,
        column.name,
        declared_type(column.declared),
        column.declared.upper() if column.declared.upper() in _STANDARD_TYPES else column.declared,
        column.not_null,
        column.default,
        column.collation.upper(),
        column.generated,
        column.stored,
        conflict=column.conflict,
    )


def _check_strict(table: str, column: ColumnDefinition) -> None:
    if not column.declared:
        raise ProgrammingError(f"missing datatype for {table}.{column.name}")
    if column.declared.upper() not in _STANDARD_TYPES and declared_type(column.declared) not in _OWN_TYPES:
        raise ProgrammingError(f'unknown datatype for {table}.{column.name}: "{column.declared}"')


# Keys ---------------------------------------------------------------------------------------------------------------


def _with_keys(table: TableSchema, definition: TableDefinition) -> TableSchema:
    primaries = [key for key in definition.keys if key.primary]
    if len(primaries) > 1:
        raise ProgrammingError(f'table "{table.name}" has more than one primary key')
    if not primaries and definition.without_rowid:
        raise ProgrammingError(f"PRIMARY KEY missing on table {table.name}")
    primary = primaries[0] if primaries else None
    if primary is not None:
        table = _with_primary_key(table, primary, definition)
    keys = [key for key in definition.keys if not (key.primary and table.rowid_column is not None)]
    if definition.without_rowid and primary is not None and _is_integer_key(table, primary):
        # SQLite makes the index of such a key only when it has read the whole table.
        keys = [*(key for key in keys if not key.primary), primary]
    for key in keys:
        table = _with_index(table, key)
    return table


def _is_integer_key(table: TableSchema, key: KeyConstraint) -> bool:
    position = table.position(key.columns[0].name)
    if len(key.columns) != 1 or position is None or table.columns[position].declared.upper() != "INTEGER":
        return False
    return not (key.of_column and key.columns[0].descending)


def _with_primary_key(table: TableSchema, key: KeyConstraint, definition: TableDefinition) -> TableSchema:
    positions = tuple(dict.fromkeys(key_position(table, column) for column in key.columns))
    if any(table.columns[position].generated is not None for position in positions):
        raise ProgrammingError("generated columns cannot be part of the PRIMARY KEY")
    is_rowid = _is_integer_key(table, key) and not definition.without_rowid
    if key.autoincrement and definition.without_rowid:
        raise ProgrammingError("AUTOINCREMENT not allowed on WITHOUT ROWID tables")
    if key.autoincrement and not is_rowid:
        raise ProgrammingError("AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY")
    columns = table.columns
    if definition.without_rowid or (definition.strict and not is_rowid):
        columns = tuple(
            replace(column, not_null=True) if position in positions else column
            for position, column in enumerate(columns)
        )
    return table.replace(
        columns=columns,
        primary_key=positions,
        rowid_column=positions[0] if is_rowid else None,
        conflict=key.conflict if is_rowid else None,
        autoincrement=key.autoincrement,
    )


def _with_index(table: TableSchema, key: KeyConstraint) -> TableSchema:
    """Return the table with the index of a constraint, unless one over the same columns is there already."""
    index = key_index(
        table, key.columns, table.id + 1 + len(table.indexes), f"sqlite_autoindex_{table.name}_{len(table.indexes) + 1}"
    )
    index = replace(index, unique=True, origin="pk" if key.primary else "u", conflict=key.conflict)
    for i, known in enumerate(table.indexes):
        if (known.columns, known.collations) == (index.columns, index.collations):
            if None not in (known.conflict, index.conflict) and known.conflict != index.conflict:
                raise ProgrammingError("conflicting ON CONFLICT clauses specified")
            known = replace(known, conflict=known.conflict or index.conflict)
            table = table.replace(indexes=(*table.indexes[:i], known, *table.indexes[i + 1 :]))
            if not key.primary:
                return table
            indexes = (*table.indexes[:i], replace(known, origin="pk"), *table.indexes[i + 1 :])
            return table.replace(indexes=indexes)
    return table.replace(indexes=(*table.indexes, index))


def key_index(table: TableSchema, columns: Sequence[IndexedColumn], identity: int, name: str) -> Index:
    """Return an index over some columns of a table; a column without a collation has that of its definition."""
    positions = tuple(key_position(table, column) for column in columns)
    collations = tuple(
        column.collation.upper() if column.collation else table.columns[position].collation
        for column, position in zip(columns, positions, strict=True)
    )
    descending = tuple(column.descending for column in columns)
    return Index(identity, name, positions, False, "c", collations, descending)


def key_position(table: TableSchema, column: IndexedColumn) -> int:
    """Return the position of a column in a key. Raises ProgrammingError if the table has none of that name."""
    position = table.position(column.name)
    if position is None:
        raise UnknownNameError(f"no such column: {column.name}")
    return position


def foreign_key(table: TableSchema, reference: Reference) -> ForeignKey:
    """Return a foreign key with the positions of its columns."""
    key = reference.key
    if key.parent_columns and len(key.parent_columns) != len(reference.columns):
        if len(reference.columns) == 1 and reference.of_column:
            raise ProgrammingError(
                f"foreign key on {reference.columns[0]} should reference only one column of table {key.parent}"
            )
        raise ProgrammingError(
            "number of columns in foreign key does not match the number of columns in the referenced table"
        )
    positions = []
    for name in reference.columns:
        position = table.position(name)
        if position is None:
            raise ProgrammingError(f'unknown column "{name}" in foreign key definition')
        positions.append(position)
    return replace(key, columns=tuple(positions))


# Checks of what is written ------------------------------------------------------------------------------------------


def check_collations(context: PlanContext, definition: TableDefinition) -> None:
    """Raise ProgrammingError if a column or a key has an unknown collation."""
    for column in definition.columns:
        check_collation(context, column.collation)
    for key in definition.keys:
        for indexed in key.columns:
            check_collation(context, indexed.collation)


def check_collation(context: PlanContext, name: str | None) -> None:
    """Raise ProgrammingError if there is no collation of that name."""
    if name is not None and name.upper() not in context.collations:
        raise UnknownNameError(f"no such collation sequence: {name}")


def check_default(column: ColumnDefinition) -> None:
    """Raise ProgrammingError if a default is not constant. A bare name is a text, unless it is in parentheses."""
    if column.default is None or not column.default_in_parentheses:
        return
    tree = parse_expression(column.default)
    if tree.find(exp.Column, exp.Query, exp.Placeholder) is not None:
        raise ProgrammingError(f"default value of column [{column.name}] is not constant")


def check_expressions(context: PlanContext, table: TableSchema) -> None:
    """Raise ProgrammingError if an expression of a table's schema is not one that may stand there."""
    for check in table.checks:
        check_tree(context, parse_expression(check.expression), "CHECK constraints")
    for column in table.columns:
        if column.generated is not None:
            tree = parse_expression(column.generated)
            check_tree(context, tree, "generated columns")
            _check_generated(context, table, tree)
    # Binding finds unknown columns and functions, and generated columns that depend on each other in a circle.
    row_rules(Binder(context, ParameterTable()), table)


def check_tree(context: PlanContext, tree: exp.Expr, place: str) -> None:
    """Raise ProgrammingError if an expression of the schema has a parameter, a subquery or a misused function."""
    if tree.find(exp.Placeholder) is not None:
        raise ProgrammingError(f"parameters prohibited in {place}")
    if tree.find(exp.Query) is not None:
        raise ProgrammingError(f"subqueries prohibited in {place}")
    for call in tree.find_all(exp.Anonymous):
        kinds = [
            kind for kind in ("scalar", "aggregate", "window") if (fold_case(call.name), kind) in context.functions
        ]
        if kinds and "scalar" not in kinds:
            raise ProgrammingError(f"misuse of {kinds[0]} function {call.name}()")


def _check_generated(context: PlanContext, table: TableSchema, tree: exp.Expr) -> None:
    for call in tree.find_all(exp.Anonymous):
        signature = context.functions.get((fold_case(call.name), "scalar"))
        if signature is not None and not signature.deterministic:
            raise ProgrammingError("non-deterministic functions prohibited in generated columns")
    for column in tree.find_all(exp.Column):
        if table.position(column.name) is None and fold_case(column.name) in ("rowid", "oid", "_rowid_"):
            raise UnknownNameError(f"no such column: {column.name}")
