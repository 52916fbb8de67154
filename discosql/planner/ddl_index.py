"""CREATE INDEX: over columns, or over expressions and some rows."""

from dataclasses import replace

from sqlglot import exp

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.build import Binder
from discosql.planner.computed_keys import with_kept
from discosql.planner.context import PlanContext
from discosql.planner.ddl_table import check_collation, check_tree, key_index, key_position
from discosql.planner.dml_rows import row_rules
from discosql.planner.grammar.syntax import CreateIndex, IndexedColumn
from discosql.planner.names import check_new_name, is_temporary
from discosql.planner.parameters import ParameterTable
from discosql.planner.parse import parse, parse_expression
from discosql.planner.plan import ChangeSchema
from discosql.planner.pragma import nothing
from discosql.planner.terms import unwrapped
from discosql.planner.tokens import quote
from discosql.schema import ComputedIndex, TableSchema
from discosql.types import fold_case


def build_create_index(context: PlanContext, statement: CreateIndex) -> ChangeSchema:
    """Return the change that CREATE INDEX makes to the catalog."""
    catalog, name = context.catalog, statement.name.name
    table = _indexed_table(context, statement)
    database = "temp" if table.temporary else "main"
    check_new_name(name)
    if catalog.find_table(name, database) is not None or catalog.find_view(name, database) is not None:
        raise ProgrammingError(f"there is already a table named {name}")
    if catalog.find_index(name, database) is not None:
        if statement.if_not_exists:
            return nothing(context, f"CREATE INDEX {name}")
        raise ProgrammingError(f"index {name} already exists")
    label, identity = f"CREATE INDEX {name}", catalog.part(temporary=table.temporary).next_id
    columns = [_plain(column) for column in statement.columns]
    for column in columns:
        check_collation(context, column.collation)
    if statement.where is not None or any(column.expression is not None for column in columns):
        computed = build_computed(context, table, statement, identity)
        changed = table.replace(computed_indexes=(*table.computed_indexes, computed))
        only = table.replace(computed_indexes=(computed,))
        check = row_rules(Binder(context, ParameterTable()), only)
        return ChangeSchema(label, catalog.with_table(changed), check_computed=check)
    index = replace(key_index(table, columns, identity, name), unique=statement.unique, sql=statement.sql)
    changed = table.replace(indexes=(*table.indexes, index))
    return ChangeSchema(label, catalog.with_table(changed), check_index=(changed, index.id) if index.unique else None)


def _indexed_table(context: PlanContext, statement: CreateIndex) -> TableSchema:
    catalog, given = context.catalog, statement.name.database
    # An index is where its table is; one that names a database looks for the table there only.
    is_temporary(statement.name, temporary=False)
    if catalog.find_view(statement.table, given) is not None:
        raise ProgrammingError("views may not be indexed")
    if fold_case(statement.table).startswith("sqlite_"):
        raise ProgrammingError(f"table {statement.table} may not be indexed")
    if catalog.find_table(statement.table, given) is None:
        raise UnknownNameError(f"no such table: {given or 'main'}.{statement.table}", statement.table)
    return catalog.table(statement.table, given)


def _plain(column: IndexedColumn) -> IndexedColumn:
    """Return a column in parentheses as one without."""
    tree = None if column.expression is None else unwrapped(column.expression)
    if isinstance(tree, exp.Column) and not tree.table:
        return replace(column, name=tree.name, expression=None)
    return column


def build_computed(context: PlanContext, table: TableSchema, statement: CreateIndex, identity: int) -> ComputedIndex:
    """Return an index over expressions or of some rows. Raises ProgrammingError for what may not stand in one."""
    keys, positions, collations = [], [], []
    for column in map(_plain, statement.columns):
        if column.expression is None:
            position = key_position(table, column)
            keys.append(quote(table.columns[position].name))
            collations.append((column.collation or table.columns[position].collation).upper())
        else:
            position = -2
            _check(context, column.expression, "index expressions")
            keys.append(column.name)
            # A collation counts where it is the outermost; SQLite does not look further in.
            tree = unwrapped(column.expression)
            collations.append(tree.expression.name.upper() if isinstance(tree, exp.Collate) else "BINARY")
        positions.append(position)
    if statement.where is not None:
        _check(context, parse_expression(statement.where), "partial index WHERE clauses")
    index = ComputedIndex(
        identity,
        statement.name.name,
        tuple(keys),
        tuple(positions),
        statement.unique,
        statement.where,
        tuple(collations),
        tuple(column.descending for column in statement.columns),
        statement.sql,
    )
    # Binding finds unknown columns and functions.
    return with_kept(context, table, index)


def rebuilt_computed(context: PlanContext, table: TableSchema, index: ComputedIndex) -> ComputedIndex:
    """Return an index as its text says for a table that was changed."""
    statement = parse(index.sql).syntax
    assert isinstance(statement, CreateIndex)
    return build_computed(context, table, statement, index.id)


def _check(context: PlanContext, tree: exp.Expr, place: str) -> None:
    check_tree(context, tree, place)
    for call in tree.find_all(exp.Anonymous):
        signature = context.functions.get((fold_case(call.name), "scalar"))
        if signature is not None and not signature.deterministic:
            raise ProgrammingError(f"non-deterministic functions prohibited in {place}")
