"""From sqlglot's tree to an unoptimised plan: the entry to name resolution and the building of queries.

A `Binder` belongs to one statement and hands out the ids of columns and nodes. The work is done by functions, by area:

- `build_select` one SELECT, `build_compound` set operations and VALUES, `build_with` common table expressions and
  views, `build_from` joins and `build_sources` what they join;
- `bind` the dispatch over expressions, columns and literals; `bind_operators`, `bind_rows`, `bind_calls`,
  `bind_windows` and `bind_subqueries` the rest.

**Nullability and outer joins.** A column has one `ColumnRef` wherever it is used. A table on the side of an outer join
that can be missing therefore produces columns that are nullable from the scan on, NOT NULL or not.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.asking import Asking
from discosql.planner.bind import bind_expression
from discosql.planner.build_compound import build_compound, build_values
from discosql.planner.build_select import build_select
from discosql.planner.build_with import Definitions, definitions_of
from discosql.planner.built import BuiltQuery
from discosql.planner.context import PlanContext
from discosql.planner.declared import result_columns
from discosql.planner.infer import Bound
from discosql.planner.parse import ParameterTable
from discosql.planner.plan import ColumnRef, Constant, Expression, Node, OutputColumn, Parameter
from discosql.planner.scope import Scope
from discosql.planner.terms import unwrapped
from discosql.planner.witness import Witness
from discosql.schema import TableSchema
from discosql.stack import is_deep
from discosql.types import SqlType

MAX_DEPTH: Final = 1100
"""How deeply operands may nest, a bit more than in SQLite, chains of one operator apart; a query counts as three."""

_SHALLOW: Final = 150
"""How deeply they may nest on an ordinary stack of Python (1000 frames, callers included)."""

_OPERAND_FRAMES: Final = 4
_QUERY_FRAMES: Final = 12


class Binder:
    """Resolves names and builds plans for one statement.

    `definitions` are the common table expressions in reach, `view_names` the views being expanded, `query_depth` how
    many expression subqueries are around the place that is being bound, `trigger` what NEW and OLD mean. `describing`
    is set where only the columns of a query are asked for, so that it need not be executable.
    """

    def __init__(self, context: PlanContext, parameters: ParameterTable) -> None:
        self.context = context
        self.parameters = parameters
        self.definitions = Definitions()
        self.view_names: tuple[str, ...] = ()
        self.trigger = context.trigger
        self.query_depth = 0
        self.describing = False
        self._frames = 0
        self._most_frames = _OPERAND_FRAMES * (MAX_DEPTH if is_deep() else _SHALLOW)
        self._witness = context.witness
        self.asking = Asking(context.authorizer)
        self._owners: dict[int, tuple[TableSchema, int]] = {}
        self._column_ids = itertools.count(1)
        self._node_ids = itertools.count(1)

    def apart(self) -> "Binder":
        """Return a binder for a query that is not part of the statement."""
        return Binder(replace(self.context, trigger=None, witness=None, authorizer=None), ParameterTable())

    def build_query(self, tree: exp.Expr, outer: Scope | None = None) -> tuple[Node, tuple[OutputColumn, ...]]:
        """Return the plan of a SELECT, VALUES, set operation or query with WITH, and its result columns."""
        built = self.query(tree, outer)
        self.asking.finish(tree)
        return built.node, result_columns(built.node, [(column.name, column.ref) for column in built.columns])

    def bind(self, tree: exp.Expr, scope: Scope) -> Expression:
        """Return the expression that a tree means among the names of a scope."""
        return self.operand(tree, scope).expression

    def operand(self, tree: exp.Expr, scope: Scope) -> Bound:
        """Return an expression with what comparisons must know of it."""
        self._enter(_OPERAND_FRAMES)
        bound = bind_expression(self, tree, scope)
        self._frames -= _OPERAND_FRAMES
        if self._witness is not None and not self.view_names:
            self._tell(self._witness, tree, bound)
        if self.asking.authorizer is not None and isinstance(tree, exp.Column):
            return self._readable(bound, tree)
        return bound

    def _readable(self, bound: Bound, tree: exp.Column) -> Bound:
        """Return a column as the authorizer lets it be read."""
        expression = bound.expression
        if isinstance(expression, Parameter) and self.trigger is not None:
            position = expression.index % self.trigger.width - 1
            is_allowed = self.asking.may_read_row(self.trigger.table, position)
            return bound if is_allowed else replace(bound, expression=Constant(None))
        return self.asking.readable(bound, tree)

    def _tell(self, witness: Witness, tree: exp.Expr, bound: Bound) -> None:
        tree, expression = unwrapped(tree), bound.expression
        if not isinstance(tree, exp.Column):
            return
        start = tree.this.meta.get("start", -1)
        if isinstance(expression, ColumnRef) and expression.id in self._owners:
            witness.note(start, *self._owners[expression.id])
        elif isinstance(expression, Parameter) and self.trigger is not None:
            witness.note(start, self.trigger.table, expression.index % self.trigger.width - 1)

    def note_columns(self, table: TableSchema, row: Sequence[ColumnRef]) -> None:
        """Take note of the columns of a stored row: a witness is to know whose they are."""
        if self.asking.authorizer is not None:
            self.asking.note(table, row)
        if self._witness is not None:
            self._owners.update((ref.id, (table, place - 1)) for place, ref in enumerate(row))

    def query(self, tree: exp.Expr, outer: Scope | None) -> BuiltQuery:
        """Return the plan of a query with its result columns."""
        self._enter(_QUERY_FRAMES)
        built = _build(self, tree, outer)
        self._frames -= _QUERY_FRAMES
        return built

    def _enter(self, frames: int) -> None:
        self._frames += frames
        if self._frames > self._most_frames:
            if not is_deep():
                raise RecursionError("this takes a larger stack")
            raise ProgrammingError(f"Expression tree is too large (maximum depth {MAX_DEPTH})")

    def new_column(
        self,
        name: str,
        table: str | None = None,
        type: SqlType | None = None,
        nullable: bool = True,
        collation: str = "BINARY",
    ) -> ColumnRef:
        """Return a column with an id of its own."""
        return ColumnRef(next(self._column_ids), name, table, type, nullable, collation)

    def new_id(self) -> int:
        """Return an id for a node that others refer to."""
        return next(self._node_ids)


def _build(binder: Binder, tree: exp.Expr, outer: Scope | None) -> BuiltQuery:
    while isinstance(tree, exp.Subquery | exp.Paren) and not tree.args.get("with_"):
        tree = tree.this
    if not tree.args.get("with_"):
        return _build_body(binder, tree, outer)
    known = binder.definitions
    binder.definitions = definitions_of(binder, tree, outer)
    built = _build_body(binder, tree, outer)
    binder.definitions = known
    return built


def _build_body(binder: Binder, tree: exp.Expr, outer: Scope | None) -> BuiltQuery:
    if isinstance(tree, exp.Select):
        return build_select(binder, tree, outer)
    if isinstance(tree, exp.SetOperation):
        return build_compound(binder, tree, outer)
    if isinstance(tree, exp.Values):
        return build_values(binder, tree, outer)
    if isinstance(tree, exp.Subquery):
        return _build(binder, tree.this, outer)
    raise NotSupportedError(f"{tree.key} is not supported as a query")
