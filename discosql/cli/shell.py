"""``discosql [shell]``: run SQL from arguments, files or standard input, or at a prompt."""

import argparse
import sys
from pathlib import Path
from typing import Final

import discosql
from discosql.cli.console import Console
from discosql.cli.dot_command import Quit
from discosql.cli.keys import add_key_arguments, key_of
from discosql.cli.prompting import read_statements
from discosql.cli.reporting import report
from discosql.dbapi import Connection
from discosql.errors import OperationalError
from discosql.output import MODES

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
    is_prompt = not scripts and sys.stdin.isatty()
    console = Console(connection, options.mode, is_terminal=is_prompt and sys.stdout.isatty())
    try:
        if is_prompt:
            return prompt(console)
        return 0 if console.run("\n;".join(scripts) if scripts else sys.stdin.read()) else 1
    except Quit:
        return 0


def prompt(console: Console) -> int:
    """Run what a person enters until the end of input; errors are shown and the prompt goes on."""
    console.timer = console.requests = True
    sys.stdout.write(
        f"discosql {discosql.__version__}. End a statement with ; and the session with Ctrl-D; .help helps.\n"
    )
    for text in read_statements(console.connection):
        try:
            console.run(text)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
        except Quit:
            return 0
    sys.stdout.write("\n")
    return 0
