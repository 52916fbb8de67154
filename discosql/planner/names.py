"""Names of tables, indexes and views: which database they are of, and which are SQLite's own."""

from typing import Final

from discosql.errors import ProgrammingError, UnknownNameError
from discosql.planner.grammar.syntax import Name
from discosql.schema import SEQUENCE, Catalog
from discosql.types import fold_case

DATABASES: Final = frozenset({"main", "temp"})
"""The databases that a connection has: what lasts, and what only it sees."""


_UNQUALIFIED: Final = "temporary table name must be unqualified"


def check_database(name: Name) -> None:
    """Raise ProgrammingError if a name is given with a database that there is not."""
    if name.database is not None and fold_case(name.database) not in DATABASES:
        raise UnknownNameError(f"no such table: {name.database}.{name.name}")


def is_temporary(name: Name, *, temporary: bool, refusal: str = _UNQUALIFIED) -> bool:
    """Return whether a new table, view or trigger is a temporary one: so it says (TEMP), or the database it names.

    Raises ProgrammingError if both do, with the message `refusal`, or for an unknown database.
    """
    if name.database is None:
        return temporary
    if temporary:
        raise ProgrammingError(refusal)
    if fold_case(name.database) not in DATABASES:
        raise ProgrammingError(f"unknown database {name.database}")
    return fold_case(name.database) == "temp"


def check_new_name(name: str) -> None:
    """Raise ProgrammingError if a table, index or view may not get the name."""
    if is_reserved(name):
        raise ProgrammingError(f"object name reserved for internal use: {name}")


def sequence_database(catalog: Catalog, name: Name) -> str | None:
    """Return the database whose sqlite_sequence is meant, ``main`` or ``temp``; None for the name of another table.

    As in SQLite there is one in temp as soon as a table there has AUTOINCREMENT; it then goes before that of main.
    """
    if fold_case(name.name) != SEQUENCE:
        return None
    if name.database is not None:
        return fold_case(name.database)
    temporary = catalog.part(temporary=True).tables.values()
    return "temp" if any(table.autoincrement for table in temporary) else "main"


def is_reserved(name: str) -> bool:
    """Tell whether a name is kept for internal use, as SQLite keeps those that begin with sqlite_."""
    return fold_case(name).startswith("sqlite_")
