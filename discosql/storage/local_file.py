"""The SQLite file behind a local guild: opening it, its tables, and what SQLite's errors mean here."""

import sqlite3
import time
from pathlib import Path
from secrets import token_bytes
from typing import Final

from discosql.errors import (
    DatabaseCorruptionError,
    DatabaseError,
    GuildError,
    NoAnswerError,
    OperationalError,
    UnavailableError,
)

MEMORY: Final = ":memory:"
APPLICATION_ID: Final = 0x44535153  # "DSQS", kept in bytes 68 to 71 of the file
FORMAT: Final = 1
OPEN_TIMEOUT: Final = 10.0
"""Seconds to wait at opening for other processes that are opening, or mending after a crash, the same file."""
JOURNAL_LIMIT: Final = 16 << 20
"""The bytes to which the write-ahead log is cut back after large files have passed through it."""

_TABLES: Final = """
CREATE TABLE guild (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    account INTEGER NOT NULL,  -- the user id of the bot that posts
    secret BLOB NOT NULL,      -- signs the URLs of files
    last INTEGER NOT NULL      -- the newest id, or the newest moment of a change
);
CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    category INTEGER,
    is_category INTEGER NOT NULL,
    topic TEXT NOT NULL,
    changed INTEGER NOT NULL,  -- the newest id or moment of a change of its messages
    newest INTEGER NOT NULL    -- the id of the message posted last, deleted or not
);
CREATE TABLE message (
    channel INTEGER NOT NULL,
    id INTEGER NOT NULL,
    author INTEGER NOT NULL,
    content TEXT NOT NULL,
    files TEXT NOT NULL,       -- JSON: [[id, name, size], ...], empty for none
    edited INTEGER NOT NULL,
    PRIMARY KEY (channel, id)
) WITHOUT ROWID;
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX file_message ON file (channel, message);
CREATE TABLE nonce (
    author INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    channel INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (author, nonce)
) WITHOUT ROWID;
CREATE INDEX nonce_message ON nonce (message);
"""


def open_memory(name: str, first_id: int) -> sqlite3.Connection:
    """Return a new guild that lives as long as its connection."""
    connection = sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
    _create(connection, name, first_id)
    return connection


def open_file(path: Path, first_id: int, *, create: bool) -> sqlite3.Connection:
    """Open a guild's file, or make it where there is none and `create` is true.

    Raises OperationalError when it cannot be opened for writing, DatabaseError when it is something else.
    """
    if not create and not path.exists():
        raise _cannot_open(path, "no such file")
    if not path.parent.is_dir():
        raise _cannot_open(path, f"the folder {path.parent} does not exist")
    if path.is_dir():
        raise _cannot_open(path, "it is a folder")
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}",
            uri=True,
            isolation_level=None,
            timeout=OPEN_TIMEOUT,
            # Made in one thread (a caller's), used in another (the loop's), never in two at once.
            check_same_thread=False,
        )
        _prepare(connection, path, first_id)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise _opening_error(error, path) from error
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, first_id: int) -> None:
    _check_format(connection, path)
    # A write-ahead log: one fsync a commit instead of three or four, and readers that never wait for writers.
    # With it only FULL (not NORMAL) makes the fsync part of the commit, so that an acknowledged post outlives a power
    # failure; fullfsync asks the same of macOS, whose fsync does not.
    _retry_while_busy(connection, "PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT}")
    # A write lock, taken at once, finds a read-only file now rather than at the first commit, and lets only one of
    # two processes make the tables.
    connection.execute("BEGIN IMMEDIATE")
    if _is_blank(connection):
        _create(connection, path.stem, first_id)
    else:
        _add_newest(connection)
        connection.execute("COMMIT")
    _check_format(connection, path)
    # From here on the guild waits for locks itself, without holding up the event loop.
    connection.execute("PRAGMA busy_timeout = 0")


def _add_newest(connection: sqlite3.Connection) -> None:
    """Let channels of a file that was made before they knew their newest message know it."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(channel)")}
    if columns and "newest" not in columns:
        connection.execute("ALTER TABLE channel ADD COLUMN newest INTEGER NOT NULL DEFAULT 0")


def _retry_while_busy(connection: sqlite3.Connection, statement: str) -> None:
    # Changing the journal mode upgrades a lock, where SQLite answers "busy" without waiting.
    deadline = time.monotonic() + OPEN_TIMEOUT
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _is_blank(connection: sqlite3.Connection) -> bool:
    (count,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(count == 0)


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID and version > FORMAT:
        raise DatabaseError(f"{path} has format {version}; this version of discosql reads formats up to {FORMAT}")
    if application != APPLICATION_ID and not _is_blank(connection):
        raise DatabaseError(f"{path} is an SQLite file, but not a discosql guild")


def _create(connection: sqlite3.Connection, name: str, first_id: int) -> None:
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO guild VALUES (?, ?, ?, ?, ?)", (first_id, name, first_id + 1, token_bytes(16), first_id + 1)
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def _cannot_open(path: Path, why: str) -> OperationalError:
    return OperationalError(f"unable to open database file {path}: {why}").coded("SQLITE_CANTOPEN")


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another process holds a lock, so that nothing was done."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _primary_code(error: sqlite3.Error) -> int:
    # An extended code (IOERR_FSYNC, say) has the primary one in its low byte.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _opening_error(error: sqlite3.Error, path: Path) -> DatabaseError:
    match _primary_code(error):
        case sqlite3.SQLITE_NOTADB:
            return DatabaseError(f"{path} is not a discosql guild: not an SQLite file, or encrypted")
        case sqlite3.SQLITE_CORRUPT:
            return DatabaseCorruptionError(f"{path} is damaged: {error}")
        case sqlite3.SQLITE_READONLY:
            return _cannot_open(path, "it is read-only")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _cannot_open(path, "no permission to read and write it and its folder")
        case sqlite3.SQLITE_BUSY:
            return _cannot_open(path, "another process has locked it")
        case _:
            return _cannot_open(path, str(error))


def running_error(error: sqlite3.Error, where: str) -> DatabaseError:
    """Return what an error of SQLite during a request means to the caller of the guild."""
    match _primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return UnavailableError(f"{where} is locked by another process")
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_NOMEM:
            return UnavailableError(f"{where} cannot be written: {error}")
        case sqlite3.SQLITE_IOERR:
            # It may be the fsync of a commit that failed: what reached the disk is not known.
            return NoAnswerError(f"{where} failed: {error}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseCorruptionError(f"{where} is damaged: {error}")
        case _:
            return GuildError(f"{where}: {error}")
