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

from importlib import import_module
from typing import TYPE_CHECKING, Any

from loguru import logger as _logger

from discosql import aio
from discosql.adapting import PrepareProtocol, adapt, adapters, register_adapter
from discosql.blob import Blob
from discosql.connection import LEGACY_TRANSACTION_CONTROL
from discosql.cursor import Cursor
from discosql.dbapi import (
    Connection,
    apilevel,
    connect,
    enable_callback_tracebacks,
    paramstyle,
    sqlite_version,
    sqlite_version_info,
    threadsafety,
)
from discosql.dbapi_types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from discosql.detecting import PARSE_COLNAMES, PARSE_DECLTYPES, converters, register_converter
from discosql.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    DatabaseCorruptionError,
    DatabaseError,
    DatabaseLookupError,
    DatabaseStorageError,
    DatabaseTableError,
    DataError,
    DiscobaseError,
    EncryptionKeyError,
    Error,
    ForbiddenError,
    GuildError,
    IntegerRangeError,
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
    SqlLimitError,
    SqlSyntaxError,
    TextEncodingError,
    UnavailableError,
    UnknownNameError,
    UnknownOutcomeError,
    Warning,
)
from discosql.planner.tokens import is_complete as complete_statement
from discosql.rows import Row
from discosql.sqlite_codes import CODES as _CODES

if TYPE_CHECKING:
    from discosql.database import Database
    from discosql.database_access import CommandAccess
    from discosql.storage.engine import Metric
    from discosql.table import Field, Table
    from discosql.table_conditions import Condition, FieldRef, asc, col, desc, in_, like, not_
    from discosql.table_query import Query

__version__ = "0.1.0"
__license__ = "MIT"

__all__ = [
    "BINARY",
    "DATETIME",
    "LEGACY_TRANSACTION_CONTROL",
    "NUMBER",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "ROWID",
    "STRING",
    "ArgumentTypeError",
    "ArgumentValueError",
    "Binary",
    "Blob",
    "CommandAccess",
    "Condition",
    "Connection",
    "Cursor",
    "DataError",
    "Database",
    "DatabaseCorruptionError",
    "DatabaseError",
    "DatabaseLookupError",
    "DatabaseStorageError",
    "DatabaseTableError",
    "Date",
    "DateFromTicks",
    "DiscobaseError",
    "EncryptionKeyError",
    "Error",
    "Field",
    "FieldRef",
    "ForbiddenError",
    "GuildError",
    "IntegerRangeError",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "LimitExceededError",
    "Metric",
    "NoAnswerError",
    "NotConnectedError",
    "NotFoundError",
    "NotSupportedError",
    "OperationalError",
    "PrepareProtocol",
    "ProgrammingError",
    "Query",
    "QueryInterruptedError",
    "QueryTimeoutError",
    "Row",
    "SerializationError",
    "SqlLimitError",
    "SqlSyntaxError",
    "Table",
    "TextEncodingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "UnavailableError",
    "UnknownNameError",
    "UnknownOutcomeError",
    "Warning",
    "adapt",
    "adapters",
    "aio",
    "apilevel",
    "asc",
    "col",
    "complete_statement",
    "connect",
    "converters",
    "desc",
    "enable_callback_tracebacks",
    "in_",
    "like",
    "not_",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
]

# A library is silent until the program says ``logger.enable("discosql")``, which must come after this.
_logger.disable("discosql")

# These bring in discord.py and pydantic, which a script that only runs SQL need not wait for.
_LAZY = {
    "CommandAccess": "discosql.database_access",
    "Database": "discosql.database",
    "Field": "discosql.table",
    "Metric": "discosql.storage.engine",
    "Table": "discosql.table",
    "Query": "discosql.table_query",
    "Condition": "discosql.table_conditions",
    "FieldRef": "discosql.table_conditions",
    "asc": "discosql.table_conditions",
    "col": "discosql.table_conditions",
    "desc": "discosql.table_conditions",
    "in_": "discosql.table_conditions",
    "like": "discosql.table_conditions",
    "not_": "discosql.table_conditions",
}


def __getattr__(name: str) -> Any:
    if name in _CODES:
        return _CODES[name]
    if name not in _LAZY:
        raise AttributeError(f"module 'discosql' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
