"""``discosql bot``: run a ready-made bot that offers a database by slash commands."""

import argparse
import asyncio
import sys
from typing import Final

from discosql.cli.keys import add_key_arguments, key_of
from discosql.cli.places import place_of, token_of

EPILOG: Final = """\
SERVER is a server's name or id, or discord://<server>[/<database>]. The database is made if it is not there.
The token is read from --token or the environment variable DISCOSQL_TOKEN. Ctrl-C ends the bot.

Administrators may use all commands. Others may if one of their roles, by name or id, is named here:

  discosql bot "My Server" --read-role members --write-role staff
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = EPILOG
    parser.add_argument("server", metavar="SERVER", help="the server, or a database on it")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    add_key_arguments(parser)
    parser.add_argument("--read-role", action="append", metavar="ROLE", help="may use the commands that only read")
    parser.add_argument("--write-role", action="append", metavar="ROLE", help="may use all commands")
    parser.add_argument(
        "--timeout", type=float, default=20.0, metavar="SECONDS", help="time that a statement may take (default: 20)"
    )


def run(options: argparse.Namespace) -> int:
    """Run the bot until it is told to stop."""
    token = token_of(options.token)
    server, database = place_of(options.server)
    from discosql.bot.service import serve  # discord.py takes long to import

    asyncio.run(
        serve(
            server,
            database,
            token,
            key=key_of(options),
            read_roles=options.read_role or (),
            write_roles=options.write_role or (),
            timeout=options.timeout,
            tell=_tell,
        )
    )
    return 0


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
