"""A session's transaction: when one is begun unasked, savepoints, commit and rollback."""

from typing import Literal, TypeAlias

from discosql.errors import OperationalError
from discosql.executor.context import Result, SessionState
from discosql.executor.run import CompiledStatement, check_deferred
from discosql.explaining import Steps
from discosql.planner.plan import TransactionControl
from discosql.storage.engine import Engine, JointTransaction, TemporaryDatabase, Transaction
from discosql.tracing import Trace

ImplicitBegin: TypeAlias = Literal["never", "writes", "always"]
"""When a transaction is begun unasked: before the first statement that changes rows (as sqlite3 does), or any."""


class SessionTransactions:
    """The open transaction of a session, if there is one, and its savepoints.

    `scripts_commit` tells whether a script begins with a commit, as in sqlite3 where `autocommit` was not set.
    With `past`, a view of an earlier moment, every transaction sees that.
    """

    def __init__(self, engine: Engine, implicit_begin: ImplicitBegin, past: Transaction | None) -> None:
        self.engine = engine
        self.state = SessionState()
        self.implicit_begin: ImplicitBegin = implicit_begin
        self.begin_text = "BEGIN"
        self.scripts_commit = True
        self.transaction: Transaction | JointTransaction | None = None
        self.savepoints: list[tuple[str, object]] = []
        self.trace: Trace | None = None
        self._fixed = past
        self._temporary: TemporaryDatabase | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.transaction is not None

    @property
    def is_autocommit(self) -> bool:
        """Whether the next statement is a transaction of its own."""
        return self.transaction is None and self.implicit_begin == "never"

    def commit(self) -> Steps:
        """Commit the open transaction; nothing to do without one. After a SerializationError it is rolled back."""
        if self.transaction is not None:
            self._tell("COMMIT")
        return (yield from self._commit())

    def _commit(self) -> Steps:
        transaction = self.transaction
        if transaction is None:
            return Result()
        yield from check_deferred(transaction, self.state)
        try:
            yield from self._store(transaction)
        finally:
            self._end()
        return Result()

    def _store(self, transaction: Transaction | JointTransaction) -> Steps:
        """Commit what a transaction has changed, if anything."""
        if transaction.changed:
            lasting = transaction if isinstance(transaction, Transaction) else transaction.lasting
            is_lasting = lasting.changed
            yield transaction.committing()
            self.state.commits += is_lasting
        return Result()

    def rollback(self) -> None:
        """Undo the open transaction; nothing to do without one."""
        if self.transaction is not None:
            self._tell("ROLLBACK")
            self._end()

    def _tell(self, sql: str) -> None:
        if self.trace is not None:
            self.trace.tell(sql)

    def _begins(self, compiled: CompiledStatement) -> bool:
        if self.implicit_begin == "writes":
            return compiled.writes and not compiled.changes_schema
        return self.implicit_begin == "always"

    def snapshot(self) -> Transaction:
        """Return a view of the lasting tables, of now or the session's past, with the open transaction's changes."""
        view = self.transaction or self._new_transaction()
        return view if isinstance(view, Transaction) else view.lasting

    def _begin(self) -> None:
        self.transaction, self.state.in_transaction = self._new_transaction(), True

    def _new_transaction(self) -> Transaction | JointTransaction:
        transaction = self.engine.begin() if self._fixed is None else self._fixed.renewed()
        return transaction if self._temporary is None else JointTransaction(transaction, self._temporary)

    def _open_temporary(self) -> None:
        """Make room for temporary tables; most sessions never have any."""
        if self._temporary is None:
            self._temporary = self.engine.temporary()
            if isinstance(self.transaction, Transaction):
                self.transaction = JointTransaction(self.transaction, self._temporary)

    def _end(self) -> None:
        transaction, self.transaction = self.transaction, None
        self.savepoints.clear()
        self.state.end_transaction()
        if transaction is not None:
            self.engine.rollback(transaction)

    def _control(self, control: TransactionControl) -> Steps:
        kind, name = control.kind, control.name or ""
        if kind == "begin":
            if self.transaction is not None:
                raise OperationalError("cannot start a transaction within a transaction")
            self._begin()
        elif kind in ("commit", "rollback"):
            if self.transaction is None:
                raise OperationalError(f"cannot {kind} - no transaction is active")
            if kind == "commit":
                yield from self._commit()
            else:
                self._end()
        elif kind == "savepoint":
            self._savepoint(name)
        else:
            yield from self._leave_savepoint(name, release=kind == "release")
        return Result()

    def _savepoint(self, name: str) -> None:
        opened = self.transaction is None
        if self.transaction is None:
            self._begin()
        assert self.transaction is not None
        # The savepoint that opened the transaction has no mark: releasing it commits.
        self.savepoints.append((name.lower(), None if opened else self.transaction.mark()))

    def _leave_savepoint(self, name: str, *, release: bool) -> Steps:
        depth = next((i for i in reversed(range(len(self.savepoints))) if self.savepoints[i][0] == name.lower()), None)
        if depth is None or self.transaction is None:
            raise OperationalError(f"no such savepoint: {name}")
        mark = self.savepoints[depth][1]
        if release and mark is None and depth == 0:
            return (yield from self._commit())
        if not release:
            if mark is None:
                self.engine.rollback(self.transaction)
                self._begin()
            else:
                self.transaction.rollback_to(mark)
        del self.savepoints[depth if release else depth + 1 :]
        return Result()
