"""The errors discosql raises: PEP 249's tree, and below it one class for each thing a caller can act on.

::

    Warning
    Error
    ├── InterfaceError                  the API was used wrongly
    │   └── NotConnectedError
    └── DatabaseError
        ├── DataError                   a value does not fit
        ├── OperationalError            storage or Discord; trying again may help
        │   ├── GuildError              what a guild answered (or did not)
        │   │   ├── NoAnswerError       the outcome of a request is unknown
        │   │   ├── UnavailableError    the guild refused for now; nothing was done
        │   │   ├── NotFoundError       a message, file or channel is not there
        │   │   ├── ForbiddenError      a permission is missing, named in the message
        │   │   └── LimitExceededError  a limit of Discord would be broken; nothing was done
        │   ├── SerializationError      another transaction wrote what this one read; run it again
        │   ├── UnknownOutcomeError     a commit may or may not have happened; ask again later
        │   ├── QueryInterruptedError   interrupt() was called
        │   └── QueryTimeoutError       timeout= ran out
        ├── IntegrityError              a constraint would be broken
        ├── InternalError               a fault of discosql itself
        ├── ProgrammingError            the SQL or the call is wrong
        │   ├── SqlSyntaxError          the SQL does not parse, and where; an OperationalError too
        │   ├── UnknownNameError        no such table, column, function…; an OperationalError too
        │   ├── DatabaseLookupError
        │   ├── DatabaseStorageError
        │   └── DatabaseTableError
        ├── NotSupportedError           SQL that discosql does not have
        ├── EncryptionKeyError          the key of a database is missing, wrong, or not wanted
        └── DatabaseCorruptionError     what is stored cannot be read, or was changed by somebody else

sqlite3 raises OperationalError for wrong SQL where PEP 249 wants ProgrammingError: programs may catch either.
`DiscobaseError` is a second base of the five names that the library discobase used.
"""


class Warning(Exception):  # PEP 249 fixes the name
    """Something a program should know of, though the operation succeeded (PEP 249)."""


class Error(Exception):
    """Base of every error that discosql raises (PEP 249)."""


class InterfaceError(Error):
    """The Python API was used wrongly, such as on a closed connection (PEP 249)."""


class DatabaseError(Error):
    """Base of the errors that concern the database (PEP 249)."""


class DataError(DatabaseError):
    """A value does not fit its type or is out of range (PEP 249)."""


class OperationalError(DatabaseError):
    """Storage, Discord or the network failed; the same call may succeed later (PEP 249)."""


class IntegrityError(DatabaseError):
    """A constraint of the schema would be broken; nothing was changed (PEP 249)."""


class InternalError(DatabaseError):
    """A fault of discosql itself, worth a report (PEP 249)."""


class ProgrammingError(DatabaseError):
    """The SQL does not parse, names something unknown, or the parameters do not match (PEP 249)."""


class SqlSyntaxError(ProgrammingError, OperationalError):
    """The SQL does not parse. `offset` is the place in `sql`, `line` and `column` the same counted from 1."""

    def __init__(self, message: str, sql: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.sql = sql
        self.offset = offset
        self.line = sql.count("\n", 0, offset) + 1
        self.column = offset - (sql.rfind("\n", 0, offset) + 1) + 1


class UnknownNameError(ProgrammingError, OperationalError):
    """The SQL names a table, column, function, index, collation or window that is not there."""


class NotSupportedError(DatabaseError):
    """The SQL names a construct that discosql does not have (PEP 249)."""


class GuildError(OperationalError):
    """Base of what a guild answers to a request that failed."""


class NoAnswerError(GuildError):
    """A request was sent and no answer came: it may or may not have been carried out."""


class UnavailableError(GuildError):
    """The guild refused for now (rate limit, outage) and did nothing."""


class NotFoundError(GuildError):
    """The channel, message or file does not exist, or no longer."""


class ForbiddenError(GuildError):
    """The bot lacks a permission; the message names it."""


class LimitExceededError(GuildError):
    """The request would break a limit of Discord; nothing was done."""


class SerializationError(OperationalError):
    """Another transaction committed a change to what this one read or wrote; nothing of this one was applied."""


class UnknownOutcomeError(OperationalError):
    """A commit was sent and no answer came. `Connection.outcome(error.transaction)` tells later what became of it."""

    def __init__(self, message: str, transaction: str = "") -> None:
        super().__init__(message)
        self.transaction = transaction


class QueryInterruptedError(OperationalError):
    """`interrupt()` stopped the statement; nothing was changed."""


class QueryTimeoutError(OperationalError):
    """The statement's `timeout` ran out; nothing was changed."""


class EncryptionKeyError(DatabaseError):
    """The database is encrypted with another key than the one given, or is not encrypted, or no key was given."""


class DiscobaseError(Error):
    """Base of the error names that discobase used."""


class DatabaseCorruptionError(DiscobaseError, DatabaseError):
    """Stored data is missing, damaged, edited or by another author; the message names slot, channel and message."""


class DatabaseLookupError(DiscobaseError, ProgrammingError):
    """A lookup names an unknown field, or did not find exactly one row where one was asked for."""


class DatabaseStorageError(DiscobaseError, ProgrammingError):
    """A row object is stored already, or not stored, contrary to what the call needs."""


class DatabaseTableError(DiscobaseError, ProgrammingError):
    """A table class is not attached, attached twice, or not ready."""


class NotConnectedError(DiscobaseError, InterfaceError):
    """The database is not connected yet."""
