"""What a binder asks an authorizer: which columns a statement reads, and which functions it calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from discosql.planner.authorizer import Authorizer
from discosql.planner.infer import Bound
from discosql.planner.plan import ColumnRef, Constant, Expression
from discosql.planner.traverse import columns_in
from discosql.schema import TableSchema

UNASKED: Final = "unasked"
"""Mark (in `meta`) of trees that are not of the user's making, such as the rows that an UPDATE changes."""


@dataclass(slots=True)
class Asking:
    """The authorizer of a statement, None for none, and the names of the columns that it may be asked about.

    `unread` are the tables none of whose columns was asked for yet.
    """

    authorizer: Authorizer | None
    names: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    unread: dict[tuple[str, str], Authorizer] = field(default_factory=dict)

    def note(self, table: TableSchema, row: Sequence[ColumnRef]) -> None:
        """Take note of the columns of a stored row, the rowid first."""
        rowid = "ROWID" if table.rowid_column is None else table.columns[table.rowid_column].name
        self.note_names(table.name, row, [rowid, *(column.name for column in table.columns)], temporary=table.temporary)

    def note_names(
        self, table: str, row: Sequence[ColumnRef], names: Sequence[str], *, temporary: bool = False
    ) -> None:
        """Take note of the columns of something that is read like a table."""
        if self.authorizer is None:
            return
        database = "temp" if temporary else "main"
        self.names.update((ref.id, (table, name, database)) for ref, name in zip(row, names, strict=True))
        self.unread[table, database] = self.authorizer

    def readable(self, bound: Bound, tree: exp.Expr | None = None) -> Bound:
        """Return a column, or what several columns of one name are together; NULL if it is not to be read.

        Raises DatabaseError if that is denied.
        """
        if self.authorizer is None or (tree is not None and tree.meta.get(UNASKED)):
            return bound
        return bound if self.may_read(bound.expression) else replace(bound, expression=Constant(None))

    def may_read(self, expression: Expression) -> bool:
        """Return whether all columns in an expression may be read. Raises DatabaseError if one is denied."""
        allowed = True
        for column in sorted(columns_in(expression)) if self.authorizer is not None else ():
            if column in self.names:
                table, name, database = self.names[column]
                self.unread.pop((table, database), None)
                allowed = self.authorizer.reads(table, name, database) and allowed  # type: ignore[union-attr]
        return allowed

    def select(self, tree: exp.Expr) -> None:
        """Ask about a SELECT. Raises DatabaseError, or StatementIgnoredError."""
        if self.authorizer is not None and not tree.meta.get(UNASKED):
            self.authorizer.statement(("SELECT", None, None, None))

    def recursion(self) -> None:
        """Ask about a recursive query. Raises DatabaseError, or StatementIgnoredError."""
        if self.authorizer is not None:
            self.authorizer.statement(("RECURSIVE", None, None, None))

    def may_read_row(self, table: TableSchema, position: int) -> bool:
        """Return whether a column of the row that fired a trigger may be read. Raises DatabaseError if it is denied."""
        if self.authorizer is None:
            return True
        name = "ROWID" if position < 0 else table.columns[position].name
        return self.authorizer.reads(table.name, name, "temp" if table.temporary else "main")

    def may_call(self, function: str) -> bool:
        """Return whether a function may be called. Raises DatabaseError if it is denied."""
        return self.authorizer is None or self.authorizer.calls(function)

    def finish(self, tree: exp.Expr) -> None:
        """Ask about the tables that a query names, but of which it reads no column."""
        if tree.meta.get(UNASKED):
            return
        waiting, self.unread = self.unread, {}
        for (table, _), authorizer in waiting.items():
            authorizer.statement(("READ", table, "", None))

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """Ask on behalf of a view until the end of the block."""
        before = self.authorizer
        self.authorizer = None if before is None else before.within(name)
        yield
        self.authorizer = before

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """Ask nothing until the end of the block, which binds texts of the schema."""
        before, self.authorizer = self.authorizer, None
        yield
        self.authorizer = before
