"""Our tables as SQLAlchemy has them: types, keys, indexes, defaults, and what is done before and after the rows."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from typing import Any, Final

from discosql.schema import Column, ForeignKey, Index, TableSchema
from discosql.transfer.portable import default_of, exported_parent, key_of, parent_positions
from discosql.transfer.relations import Relation, Work
from discosql.transfer.shapes import Shape, shapes_of
from discosql.transfer.sqlite_tables import as_sqlite
from discosql.types import Row, SqlType, fold_case

_MOST_DIGITS: Final = {"postgresql": 1000, "mysql": 65, "mariadb": 65, "oracle": 38, "mssql": 38}
_LONG: Final = 2**32 - 1
_MYSQL: Final = ("mysql", "mariadb")
_KEY_LENGTH: Final = 255


class ServerTables:
    """The tables of an export in a database that `connection` is in a transaction of."""

    def __init__(self, work: Work, relations: Sequence[Relation], connection: Any) -> None:
        self._sql = import_module("sqlalchemy")
        self._types = import_module("sqlalchemy.types")
        self._schema = import_module("sqlalchemy.schema")
        self._work = work
        self._connection = connection
        self._dialect: str = connection.dialect.name
        self._is_sqlite = self._dialect in ("sqlite", "discosql")
        self._relations = {fold_case(relation.name): relation for relation in relations}
        self._metadata = self._sql.MetaData()
        self._shapes = {relation.name: self._shapes_of(relation) for relation in relations}
        self._tables = {relation.name: self._table(relation) for relation in relations}
        self._later: dict[str, list[Any]] = {relation.name: [] for relation in relations}
        for relation in relations:
            if relation.table is not None:
                self._add_constraints(relation.name, relation.table)

    def table(self, relation: Relation) -> Any:
        """Return a relation's `sqlalchemy.Table`."""
        return self._tables[relation.name]

    def drop(self, name: str) -> None:
        """Drop a table that is there."""
        self._connection.execute(self._schema.DropTable(self._tables[name]))

    def create(self, relation: Relation) -> None:
        """Make a table, without what is quicker or only possible when the rows are there."""
        self._connection.execute(self._schema.CreateTable(self._tables[relation.name]))

    def finish(self, relation: Relation) -> None:
        """Make a table's indexes and foreign keys, and let new ids begin beyond those that are there."""
        for item in self._later[relation.name]:
            self._attempt(relation, item)
        if relation.table is not None and relation.table.rowid_column is not None:
            self._advance(relation, relation.table)

    # Values -------------------------------------------------------------------------------------------------------

    def _shapes_of(self, relation: Relation) -> list[Shape]:
        most = _MOST_DIGITS.get(self._dialect, 10**6)
        return [
            shape.within(most, self._work, f"{relation.name}.{column.name}")
            for shape, column in zip(shapes_of(self._work, relation, key=True), relation.columns, strict=True)
        ]

    def values(self, relation: Relation, rows: Sequence[Row]) -> list[Row]:
        """Return rows as the drivers take them."""
        columns = []
        shapes = self._shapes[relation.name]
        for values, shape, column in zip(zip(*rows, strict=True), shapes, relation.columns, strict=True):
            ready = shape.ready(values, column.type)
            convert = self._converter(shape)
            columns.append(ready if convert is None else [value and convert(value) for value in ready])
        return list(zip(*columns, strict=True))

    def _converter(self, shape: Shape) -> Callable[[Any], Any] | None:
        if shape.kind is SqlType.DECIMAL and self._is_sqlite:
            return as_sqlite
        return _in_utc if shape.kind is SqlType.TIMESTAMP and shape.zoned else _PYTHON.get(shape.kind)

    # Columns ------------------------------------------------------------------------------------------------------

    def _table(self, relation: Relation) -> Any:
        columns = [
            self._column(column.name, shape, None if relation.table is None else relation.table, place)
            for place, (column, shape) in enumerate(zip(relation.columns, self._shapes[relation.name], strict=True))
        ]
        return self._sql.Table(relation.name, self._metadata, *columns)

    def _column(self, name: str, shape: Shape, table: TableSchema | None, place: int) -> Any:
        if table is None:
            return self._sql.Column(name, self._type(shape, in_key=False))
        in_key = any(place in columns for columns in _keyed(table))
        return self._sql.Column(
            name,
            self._type(shape, in_key=in_key),
            nullable=not table.columns[place].not_null,
            server_default=self._default(table.columns[place], shape.kind),
            autoincrement=place == table.rowid_column,
        )

    def _type(self, shape: Shape, *, in_key: bool) -> Any:
        types = self._types
        match shape.kind:
            case SqlType.INTEGER:
                return types.BigInteger().with_variant(types.Integer(), "sqlite", "discosql")
            case SqlType.REAL:
                return types.Double()
            case SqlType.TEXT:
                length = _KEY_LENGTH if in_key else None
                text = types.String(length) if in_key else types.Text(_LONG)
                return types.Text().with_variant(text, *_MYSQL)
            case SqlType.BLOB:
                return types.LargeBinary().with_variant(types.LargeBinary(_LONG), *_MYSQL)
            case SqlType.BOOLEAN:
                return types.Boolean()
            case SqlType.DATE:
                return types.Date()
            case SqlType.TIMESTAMP:
                return self._moment(shape.zoned)
            case SqlType.DECIMAL:
                return types.Numeric(shape.precision, shape.scale, asdecimal=not self._is_sqlite)
            case SqlType.JSON:
                return types.JSON(none_as_null=True)
            case _:
                return types.Uuid(as_uuid=False)

    def _moment(self, zoned: bool) -> Any:
        moment = self._types.DateTime(timezone=zoned)
        if self._dialect not in _MYSQL:
            return moment
        return import_module("sqlalchemy.dialects.mysql").DATETIME(fsp=6)

    def _default(self, column: Column, kind: SqlType) -> Any:
        if column.default is None or column.default.upper() == "NULL":
            return None
        found = default_of(column, kind)
        if found is None or (self._dialect in _MYSQL and kind in (SqlType.TEXT, SqlType.JSON, SqlType.BLOB)):
            self._work.warn(f"column {column.name}: DEFAULT {column.default} is left out")
            return None
        form, value = found
        if form == "flag":
            return self._sql.true() if value else self._sql.false()
        return value if form == "string" else self._sql.text(str(value))

    # Constraints --------------------------------------------------------------------------------------------------

    def _add_constraints(self, name: str, schema: TableSchema) -> None:
        table, shapes = self._tables[name], self._shapes[name]
        key = key_of(schema)
        unique = {index.columns for index in schema.indexes if index.unique and index.origin == "u"} - {key}
        if any(shapes[place].nulls for place in key):
            self._work.warn(f"table {name}: the primary key holds NULL, and is only UNIQUE there")
            unique.add(key)
        elif key:
            table.append_constraint(self._schema.PrimaryKeyConstraint(*self._columns(table, key)))
        for columns in sorted(unique):
            table.append_constraint(self._schema.UniqueConstraint(*self._columns(table, columns)))
        self._later[name] += [self._index(table, index) for index in schema.indexes if index.origin == "c"]
        for constraint in (*self._foreign_keys(table, schema), *self._checks(schema)):
            table.append_constraint(constraint)
            if not self._is_sqlite:
                self._later[name].append(self._schema.AddConstraint(constraint))

    def _columns(self, table: Any, places: Sequence[int]) -> list[Any]:
        columns = list(table.columns)
        return [columns[place] for place in places]

    def _index(self, table: Any, index: Index) -> Any:
        columns = self._columns(table, index.columns)
        flags = index.descending or (False,) * len(columns)
        keys = [column.desc() if descending else column for column, descending in zip(columns, flags, strict=True)]
        return self._schema.CreateIndex(self._sql.Index(index.name, *keys, unique=index.unique))

    def _foreign_keys(self, table: Any, schema: TableSchema) -> Iterator[Any]:
        for key in schema.foreign_keys:
            parent = exported_parent(key, self._relations)
            if parent is None:
                why = f"table {key.parent} is not exported"
                self._work.warn(f"table {schema.name}: the foreign key to {key.parent} is left out: {why}")
                continue
            yield self._foreign_key(table, key, parent)

    def _foreign_key(self, table: Any, key: ForeignKey, parent: TableSchema) -> Any:
        return self._schema.ForeignKeyConstraint(
            self._columns(table, key.columns),
            self._columns(self._tables[parent.name], parent_positions(key, parent)),
            ondelete=_action(key.on_delete),
            onupdate=_action(key.on_update),
            deferrable=key.deferred or None,
            initially="DEFERRED" if key.deferred else None,
        )

    def _checks(self, schema: TableSchema) -> Iterator[Any]:
        """Yield CHECK constraints for databases of which it is known what they make of one that they do not read."""
        if self._is_sqlite or self._dialect == "postgresql":
            for check in schema.checks:
                yield self._schema.CheckConstraint(self._sql.literal_column(check.expression), name=check.name)

    def _attempt(self, relation: Relation, item: Any) -> None:
        """Add an index or constraint; where the database refuses it, go on without."""
        errors = import_module("sqlalchemy.exc")
        try:
            with self._connection.begin_nested():
                self._connection.execute(item)
        except errors.DBAPIError as exc:
            text = str(item.compile(dialect=self._connection.dialect)).strip()
            said = str(exc.orig).strip().partition("\n")[0]
            self._work.warn(f"table {relation.name}: left out: {text} ({said})")

    def _advance(self, relation: Relation, table: TableSchema) -> None:
        if self._dialect != "postgresql":
            return  # others look at the highest key themselves
        assert table.rowid_column is not None
        column = self._columns(self._tables[relation.name], [table.rowid_column])[0]
        highest = self._connection.execute(self._sql.select(self._sql.func.max(column))).scalar()
        used = max(highest or 0, self._work.snapshot.highest_rowid(table) if table.autoincrement else 0)
        if used > 0:
            name = self._connection.dialect.identifier_preparer.format_table(self._tables[relation.name])
            call = self._sql.func.setval(self._sql.func.pg_get_serial_sequence(name, column.name), used)
            self._connection.execute(self._sql.select(call))


def _action(action: str) -> str | None:
    return None if action == "NO ACTION" else action


def _keyed(table: TableSchema) -> Iterator[Sequence[int]]:
    yield key_of(table)
    yield from (index.columns for index in table.indexes)


def _in_utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


_PYTHON: Final[dict[SqlType, Callable[[Any], Any]]] = {
    SqlType.DATE: datetime.date.fromisoformat,
    SqlType.TIMESTAMP: datetime.datetime.fromisoformat,
    SqlType.DECIMAL: Decimal,
}
