"""The page docs/sql.md: what the planner accepts, the functions there are, and what the examples give.

``python -m documentation.sql_reference`` writes it anew.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import discosql
from discosql.executor.functions import DEFAULT
from discosql.planner import pragma
from discosql.planner.catalog_tables import CATALOG_TABLES
from discosql.planner.plan import FunctionSignature
from documentation.function_examples import FUNCTIONS, REFUSING, VARYING
from documentation.sql_examples import AGGREGATES, PRAGMAS, REFUSED, STATEMENTS, TYPES, WINDOWS

PAGE: Final = Path(__file__).parent.parent / "docs" / "sql.md"

SIGNATURES: Final = DEFAULT.signatures()

AGGREGATE_ROWS: Final = "(SELECT column1 AS x FROM (VALUES (1), (2), (2), (5), (NULL)))"
WINDOW_ROWS: Final = "(SELECT column1 AS x FROM (VALUES (1), (2), (2), (5)))"

_INTRODUCTION: Final = """\
# SQL

<!-- Written by python -m documentation.sql_reference; change that. -->

discosql has the SQL of SQLite 3.51, with strict tables and foreign keys that are enforced.
[SQLite's documentation](https://www.sqlite.org/lang.html) tells the details. This page lists what there is. It is made
from the planner's own tables of statements, functions, PRAGMAs and types. Every example was run: what stands behind
`--` is what came out. Where SQLite has the same, SQLite gave the same.

Values of a program go in as parameters: `?`, `?1`, `:name`, `@name` or `$name`. Never paste them into the text.
"""

_NULLARY: Final = re.compile(r"current_\w+")


def literal(value: Any) -> str:
    """Return a value as SQL would write it, on one line."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\n", "↵") + "'"
    return str(value)


def function_of(call: str) -> str:
    """Return the name of the function that an example shows."""
    if operator := re.search(r" (->>?) ", call):
        return operator[1]
    if _NULLARY.fullmatch(call):
        return call
    names = re.findall(r"([a-z_0-9]+)\(", call)
    return names[1] if names[0] in ("json", "hex") and len(names) > 1 else names[0]


def varies(name: str) -> bool:
    """Return whether a scalar function's result depends on more than its arguments."""
    return name in VARYING or not SIGNATURES[name, "scalar"].deterministic


def run(connection: discosql.Connection, sql: str) -> list[tuple[Any, ...]] | None:
    """Return the rows of a statement, None if it has none to give."""
    cursor = connection.execute(sql)
    return None if cursor.description is None else cursor.fetchall()


def _table(*head: str) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _arguments(signature: FunctionSignature) -> str:
    low, high = signature.minimum, signature.maximum
    if low == high:
        return str(low)
    return f"{low} or more" if high is None else f"{low} to {high}"


def _types() -> Iterator[str]:
    yield "## Types\n"
    yield from _table("type", "also written", "stored", "comes back as", "")
    with discosql.connect(":memory:") as db:
        for name, (others, value, text) in TYPES.items():
            db.execute(f"CREATE TABLE {name}_value (v {name})")
            db.execute(f"INSERT INTO {name}_value VALUES (?)", (value,))
            ((back,),) = db.execute(f"SELECT v FROM {name}_value").fetchall()
            yield _line(f"`{name}`", others, f"`{value!r}`", f"`{back!r}`", text)
    db.close()
    yield ""


def _statements(db: discosql.Connection) -> Iterator[str]:
    yield "## Statements\n"
    for section in STATEMENTS:
        yield f"### {section.title}\n\n{section.text}\n\n```sql"
        for sql in section.examples:
            yield f"{sql};"
            yield from (f"-- {shown(row)}" for row in run(db, sql) or ())
        yield "```\n"


def shown(row: tuple[Any, ...]) -> str:
    """Return a row as the page shows it."""
    text = row[0] if len(row) == 1 else None
    return text if isinstance(text, str) else ", ".join(map(literal, row))


def _refused(db: discosql.Connection) -> Iterator[str]:
    yield "## What is refused\n\nSQL that discosql does not have raises `NotSupportedError`, which names it:\n\n```sql"
    for sql in REFUSED:
        try:
            run(db, sql)
        except discosql.NotSupportedError as exc:
            yield f"{sql};\n-- {exc}"
        else:
            raise AssertionError(f"not refused: {sql}")
    yield "```\n"


