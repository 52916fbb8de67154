"""Golden scripts: SQL and what came of it, recorded in one file.

A script is blocks separated by blank lines. A block is statements, a line ``---`` and the recorded output::

    # A comment.
    > CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)
    > INSERT INTO users VALUES (1, 'Ada')
    ---
    changed 1

    [plan,requests]> SELECT name FROM users
      WHERE id = 1
    ---
    Projection: users.name
    └─ IndexLookup: users.id (1)
    requests: none
    'Ada'

    !> SELECT nothing
    ---
    ProgrammingError: no such column: nothing

Tags ask for more: ``plan`` the plan, ``rules`` the plan after each rule that changed it, ``requests`` what the guild
was asked, ``names`` the columns' names. ``!`` expects an error. Every query is also run on its unoptimised plan, which
must give the same rows. ``pytest --rewrite`` records anew; the diff is then read by a person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from discosql import aio
from discosql.errors import Error
from discosql.planner.explain import explain_lines
from discosql.planner.plan import Query
from discosql.planner.prepare import prepare

STATEMENT = re.compile(r"(?P<fails>!)?(?:\[(?P<tags>[a-z,]+)\])?> ?(?P<sql>.*)")
KNOWN_TAGS = {"plan", "rules", "requests", "names"}


@dataclass
class Command:
    """One statement of a script."""

    sql: str
    tags: frozenset[str] = frozenset()
    fails: bool = False


@dataclass
class Block:
    """Lines as they stand in the file, the statements among them, and the recorded output."""

    source: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    output: list[str] = field(default_factory=list)


def parse_script(text: str) -> Iterator[Block]:
    """Yield the blocks of a script."""
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        block = Block()
        lines = iter(part.split("\n"))
        for line in lines:
            if line == "---":
                break
            block.source.append(line)
            match = STATEMENT.fullmatch(line)
            if match:
                tags = frozenset(match["tags"].split(",")) if match["tags"] else frozenset()
                assert tags <= KNOWN_TAGS, f"unknown tag in {line}"
                block.commands.append(Command(match["sql"], tags, bool(match["fails"])))
            elif line.startswith("  ") and block.commands:
                block.commands[-1].sql += "\n" + line[2:]
            else:
                assert line.startswith("#"), f"neither statement nor comment: {line}"
        block.output = list(lines)
        yield block


async def run_script(text: str, connection: aio.Connection) -> str:
    """Run a script on a connection and return it with the output it gave."""
    parts = []
    for block in parse_script(text):
        lines = list(block.source)
        if block.commands:
            lines.append("---")
            for command in block.commands:
                lines.extend(await _run(command, connection))
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


async def _run(command: Command, connection: aio.Connection) -> list[str]:
    before = connection.requests.copy()
    try:
        lines = _plans(command, connection)
        cursor = await connection.execute(command.sql)
    except Error as exc:
        assert command.fails, f"{command.sql}\nraised {type(exc).__name__}: {exc}"
        return [f"{type(exc).__name__}: {exc}"]
    assert not command.fails, f"{command.sql}\ndid not fail"
    if "requests" in command.tags:
        count = connection.requests.since(before).count
        lines.append("requests: " + (", ".join(f"{kind} {count[kind]}" for kind in sorted(count)) or "none"))
    if cursor.description is None:
        return [*lines, f"changed {cursor.rowcount}"] if cursor.rowcount >= 0 else lines
    if "names" in command.tags:
        lines.append(" | ".join(column[0] for column in cursor.description))
    rows = await cursor.fetchall()
    await _check_unoptimised(command, connection, rows)
    return [*lines, *(", ".join("NULL" if value is None else repr(value) for value in row) for row in rows)]


def _plans(command: Command, connection: aio.Connection) -> list[str]:
    session = connection._session
    if "rules" in command.tags:
        trace: list[tuple[str, object]] = []
        prepare(command.sql, session._plan_context({}), trace=trace)
        return [line for rule, plan in trace for line in (f"{rule}:", *(f"  {text}" for text in explain_lines(plan)))]
    if "plan" in command.tags:
        return explain_lines(session.prepare(command.sql).statement)
    return []


async def _check_unoptimised(command: Command, connection: aio.Connection, rows: list[tuple[object, ...]]) -> None:
    session = connection._session
    if session.in_transaction or not isinstance(session.prepare(command.sql).statement, Query):
        return
    session.optimise = False
    session.forget_statements()
    try:
        plain = await (await connection.execute(command.sql)).fetchall()
    finally:
        session.optimise = True
        session.forget_statements()
    assert sorted(map(repr, plain)) == sorted(map(repr, rows)), f"{command.sql}\nunoptimised gives other rows: {plain}"


def script_paths() -> list[Path]:
    """Return all scripts of the test suite."""
    return sorted((Path(__file__).parent / "scripts").rglob("*.sql"))
