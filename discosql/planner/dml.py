"""INSERT, UPDATE and DELETE to plans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.asking import UNASKED
from discosql.planner.build import Binder
from discosql.planner.build_with import definitions_of
from discosql.planner.context import PlanContext
from discosql.planner.dml_assignments import assigned
from discosql.planner.dml_rows import column_position, related_rules, row_rules
from discosql.planner.dml_upsert import build_upserts
from discosql.planner.grammar.syntax import (
    DeleteStatement,
    InsertStatement,
    Name,
    UpdateStatement,
)
from discosql.planner.names import check_database, is_reserved
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import output_name
from discosql.planner.plan import (
    Aggregate,
    ColumnRef,
    Delete,
    Expression,
    Insert,
    Node,
    OutputColumn,
    Projection,
    Returning,
    RowRules,
    Update,
    Values,
    Window,
)
from discosql.planner.scope import Scope
from discosql.schema import VIEW_ID, TableSchema
from discosql.types import fold_case


def target_table(context: PlanContext, name: Name) -> TableSchema:
    """Return the table that a statement changes. Raises ProgrammingError if there is none or it cannot be changed."""
    check_database(name)
    catalog = context.catalog
    if catalog.find_view(name.name, name.database) is not None:
        raise ProgrammingError(f"cannot modify {name.name} because it is a view")
    if is_reserved(name.name):
        raise ProgrammingError(f"table {name.name} may not be modified")
    return catalog.table(name.name, name.database)


# INSERT -------------------------------------------------------------------------------------------------------------


def build_insert(context: PlanContext, parameters: ParameterTable, statement: InsertStatement) -> Insert:
    """Return the plan of INSERT or REPLACE."""
    table = target_table(context, statement.table)
    binder = Binder(context, parameters)
    positions = insert_positions(table, statement)
    source, positions = insert_source(binder, table, statement, positions)
    rules = row_rules(binder, table)
    alias = statement.alias or table.name
    upserts = build_upserts(binder, rules, alias, statement.upserts)
    # The resolution of the statement that fires a trigger may be that of the trigger's own statements.
    updates = binder.trigger is not None or statement.resolution == "replace" or table.replaces
    updates = updates or any(upsert.assignments for upsert in upserts)
    return Insert(
        rules,
        positions,
        source,
        statement.resolution,
        upserts,
        returning_of(binder, rules, statement.returning),
        related_rules(binder, table) if updates else (),
    )


def insert_positions(table: TableSchema, statement: InsertStatement) -> tuple[int, ...]:
    """Return the positions of the columns that an INSERT gives values for, -1 for the rowid."""
    if statement.columns is None:
        return tuple(i for i, column in enumerate(table.columns) if column.generated is None)
    positions = []
    for name in statement.columns:
        position = column_position(table, name)
        if position is None:
            raise ProgrammingError(f"table {table.name} has no column named {name}")
        if position >= 0 and table.columns[position].generated is not None:
            raise ProgrammingError(f'cannot INSERT into generated column "{table.columns[position].name}"')
        positions.append(position)
    return tuple(positions)


def insert_source(
    binder: Binder, table: TableSchema, statement: InsertStatement, positions: tuple[int, ...]
) -> tuple[Node, tuple[int, ...]]:
    """Return the rows to insert and where their columns go.

    Of a column named twice, the first counts; of the rowid, the last.
    """
    if statement.source is None:
        if statement.columns is not None and statement.columns:
            raise ProgrammingError(f"0 values for {len(positions)} columns")
        return Values(((),), ()), ()
    source, _ = binder.build_query(statement.source)
    count = len(source.output)
    if count != len(positions):
        if statement.columns is None:
            raise ProgrammingError(f"table {table.name} has {len(positions)} columns but {count} values were supplied")
        raise ProgrammingError(f"{count} values for {len(positions)} columns")
    used: dict[int, int] = {}
    for i, position in enumerate(positions):
        if position not in used or position in (-1, table.rowid_column):
            used[position] = i
    if len(used) == count:
        return source, positions
    kept = sorted(used.values())
    refs = tuple(source.output[i] for i in kept)
    output = tuple(binder.new_column(ref.name, ref.table, ref.type, ref.nullable, ref.collation) for ref in refs)
    return Projection(source, refs, output), tuple(positions[i] for i in kept)


# UPDATE and DELETE --------------------------------------------------------------------------------------------------


def build_update(context: PlanContext, parameters: ParameterTable, statement: UpdateStatement) -> Update:
    """Return the plan of UPDATE."""
    table = target_table(context, statement.table)
    alias = statement.alias or table.name
    # Of a column set twice, the last counts.
    values = dict(assigned(table, statement.assignments))
    later = [value.copy() for value in values.values()]
    binder, source = changed_rows(context, parameters, (table, alias), statement.source, values.values())
    rules = row_rules(binder, table, source.output[: len(table.columns) + 1])
    returning = returning_of(binder, rules, statement.returning)
    related = related_rules(binder, table)
    over_row = None
    if context.catalog.has_triggers and not statement.joined:
        over_row = tuple(_values_over_row(binder, rules, alias, statement.source, later))
    return Update(rules, tuple(values), source, statement.resolution, returning, related, over_row)


def _values_over_row(
    binder: Binder, rules: RowRules, alias: str, select: exp.Expr, values: Iterable[exp.Expr]
) -> Iterator[Expression]:
    """Yield new values as expressions over a stored row, for rows that are changed one at a time."""
    scope = Scope.of_table(rules.table, alias, rules.row)
    known = binder.definitions
    if select.args.get("with_"):
        binder.definitions = definitions_of(binder, select, None)
    for value in values:
        yield binder.bind(value, scope)
    binder.definitions = known


def build_delete(context: PlanContext, parameters: ParameterTable, statement: DeleteStatement) -> Delete:
    """Return the plan of DELETE."""
    table = target_table(context, statement.table)
    alias = statement.alias or table.name
    binder, source = changed_rows(context, parameters, (table, alias), statement.source, ())
    rules = row_rules(binder, table, source.output)
    return Delete(rules, source, returning_of(binder, rules, statement.returning), related_rules(binder, table))


def changed_rows(
    context: PlanContext,
    parameters: ParameterTable,
    target: tuple[TableSchema, str],
    select: exp.Expr,
    values: Iterable[exp.Expr],
) -> tuple[Binder, Node]:
    """Return the plan of the stored rows that a statement changes, each followed by the new values.

    Rows of a view have NULL for a rowid.
    """
    table, alias = target
    names = [_rowid_name(table), *(column.name for column in table.columns)]
    columns: list[exp.Expr] = [
        exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(alias, quoted=True))
        for name in names
    ]
    if table.id <= VIEW_ID:
        columns[0] = exp.Null()
    for tree in (select, *columns):
        tree.meta[UNASKED] = True
    select.set("expressions", [*columns, *values])
    binder = Binder(_with_rowid(context, table), parameters)
    source, _ = binder.build_query(select)
    below = source.child if isinstance(source, Projection) else source
    if isinstance(below, Aggregate | Window):
        # A SELECT may call these, a change of rows may not.
        kind = "aggregate" if isinstance(below, Aggregate) else "window"
        raise ProgrammingError(f"misuse of {kind} function {below.calls[0].name}()")
    return binder, source


def _rowid_name(table: TableSchema) -> str:
    for name in ("rowid", "_rowid_", "oid"):
        if table.position(name) is None or table.id <= VIEW_ID:
            return name
    raise ProgrammingError(f"table {table.name} has columns by all three names of the rowid")


def _with_rowid(context: PlanContext, table: TableSchema) -> PlanContext:
    # A row is stored under a rowid in any case; WITHOUT ROWID only hides it.
    if not table.without_rowid or table.id <= VIEW_ID:
        return context
    return replace(context, catalog=context.catalog.with_table(table.replace(without_rowid=False)))


# RETURNING ----------------------------------------------------------------------------------------------------------


def returning_of(binder: Binder, rules: RowRules, trees: Sequence[exp.Expr] | None) -> Returning | None:
    """Return what RETURNING asks for, None without one."""
    if trees is None:
        return None
    table = rules.table
    # SQLite knows the table here by its own name only, whatever its alias.
    scope = Scope.of_table(table, table.name, rules.row)
    expressions: list[Expression] = []
    columns: list[OutputColumn] = []
    for tree in trees:
        if isinstance(tree, exp.Column) and isinstance(tree.this, exp.Star):
            raise ProgrammingError('RETURNING may not use "TABLE.*" wildcards')
        if isinstance(tree, exp.Star):
            expressions += rules.row[1:]
            columns += [OutputColumn(column.name, column.type, column.declared) for column in table.columns]
            continue
        value = tree.this if isinstance(tree, exp.Alias) else tree
        expression = binder.bind(value, scope)
        expressions.append(expression)
        columns.append(OutputColumn(_returned_name(tree, expression, table), expression.type))
    return Returning(tuple(expressions), tuple(columns))


def _returned_name(tree: exp.Expr, expression: Expression, table: TableSchema) -> str:
    if isinstance(tree, exp.Alias):
        return tree.alias
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Column) and isinstance(expression, ColumnRef):
        position = table.position(tree.name)
        return table.columns[position].name if position is not None else fold_case(tree.name)
    return output_name(tree)
