"""A session: the life of a statement, from text to result, and of transactions. Waits for nothing itself.

Every operation is a generator, called *steps*: it yields what must be fetched (a `Pending` of the engine, which the
driver awaits and sends back) or None as a tick, and returns the result. `aio` drives steps on an event loop; `dbapi`
first runs them in the caller's own thread, which is the end of it as long as all is in memory.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, Final, TypeAlias

from discosql.adapting import check_encodable, to_value
from discosql.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SerializationError,
)
from discosql.executor.compile import evaluate_constant
from discosql.executor.context import Context, Result
from discosql.executor.functions.registry import Registry
from discosql.executor.run import (
    ChangesKeptError,
    CompiledStatement,
    RollbackRequired,
    check_deferred,
    compile_statement,
)
from discosql.explaining import Steps, explain_steps
from discosql.limits import Limits
from discosql.past import Past
from discosql.planner.authorizer import Authorizer
from discosql.planner.context import PlanContext
from discosql.planner.cost import expected_costs
from discosql.planner.literals import lift_literals
from discosql.planner.parse import bind_parameters, split
from discosql.planner.plan import CheckIntegrity, Explain, Prepared, Query, SetPragma, TransactionControl, Vacuum
from discosql.planner.prepare import prepare
from discosql.schema import Catalog
from discosql.session_cache import CachedStatement, Plan, StatementCache, unless_changed
from discosql.session_parameters import bind_many
from discosql.session_transactions import ImplicitBegin, SessionTransactions
from discosql.sharing import Lease
from discosql.statistics import TableStatistics
from discosql.storage.engine import Engine, JointTransaction, JointView, Transaction, report
from discosql.tracing import Trace
from discosql.types import Value
from discosql.upkeep.pragma import check_integrity

Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
Apart: TypeAlias = TransactionControl | Vacuum | CheckIntegrity | Explain

MAX_RETRIES: Final = 50
"""How often an autocommit statement is run again after conflicts, each time on a newer snapshot."""


class Session(SessionTransactions):
    """One connection's view of the database: settings, open transaction, savepoints, statement cache.

    Not safe for concurrent use: one operation's steps at a time. `implicit_begin` tells when a transaction is opened
    unasked: ``never``, before the first statement that ``writes`` rows (as sqlite3 does by default), or ``always``.
    With `past`, a view of an earlier moment, that is all the session sees, and it can only read. `lease` is there if
    others may use the engine, too.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        *,
        implicit_begin: ImplicitBegin = "writes",
        cached_statements: int = 256,
        max_staleness: float = 1.0,
        past: Transaction | None = None,
        read_only: bool = False,
        lease: Lease | None = None,
    ) -> None:
        super().__init__(engine, implicit_begin, past)
        self._past = Past(engine)
        self.registry = registry
        self.max_staleness = max_staleness
        self.read_only = read_only
        self.lease = lease
        self.collations: dict[str, Callable[[str, str], int]] = {}
        self.limits = Limits()
        self.authorizer: Authorizer | None = None
        self.optimise = True
        self._random = Random()
        self._cache = StatementCache(cached_statements)

    # Running ------------------------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = ()) -> Steps:
        """Run one statement. Raises ProgrammingError if the text holds several."""
        if self._is_stale:
            yield self.engine.refreshing()
        sql, cached, values = self._ready(sql, parameters)
        statement = cached.prepared.statement
        if isinstance(statement, Apart):
            if self.trace is not None:
                self._tell_statement(self.trace, sql, [values])
            return (yield from self._run_apart(statement, values))
        plan = Plan(cached.compiled(self.registry, values), partial(self._compiled, sql, values), sql=sql)
        result = yield from self._run(plan, values)
        if isinstance(statement, SetPragma):
            self.forget_statements()  # plans hold the triggers that may fire
        return result

    def _ready(self, sql: str, parameters: Parameters) -> tuple[str, CachedStatement, tuple[Value, ...]]:
        """Return a statement's text, plan and values; the literals of an INSERT become values, where nobody looks."""
        if not parameters and isinstance(sql, str) and self.trace is None and self.authorizer is None:
            lifted = lift_literals(sql)
            if lifted is not None and not self.limits.is_short:
                self.limits.check_text(sql)
                with suppress(ProgrammingError):  # which is then told of the text as it was given
                    return lifted.sql, self._statement(lifted.sql), lifted.values
        cached = self._statement(sql)
        return sql, cached, self._bound(cached.prepared, parameters)

    def _run_apart(self, statement: Apart, values: tuple[Value, ...]) -> Steps:
        if isinstance(statement, TransactionControl):
            return self._control(statement)
        if isinstance(statement, Vacuum):
            return self._vacuum()
        if isinstance(statement, CheckIntegrity):
            return check_integrity(statement, self.engine, self.registry, self.collations)
        return self._explain(statement, values)

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> Steps:
        """Run one statement that changes rows for each set of parameters, all or nothing."""
        if self._is_stale:
            yield self.engine.refreshing()
        prepared = self._statement(sql).prepared
        if isinstance(prepared.statement, Query | Explain | TransactionControl):
            raise ProgrammingError("executemany() can only execute statements that change rows")
        bound = yield from bind_many(prepared.parameters, rows)
        if self.limits.is_short:
            for values in bound:
                self.limits.check_values(values)
        if not bound:
            return Result(rowcount=0)
        cached = self._statement(sql)  # others may have changed the schema meanwhile
        plan = Plan(cached.compiled(self.registry, None), partial(self._compiled, sql, None), bound, sql)
        return (yield from self._run(plan, ()))

    def execute_script(self, script: str) -> Steps:
        """Run every statement of a script, after committing an open transaction as sqlite3 does."""
        self._check_script(script)
        if not self.scripts_commit:
            for sql in split(script):
                yield from self.execute(sql)
            return Result()
        yield from self.commit()
        implicit, self.implicit_begin = self.implicit_begin, "never"
        try:
            for sql in split(script):
                yield from self.execute(sql)
        finally:
            self.implicit_begin = implicit
        return Result()

    def _check_script(self, script: str) -> None:
        if not isinstance(script, str):
            raise ArgumentTypeError(f"a script is text, not {type(script).__name__}")
        if "\0" in script:
            raise ArgumentValueError("embedded null character")
        check_encodable(script)
        self.limits.check_text(script)

    def _bound(self, prepared: Prepared, parameters: Parameters) -> tuple[Value, ...]:
        values = tuple(map(to_value, bind_parameters(prepared.parameters, parameters)))
        if self.limits.is_short:
            self.limits.check_values(values)
        return values

    def _tell_statement(self, trace: Trace, sql: str, rows: Sequence[tuple[Value, ...]]) -> None:
        for values in rows if sql else ():
            trace.tell_expanded(sql, values, self.limits.length)

    def _compiled(self, sql: str, values: tuple[Value, ...] | None) -> CompiledStatement:
        return self._statement(sql).compiled(self.registry, values)

    def _run(self, plan: Plan, values: tuple[Value, ...]) -> Steps:
        compiled = plan.compiled
        if compiled.writes:
            self._check_writable()
        if compiled.needs_temporary:
            self._open_temporary()
        if self.transaction is None and self._begins(compiled):
            self._tell(self.begin_text)
            self._begin()
        if self.trace is not None:
            self._tell_statement(self.trace, plan.sql, [values] if plan.rows is None else plan.rows)
        try:
            if self.transaction is not None:
                result = yield from self._run_in(self.transaction, plan.run, values)
            else:
                result = yield from self._autocommit(plan, values)
        except ChangesKeptError as kept:
            self.state.count(kept.result)
            raise IntegrityError(str(kept)).coded(kept.sqlite_errorname) from kept
        self.state.count(result)
        return result

    def _run_in(
        self, transaction: Transaction | JointTransaction, start: Callable[[Context], Steps], values: tuple[Value, ...]
    ) -> Steps:
        context = Context(transaction, values, self.state, random=self._random, collations=self.collations)
        context.past, context.stats = lambda moment: self._past.view(moment, transaction.catalog.lasting), self.stats
        try:
            return (yield from start(context))
        except RollbackRequired as required:
            self._end()
            raise required.error from required

    def _autocommit(self, plan: Plan, values: tuple[Value, ...]) -> Steps:
        for attempt in itertools.count(1):
            seen = self.engine.head
            transaction = self._new_transaction()
            try:
                return (yield from self._run_alone(transaction, plan.run, values))
            except SerializationError:
                # Nothing of the statement was applied, so running it on the newer state is what the caller asked for.
                if attempt == MAX_RETRIES:
                    raise
            finally:
                self.engine.rollback(transaction)
                self.state.end_transaction()
            if self.engine.head == seen:
                # What is in the way is not known here yet.
                yield self.engine.refreshing()
            plan.renew()
        raise AssertionError("unreachable")

    def _run_alone(
        self, transaction: Transaction | JointTransaction, start: Callable[[Context], Steps], values: tuple[Value, ...]
    ) -> Steps:
        """Run a statement and commit what it changed, also where OR FAIL stopped it halfway."""
        kept: ChangesKeptError | None = None
        result = Result()
        try:
            result = yield from self._run_in(transaction, start, values)
        except ChangesKeptError as error:
            kept = error
        yield from check_deferred(transaction, self.state)
        yield from self._store(transaction)
        if kept is not None:
            raise kept
        return result

    # EXPLAIN and VACUUM -------------------------------------------------------------------------------------------

    def _explain(self, explain: Explain, values: tuple[Value, ...]) -> Steps:
        catalog = self.catalog

        def run(compiled: CompiledStatement) -> Steps:
            return self._run(Plan(compiled, lambda: unless_changed(compiled, catalog, self.catalog)), values)

        compile_inner = partial(compile_statement, explain.statement, self.registry, tuple(map(type, values)))
        leaves = expected_costs(explain.statement, self._plan_context({}))
        return explain_steps(explain, self.engine, leaves, compile_inner, run)

    def _check_writable(self) -> None:
        if self._fixed is not None or self.read_only or self.state.query_only:
            why = "" if self._fixed is None else ": the past cannot be changed"
            raise OperationalError(f"attempt to write a readonly database{why}").coded("SQLITE_READONLY")

    def _vacuum(self) -> Steps:
        self._check_writable()
        if self.transaction is not None:
            raise OperationalError("cannot VACUUM from within a transaction")
        yield self.engine.vacuuming()
        return Result()

    def reader(self) -> "Session":
        """Return a session that sees what this one sees now, and nothing later: itself within a transaction."""
        if self.transaction is not None:
            return self
        reader = Session(self.engine, self.registry, past=self.snapshot())
        reader.collations, reader._temporary = dict(self.collations), self._temporary
        return reader

    # Preparing ----------------------------------------------------------------------------------------------------

    @property
    def catalog(self) -> Catalog:
        """The schema that the next statement sees."""
        return self._view.catalog

    @property
    def _view(self) -> Transaction | JointTransaction | JointView | Engine:
        """What the next statement sees."""
        view = self.transaction or self._fixed or self.engine
        return view if self._temporary is None or view is self.transaction else JointView(view, self._temporary)

    @property
    def _is_stale(self) -> bool:
        fixed = self.transaction is not None or self._fixed is not None
        return not fixed and self.engine.is_stale(self.max_staleness)

    def move_to(self, engine: Engine) -> None:
        """Go on with another database; an open transaction is undone, and temporary tables are gone."""
        self.rollback()
        self.engine, self._past, self.lease = engine, Past(engine), None
        self._fixed = self._temporary = None
        self.forget_statements()

    def stats(self) -> dict[str, int | float]:
        """Return the figures of the database since it was opened, as ``discosql_stats`` has them."""
        return report(self.engine)

    def prepare(self, sql: str) -> Prepared:
        """Parse and plan a statement without running it."""
        return self._statement(sql).prepared

    def is_query(self, sql: str) -> bool:
        """Tell whether a statement only reads; EXPLAIN does, but EXPLAIN ANALYZE makes the changes it explains."""
        return self._statement(sql).is_query

    def forget_statements(self) -> None:
        """Empty the statement cache, as a change of functions or collations asks for."""
        self._cache.clear()

    def _statement(self, sql: str) -> CachedStatement:
        cached = self._cache.get(sql)
        if cached is not None and cached.fits(self.catalog, self.engine.head, self._view.statistics):
            return cached
        self.limits.check_text(sql)
        magnitudes: dict[int, int] = {}
        prepared = prepare(sql, self._plan_context(magnitudes))
        self.limits.check_parameters(len(prepared.parameters))
        cached = CachedStatement(prepared, self.catalog, magnitudes, self.engine.head)
        self._cache.put(sql, cached)
        return cached

    def _plan_context(self, magnitudes: dict[int, int]) -> PlanContext:
        view = self._view

        def statistics(table: int) -> TableStatistics:
            known = view.statistics(table)
            magnitudes[table] = known.rows.bit_length()
            return known

        return PlanContext(
            self.catalog,
            self.registry.signatures(),
            lambda expression: evaluate_constant(expression, self.registry),
            statistics,
            frozenset({"BINARY", "NOCASE", "RTRIM", *self.collations}),
            self.optimise,
            recursive_triggers=self.state.recursive_triggers,
            most_arguments=self.limits.arguments,
            authorizer=self.authorizer,
        )
