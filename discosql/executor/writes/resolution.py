"""What happens to a row that breaks a constraint (https://www.sqlite.org/lang_conflict.html)."""

from discosql.errors import DatabaseError, IntegrityError
from discosql.executor.context import Result
from discosql.executor.operators import RollbackRequired
from discosql.executor.writes.changes import TableChanges
from discosql.executor.writes.rows import Refusal
from discosql.planner.plan import Resolution


class ChangesKeptError(IntegrityError):
    """OR FAIL met a broken constraint: the statement stopped there, and the rows changed before stay changed.

    `result` is what it did until then. In autocommit mode these changes are still to be committed.
    """

    def __init__(self, error: DatabaseError, result: Result) -> None:
        super().__init__(str(error))
        self.sqlite_errorcode = error.sqlite_errorcode
        self.result = result


def settle(refusal: Refusal, resolution: Resolution | None, changes: TableChanges) -> bool:
    """Pass over a refused row and return whether the rows after it have their turn; or raise its error."""
    resolution = resolution or refusal.resolution
    if refusal.unfit is None:
        if resolution == "ignore":
            return True
        if resolution == "fail":
            changes.failure = refusal.error
            return False
        if resolution == "rollback":
            raise RollbackRequired(refusal.error)
    raise refusal.error