def _functions() -> Iterator[str]:
    yield "## Functions\n\nPrograms add their own by `connection.create_function`, `create_aggregate` and"
    yield "`create_window_function`.\n"
    with discosql.connect(":memory:") as db:
        for title, calls in FUNCTIONS.items():
            yield f"### {title}\n"
            yield from _table("function", "arguments", "example", "gives")
            for call in calls:
                name = function_of(call)
                result = "varies" if varies(name) else f"`{literal(only(db, f'SELECT {call}'))}`"
                yield _line(f"`{name}`", _arguments(SIGNATURES[name, "scalar"]), f"`{call}`", result)
            yield ""
        yield from _of_many(db, "aggregate", "Aggregates, over 1, 2, 2, 5 and NULL", AGGREGATES)
        yield from _of_many(db, "window", "Windows, ordered by x over 1, 2, 2 and 5", WINDOWS)
    db.close()
    yield f"Aggregates have DISTINCT, ORDER BY and FILTER, and work as windows, too. {_names(REFUSING)} exist and are"
    yield "refused or do nothing, as in SQLite, unless a program defines them.\n"


def _of_many(db: discosql.Connection, kind: str, title: str, calls: Mapping[str, str]) -> Iterator[str]:
    yield f"### {title}\n"
    yield from _table("function", "arguments", "example", "gives")
    for name, call in calls.items():
        if kind == "aggregate":
            result = literal(only(db, f"SELECT {call} FROM {AGGREGATE_ROWS}"))
        else:
            rows = db.execute(f"SELECT {call} OVER (ORDER BY x) FROM {WINDOW_ROWS}").fetchall()
            result = ", ".join(literal(value) for (value,) in rows)
        yield _line(f"`{name}`", _arguments(SIGNATURES[name, kind]), f"`{call}`", f"`{result}`")
    yield ""


def only(db: discosql.Connection, sql: str) -> Any:
    """Return the one value of a query."""
    ((value,),) = db.execute(sql).fetchall()
    return value


def _pragmas(db: discosql.Connection) -> Iterator[str]:
    yield "## PRAGMA\n\nThose that read are tables, too: `SELECT name FROM pragma_table_info('player')`. PRAGMAs that"
    yield "discosql has no use for are accepted and do nothing, as in SQLite.\n"
    yield from _table("PRAGMA", "what it is", "set", "example", "columns")
    for name, (text, sql) in PRAGMAS.items():
        columns = ", ".join(column[0] for column in db.execute(sql).description or ())
        settable = "yes" if name in pragma.SETTINGS | pragma.KEPT else "no"
        yield _line(f"`{name}`", text, settable, f"`{sql}`", columns)
    fixed = ", ".join(f"`{name}`" for name in pragma.FIXED)
    yield f"\nThese tell what is always so, as tools ask for it, and cannot be changed: {fixed}.\n"


def _catalog() -> Iterator[str]:
    yield "## Tables that are there by themselves\n"
    yield from _table("table", "columns")
    for name, table in sorted(CATALOG_TABLES.items()):
        if not name.startswith("pragma_"):
            with discosql.connect(":memory:") as db:
                call = f"{name}('[]')" if table.arguments else name
                columns = [column[0] for column in db.execute(f"SELECT * FROM {call}").description or ()]
            db.close()
            yield _line(f"`{name}(…)`" if table.arguments else f"`{name}`", ", ".join(columns))
    yield (
        "\n`sqlite_sequence` can be written, as in SQLite: `INSERT`, `UPDATE` and `DELETE` set where `AUTOINCREMENT`\n"
        "goes on. Unlike there, that is never below a rowid in use, so empty a table before you reset its sequence.\n"
        "An `INSERT` beside the table's row never lowers what that says; `REPLACE` sets it.\n"
    )
    yield "[Limits and waits](limits.md#figures) tells what `discosql_stats` counts.\n"


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def page() -> str:
    """Return the page's text."""
    db = discosql.connect(":memory:", autocommit=True)
    statements = [*_statements(db)]
    lines = [_INTRODUCTION, *_types(), *statements, *_refused(db), *_pragmas(db), *_catalog(), *_functions()]
    db.close()
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
