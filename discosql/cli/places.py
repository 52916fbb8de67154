"""What commands that are about Discord take: a server, by its name alone if need be, and the bot's token."""

import os
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from discosql.errors import InterfaceError
from discosql.opening import discord_place

DEVELOPERS: Final = "https://discord.com/developers/applications"

NO_TOKEN: Final = "there is no bot token"
MAKE_A_BOT: Final = (
    f"make a bot at {DEVELOPERS}: New Application, then Bot, then Reset Token; copy the token into the environment "
    "variable DISCOSQL_TOKEN (export DISCOSQL_TOKEN=...), and run this again"
)


def place_of(address: str) -> tuple[str, str]:
    """Return the server and the database that a ``discord://`` address or a server's name alone stands for.

    Raises InterfaceError for an address of another kind.
    """
    place = discord_place(address if "://" in address else f"discord://{quote(address, safe='')}")
    assert place is not None
    return place


def is_file(address: str) -> bool:
    """Tell whether a text that may be a server's name is the path of a file: it has a folder or an ending."""
    path = PurePath(address)
    return "://" not in address and (bool(path.suffix) or len(path.parts) > 1)


def token_of(given: str | None) -> str:
    """Return the bot's token, given or from the environment. Raises InterfaceError, which says how to get one."""
    token = given or os.environ.get("DISCOSQL_TOKEN")
    if not token:
        raise InterfaceError(f"{NO_TOKEN}: {MAKE_A_BOT}")
    return token
