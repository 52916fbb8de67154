"""CREATE TABLE of a SQLite file for this library: other types, and if need be less than there was.

What may have to go are collations that only the file's own program has, and expressions with functions of that program.
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from discosql.planner.grammar.statement import StatementGrammar
from discosql.planner.grammar.syntax import ColumnDefinition, CreateTable, KeyConstraint, Reference
from discosql.schema import quoted

_COLLATIONS: Final = frozenset({"NOCASE", "RTRIM"})
"""The collations known besides BINARY, which goes without saying."""


class Part(NamedTuple):
    """What a table may be made without: an expression, of a column or of the table, by its place in the definition."""

    kind: str
    place: int
    name: str

    def __str__(self) -> str:
        return f"{self.kind} of column {self.name}" if self.kind != "CHECK" else f"CHECK ({self.name})"


class TableText:
    """The text of a CREATE TABLE, read. Raises ProgrammingError or NotSupportedError if it cannot be."""

    def __init__(self, sql: str) -> None:
        statement = StatementGrammar(sql).statement()
        assert isinstance(statement, CreateTable)  # what else would stand in sqlite_master
        self._sql = sql
        self._name = statement.name.name
        self._definition = statement.definition

    def with_types(self, types: Mapping[str, str]) -> str:
        """Return the text as it was written, but with other types for some columns."""
        sql = self._sql
        for column in reversed(self._definition.columns):
            if column.name in types:
                start, end = column.type_span
                sql = f"{sql[:start]}{' ' if start == end else ''}{types[column.name]}{sql[end:]}"
        return sql

    def parts(self) -> list[Part]:
        """Return what the table could be made without."""
        parts = [Part("CHECK", place, check.text) for place, check in enumerate(self._definition.checks)]
        for place, column in enumerate(self._definition.columns):
            if column.default is not None:
                parts.append(Part("DEFAULT", place, column.name))
            if column.generated is not None:
                parts.append(Part("the expression", place, column.name))
        return parts

    def unknown_collations(self) -> list[str]:
        """Return the collations that this library does not have."""
        columns = self._definition.columns
        named = [column.collation for column in columns]
        named += [column.collation for key in self._definition.keys for column in key.columns if column.collation]
        return list(dict.fromkeys(name for name in named if name.upper() not in ("BINARY", *_COLLATIONS)))

    def reduced(self, types: Mapping[str, str], parts: Collection[Part]) -> str:
        """Return a text that says the same but for collations that are not known, and with some of the parts only.

        A generated column without its expression is left out.
        """
        definition = self._definition
        kept = {(part.kind, part.place) for part in parts}
        lines = [
            _column(column, types, with_default=("DEFAULT", place) in kept)
            for place, column in enumerate(definition.columns)
            if column.generated is None or ("the expression", place) in kept
        ]
        lines += [_key(key) for key in definition.keys]
        for place, check in enumerate(definition.checks):
            if ("CHECK", place) in kept:
                named = f"CONSTRAINT {quoted(check.name)} " if check.name else ""
                lines.append(f"{named}CHECK ({check.text})")
        lines += [_reference(reference) for reference in definition.references]
        options = [word for word, given in (("WITHOUT ROWID", definition.without_rowid), ("STRICT", definition.strict))
                   if given]  # fmt: skip
        return f"CREATE TABLE {quoted(self._name)} ({', '.join(lines)}) {', '.join(options)}".rstrip()


def _column(column: ColumnDefinition, types: Mapping[str, str], *, with_default: bool) -> str:
    words = [quoted(column.name), types.get(column.name, column.declared)]
    if column.not_null:
        words.append(f"NOT NULL{_conflict(column.conflict)}")
    if with_default:
        words.append(f"DEFAULT ({column.default})" if column.default_in_parentheses else f"DEFAULT {column.default}")
    if column.collation.upper() in _COLLATIONS:
        words.append(f"COLLATE {column.collation}")
    if column.generated is not None:
        words.append(f"AS ({column.generated}) {'STORED' if column.stored else 'VIRTUAL'}")
    return " ".join(word for word in words if word)


def _key(key: KeyConstraint) -> str:
    columns = []
    for column in key.columns:
        collation = f" COLLATE {column.collation}" if (column.collation or "").upper() in _COLLATIONS else ""
        columns.append(f"{quoted(column.name)}{collation}{' DESC' if column.descending else ''}")
    word = "PRIMARY KEY" if key.primary else "UNIQUE"
    autoincrement = " AUTOINCREMENT" if key.autoincrement else ""
    return f"{word} ({', '.join(columns)}{autoincrement}){_conflict(key.conflict)}"


def _conflict(conflict: str | None) -> str:
    return f" ON CONFLICT {conflict.upper()}" if conflict else ""


def _reference(reference: Reference) -> str:
    key = reference.key
    parent = quoted(key.parent)
    if key.parent_columns:
        parent += f" ({', '.join(map(quoted, key.parent_columns))})"
    deferred = " DEFERRABLE INITIALLY DEFERRED" if key.deferred else ""
    child = ", ".join(map(quoted, reference.columns))
    return f"FOREIGN KEY ({child}) REFERENCES {parent} ON DELETE {key.on_delete} ON UPDATE {key.on_update}{deferred}"
