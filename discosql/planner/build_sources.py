"""Single sources of rows in FROM: tables, views, common table expressions, derived tables, table-valued functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError, UnknownNameError
from discosql.planner.build_with import build_definition, build_view
from discosql.planner.built import BuiltQuery, ResultColumn, scope_columns
from discosql.planner.catalog_tables import find_catalog_table
from discosql.planner.grammar.syntax import Name
from discosql.planner.json_values import as_text, json_columns
from discosql.planner.names import DATABASES, sequence_database
from discosql.planner.plan import (
    Call,
    Case,
    Cast,
    CatalogScan,
    ColumnRef,
    Compare,
    Constant,
    Expression,
    Node,
    Projection,
    Scan,
)
from discosql.planner.scope import Scope, ScopeColumn, Source, table_source
from discosql.planner.view_columns import DESCRIBING, described_views
from discosql.schema import SEQUENCE, TableSchema
from discosql.types import SqlType, fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder

_SCHEMA_NAMES = frozenset({"sqlite_master", "sqlite_schema"})
_TABLE_CLAUSES = frozenset({"this", "alias", "db", "version", "joins"})


def build_source(binder: Binder, tree: exp.Expr, left: Scope, nullable: bool) -> tuple[Node, Source]:
    """Return one source of rows. `left` are the tables before it, which a table-valued function may use."""
    if isinstance(tree, exp.Table):
        return _build_table(binder, tree, left, nullable)
    if isinstance(tree, exp.Subquery | exp.Values | exp.Select | exp.SetOperation):
        inner = tree.this if isinstance(tree, exp.Subquery) and not tree.args.get("with_") else tree
        if isinstance(inner, exp.Table):
            inner = exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner.copy()))
        return derived_source(binder, binder.query(inner, left.outer), tree.alias, nullable)
    raise NotSupportedError(f"{tree.key.upper()} is not supported in FROM")


def derived_source(
    binder: Binder, built: BuiltQuery, alias: str, nullable: bool, names: Sequence[str] = (), schema: str | None = None
) -> tuple[Node, Source]:
    """Return a query as a table under an alias, its columns renamed where `names` are given."""
    if names:
        if len(names) != len(built.columns):
            raise ProgrammingError(f"expected {len(names)} columns for '{alias}' but got {len(built.columns)}")
        built = built.renamed(names)
    node, refs = built.node, [column.ref for column in built.columns]
    json = json_columns(node).intersection([ref.id for ref in refs])
    values = [as_text(column.ref) if column.ref.id in json else _as_read(column) for column in built.columns]
    changed = any(value is not ref for value, ref in zip(values, refs, strict=True))
    if changed or (nullable and not all(ref.nullable for ref in refs)):
        output = [
            binder.new_column(ref.name, alias or None, ref.type, nullable or ref.nullable, ref.collation)
            for ref in refs
        ]
        node, refs = Projection(node, tuple(values), tuple(output)), output
    return node, Source(alias, scope_columns(built.columns, refs), schema=schema)


def _as_read(column: ResultColumn) -> Expression:
    """Return what queries around see of a column: of a set operation with the affinity REAL no integer."""
    ref = column.ref
    if column.affinity is not SqlType.REAL or ref.type is SqlType.REAL:
        return ref
    kind = Call("typeof", (ref,), type=SqlType.TEXT, nullable=False)
    is_integer = Compare("=", kind, Constant("integer", SqlType.TEXT), "BINARY")
    return Case(((is_integer, Cast(ref, SqlType.REAL, ref.nullable)),), ref, None, ref.nullable)


def _build_table(binder: Binder, tree: exp.Table, left: Scope, nullable: bool) -> tuple[Node, Source]:
    for clause, value in tree.args.items():
        if value and clause not in _TABLE_CLAUSES:
            raise NotSupportedError(f"{clause.upper()} is not supported behind a table")
    alias = tree.alias or tree.this.name
    if isinstance(tree.this, exp.Anonymous):
        return _build_call(binder, tree.this, alias, left, nullable)
    name, schema = tree.name, tree.db or None
    definition = binder.definitions.find(name) if schema is None else None
    if schema is not None and fold_case(schema) not in DATABASES:
        raise UnknownNameError(f"no such table: {schema}.{name}")
    catalog = binder.context.catalog
    table = catalog.find_table(name, schema) if definition is None else None
    if table is not None:
        as_of = _as_of(binder, tree)
        return _scan(binder, table if as_of is None else _as_before(table), alias, as_of, nullable)
    if tree.args.get("version") is not None:
        raise NotSupportedError(f"FOR SYSTEM_TIME AS OF is not supported for {name}, which is not a stored table")
    if definition is not None:
        return derived_source(binder, build_definition(binder, definition), alias, nullable)
    view = catalog.find_view(name, schema)
    if view is not None:
        database = "temp" if view.temporary else "main"
        node, source = derived_source(binder, build_view(binder, view), alias, nullable, view.columns, database)
        refs, names = [column.ref for column in source.columns], [column.name for column in source.columns]
        binder.asking.note_names(view.name, refs, names, temporary=view.temporary)
        return node, source
    if schema is not None and fold_case(schema) == "temp" and fold_case(name) in _SCHEMA_NAMES:
        name = "sqlite_temp_master"
    sequence = sequence_database(catalog, Name(name, schema))
    return build_table_function(binder, name, [], alias, nullable, sequence or schema)


def _build_call(binder: Binder, call: exp.Anonymous, alias: str, left: Scope, nullable: bool) -> tuple[Node, Source]:
    name, catalog = call.name, binder.context.catalog
    if binder.definitions.find(name) or catalog.find_table(name) or catalog.find_view(name):
        raise ProgrammingError(f"'{name}' is not a function")
    scope = Scope(left.sources, left.outer)
    arguments = [binder.operand(item, scope).expression for item in call.expressions]
    return build_table_function(binder, name, arguments, alias, nullable)


def _as_of(binder: Binder, tree: exp.Table) -> Expression | None:
    version = tree.args.get("version")
    if version is None:
        return None
    return binder.operand(version.expression, Scope.empty()).expression


def _as_before(table: TableSchema) -> TableSchema:
    """Return a table's schema with no more than holds of its rows in the past: CREATE UNIQUE INDEX may be younger."""
    indexes = [replace(index, unique=False) if index.origin == "c" else index for index in table.indexes]
    return replace(table, indexes=tuple(indexes))


