"""The ``discosql`` command: run SQL from an argument, a file, standard input or a prompt."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import discosql
from discosql.dbapi import Connection
from discosql.errors import Error, OperationalError
from discosql.output import MODES
from discosql.planner.parse import is_complete, split

EPILOG = """\
DATABASE is a file (made if it does not exist), :memory:, or discord://<server name or id>[/<database>].
The token of a Discord bot is read from --token or the environment variable DISCOSQL_TOKEN.

  discosql shop.disco "SELECT * FROM item"
  discosql --mode csv shop.disco "SELECT * FROM item" > item.csv
  discosql shop.disco < schema.sql
  discosql discord://myserver
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="discosql",
        description="Run SQL on a database whose storage is a Discord server, or a local file that stands in for one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("database", nargs="?", default=":memory:", metavar="DATABASE", help="default: :memory:")
    parser.add_argument("sql", nargs="*", metavar="SQL", help="statements to run; none: a prompt, or standard input")
    parser.add_argument("-f", "--file", action="append", default=[], metavar="FILE", help="run a file's statements")
    parser.add_argument("-m", "--mode", choices=sorted(MODES), default="table", help="output format (default: table)")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="give a statement up after so long")
    parser.add_argument("--version", action="version", version=f"discosql {discosql.__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after an error of SQL or storage, 2 for a wrong command line."""
    options = build_parser().parse_args(arguments)
    try:
        connection = discosql.connect(
            options.database, isolation_level=None, token=options.token, timeout=options.timeout
        )
    except Error as exc:
        return _report(exc)
    try:
        return _run(connection, options)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone; there is nobody to tell
        return 141
    finally:
        connection.close()


def _run(connection: Connection, options: argparse.Namespace) -> int:
    scripts: list[str] = []
    try:
        scripts += [Path(name).read_text(encoding="utf-8") for name in options.file]
    except (OSError, UnicodeDecodeError) as exc:
        return _report(OperationalError(f"cannot read {exc.filename if isinstance(exc, OSError) else 'file'}: {exc}"))
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
        return _report(exc)
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


def _report(exc: Error) -> int:
    sys.stderr.write(f"discosql: {type(exc).__name__}: {exc}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
