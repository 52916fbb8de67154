"""``discosql [shell]``: run SQL from arguments, files or standard input, or at a prompt."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import discosql
from discosql.cli.keys import add_key_arguments, key_of
from discosql.cli.reporting import report
from discosql.dbapi import Connection
from discosql.errors import Error, OperationalError
from discosql.output import MODES
from discosql.planner.parse import is_complete, split

EPILOG: Final = """\
DATABASE is a file (made if it does not exist), :memory:, or discord://<server name or id>[/<database>].
A file that is named like a COMMAND is written ./NAME.
The token of a Discord bot is read from --token or the environment variable DISCOSQL_TOKEN,
the key of an encrypted database from DISCOSQL_KEY, --key-file or --ask-key.

  discosql shop.disco "SELECT * FROM item"
  discosql --mode csv shop.disco "SELECT * FROM item" > item.csv
  discosql shop.disco < schema.sql
  discosql discord://myserver
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the shell takes."""
    parser.epilog = EPILOG
    parser.add_argument("database", nargs="?", default=":memory:", metavar="DATABASE", help="default: :memory:")
    parser.add_argument("sql", nargs="*", metavar="SQL", help="statements to run; none: a prompt, or standard input")
    parser.add_argument("-f", "--file", action="append", default=[], metavar="FILE", help="run a file's statements")
    parser.add_argument("-m", "--mode", choices=sorted(MODES), default="table", help="output format (default: table)")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    add_key_arguments(parser)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="give a statement up after so long")


def run(options: argparse.Namespace) -> int:
    """Open the database and run what was given, or a prompt."""
    connection = discosql.connect(
        options.database,
        isolation_level=None,
        token=options.token,
        timeout=options.timeout,
        key=key_of(options),
    )
    try:
        return _run(connection, options)
    finally:
        connection.close()


def _run(connection: Connection, options: argparse.Namespace) -> int:
    scripts: list[str] = []
    try:
        scripts += [Path(name).read_text(encoding="utf-8") for name in options.file]
    except (OSError, UnicodeDecodeError) as exc:
        return report(OperationalError(f"cannot read {exc.filename if isinstance(exc, OSError) else 'file'}: {exc}"))
    scripts += options.sql
    if scripts or not sys.stdin.isatty():
        return run_script(connection, "\n;".join(scripts) if scripts else sys.stdin.read(), options.mode)
    return prompt(connection, options.mode)


def run_script(connection: Connection, script: str, mode: str, out: TextIO | None = None) -> int:
    """Run every statement of a text and write the results; stop at the first error."""
    try:
        for sql in split(script):
            run_statement(connection, sql, mode, out or sys.stdout)
    except Error as exc:
        return report(exc)
    return 0


def run_statement(connection: Connection, sql: str, mode: str, out: TextIO) -> None:
    """Run one statement and write its rows, if it has any."""
    cursor = connection.execute(sql)
    if cursor.description is not None:
        out.write(MODES[mode]([column[0] for column in cursor.description], cursor.fetchall()))
        out.flush()


def prompt(connection: Connection, mode: str) -> int:
    """Read statements from a person until the end of input; errors are shown and the prompt goes on."""
    sys.stdout.write(f"discosql {discosql.__version__}. End a statement with ; and the session with Ctrl-D.\n")
    for statement in _statements():
        try:
            run_script(connection, statement, mode)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
    sys.stdout.write("\n")
    return 0


def _statements() -> Iterator[str]:
    text = ""
    while True:
        try:
            text += input("      ...> " if text else "discosql> ") + "\n"
        except EOFError:
            return
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            text = ""
            continue
        if not text.strip():
            text = ""
        elif is_complete(text):
            yield text
            text = ""
