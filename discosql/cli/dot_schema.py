"""Dot-commands that tell what there is: tables, their SQL, indexes, figures."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from discosql.cli.dot_command import DotCommand

if TYPE_CHECKING:
    from discosql.cli.console import Console


def _tables(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name LIKE ?"
    rows = console.connection.execute(f"{sql} ORDER BY name", (arguments[0] if arguments else "%",)).fetchall()
    console.write("".join(f"{name}\n" for (name,) in rows))


def _schema(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name LIKE ?"
    rows = console.connection.execute(sql, (arguments[0] if arguments else "%",)).fetchall()
    console.write("".join(f"{text};\n" for (text,) in rows))


def _indexes(console: "Console", arguments: Sequence[str]) -> None:
    sql = "SELECT name, tbl_name AS \"table\", sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE ?"
    cursor = console.connection.execute(f"{sql} ORDER BY tbl_name, name", (arguments[0] if arguments else "%",))
    console.show(["name", "table", "sql"], cursor.fetchall())


def _databases(console: "Console", arguments: Sequence[str]) -> None:
    names = console.connection.execute("SELECT name FROM pragma_database_list").fetchall()
    console.show(["name", "database"], [(name, console.database if name == "main" else "") for (name,) in names])


def _stats(console: "Console", arguments: Sequence[str]) -> None:
    cursor = console.connection.execute(
        "SELECT * FROM discosql_stats WHERE name LIKE ?", (arguments[0] if arguments else "%",)
    )
    console.show([column[0] for column in cursor.description or ()], cursor.fetchall())


COMMANDS: Final[Mapping[str, DotCommand]] = MappingProxyType(
    {
        ".tables": DotCommand("[LIKE]", "names of tables and views", _tables, most=1),
        ".schema": DotCommand("[TABLE]", "the SQL that made tables, indexes and views", _schema, most=1),
        ".indexes": DotCommand("[TABLE]", "indexes and their tables", _indexes, most=1),
        ".databases": DotCommand("", "the database that is open, and whether there are temporary tables", _databases),
        ".stats": DotCommand("[LIKE]", "what was asked of Discord and done since it was opened", _stats, most=1),
    }
)
"""The commands by name."""
