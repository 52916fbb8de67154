"""Definitions of columns, constraints and indexes (https://www.sqlite.org/lang_createtable.html)."""

import dataclasses
from collections.abc import Callable
from typing import Final

from discosql.errors import ProgrammingError
from discosql.planner.grammar.query import QueryGrammar
from discosql.planner.grammar.reader import ALIASES, NAMES, Place
from discosql.planner.grammar.syntax import (
    CheckConstraint,
    ColumnDefinition,
    IndexedColumn,
    KeyConstraint,
    Reference,
    TableDefinition,
)
from discosql.schema import ForeignKey

_TABLE_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_DEFAULTS: Final = frozenset({"integer", "float", "string", "blob", "NULL"})
_COLUMN_ENDS: Final = frozenset({",", ")", "end", ";"})


class TableGrammar(QueryGrammar):
    """Reads what stands in the parentheses of CREATE TABLE."""

    def table_definition(self) -> TableDefinition:
        """Read columns and constraints in parentheses, and the options behind them."""
        definition = TableDefinition()
        self.expect("(")
        self.column_definition(definition)
        while self.kind == "," and self.peek() not in _TABLE_CONSTRAINTS:
            self.skip()
            self.column_definition(definition)
        definition.columns_end = self.token.start
        self.accept(",")
        if self.kind in _TABLE_CONSTRAINTS:
            self._table_constraints(definition)
        self.expect(")")
        if self.kind not in ("end", ";"):
            self._options(definition)
        return definition

    def _options(self, definition: TableDefinition) -> None:
        self.accept(",")
        while True:
            if self.accept("WITHOUT"):
                if self.token.text.upper() != "ROWID":
                    raise ProgrammingError(f"unknown table option: {self.token.text}")
                definition.without_rowid = True
            elif self.token.text.upper() == "STRICT":
                definition.strict = True
            elif self.kind in NAMES:
                raise ProgrammingError(f"unknown table option: {self.token.text}")
            else:
                self.fail()
            self.skip()
            if not self.accept(","):
                return

    # Columns ------------------------------------------------------------------------------------------------------

    def column_definition(self, definition: TableDefinition) -> None:
        """Read one column and add it and its constraints to the definition."""
        start = self.token.start
        column = ColumnDefinition(self.read_column(), "", start=start)
        behind_name, first = self.tokens[self.position - 1].end, self.position
        column.declared = self.read_type()
        if self.position > first:
            column.type_span = (self.tokens[first].start, self.tokens[self.position - 1].end)
        else:
            column.type_span = (behind_name, behind_name)
        definition.columns.append(column)
        name: str | None = None
        while self.kind not in _COLUMN_ENDS:
            if self.accept("CONSTRAINT"):
                name = self.read_name()
                continue
            self._column_constraint(column, definition, name)
            name = None

    def _column_constraint(self, column: ColumnDefinition, definition: TableDefinition, name: str | None) -> None:
        key = (IndexedColumn(column.name),)
        if self.kind == "NOT" and self.peek() != "DEFERRABLE":
            self.expect("NOT", "NULL")
            column.not_null = True
            column.conflict = self._conflict()
        elif self.accept("NULL"):
            self._conflict()
        elif self.accept("PRIMARY"):
            self.expect("KEY")
            key = (IndexedColumn(column.name, descending=self._descending()),)
            conflict = self._conflict()
            autoincrement = self.accept("AUTOINCREMENT")
            definition.keys.append(KeyConstraint(True, key, autoincrement, of_column=True, conflict=conflict))
        elif self.accept("UNIQUE"):
            definition.keys.append(KeyConstraint(False, key, of_column=True, conflict=self._conflict()))
        elif self.accept("CHECK"):
            definition.checks.append(CheckConstraint(name, self._text_in_parentheses()))
        elif self.accept("DEFAULT"):
            self._default(column)
        elif self.accept("COLLATE"):
            column.collation = self.read_name(ALIASES)
        elif self.kind == "REFERENCES":
            definition.references.append(Reference((column.name,), self._references(), of_column=True))
        elif self.kind in ("DEFERRABLE", "NOT"):
            deferred = self._deferrable()
            if definition.references:
                last = definition.references[-1]
                key_deferred = dataclasses.replace(last.key, deferred=deferred)
                definition.references[-1] = dataclasses.replace(last, key=key_deferred)
        elif self.kind in ("GENERATED", "AS"):
            self._generated(column)
        else:
            self.fail()

    def _generated(self, column: ColumnDefinition) -> None:
        if self.accept("GENERATED"):
            self.expect("ALWAYS")
            if self.kind != "AS":
                return
        self.expect("AS")
        column.generated = self._text_in_parentheses()
        if self.token.text.upper() == "STORED":
            self.skip()
            column.stored = True
        elif not self.accept("VIRTUAL") and self.kind in ALIASES:
            raise ProgrammingError(f'error in generated column "{column.name}"')

    def _default(self, column: ColumnDefinition) -> None:
        column.default_in_parentheses = self.kind == "("
        if self.kind == "(":
            column.default = self._text_in_parentheses()
            return
        start = self.position
        if self.kind in ("+", "-"):
            self.skip()
        elif self.kind in NAMES:
            self.skip()
            column.default = self.text_since(start)
            return
        if self.kind not in _DEFAULTS:
            self.fail()
        self.skip()
        column.default = self.text_since(start)

    def _text_in_parentheses(self) -> str:
        self.expect("(")
        text = self.checked_text()
        self.expect(")")
        return text

    def checked_text(self) -> str:
        """Read an expression of the schema and return its text."""
        start, mark = self.position, len(self.out)
        self.expression()
        del self.out[mark:]
        return self.text_since(start)

    # Table constraints --------------------------------------------------------------------------------------------

    def _table_constraints(self, definition: TableDefinition) -> None:
        name: str | None = None
        while self.kind != ")":
            if self.accept("CONSTRAINT"):
                name = self.read_name()
                continue
            if self.accept("PRIMARY", "KEY"):
                columns, autoincrement = self._key_columns()
                definition.keys.append(KeyConstraint(True, columns, autoincrement, conflict=self._conflict()))
            elif self.accept("UNIQUE"):
                columns, _ = self._key_columns()
                definition.keys.append(KeyConstraint(False, columns, conflict=self._conflict()))
            elif self.accept("CHECK"):
                definition.checks.append(CheckConstraint(name, self._text_in_parentheses()))
                self._conflict()
            elif self.accept("FOREIGN", "KEY"):
                child = self.read_names(self.read_column)
                definition.references.append(Reference(child, self._references()))
            else:
                self.fail()
            name = None
            self.accept(",")

    def _key_columns(self) -> tuple[tuple[IndexedColumn, ...], bool]:
        self.expect("(")
        columns = self.indexed_columns("expressions prohibited in PRIMARY KEY and UNIQUE constraints")
        autoincrement = self.accept("AUTOINCREMENT")
        self.expect(")")
        return columns, autoincrement

    def indexed_columns(self, refusal: str) -> tuple[IndexedColumn, ...]:
        """Read the columns of a key. An expression raises ProgrammingError with the message given."""
        columns = [self._indexed_column(refusal)]
        while self.accept(","):
            columns.append(self._indexed_column(refusal))
        return tuple(columns)

    def _indexed_column(self, refusal: str) -> IndexedColumn:
        if self.kind not in NAMES or self.peek() not in ("COLLATE", "ASC", "DESC", ",", ")", "AUTOINCREMENT", "NULLS"):
            return self._indexed_expression(refusal)
        name = self.read_column()
        collation = self.read_name(ALIASES) if self.accept("COLLATE") else None
        descending = self._descending()
        if self.kind == "NULLS":
            self.skip()
            raise ProgrammingError(f"unsupported use of NULLS {self.token.text.upper()}")
        return IndexedColumn(name, collation, descending)

    def _indexed_expression(self, refusal: str) -> IndexedColumn:
        start, mark = self.position, len(self.out)
        self.expression()
        tree = self.expressions_since(mark)[0]
        text = self.text_since(start)
        if refusal:
            raise ProgrammingError(refusal)
        return IndexedColumn(text, None, self._descending(), tree)

    def _descending(self) -> bool:
        if self.accept("DESC"):
            return True
        self.accept("ASC")
        return False

    def read_names(self, read: Callable[[], str] | None = None) -> tuple[str, ...]:
        """Skip names in parentheses and return them; `read` reads one."""
        read = read or self.read_name
        self.expect("(")
        names = [read()]
        while self.accept(","):
            names.append(read())
        self.expect(")")
        return tuple(names)

    def _conflict(self) -> str | None:
        """Skip ON CONFLICT and return what it says; None for ABORT, which goes without saying."""
        if not self.accept("ON", "CONFLICT"):
            return None
        if self.kind not in ("ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"):
            self.fail()
        word = self.skip().kind.lower()
        return None if word == "abort" else word

    def _references(self) -> ForeignKey:
        self.expect("REFERENCES")
        self.places.append(Place("parent", self.token))
        parent = self.read_name()

        def read_parent_column() -> str:
            self.places.append(Place("owned column", self.token, parent))
            return self.read_name()

        columns = self.read_names(read_parent_column) if self.kind == "(" else ()
        actions = {"DELETE": "NO ACTION", "UPDATE": "NO ACTION"}
        while True:
            if self.kind == "ON" and self.peek() in ("DELETE", "UPDATE", "INSERT"):
                self.skip()
                event = self.skip().kind
                actions[event] = self._action()
            elif self.accept("MATCH"):
                self.read_name()
            else:
                break
        deferred = False
        if self.kind == "DEFERRABLE" or (self.kind == "NOT" and self.peek() == "DEFERRABLE"):
            deferred = self._deferrable()
        return ForeignKey((), parent, columns, actions["DELETE"], actions["UPDATE"], deferred)

    def _action(self) -> str:
        if self.accept("SET", "NULL"):
            return "SET NULL"
        if self.accept("SET", "DEFAULT"):
            return "SET DEFAULT"
        if self.accept("NO", "ACTION"):
            return "NO ACTION"
        if self.kind not in ("CASCADE", "RESTRICT"):
            self.fail()
        return self.skip().kind

    def _deferrable(self) -> bool:
        negated = self.accept("NOT")
        self.expect("DEFERRABLE")
        if self.accept("INITIALLY"):
            if self.kind not in ("DEFERRED", "IMMEDIATE"):
                self.fail()
            return self.skip().kind == "DEFERRED" and not negated
        return False
