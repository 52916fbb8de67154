"""The dialect over `discosql.connect`: SQLite's, with types of its own and transactions that are serializable."""

from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import exc, pool, util
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect, SQLiteTypeCompiler
from sqlalchemy.engine.url import URL

from discosql.sqlalchemy.types import COLSPECS, ISCHEMA_NAMES

if find_spec("alembic") is not None:
    import discosql.sqlalchemy.migrations  # noqa: F401 - Alembic looks implementations up by the dialect's name

OPTIONS: Final[tuple[tuple[str, type], ...]] = (
    ("timeout", float),
    ("cached_statements", int),
    ("max_staleness", float),
    ("cache_size", int),
    ("create", bool),
    ("read_only", bool),
    ("gateway", bool),
    ("as_of", str),
    ("key", str),
)
"""The options of `discosql.connect` that a URL may give."""


class DiscosqlTypeCompiler(SQLiteTypeCompiler):
    """Names of types in CREATE TABLE."""

    def visit_datetime(self, type_: Any, **options: Any) -> str:
        """Return TIMESTAMP."""
        return "TIMESTAMP"

    def visit_numeric(self, type_: Any, **options: Any) -> str:
        """Return DECIMAL, which is exact here."""
        return self.visit_DECIMAL(type_, **options)


class DiscosqlCompiler(SQLiteCompiler):
    """SQL of expressions."""

    def visit_truediv_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Return a division, which is exact between DECIMALs and not one of integers anywhere."""
        kind = binary.right.type
        if isinstance(kind, sqltypes.Numeric) and not isinstance(kind, sqltypes.Float):
            left, right = self.process(binary.left, **options), self.process(binary.right, **options)
            return f"{left} / CAST({right} AS DECIMAL)"
        sqlite: Any = super()
        return str(sqlite.visit_truediv_binary(binary, operator, **options))

    def visit_json_getitem_op_binary(
        self, binary: Any, operator: Any, _cast_applied: bool = False, **options: Any
    ) -> str:
        """Return an element of JSON."""
        sqlite: Any = super()
        cast = _cast_applied or _is_boolean(binary)
        element = sqlite.visit_json_getitem_op_binary(binary, operator, cast, **options)
        return _as_boolean(binary, _cast_applied, element)

    def visit_json_path_getitem_op_binary(
        self, binary: Any, operator: Any, _cast_applied: bool = False, **options: Any
    ) -> str:
        """Return an element of JSON by its path."""
        sqlite: Any = super()
        cast = _cast_applied or _is_boolean(binary)
        element = sqlite.visit_json_path_getitem_op_binary(binary, operator, cast, **options)
        return _as_boolean(binary, _cast_applied, element)


def _is_boolean(binary: Any) -> bool:
    return isinstance(binary.type, sqltypes.Boolean)


def _as_boolean(binary: Any, is_cast: bool, element: Any) -> str:
    """Return an element of JSON, as a number if it is to be a boolean and not cast yet.

    CAST AS BOOLEAN gives NULL for other numbers than 0 and 1; SQLAlchemy takes those for true.
    """
    return f"CAST({element} AS NUMERIC)" if _is_boolean(binary) and not is_cast else str(element)


class DiscosqlDialect(SQLiteDialect):
    """SQLAlchemy's view of a discosql database."""

    name = "discosql"
    driver = "discosql"
    default_paramstyle = "qmark"
    statement_compiler = DiscosqlCompiler
    type_compiler_cls = DiscosqlTypeCompiler
    colspecs = COLSPECS
    ischema_names = ISCHEMA_NAMES
    supports_statement_cache = True
    supports_native_decimal = True
    supports_native_uuid = True
    returns_native_bytes = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return what has `connect`."""
        from discosql.sqlalchemy.driver import Driver

        return Driver()

    def create_connect_args(self, url: URL) -> Any:
        """Return the arguments of `connect` that a URL stands for. Raises ArgumentError for a wrong one."""
        options: dict[str, Any] = {}
        unknown = sorted(set(url.query) - {name for name, _ in OPTIONS})
        if unknown:
            raise exc.ArgumentError(f"the URL has the option {unknown[0]!r}; there are {', '.join(dict(OPTIONS))}")
        for name, kind in OPTIONS:
            util.coerce_kw_type(dict(url.query), name, kind, dest=options)
        if url.username or url.port or (url.password and not url.host):
            raise exc.ArgumentError("a discosql URL has no user and no port; the password is a bot's token")
        if url.password:
            options["token"] = str(url.password)
        return [_address(url)], options

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        """Return the pool: a database in memory is its connection's own, so each thread keeps one."""
        return pool.SingletonThreadPool if is_in_memory(url) else pool.QueuePool

    def get_isolation_level_values(self, dbapi_connection: Any) -> Any:
        """Return the isolation levels there are."""
        return ["SERIALIZABLE", "AUTOCOMMIT"]

    def get_default_isolation_level(self, dbapi_connection: Any) -> Any:
        """Return that of a new connection."""
        return "SERIALIZABLE"

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        """Return the isolation level of a connection."""
        return "AUTOCOMMIT" if self.detect_autocommit_setting(dbapi_connection) else "SERIALIZABLE"

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Change the isolation level of a connection."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Tell whether each statement of a connection is a transaction of its own."""
        return bool(dbapi_conn.autocommit)

    def _get_server_version_info(self, connection: Any) -> Any:
        return self.loaded_dbapi.sqlite_version_info

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Tell whether an error means that the connection cannot be used any more."""
        return isinstance(e, self.loaded_dbapi.ProgrammingError) and "Cannot operate on a closed database." in str(e)


class DiscosqlDiscordDialect(DiscosqlDialect):
    """The dialect for URLs that name a server: ``discosql+discord://server/database``."""

    driver = "discord"
    supports_statement_cache = True

    def create_connect_args(self, url: URL) -> Any:
        """Return the arguments of `connect`. Raises ArgumentError for a URL without a server."""
        if not url.host:
            raise exc.ArgumentError("the URL lacks the server: discosql+discord://<server name or id>[/<database>]")
        return super().create_connect_args(url)


def is_in_memory(url: URL) -> bool:
    """Tell whether a URL names a database in memory."""
    return _address(url) == ":memory:"


def _address(url: URL) -> str:
    """Return the address, as `discosql.connect` takes it, of the database that a URL names."""
    if url.host:
        return f"discord://{quote(unquote(url.host), safe='')}/{quote(url.database or '', safe='')}".rstrip("/")
    return url.database or ":memory:"
