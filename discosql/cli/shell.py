"""``discosql [shell]``: run SQL from arguments, files or standard input, or at a prompt."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import discosql
from discosql.cli.console import Console
from discosql.cli.dot_command import Quit
from discosql.cli.keys import add_key_arguments, key_of, read_key
from discosql.cli.prompting import read_statements
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
    key = key_of(options)

    def connect(database: str, key_file: str | None = None) -> Connection:
        return discosql.connect(
            database,
            isolation_level=None,
            token=options.token,
            timeout=options.timeout,
            key=key if key_file is None else read_key(key_file),
        )

    texts = list(_texts(options))
    is_prompt = not texts and sys.stdin.isatty() and sys.stdout.isatty()
    console = Console(
        connect(options.database), options.mode, database=options.database, is_prompt=is_prompt, connect=connect
    )
    try:
        if is_prompt:
            prompt(console)
            return 0
        return 0 if run_texts(console, texts or [(_standard_input(), "standard input")]) else 1
    except Quit:
        return 0
    finally:
        console.close()


def _texts(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield what the command line gives to run, and where each text is from."""
    for name in options.file:
        try:
            yield Path(name).read_text(encoding="utf-8-sig"), name
        except OSError as exc:
            raise OperationalError(f"cannot read {name}: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            raise OperationalError(f"cannot read {name}: {exc}") from exc
    for sql in options.sql:
        yield sql, ""


def _standard_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as exc:
        raise OperationalError(f"cannot read standard input: {exc}") from exc


def run_texts(console: Console, texts: Sequence[tuple[str, str]]) -> bool:
    """Run texts, each with its source, up to the first error if the console bails; return whether there was none."""
    went_well = True
    for text, source in texts:
        if not console.run(text, source):
            went_well = False
            if console.bail:
                break
    return went_well


def prompt(console: Console) -> None:
    """Run what a person enters until the end of input; errors are shown and the prompt goes on."""
    console.write(
        f"discosql {discosql.__version__}. End a statement with ; and the session with Ctrl-D; .help helps.\n"
    )
    for text in read_statements(console):
        try:
            console.run(text)
        except KeyboardInterrupt:
            console.screen.tell("interrupted")
        except Quit:
            return
    console.write("\n")
