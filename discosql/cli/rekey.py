"""``discosql rekey``: encrypt a database, with another key, or no longer."""

import argparse
import sys
from contextlib import closing

import discosql
from discosql.cli.keys import add_key_arguments, key_of
from discosql.errors import ProgrammingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("database", metavar="DATABASE", help="a file, or discord://<server>[/<database>]")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    add_key_arguments(parser)
    add_key_arguments(parser, "new-", "its new key")
    parser.add_argument("--decrypt", action="store_true", help="store it without a key from now on")


def run(options: argparse.Namespace) -> int:
    """Change the key."""
    new = key_of(options, "new-", confirm=True)
    if (new is None) != options.decrypt:
        raise ProgrammingError("give either a new key (--new-key-file, --new-ask-key) or --decrypt")
    key = key_of(options)
    with closing(discosql.connect(options.database, token=options.token, key=key, create=False)) as connection:
        connection.rekey(new)
    sys.stdout.write(
        "The database has no key any more.\n" if new is None else "The database is encrypted with the new key.\n"
    )
    sys.stdout.write("What is older stays in its server until VACUUM removes it, an hour from now at the earliest.\n")
    return 0
