"""What synchronous and asynchronous connections share: settings, functions, and everything that waits for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from discosql import errors
from discosql.adapting import check_encodable
from discosql.drive import Control
from discosql.errors import ArgumentValueError, NotSupportedError, OperationalError, ProgrammingError
from discosql.rows import RowFactory
from discosql.sqlite_codes import SWITCHES

if TYPE_CHECKING:
    from discosql.planner.authorizer import Callback as AuthorizerCallback
    from discosql.session import Session
    from discosql.storage.engine import Observer, Requests

if TYPE_CHECKING:
    from discosql.upkeep.check import CheckReport

LEGACY_TRANSACTION_CONTROL: Final = -1
"""The value of `autocommit` that leaves transactions to `isolation_level`, as in sqlite3."""

_ALWAYS_ON: Final = frozenset(
    SWITCHES[f"SQLITE_DBCONFIG_{name}"] for name in ("ENABLE_TRIGGER", "ENABLE_VIEW", "DQS_DML", "DQS_DDL")
)
_ISOLATION_LEVELS: Final = frozenset({"", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"})


Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being worked on, how many steps of that are done, and how many there are (0: not known)."""


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Take a report of progress that nobody wants to see."""


async def check_session(session: Session, history: bool, progress: Progress | None) -> CheckReport:
    """Check the database of a session, with the functions and collations that it has."""
    # Few programs check, and all would import what that needs.
    from discosql.upkeep.check import Scope, check_engine

    return await check_engine(
        session.engine,
        session.registry,
        collations=session.collations,
        scope=Scope(history=history),
        progress=progress,
    )


def _interrupting(handler: Callable[[], object]) -> Callable[[], object]:
    """Return a progress handler whose exceptions interrupt, as in sqlite3."""
    from discosql.executor.functions.user import show

    def call() -> object:
        try:
            return bool(handler())
        except Exception as exc:  # the user's code may raise anything
            show(exc, handler)
            return True

    return call


class ConnectionBase:
    """A connection's settings and introspection.

    `row_factory` makes rows of new cursors (None: tuples). `text_factory` makes of the UTF-8 bytes of text what it is
    shown as (default: str). The exceptions of PEP 249 are attributes too.
    """

    Warning: ClassVar = errors.Warning
    Error: ClassVar = errors.Error
    InterfaceError: ClassVar = errors.InterfaceError
    DatabaseError: ClassVar = errors.DatabaseError
    DataError: ClassVar = errors.DataError
    OperationalError: ClassVar = errors.OperationalError
    IntegrityError: ClassVar = errors.IntegrityError
    InternalError: ClassVar = errors.InternalError
    ProgrammingError: ClassVar = errors.ProgrammingError
    NotSupportedError: ClassVar = errors.NotSupportedError

    _closed: bool | None = None  # None: not opened

    def __init__(
        self,
        session: Session,
        *,
        timeout: float | None = None,
        isolation_level: str | None = "",
        autocommit: bool | int = LEGACY_TRANSACTION_CONTROL,
        detect_types: int = 0,
    ) -> None:
        self.detect_types: Final = detect_types
        self._session = session
        self._control = Control(timeout or None)
        self._closed: bool | None = False
        self._observer: Observer | None = None
        self.row_factory: RowFactory | None = None
        self.text_factory: Callable[[bytes], Any] | type[str] = str
        self._isolation_level: str | None = ""
        self._autocommit: bool | int = LEGACY_TRANSACTION_CONTROL
        self.isolation_level = isolation_level
        self.autocommit = autocommit

    # Settings -----------------------------------------------------------------------------------------------------

    @property
    def isolation_level(self) -> str | None:
        """None for autocommit; otherwise a transaction is begun before a statement that changes rows.

        The levels DEFERRED, IMMEDIATE and EXCLUSIVE are accepted and mean the same: transactions are serializable.
        """
        self._check_made()
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        if level is not None and not isinstance(level, str):
            raise TypeError("isolation_level must be str or None")
        if level is not None and str.upper(level) not in _ISOLATION_LEVELS:
            raise ValueError("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")
        self._isolation_level = level
        self._apply_transaction_mode()

    @property
    def autocommit(self) -> bool | int:
        """True: every statement commits. False: a transaction is always open (PEP 249).

        LEGACY_TRANSACTION_CONTROL, the default, leaves it to `isolation_level`.
        """
        return self._autocommit

    @autocommit.setter
    def autocommit(self, mode: bool | int) -> None:
        if mode not in (True, False, LEGACY_TRANSACTION_CONTROL):
            raise ValueError("autocommit must be True, False, or discosql.LEGACY_TRANSACTION_CONTROL")
        self._autocommit = mode
        self._apply_transaction_mode()

    def _apply_transaction_mode(self) -> None:
        mode: Literal["never", "writes", "always"]
        if self._autocommit == LEGACY_TRANSACTION_CONTROL:
            mode = "never" if self._isolation_level is None else "writes"
        else:
            mode = "never" if self._autocommit else "always"
        self._session.implicit_begin = mode
        self._session.begin_text = "BEGIN" if mode == "always" else f"BEGIN {self._isolation_level or ''}"
        self._session.scripts_commit = self._autocommit == LEGACY_TRANSACTION_CONTROL

    @property
    def timeout(self) -> float | None:
        """Seconds that an operation may take, waits for Discord included; None or 0 for no limit."""
        return self._control.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._control.timeout = seconds or None

    # State --------------------------------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open: with `autocommit` False always, else with changes or an explicit BEGIN."""
        self._check_made()
        return self._session.in_transaction or self._session.implicit_begin == "always"

    def _check_no_transaction(self, purpose: str) -> None:
        if self._session.in_transaction:
            raise OperationalError(f"cannot {purpose} within a transaction")

    @property
    def total_changes(self) -> int:
        """The number of rows changed since the connection was opened."""
        self._check_made()
        return self._session.state.total_changes

    @property
    def requests(self) -> Requests:
        """What the guild was asked since the database was opened, by kind, and bytes."""
        return self._session.engine.guild.requests

    def stats(self) -> dict[str, int | float]:
        """Return what the database has done since it was opened: the rows of ``discosql_stats`` as a dict.

        Connections of one process to one database on Discord share the figures.
        """
        self._check_open()
        return self._session.stats()

    def is_query(self, sql: str) -> bool:
        """Tell whether a statement only reads. Raises what running it would raise for wrong SQL."""
        self._check_open()
        return self._session.is_query(sql)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return bool(self._closed)

    @property
    def is_busy(self) -> bool:
        """Whether a statement is running, in any thread: one that `interrupt` would stop."""
        return self._control.is_busy

    def interrupt(self) -> None:
        """Stop the running statement with QueryInterruptedError. May be called from any thread."""
        self._check_open()
        self._control.interrupt()

    def set_progress_handler(self, progress_handler: Callable[[], object] | None, n: int = 1) -> None:
        """Call a handler now and then during statements, and ten times a second while they wait for requests.

        A true result interrupts, and so does an exception. `n` is there for sqlite3's sake.
        """
        self._check_open()
        self._control.progress = None if progress_handler is None else _interrupting(progress_handler)

    def set_metrics_callback(self, callback: Observer | None) -> None:
        """Call a function with every `Metric`: requests, waits before they begin, commits, checkpoints; None stops it.

        It is called in the thread that makes requests, must be quick, and what it raises ends the operation.
        """
        self._check_open()
        self._forget_observer()
        if callback is not None:
            self._session.engine.requests.observers.append(callback)
        self._observer = callback

    def _forget_observer(self) -> None:
        if self._observer is not None:
            self._session.engine.requests.observers.remove(self._observer)
            self._observer = None

    def set_trace_callback(self, trace_callback: Callable[[str], object] | None) -> None:
        """Call a function with every statement that is run, values in place of its parameters; None stops it."""
        from discosql.tracing import Trace

        self._check_open()
        self._session.trace = None if trace_callback is None else Trace(trace_callback)

    def set_authorizer(self, authorizer_callback: AuthorizerCallback | None) -> None:
        """Let a function decide, when a statement is planned, what it may do; None lets all be done.

        It is called with the number of an action, two names that depend on it, the database (``main`` or ``temp``) and
        the view or trigger that the SQL is in, and returns `SQLITE_OK`, `SQLITE_DENY` (the statement is an error) or
        `SQLITE_IGNORE` (a column or function is NULL, a statement does nothing). See
        https://sqlite.org/c3ref/c_alter_table.html; of DDL and of transactions there is one action a statement.
        """
        from discosql.executor.functions.user import show
        from discosql.planner.authorizer import Authorizer

        self._check_open()
        self._session.authorizer = authorizer_callback and Authorizer(
            authorizer_callback, lambda error: show(error, authorizer_callback)
        )
        self._session.forget_statements()

    def getlimit(self, category: int, /) -> int:
        """Return a limit, such as that of `SQLITE_LIMIT_SQL_LENGTH`."""
        self._check_open()
        return self._session.limits.get(category)

    def setlimit(self, category: int, limit: int, /) -> int:
        """Change a limit and return what it was. A negative one changes nothing, a higher one than SQLite's is cut.

        There are those of the length of parameters and of statements, of a statement's parameters and of a function's
        arguments; the others are fixed, and NotSupportedError says so.
        """
        self._check_open()
        before = self._session.limits.set(category, limit)
        self._session.forget_statements()
        return before

    def getconfig(self, op: int, /) -> bool:
        """Tell whether a switch is on, such as `SQLITE_DBCONFIG_ENABLE_FKEY`."""
        self._check_open()
        if op == SWITCHES["SQLITE_DBCONFIG_ENABLE_FKEY"]:
            return self._session.state.foreign_keys
        if op not in SWITCHES.values():
            raise ArgumentValueError(f"unknown config 'op': {op}")
        return op in _ALWAYS_ON

    def setconfig(self, op: int, enable: bool = True, /) -> None:
        """Turn a switch on or off: that of foreign keys. Raises NotSupportedError for one that is fixed."""
        if self.getconfig(op) == enable:
            return
        if op != SWITCHES["SQLITE_DBCONFIG_ENABLE_FKEY"]:
            raise NotSupportedError(f"switch {op} is {'on' if op in _ALWAYS_ON else 'off'} and cannot be changed")
        self._session.state.foreign_keys = enable

    # Functions ----------------------------------------------------------------------------------------------------

    def create_function(
        self, name: str, narg: int, func: Callable[..., Any] | None, *, deterministic: bool = False
    ) -> None:
        """Make a Python function callable in SQL; `narg` -1 takes any number of arguments, `func` None removes it."""
        from discosql.executor.functions.user import user_scalar

        self._register(name, narg, "scalar", None if func is None else user_scalar(name, narg, func, deterministic))

    def create_aggregate(self, name: str, n_arg: int, aggregate_class: type[Any] | None) -> None:
        """Make a class with ``step(*args)`` and ``finalize()`` an aggregate function; None removes it."""
        from discosql.executor.functions.user import user_aggregate

        made = None if aggregate_class is None else user_aggregate(name, n_arg, aggregate_class)
        self._register(name, n_arg, "aggregate", made)

    def create_window_function(self, name: str, num_params: int, aggregate_class: type[Any] | None, /) -> None:
        """Make a class with ``step``, ``inverse``, ``value`` and ``finalize`` an aggregate and window function."""
        from discosql.executor.functions.user import user_window

        made = None if aggregate_class is None else user_window(name, num_params, aggregate_class)
        self._register(name, num_params, "aggregate", made)

    def create_collation(self, name: str, callable: Callable[[str, str], int] | None, /) -> None:
        """Make a function that returns a negative, zero or positive number a collation; None removes it."""
        self._check_open()
        if not isinstance(name, str):
            raise TypeError("a collation's name is text")
        check_encodable(name)
        if callable is None:
            self._session.collations.pop(str.upper(name), None)
        elif not hasattr(callable, "__call__"):  # noqa: B004 - the argument has the name of the function
            raise TypeError("parameter must be callable")
        else:
            self._session.collations[str.upper(name)] = callable
        self._session.forget_statements()

    def _register(self, name: str, narg: int, kind: str, function: Any) -> None:
        self._check_open()
        registry = self._session.registry
        if function is None:
            self._session.registry = registry.without(name, narg)
        elif kind == "scalar":
            self._session.registry = registry.with_scalar(function)
        else:
            self._session.registry = registry.with_aggregate(function)
        self._session.forget_statements()

    def _check_made(self) -> None:
        if self._closed is None:
            raise ProgrammingError("Base Connection.__init__ not called.")

    def _check_open(self) -> None:
        self._check_made()
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed database.")
