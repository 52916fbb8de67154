"""The errors discosql raises: PEP 249's tree, and below it one class for each thing a caller can act on.

::

    Warning
    Error
    ├── InterfaceError                  the API was used wrongly
    │   └── NotConnectedError
    └── DatabaseError
        ├── DataError                   a value does not fit
        │   ├── IntegerRangeError       an integer beyond 64 bits; an OverflowError too
        │   └── TextEncodingError       a lone surrogate in text; a UnicodeEncodeError too
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
        │   ├── ArgumentTypeError       an argument is of the wrong type; a TypeError too
        │   ├── ArgumentValueError      an argument has a wrong value; a ValueError too
        │   ├── SqlLimitError           the SQL is larger than setlimit() allows; an OperationalError too
        │   ├── SqlSyntaxError          the SQL does not parse, and where; an OperationalError too
        │   ├── UnknownNameError        no such table, column, function…; an OperationalError too
        │   ├── DatabaseLookupError
        │   ├── DatabaseStorageError
        │   └── DatabaseTableError
        ├── NotSupportedError           SQL that discosql does not have
        ├── EncryptionKeyError          the key of a database is missing, wrong, or not wanted
        └── DatabaseCorruptionError     what is stored cannot be read, or was changed by somebody else

sqlite3 raises OperationalError for wrong SQL where PEP 249 wants ProgrammingError: programs may catch either.
`DiscobaseError` is a second base of the five names that the library discobase used. Where sqlite3 raises Python's own
TypeError, ValueError, OverflowError or UnicodeEncodeError, the error raised here is one of those as well:
`ArgumentTypeError`, `ArgumentValueError`, `IntegerRangeError`, `TextEncodingError`.

Every error has `sqlite_errorcode`, the number that SQLite has for what happened, and its name, `sqlite_errorname`.
"""

from typing import Self

from discosql.sqlite_codes import RESULT_NAMES, RESULTS


class Warning(Exception):  # PEP 249 fixes the name
    """Something a program should know of, though the operation succeeded (PEP 249)."""


class Error(Exception):
    """Base of every error that discosql raises (PEP 249)."""

    sqlite_errorcode: int = 1  # ERROR

    @property
    def sqlite_errorname(self) -> str:
        """The name of `sqlite_errorcode`, such as ``SQLITE_BUSY``."""
        return RESULT_NAMES[self.sqlite_errorcode]

    def coded(self, name: str) -> Self:
        """Give the error SQLite's number of that name, ``SQLITE_CONSTRAINT_CHECK`` say, and return it."""
        self.sqlite_errorcode = RESULTS[name]
        return self


class InterfaceError(Error):
    """The Python API was used wrongly, such as on a closed connection (PEP 249)."""

    sqlite_errorcode = 21  # MISUSE


class DatabaseError(Error):
    """Base of the errors that concern the database (PEP 249)."""


class DataError(DatabaseError):
    """A value does not fit its type or is out of range (PEP 249)."""

    sqlite_errorcode = 20  # MISMATCH


class OperationalError(DatabaseError):
    """Storage, Discord or the network failed; the same call may succeed later (PEP 249)."""


class IntegrityError(DatabaseError):
    """A constraint of the schema would be broken; nothing was changed (PEP 249)."""

    sqlite_errorcode = 19  # CONSTRAINT


class InternalError(DatabaseError):
    """A fault of discosql itself, worth a report (PEP 249)."""

    sqlite_errorcode = 2  # INTERNAL


class ProgrammingError(DatabaseError):
    """The SQL does not parse, names something unknown, or the parameters do not match (PEP 249)."""


class ArgumentTypeError(ProgrammingError, TypeError):
    """An argument of a call is of a type that it cannot have."""

    sqlite_errorcode = 21  # MISUSE


class ArgumentValueError(ProgrammingError, ValueError):
    """An argument of a call has a value that it cannot have."""

    sqlite_errorcode = 21  # MISUSE


