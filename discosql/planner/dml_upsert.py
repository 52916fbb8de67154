"""ON CONFLICT clauses (https://www.sqlite.org/lang_upsert.html)."""

from collections.abc import Sequence

from sqlglot import exp

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.dml_assignments import assigned
from discosql.planner.dml_rows import column_position, new_row
from discosql.planner.grammar.syntax import IndexedColumn, UpsertClause
from discosql.planner.parse import parse_expression
from discosql.planner.plan import RowRules, Upsert
from discosql.planner.scope import Scope
from discosql.planner.terms import unwrapped
from discosql.planner.tokens import quote
from discosql.schema import ComputedIndex, TableSchema
from discosql.types import fold_case


def build_upserts(binder: Binder, rules: RowRules, alias: str, clauses: Sequence[UpsertClause]) -> tuple[Upsert, ...]:
    """Return the ON CONFLICT clauses of an INSERT, in the order in which they are tried."""
    for clause in clauses[:-1]:
        if clause.target is None:
            # SQLite's grammar ends at a clause without a target.
            raise ProgrammingError('near "ON": syntax error')
    return tuple(_build_upsert(binder, rules, alias, clause) for clause in clauses)


def _build_upsert(binder: Binder, rules: RowRules, alias: str, clause: UpsertClause) -> Upsert:
    table = rules.table
    index = None if clause.target is None else _conflict_index(table, clause.target, clause.target_where)
    if clause.assignments is None:
        return Upsert(index)
    excluded = new_row(binder, table, "excluded")
    # A column without a table's name is one of the existing row, so the refused row is further out.
    scope = Scope.of_table(table, alias, rules.row, Scope.of_table(table, "excluded", excluded))
    # Of a column set twice, the last counts.
    values = dict(assigned(table, clause.assignments))
    assignments = tuple((position, binder.bind(value, scope)) for position, value in values.items())
    where = binder.bind(clause.where, scope) if clause.where is not None else None
    return Upsert(index, assignments, excluded, where)


def _conflict_index(table: TableSchema, target: Sequence[IndexedColumn], where: exp.Expr | None) -> int:
    """Return the id of the unique index over just these columns or expressions, -1 for the rowid."""
    plain = [column for column in target if column.expression is None]
    index = _column_index(table, plain) if len(plain) == len(target) else None
    if index is None:
        index = next((each.id for each in table.computed_indexes if _is_target(each, target, where)), None)
    if index is None:
        raise ProgrammingError("ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint")
    return index


def _is_target(index: ComputedIndex, target: Sequence[IndexedColumn], where: exp.Expr | None) -> bool:
    if not index.unique or len(index.keys) != len(target) or (index.where is None) != (where is None):
        return False
    if where is not None and index.where is not None and _folded(where) != _folded(parse_expression(index.where)):
        return False
    keys = [_folded(parse_expression(key)) for key in index.keys]
    wanted = [_folded(column.expression or parse_expression(quote(column.name))) for column in target]
    return all(item in keys for item in wanted) and all(key in wanted for key in keys)


def _folded(tree: exp.Expr) -> exp.Expr:
    """Return an expression that is equal to others that mean the same as written: names in one case."""
    tree = unwrapped(tree).copy()
    for name in tree.find_all(exp.Identifier):
        name.set("this", fold_case(name.name))
    for call in tree.find_all(exp.Anonymous):
        call.set("this", fold_case(call.name))
    return tree


def _column_index(table: TableSchema, target: Sequence[IndexedColumn]) -> int | None:
    positions = [column_position(table, column.name) for column in target]
    for column, position in zip(target, positions, strict=True):
        if position is None:
            raise UnknownNameError(f"no such column: {column.name}")
    if len(target) == 1 and positions[0] in (-1, table.rowid_column):
        return -1
    wanted = {
        (position, column.collation and column.collation.upper())
        for position, column in zip(positions, target, strict=True)
    }
    for index in table.indexes:
        keys = dict(zip(index.columns, index.collations, strict=False))
        if index.unique and len(keys) == len(wanted) == len(index.columns):
            fits = [position in keys and collation in (None, keys[position]) for position, collation in wanted]
            if all(fits):
                return index.id
    return None
