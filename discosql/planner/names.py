"""Names of tables, indexes and views: which database they are of, and which are SQLite's own."""

from typing import Final

from discosql.errors import NotSupportedError, ProgrammingError
from discosql.planner.grammar.syntax import Name
from discosql.types import fold_case

DATABASE: Final = "main"
"""The name of the only database a connection has."""


def check_database(name: Name) -> None:
    """Raise ProgrammingError if a name is given with another database than ``main``."""
    if name.database is not None and fold_case(name.database) != DATABASE:
        raise ProgrammingError(f"no such table: {name.database}.{name.name}")


def check_created_in_main(name: Name) -> None:
    """Raise ProgrammingError if a new table, index, view or trigger is given with another database than ``main``."""
    if name.database is None:
        return
    if fold_case(name.database) == "temp":
        raise NotSupportedError("temporary tables and views are not supported")
    if fold_case(name.database) != DATABASE:
        raise ProgrammingError(f"unknown database {name.database}")


def check_new_name(name: str) -> None:
    """Raise ProgrammingError if a table, index or view may not get the name."""
    if is_reserved(name):
        raise ProgrammingError(f"object name reserved for internal use: {name}")


def is_reserved(name: str) -> bool:
    """Tell whether a name is kept for internal use, as SQLite keeps those that begin with sqlite_."""
    return fold_case(name).startswith("sqlite_")
