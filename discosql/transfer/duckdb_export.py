"""Exporting to DuckDB files, through Arrow: no row is touched one by one."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from discosql.errors import IntegrityError, OperationalError
from discosql.frames import library
from discosql.schema import TableSchema, quoted
from discosql.transfer.arrow_export import ArrowRows
from discosql.transfer.portable import (
    default_of,
    exported_parent,
    key_of,
    ordered,
    parent_positions,
    tell_left_out,
)
from discosql.transfer.relations import Relation, Work
from discosql.transfer.shapes import Shape
from discosql.types import SqlType, fold_case

_TYPES: Final = {
    SqlType.INTEGER: "BIGINT",
    SqlType.REAL: "DOUBLE",
    SqlType.TEXT: "VARCHAR",
    SqlType.BLOB: "BLOB",
    SqlType.BOOLEAN: "BOOLEAN",
    SqlType.DATE: "DATE",
    SqlType.JSON: "JSON",
    SqlType.UUID: "UUID",
}
_MOST_DIGITS: Final = 38
_ROWS: Final = "discosql_rows"


def write_duckdb(work: Work, path: Path) -> None:
    """Make a DuckDB file, or add to the tables of one that is there, and the tables that it lacks; one transaction.

    Raises OperationalError, or IntegrityError for rows that DuckDB's rules refuse.
    """
    duckdb = library("duckdb", "exporting to DuckDB", "duckdb")
    with _opened(duckdb, path) as database:
        _DuckDbFile(work, database).write()


@contextmanager
def _opened(duckdb: Any, path: Path) -> Iterator[Any]:
    try:
        with closing(duckdb.connect(str(path))) as database:
            yield database
    except duckdb.IntegrityError as exc:
        raise IntegrityError(f"{path.name}: {exc}") from exc
    except duckdb.Error as exc:
        raise OperationalError(f"cannot write {path}: {exc}") from exc


class _DuckDbFile:
    """The transaction that fills a file."""

    def __init__(self, work: Work, database: Any) -> None:
        self._work = work
        self._database = database
        self._made: dict[str, Relation] = {}

    def write(self) -> None:
        """Make the tables and their rows, parents before children."""
        execute = self._database.execute
        execute("BEGIN TRANSACTION")
        rows = execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'").fetchall()
        known = {fold_case(name) for (name,) in rows}
        for relation in ordered(self._work.relations):
            source = ArrowRows(self._work, relation, "exporting to DuckDB", "duckdb", digits=_MOST_DIGITS, plain=True)
            if fold_case(relation.name) not in known:
                execute(self._create(relation, source.shapes))
            self._made[fold_case(relation.name)] = relation
            names = ", ".join(map(quoted, relation.names))
            for batch in source.batches():
                self._database.register(_ROWS, batch)
                execute(f"INSERT INTO {quoted(relation.name)} ({names}) SELECT * FROM {_ROWS}")
                self._database.unregister(_ROWS)
        execute("COMMIT")
        tell_left_out(self._work, checks=True)

    def _create(self, relation: Relation, shapes: Sequence[Shape]) -> str:
        table = relation.table
        parts = [f"{quoted(name)} {_type(shape)}" for name, shape in zip(relation.names, shapes, strict=True)]
        if table is not None:
            for place, (column, shape) in enumerate(zip(table.columns, shapes, strict=True)):
                if column.not_null:
                    parts[place] += " NOT NULL"
                default = default_of(column, shape.kind)
                if default is not None:
                    kind, value = default
                    parts[place] += f" DEFAULT {_literal(str(value)) if kind == 'string' else value}"
            parts += self._keys(table, shapes)
            parts += self._foreign_keys(table)
        return f"CREATE TABLE {quoted(relation.name)} ({', '.join(parts)})"

    def _keys(self, table: TableSchema, shapes: Sequence[Shape]) -> Iterator[str]:
        key = key_of(table)
        unique = {index.columns for index in table.indexes if index.unique and index.origin != "pk"} - {key}
        if any(shapes[place].nulls for place in key):
            self._work.warn(f"table {table.name}: the primary key holds NULL, and is only UNIQUE there")
            unique.add(key)
        elif key:
            yield f"PRIMARY KEY ({_names(table, key)})"
        for columns in sorted(unique):
            yield f"UNIQUE ({_names(table, columns)})"
        others = [index.name for index in table.indexes if not index.unique]
        if others:
            self._work.warn(f"table {table.name}: indexes that are not unique are left out: {', '.join(others)}")

    def _foreign_keys(self, table: TableSchema) -> Iterator[str]:
        for key in table.foreign_keys:
            parent = exported_parent(key, self._made)
            if parent is None:
                # DuckDB checks each row against those of statements before, and adds no key to a table that is there.
                why = "it refers to its own table, to one that comes later or to one that is not exported"
                self._work.warn(f"table {table.name}: the foreign key to {key.parent} is left out: {why}")
                continue
            if {key.on_delete, key.on_update} - {"NO ACTION", "RESTRICT"}:
                self._work.warn(f"table {table.name}: the foreign key to {key.parent} has no actions there")
            target = f"{quoted(parent.name)} ({_names(parent, parent_positions(key, parent))})"
            yield f"FOREIGN KEY ({_names(table, key.columns)}) REFERENCES {target}"


def _type(shape: Shape) -> str:
    if shape.kind is SqlType.DECIMAL:
        return f"DECIMAL({shape.precision}, {shape.scale})"
    if shape.kind is SqlType.TIMESTAMP:
        return "TIMESTAMPTZ" if shape.zoned else "TIMESTAMP"
    return _TYPES[shape.kind]


def _names(table: TableSchema, places: Sequence[int]) -> str:
    return ", ".join(quoted(table.columns[place].name) for place in places)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