def _scan(
    binder: Binder, table: TableSchema, alias: str, as_of: Expression | None, nullable: bool
) -> tuple[Node, Source]:
    refs = table_columns(binder, table, alias, nullable)
    scan = Scan(table, alias, refs, tuple(range(len(refs))), as_of=as_of)
    return scan, table_source(table, alias, refs)


def table_columns(binder: Binder, table: TableSchema, alias: str, nullable: bool = False) -> tuple[ColumnRef, ...]:
    """Return new columns for a table's stored row: the rowid, then every column.

    `nullable`: an outer join may leave the table out, so that even NOT NULL columns can be NULL.
    """
    refs = [binder.new_column("rowid", alias, SqlType.INTEGER, nullable)]
    for position, column in enumerate(table.columns):
        never_null = column.not_null or position == table.rowid_column
        refs.append(binder.new_column(column.name, alias, column.type, nullable or not never_null, column.collation))
    binder.note_columns(table, refs)
    return tuple(refs)


def build_table_function(
    binder: Binder, name: str, arguments: Sequence[Expression], alias: str, nullable: bool, schema: str | None = None
) -> tuple[Node, Source]:
    """Return a table-valued function or a table of the catalog, such as json_each or sqlite_master."""
    function = find_catalog_table(name)
    if function is None:
        raise UnknownNameError(f"no such table: {f'{schema}.' if schema else ''}{name}", *filter(None, [schema]), name)
    if len(arguments) > function.arguments:
        raise ProgrammingError(f"too many arguments on {name}() - max {function.arguments}")
    if function.name == SEQUENCE:
        arguments = [Constant(schema or "main", SqlType.TEXT)]
    readable = function.readable(len(arguments))
    refs = tuple(binder.new_column(column.name, alias, column.type) for column in readable)
    binder.asking.note_names(function.name, refs, [column.name for column in readable])
    columns = [
        ScopeColumn(ref.name, ref, ref.type if function.is_declared else SqlType.ANY, column.hidden)
        for ref, column in zip(refs, readable, strict=True)
    ]
    views = described_views(binder, function.name, arguments) if function.name in DESCRIBING else ()
    scan = CatalogScan(function.name, alias, tuple(arguments), refs, tuple(range(len(refs))), views)
    return scan, Source(alias, tuple(columns), schema="main")