class IntegerRangeError(DataError, OverflowError):
    """An integer does not fit in 64 bits."""


class TextEncodingError(DataError, UnicodeEncodeError):
    """A text has a lone surrogate, which is no Unicode character."""


class SqlLimitError(ProgrammingError, OperationalError):
    """The SQL is larger than a limit of the connection allows (`Connection.setlimit`)."""


class SqlSyntaxError(ProgrammingError, OperationalError):
    """The SQL does not parse. `offset` is the place in `sql`, `line` and `column` the same counted from 1."""

    def __init__(self, message: str, sql: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.sql = sql
        self.offset = offset
        self.line = sql.count("\n", 0, offset) + 1
        self.column = offset - (sql.rfind("\n", 0, offset) + 1) + 1


class UnknownNameError(ProgrammingError, OperationalError):
    """The SQL names a table, column, function, index, collation or window that is not there.

    `names` is that name with those before it, if they are known, as the SQL may have them: ``("t", "a")`` for ``t.a``.
    """

    def __init__(self, message: str, *names: str) -> None:
        super().__init__(message)
        self.names = names


class NotSupportedError(DatabaseError):
    """The SQL names a construct that discosql does not have (PEP 249)."""


class GuildError(OperationalError):
    """Base of what a guild answers to a request that failed."""

    sqlite_errorcode = 10  # IOERR


class NoAnswerError(GuildError):
    """A request was sent and no answer came: it may or may not have been carried out."""


class UnavailableError(GuildError):
    """The guild refused for now (rate limit, outage) and did nothing."""

    sqlite_errorcode = 5  # BUSY


class NotFoundError(GuildError):
    """The channel, message or file does not exist, or no longer."""

    sqlite_errorcode = 12  # NOTFOUND


class ForbiddenError(GuildError):
    """The bot lacks a permission; the message names it."""

    sqlite_errorcode = 3  # PERM


class LimitExceededError(GuildError):
    """The request would break a limit of Discord; nothing was done."""

    sqlite_errorcode = 18  # TOOBIG


class SerializationError(OperationalError):
    """Another transaction committed a change to what this one read or wrote; nothing of this one was applied."""

    sqlite_errorcode = 517  # BUSY_SNAPSHOT


class UnknownOutcomeError(OperationalError):
    """A commit was sent and no answer came. `Connection.outcome(error.transaction)` tells later what became of it."""

    sqlite_errorcode = 10  # IOERR

    def __init__(self, message: str, transaction: str = "") -> None:
        super().__init__(message)
        self.transaction = transaction


class QueryInterruptedError(OperationalError):
    """`interrupt()` stopped the statement; nothing was changed."""

    sqlite_errorcode = 9  # INTERRUPT


class QueryTimeoutError(OperationalError):
    """The statement's `timeout` ran out; nothing was changed."""

    sqlite_errorcode = 9  # INTERRUPT


class EncryptionKeyError(DatabaseError):
    """The database is encrypted with another key than the one given, or is not encrypted, or no key was given."""

    sqlite_errorcode = 26  # NOTADB


class DiscobaseError(Error):
    """Base of the error names that discobase used."""


class DatabaseCorruptionError(DiscobaseError, DatabaseError):
    """Stored data is missing, damaged, edited or by another author; the message names slot, channel and message."""

    sqlite_errorcode = 11  # CORRUPT


class DatabaseLookupError(DiscobaseError, ProgrammingError):
    """A lookup names an unknown field, or did not find exactly one row where one was asked for."""


class DatabaseStorageError(DiscobaseError, ProgrammingError):
    """A row object is stored already, or not stored, contrary to what the call needs."""


class DatabaseTableError(DiscobaseError, ProgrammingError):
    """A table class is not attached, attached twice, or not ready."""


class NotConnectedError(DiscobaseError, InterfaceError):
    """The database is not connected yet."""
