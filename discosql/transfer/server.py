"""Exporting to any database that SQLAlchemy reaches, PostgreSQL above all."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from discosql.errors import DataError, Error, IntegrityError, NotSupportedError, OperationalError, ProgrammingError
from discosql.frames import library
from discosql.transfer.portable import ordered, tell_left_out
from discosql.transfer.relations import Relation, Work
from discosql.transfer.server_tables import ServerTables
from discosql.types import Row

_SECRET: Final = ("pass", "pwd", "secret", "token", "key")


class Server:
    """A database by its URL. `shown` is the URL without passwords.

    Raises ProgrammingError for what is no URL, NotSupportedError where SQLAlchemy or the driver is missing.
    """

    def __init__(self, url: str, if_exists: str) -> None:
        self._sqlalchemy = library("sqlalchemy", "exporting to a URL", "sqlalchemy")
        errors = library("sqlalchemy.exc", "exporting to a URL", "sqlalchemy")
        try:
            self._url = self._sqlalchemy.make_url(url)
            self.shown = _shown(self._url)
            # JSON text is passed on as it is stored, not read and written again.
            self._engine = self._sqlalchemy.create_engine(self._url, json_serializer=str)
        except errors.NoSuchModuleError as exc:
            raise NotSupportedError(f"SQLAlchemy knows no database {url.partition('://')[0]}") from exc
        except ModuleNotFoundError as exc:
            raise NotSupportedError(f"exporting to {self.shown} needs {exc.name}: pip install {exc.name}") from exc
        except errors.ArgumentError as exc:
            raise ProgrammingError("the target is no URL: scheme://user:password@host/database") from exc
        self._errors = errors
        self._if_exists = if_exists

    def write(self, work: Work) -> None:
        """Make tables and their rows in one transaction, as far as the database has transactions of its schema."""
        for relation in work.relations:
            relation.check_names()
        try:
            with self._mapped(), warnings.catch_warnings(), self._engine.begin() as connection:
                # Of DECIMALs in SQLite, which has none: they are given to it as numbers.
                warnings.simplefilter("ignore", self._errors.SAWarning)
                self._fill(work, connection)
        finally:
            self._engine.dispose()
        tell_left_out(work, checks=self._engine.dialect.name not in ("sqlite", "postgresql"))

    def _fill(self, work: Work, connection: Any) -> None:
        relations = ordered(work.relations)
        known = self._known(relations, connection)
        if known and self._if_exists == "fail":
            raise OperationalError(f"{self.shown} has a table {known[0]} already; see --if-exists")
        tables = ServerTables(work, relations, connection)
        if self._if_exists == "replace":
            for name in reversed(known):
                tables.drop(name)
            known = []
        fresh = [relation for relation in relations if relation.name not in known]
        for relation in fresh:
            tables.create(relation)
        for relation in relations:
            with self._about(relation):
                self._insert(work, relation, tables, connection)
        for relation in fresh:
            tables.finish(relation)

    def _known(self, relations: Sequence[Relation], connection: Any) -> list[str]:
        inspector = self._sqlalchemy.inspect(connection)
        return [relation.name for relation in relations if inspector.has_table(relation.name)]

    def _insert(self, work: Work, relation: Relation, tables: ServerTables, connection: Any) -> None:
        statement = tables.table(relation).insert()
        names = relation.names
        for rows in work.large_batches(relation):
            values: list[Row] = tables.values(relation, rows)
            connection.execute(statement, [dict(zip(names, row, strict=True)) for row in values])

    # Errors -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _about(self, relation: Relation) -> Iterator[None]:
        try:
            yield
        except self._errors.DBAPIError as exc:
            raise self._error(exc, f"table {relation.name}: ") from exc

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except self._errors.SQLAlchemyError as exc:
            raise self._error(exc, "") from exc

    def _error(self, exc: Any, where: str) -> Error:
        """Return our error for one of SQLAlchemy's; its text has neither the password nor rows."""
        said = str(exc.orig if isinstance(exc, self._errors.DBAPIError) else exc).strip().partition("\n")[0]
        if self._url.password:
            said = said.replace(str(self._url.password), "***")
        kind: type[Error] = OperationalError
        if isinstance(exc, self._errors.IntegrityError):
            kind = IntegrityError
        elif isinstance(exc, self._errors.DataError):
            kind = DataError
        return kind(f"cannot write {self.shown}: {where}{said}")


def _shown(url: Any) -> str:
    """Return a URL without its password, and without those that drivers take as parameters."""
    secret = {name: "***" for name in url.query if any(part in name.lower() for part in _SECRET)}
    return str(url.update_query_dict(secret).render_as_string(hide_password=True))
