"""Where statements of a synchronous connection run: in the caller's thread as long as they can, else on the loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from discosql.dbapi_export import Exporting
from discosql.drive import LOOP_THREAD, drive, run_here
from discosql.errors import ProgrammingError
from discosql.executor.context import Result

if TYPE_CHECKING:
    from discosql.explaining import Steps
    from discosql.session import Session
    from discosql.storage.engine import Pending, Transaction

T = TypeVar("T")


class Running(Exporting):
    """A connection whose operations wait for each other, in whatever threads they are asked for.

    With `check_same_thread` only the thread that made it may use it.
    """

    def __init__(self, session: Session, *, check_same_thread: bool = False, **settings: Any) -> None:
        super().__init__(session, **settings)
        self._lock = threading.RLock()
        self._thread = threading.get_ident() if check_same_thread else None
        if session.lease is not None:
            session.lease.join()

    def _check_open(self) -> None:
        super()._check_open()
        if self._thread is not None and self._thread != threading.get_ident():
            raise ProgrammingError(
                "the connection was opened with check_same_thread=True, in another thread than this one"
            )

    def _run(self, start: Callable[[], Steps]) -> Result:
        self._check_open()
        with self._lock, self._control.start() as operation:
            self._check_open()
            steps = start()
            outcome: Result | Pending | None = None
            lease = self._session.lease
            if lease is None:
                outcome = run_here(steps, operation)
            else:
                with lease.turn:
                    if lease.is_alone:
                        outcome = run_here(steps, operation)
            if isinstance(outcome, Result):
                return outcome
            return LOOP_THREAD.run(drive(steps, operation, outcome), operation.interrupt)

    def _at_engine(self, work: Callable[[], T]) -> T:
        """Do a quick work with the engine where no other thread works with it."""
        lease = self._session.lease
        if lease is None:
            return work()
        with lease.turn:
            if lease.is_alone:
                return work()

        async def later() -> T:
            return work()

        return LOOP_THREAD.run(later())

    def _snapshot(self) -> Transaction:
        """Return a view of the database as it is now, with the changes of an open transaction."""
        self._check_open()
        session = self._session
        if session.transaction is None:
            with self._lock:
                LOOP_THREAD.run(session.engine.refresh())
        return session.snapshot()
