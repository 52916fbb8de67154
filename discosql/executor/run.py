"""Statements, compiled and run: the door of the executor.

A statement changes all it should or nothing: it marks the transaction before it starts and goes back to the mark when
it fails, is interrupted or is given up. The exceptions are those of SQL itself: OR FAIL raises `ChangesKeptError` and
leaves what it changed, OR ROLLBACK raises `RollbackRequired`, so that the session ends the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from discosql.errors import InternalError, NotSupportedError, ProgrammingError
from discosql.executor.compile import CompiledPlan, compile_plan
from discosql.executor.context import Context, Result
from discosql.executor.foreign_keys import check_deferred
from discosql.executor.functions.registry import Registry
from discosql.executor.operators import RollbackRequired
from discosql.executor.writes.programs import WriteProgram, compile_change
from discosql.executor.writes.resolution import ChangesKeptError
from discosql.executor.writes.schema_change import SchemaProgram
from discosql.executor.writes.steps import NestingSteps, Steps
from discosql.executor.writes.triggers import unnested
from discosql.planner.plan import ChangeSchema, Delete, Insert, Query, SetPragma, Statement, Update, ViewChange
from discosql.types import Value

__all__ = [
    "ChangesKeptError",
    "CompiledStatement",
    "RollbackRequired",
    "check_deferred",
    "compile_statement",
]


_SETTINGS: Final = frozenset(
    {"foreign_keys", "case_sensitive_like", "defer_foreign_keys", "recursive_triggers", "query_only"}
)


class CompiledStatement:
    """A statement that can be run any number of times.

    `is_query`: it only reads. `writes`: it needs a transaction that may be changed. `changes_schema`: it changes
    the catalog, that of temporary tables too if it `needs_temporary`. `code` is the Python that was generated for
    its query or for the source of its rows. `row_counts` tells how many rows each node of its plan gave in its last
    run, by the node's `id()`, if it was compiled to count.
    """

    is_query = False
    needs_temporary = False
    writes = False
    changes_schema = False
    code = ""

    @property
    def row_counts(self) -> Mapping[int, int]:
        """The rows that each node of the plan gave."""
        return {}

    def run(self, context: Context) -> Steps[Result]:
        """Run the statement; all its changes are made in `context.view`, or none."""
        raise NotImplementedError

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[Result]:
        """Run the statement for each set of parameters, as one: all of the changes are made or none.

        `rowcount` is that of all together, `last_rowid` the last. Rows of RETURNING come one after the other.
        """
        raise ProgrammingError("executemany() can only execute statements that change rows")


class CompiledQuery(CompiledStatement):
    """SELECT or VALUES."""

    is_query = True

    def __init__(self, query: Query, plan: CompiledPlan) -> None:
        self.plan = plan
        self.code = plan.source
        self._columns = query.columns

    @property
    def row_counts(self) -> Mapping[int, int]:
        """The rows that each node of the plan gave."""
        return self.plan.row_counts

    def run(self, context: Context) -> Steps[Result]:
        """Return the rows of the query."""
        return Result(self._columns, (yield from self.plan.run(context)))


class CompiledWrite(CompiledStatement):
    """INSERT, UPDATE or DELETE."""

    writes = True

    def __init__(self, program: WriteProgram) -> None:
        self.code = program.code
        self._program = program

    @property
    def row_counts(self) -> Mapping[int, int]:
        """The rows that each node of the plan gave."""
        return self._program.source.row_counts

    def run(self, context: Context) -> Steps[Result]:
        """Change rows."""
        return (yield from _all_or_nothing(context, self._program.run))

    def run_many(self, context: Context, parameter_rows: Sequence[tuple[Value, ...]]) -> Steps[Result]:
        """Change rows for each set of parameters."""
        return (yield from _all_or_nothing(context, lambda each: self._program.run_many(each, parameter_rows)))


class CompiledSchemaChange(CompiledStatement):
    """CREATE, DROP or ALTER."""

    writes = True
    changes_schema = True

    def __init__(self, program: SchemaProgram) -> None:
        self.code = program.code
        self.writes = not program.change.unchanged
        self.needs_temporary = program.change.catalog.temporary is not None
        self._program = program

    def run(self, context: Context) -> Steps[Result]:
        """Change the schema."""
        return (yield from _all_or_nothing(context, self._program.run))


class CompiledPragma(CompiledStatement):
    """A PRAGMA that sets something of the session."""

    def __init__(self, pragma: SetPragma) -> None:
        if pragma.name not in _SETTINGS:
            raise NotSupportedError(f"PRAGMA {pragma.name} cannot be set")
        self._name = pragma.name
        self._value = str(pragma.value).lower() in ("1", "on", "true", "yes")

    def run(self, context: Context) -> Steps[Result]:
        """Change the setting; within a transaction, SQLite does not change whether foreign keys are enforced."""
        if self._name != "foreign_keys" or not context.state.in_transaction:
            setattr(context.state, self._name, self._value)
        return Result()
        yield


def compile_statement(
    statement: Statement, registry: Registry, parameter_types: Sequence[Any] = (), *, count_rows: bool = False
) -> CompiledStatement:
    """Compile a planned statement; `parameter_types`, where known, are those of the parameters it will be run with.

    With `count_rows`, `row_counts` tells after a run how many rows each node of the plan gave.
    EXPLAIN, VACUUM and the control of transactions are the session's own and raise InternalError here.
    """
    match statement:
        case Query():
            plan = compile_plan(statement.plan, registry, parameter_types, count_rows=count_rows)
            return CompiledQuery(statement, plan)
        case Insert() | Update() | Delete() | ViewChange():
            return CompiledWrite(compile_change(statement, registry, parameter_types, count_rows))
        case ChangeSchema():
            return CompiledSchemaChange(SchemaProgram(statement, registry, parameter_types))
        case SetPragma():
            return CompiledPragma(statement)
    raise InternalError(f"{type(statement).__name__} is not run by the executor")


def _all_or_nothing(context: Context, run: Callable[[Context], NestingSteps[Result]]) -> Steps[Result]:
    mark = context.view.mark()
    changes = context.state.total_changes
    complete = False
    try:
        result = yield from unnested(run(context))
        complete = True
        return result
    except ChangesKeptError:
        complete = True
        raise
    finally:
        # Also when the driver gives the statement up, which closes this generator.
        if not complete:
            context.view.rollback_to(mark)
            context.state.total_changes = changes
