"""WITH: common table expressions, recursive ones, and views, which are expanded in a world of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from discosql.errors import ProgrammingError
from discosql.planner.build_recursive import build_recursive, recursive_arm
from discosql.planner.built import BuiltQuery
from discosql.planner.parse import parse_query
from discosql.planner.plan import ColumnRef, Shared, WorkingScan
from discosql.planner.scope import Scope
from discosql.planner.traverse import free_columns
from discosql.schema import View
from discosql.types import fold_case

if TYPE_CHECKING:
    from discosql.planner.build import Binder


@dataclass(slots=True)
class Definition:
    """A common table expression: its tree and the names it sees itself, those of its WITH included.

    `uses` counts how often the statement names it, `depth` how many expression subqueries were around its WITH.
    `shared` is its plan once that was built to be run once; `working` the columns and id of the recursive query that is
    being built from it, and `references` how often that names its own rows. `open` says that it is being built.
    """

    name: str
    tree: exp.Expr
    columns: tuple[str, ...]
    materialized: bool | None
    outer: Scope | None
    depth: int
    uses: int
    scope: Definitions
    shared: tuple[int, BuiltQuery] | None = None
    working: tuple[int, BuiltQuery] | None = None
    references: int = 0
    open: bool = False


@dataclass(frozen=True, slots=True)
class Definitions:
    """The common table expressions in reach, inner ones before outer ones of the same name."""

    entries: dict[str, Definition] = field(default_factory=dict)
    outer: Definitions | None = None

    def find(self, name: str) -> Definition | None:
        """Return the innermost definition of that name, or None."""
        folded = fold_case(name)
        level: Definitions | None = self
        while level is not None:
            if folded in level.entries:
                return level.entries[folded]
            level = level.outer
        return None


def definitions_of(binder: Binder, tree: exp.Expr, outer: Scope | None) -> Definitions:
    """Return what is in reach inside a query with WITH in front."""
    inner = Definitions({}, binder.definitions)
    for item in tree.args["with_"].expressions:
        name = fold_case(item.alias)
        if name in inner.entries:
            raise ProgrammingError(f"duplicate WITH table name: {item.alias}")
        inner.entries[name] = _definition(binder, item, tree, inner, outer)
    return inner


def _definition(binder: Binder, item: exp.CTE, tree: exp.Expr, scope: Definitions, outer: Scope | None) -> Definition:
    columns = item.args["alias"].args.get("columns") or []
    folded = fold_case(item.alias)
    # Those of a recursive one in its own definition are not uses.
    uses = sum(fold_case(table.name) == folded for table in tree.find_all(exp.Table))
    uses -= sum(fold_case(table.name) == folded for table in item.this.find_all(exp.Table))
    return Definition(
        item.alias,
        item.this,
        tuple(column.name for column in columns),
        item.args.get("materialized"),
        outer,
        binder.query_depth,
        uses,
        scope,
    )


def build_definition(binder: Binder, definition: Definition) -> BuiltQuery:
    """Return one use of a common table expression, with columns of its own.

    One that is used in several places or inside an expression is run once and shared, unless it uses columns of a query
    around its WITH or says NOT MATERIALIZED.
    """
    if definition.working is not None:
        return _working_rows(binder, definition)
    if definition.open:
        raise ProgrammingError(f"circular reference: {definition.name}")
    if definition.shared is None:
        built = _built(binder, definition)
        once = definition.uses == 1 and definition.depth == binder.query_depth
        wanted = definition.materialized
        if wanted is False or (once and not wanted) or free_columns(built.node):
            return built
        definition.shared = (binder.new_id(), built)
    id, built = definition.shared
    refs = _fresh(binder, built, definition.name)
    return _with_refs(Shared(id, definition.name, built.node, refs), built, refs)


def _built(binder: Binder, definition: Definition) -> BuiltQuery:
    known, binder.definitions = binder.definitions, definition.scope
    definition.open = True
    arm = recursive_arm(definition.tree, definition.name)
    with binder.asking.within(definition.name):
        if arm is None:
            built = binder.query(definition.tree, definition.outer)
        else:
            built = build_recursive(binder, definition, arm)
    definition.open = False
    binder.definitions = known
    return named(built, definition.name, definition.columns)


def named(built: BuiltQuery, table: str, names: Sequence[str]) -> BuiltQuery:
    """Return the query with the column names listed behind its name, if any are."""
    if not names:
        return built
    if len(names) != len(built.columns):
        raise ProgrammingError(f"table {table} has {len(built.columns)} values for {len(names)} columns")
    return built.renamed(names)


def _working_rows(binder: Binder, definition: Definition) -> BuiltQuery:
    assert definition.working is not None
    definition.references += 1
    id, built = definition.working
    refs = _fresh(binder, built, definition.name)
    return _with_refs(WorkingScan(id, definition.name, refs), built, refs)


def _fresh(binder: Binder, built: BuiltQuery, table: str) -> tuple[ColumnRef, ...]:
    return tuple(
        binder.new_column(column.name, table, column.ref.type, column.ref.nullable, column.ref.collation)
        for column in built.columns
    )


def _with_refs(node: Shared | WorkingScan, built: BuiltQuery, refs: Sequence[ColumnRef]) -> BuiltQuery:
    columns = [replace(column, ref=ref) for column, ref in zip(built.columns, refs, strict=True)]
    return BuiltQuery(node, tuple(columns))


def build_view(binder: Binder, view: View) -> BuiltQuery:
    """Return the plan of a view's query; it sees the tables of the catalog and nothing of the statement around it."""
    folded = ("temp." if view.temporary else "main.") + fold_case(view.name)
    if folded in binder.view_names:
        raise ProgrammingError(f"view {view.name} is circularly defined")
    around = binder.view_names, binder.definitions, binder.trigger
    binder.view_names, binder.definitions, binder.trigger = (*binder.view_names, folded), Definitions(), None
    context = binder.context
    if not view.temporary and context.catalog.temporary is not None:
        # What lasts sees nothing that is temporary.
        binder.context = replace(context, catalog=context.catalog.lasting)
    tree = parse_query(view.query)
    if tree.find(exp.Placeholder) is not None:
        raise ProgrammingError("parameters are not allowed in views")
    with binder.asking.within(view.name):
        built = binder.query(tree, None)
    binder.view_names, binder.definitions, binder.trigger = around
    binder.context = context
    return built
