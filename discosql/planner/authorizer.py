"""Asking a connection's authorizer while a statement is planned (https://sqlite.org/c3ref/set_authorizer.html).

It is asked about the statement itself, each SELECT in it, each column that is read and each function that is called.
Rules of the schema (CHECK, DEFAULT, generated columns, expressions of indexes) are not asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from discosql.errors import DatabaseError, Error
from discosql.planner.grammar.syntax import (
    AddColumn,
    Assignment,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    DeleteStatement,
    Drop,
    DropColumn,
    InsertStatement,
    Name,
    Nothing,
    Pragma,
    RenameColumn,
    RenameTable,
    StatementSyntax,
    Transaction,
    UpdateStatement,
)
from discosql.schema import Catalog
from discosql.sqlite_codes import CODES
from discosql.types import fold_case

OK, DENY, IGNORE = 0, 1, 2

Callback: TypeAlias = Callable[[int, str | None, str | None, str | None, str | None], Any]
"""Takes the action's number, two names that depend on it, the database, and the view or trigger that the SQL is in."""

Action: TypeAlias = tuple[str, str | None, str | None, str | None]
"""An action's name, its two names, and its database."""

Change: TypeAlias = InsertStatement | UpdateStatement | DeleteStatement

_SAVEPOINTS: Final = {"savepoint": "BEGIN", "release": "RELEASE", "rollback_to": "ROLLBACK"}


class StatementIgnoredError(Error):
    """The authorizer wants a statement to do nothing, without an error."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The callback, and the view or trigger whose SQL it is asked about; `failed` is told what the callback raises."""

    callback: Callback
    failed: Callable[[Exception], object]
    inside: str | None = None

    def within(self, name: str) -> "Authorizer":
        """Return the authorizer for the SQL of a view or trigger."""
        return replace(self, inside=name)

    def may(self, action: str, first: str | None = None, second: str | None = None, database: str | None = None) -> int:
        """Return what the callback says: OK, DENY or IGNORE; anything else, and an exception, is DENY, as in sqlite3.

        Raises DatabaseError for a number that is none of them.
        """
        try:
            answer = self.callback(CODES[f"SQLITE_{action}"], first, second, database, self.inside)
        except Exception as exc:  # the user's code may raise anything
            self.failed(exc)
            return DENY
        if not isinstance(answer, int) or not -(2**31) <= answer < 2**31:
            return DENY
        if answer not in (OK, DENY, IGNORE):
            raise DatabaseError("authorizer malfunction")
        return answer

    def require(self, action: str, first: str | None, second: str | None, database: str | None) -> bool:
        """Return whether an action is to be done, False for IGNORE. Raises DatabaseError if it is denied."""
        answer = self.may(action, first, second, database)
        if answer == DENY:
            raise DatabaseError("not authorized").coded("SQLITE_AUTH")
        return answer == OK

    def statement(self, action: Action) -> None:
        """Ask about a whole statement. Raises DatabaseError, or StatementIgnoredError."""
        if not self.require(*action):
            raise StatementIgnoredError

    def reads(self, table: str, column: str, database: str) -> bool:
        """Return whether a column may be read, False if it is to be NULL. Raises DatabaseError if it is denied."""
        answer = self.may("READ", table, column, database)
        if answer == DENY:
            place = f"{table}.{column}" if column else table
            place = f"{database}.{place}" if database != "main" else place
            raise DatabaseError(f"access to {place} is prohibited").coded("SQLITE_AUTH")
        return answer == OK

    def calls(self, function: str) -> bool:
        """Return whether a function may be called, False if NULL is to be its result.

        Raises DatabaseError if it is denied.
        """
        answer = self.may("FUNCTION", None, fold_case(function))
        if answer == DENY:
            raise DatabaseError(f"not authorized to use function: {function}").coded("SQLITE_AUTH")
        return answer == OK

    def change(self, statement: Change, table: str, database: str) -> Change:
        """Ask about a change of rows; return it without the assignments that are to be ignored.

        Raises DatabaseError if it is denied, StatementIgnoredError if an INSERT is to be ignored.
        """
        match statement:
            case InsertStatement():
                self.statement(("INSERT", table, None, database))
                upserts = [
                    replace(upsert, assignments=self._assignments(upsert.assignments, table, database))
                    if upsert.assignments
                    else upsert
                    for upsert in statement.upserts
                ]
                return replace(statement, upserts=tuple(upserts))
            case UpdateStatement():
                left = self._assignments(statement.assignments, table, database)
                if not left:
                    raise StatementIgnoredError
                return replace(statement, assignments=left)
            case DeleteStatement():
                # IGNORE only keeps SQLite from a shortcut.
                self.require("DELETE", table, None, database)
                return statement

    def _assignments(self, given: tuple[Assignment, ...], table: str, database: str) -> tuple[Assignment, ...]:
        return tuple(
            assignment
            for assignment in given
            if all(self.require("UPDATE", table, name, database) for name in assignment.names)
        )


def action_of(syntax: StatementSyntax, catalog: Catalog) -> Action | None:
    """Return what a statement does; None if its parts are asked about instead, or it does nothing."""
    match syntax:
        case CreateTable() | CreateView():
            kind = "TABLE" if isinstance(syntax, CreateTable) else "VIEW"
            return _created(kind, syntax.name, syntax.temporary, None)
        case CreateIndex():
            table = catalog.find_table(syntax.table, syntax.name.database)
            return _created("INDEX", syntax.name, table is not None and table.temporary, syntax.table)
        case CreateTrigger():
            return _created("TRIGGER", syntax.name, syntax.temporary, syntax.table.name)
        case Drop():
            return _dropped(syntax, catalog)
        case AddColumn() | DropColumn() | RenameColumn() | RenameTable():
            database = _database_of(syntax.table, catalog)
            second = syntax.column if isinstance(syntax, DropColumn) else None
            return "ALTER_TABLE", database, syntax.table.name, second
        case Pragma():
            return "PRAGMA", syntax.name, syntax.value, syntax.database
        case Transaction() if syntax.kind in _SAVEPOINTS:
            return "SAVEPOINT", _SAVEPOINTS[syntax.kind], syntax.name, None
        case Transaction():
            return "TRANSACTION", syntax.kind.upper(), None, None
        case Nothing(word="ANALYZE" | "REINDEX"):
            named = None if syntax.name is None else syntax.name.name
            return syntax.word, named, None, "main"
        case _:
            return None


def _created(kind: str, name: Name, temporary: bool, second: str | None) -> Action:
    temporary = temporary or (name.database or "").lower() == "temp"
    return f"CREATE_{'TEMP_' * temporary}{kind}", name.name, second, "temp" if temporary else "main"


def _dropped(syntax: Drop, catalog: Catalog) -> Action | None:
    """Return the action of DROP, None where there is nothing of that name."""
    name, database = syntax.name.name, syntax.name.database
    second: str | None = None
    if syntax.kind == "index":
        found = catalog.find_index(name, database)
        if found is None:
            return None
        temporary, second = found[0].temporary, found[0].name
    elif syntax.kind == "trigger":
        trigger = catalog.find_trigger(name, database)
        if trigger is None:
            return None
        temporary, second = trigger.temporary, trigger.table
    else:
        part = catalog.part_of(name, database)
        temporary = part is catalog.temporary
    return f"DROP_{'TEMP_' * temporary}{syntax.kind.upper()}", name, second, "temp" if temporary else "main"


def _database_of(name: Name, catalog: Catalog) -> str:
    return "temp" if catalog.part_of(name.name, name.database) is catalog.temporary else "main"
