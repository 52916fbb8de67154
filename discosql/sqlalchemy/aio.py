"""The dialect for ``create_async_engine``, over `discosql.aio.connect`."""

from typing import Any

from sqlalchemy import pool
from sqlalchemy.connectors.asyncio import (
    AsyncAdapt_dbapi_connection,
    AsyncAdapt_dbapi_cursor,
    AsyncAdapt_dbapi_module,
    AsyncAdapt_dbapi_ss_cursor,
)
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.engine.url import URL
from sqlalchemy.util.concurrency import await_only

import discosql
from discosql.sqlalchemy.dialect import DiscosqlDialect, is_in_memory
from discosql.sqlalchemy.driver import Driver


class AdaptedCursor(AsyncAdapt_dbapi_cursor):
    """A cursor that waits for an asynchronous one."""

    __slots__ = ()


class AdaptedStreamingCursor(AsyncAdapt_dbapi_ss_cursor):
    """A cursor whose rows are handed over as they are asked for; they are in memory once it has executed."""

    __slots__ = ()


class AdaptedConnection(AsyncAdapt_dbapi_connection):
    """A connection that waits for an asynchronous one."""

    __slots__ = ()

    _cursor_cls = AdaptedCursor
    _ss_cursor_cls = AdaptedStreamingCursor

    @property
    def autocommit(self) -> Any:
        """Whether each statement is a transaction of its own."""
        return self._connection.autocommit

    @autocommit.setter
    def autocommit(self, mode: Any) -> None:
        self._connection.autocommit = mode


class AsyncDriver(AsyncAdapt_dbapi_module):
    """The module `discosql.aio` as SQLAlchemy asks for it."""

    def __init__(self) -> None:
        module: Any = Driver()
        super().__init__(discosql.aio, dbapi_module=module)
        self.paramstyle = discosql.paramstyle
        self.sqlite_version_info = discosql.sqlite_version_info

    def __getattr__(self, name: str) -> Any:
        return getattr(discosql, name)

    def connect(self, *arguments: Any, **options: Any) -> AdaptedConnection:
        """Open a connection, waiting for it in SQLAlchemy's way."""
        connection: Any = await_only(discosql.aio.connect(*arguments, **{"autocommit": False, **options}))
        return AdaptedConnection(self, connection)


class StreamingExecutionContext(SQLiteExecutionContext):
    """The execution of a statement, whose result may be streamed (``AsyncConnection.stream``)."""

    def create_server_side_cursor(self) -> Any:
        """Return a cursor for a result that is streamed."""
        return self._dbapi_connection.cursor(server_side=True)


class DiscosqlAioDialect(DiscosqlDialect):
    """The dialect of asynchronous engines: ``discosql+aio:///shop.disco`` or ``discosql+aio://server/database``."""

    driver = "aio"
    is_async = True
    supports_server_side_cursors = True
    execution_ctx_cls = StreamingExecutionContext
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return what has `connect`."""
        return AsyncDriver()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """Return the pool: a database in memory is its connection's own, so there is one."""
        return pool.StaticPool if is_in_memory(url) else pool.AsyncAdaptedQueuePool

    def get_driver_connection(self, connection: Any) -> Any:
        """Return the `discosql.aio.Connection` of an adapted one."""
        return connection._connection
