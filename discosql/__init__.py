"""discosql: a SQL database whose storage is a Discord server.

The life of a statement, ``connection.execute("SELECT name FROM users WHERE id = ?", (7,))``:

1. `dbapi.Cursor.execute` (or `aio.Cursor.execute`) asks `session.Session.execute` for its *steps*, a generator, and
   runs them: in the caller's thread (`drive.run_here`) while all is in memory, on an event loop (`drive.drive`) when
   the guild must be asked.
2. The session looks the text up in its cache. A miss goes to `planner.prepare.prepare`: `planner.parse.parse` makes a
   tree of the text, `planner.build.Binder` a plan of the tree (`planner.plan`), `planner.rules.optimise` a better plan.
3. `executor.run.compile_statement` writes Python code for the plan, once for each combination of parameter types.
4. The code runs over a `storage.engine.Transaction`, which sees the tables as of one moment and gives rows from memory,
   or what must be fetched from the guild.
5. A change is a write set of that transaction. `storage.engine.Engine.commit` makes it one entry of the log, which is
   one message in a channel of the Discord server, atomic over all tables.

The public names are below; everything else may change between versions.
"""

from discosql import aio
from discosql.connection import LEGACY_TRANSACTION_CONTROL
from discosql.dbapi import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Connection,
    Cursor,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
    apilevel,
    connect,
    paramstyle,
    threadsafety,
)
from discosql.errors import (
    DatabaseCorruptionError,
    DatabaseError,
    DatabaseLookupError,
    DatabaseStorageError,
    DatabaseTableError,
    DataError,
    DiscobaseError,
    Error,
    ForbiddenError,
    GuildError,
    IntegrityError,
    InterfaceError,
    InternalError,
    LimitExceededError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    QueryInterruptedError,
    QueryTimeoutError,
    SerializationError,
    SqlSyntaxError,
    UnavailableError,
    UnknownOutcomeError,
    Warning,
)
from discosql.planner.parse import is_complete as complete_statement
from discosql.rows import Row

__version__ = "0.1.0"

__all__ = [
    "BINARY",
    "DATETIME",
    "LEGACY_TRANSACTION_CONTROL",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseCorruptionError",
    "DatabaseError",
    "DatabaseLookupError",
    "DatabaseStorageError",
    "DatabaseTableError",
    "Date",
    "DateFromTicks",
    "DiscobaseError",
    "Error",
    "ForbiddenError",
    "GuildError",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "LimitExceededError",
    "NoAnswerError",
    "NotConnectedError",
    "NotFoundError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "QueryInterruptedError",
    "QueryTimeoutError",
    "Row",
    "SerializationError",
    "SqlSyntaxError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "UnavailableError",
    "UnknownOutcomeError",
    "Warning",
    "aio",
    "apilevel",
    "complete_statement",
    "connect",
    "paramstyle",
    "threadsafety",
]
