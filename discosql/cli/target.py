"""The database that a command is about, reached without opening it."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TypeVar

from discosql.cli.keys import add_key_arguments, key_of
from discosql.drive import LOOP_THREAD
from discosql.opening import Options, open_guild
from discosql.storage.engine import Channel, EngineOptions, Guild, find_log

T = TypeVar("T")

Work = Callable[[Guild, Channel, EngineOptions], Awaitable[T]]
"""Told the server, the database's log channel, and how to open it."""


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take a database, a token and a key."""
    parser.add_argument("database", metavar="DATABASE", help="a file, or discord://<server name or id>[/<database>]")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    add_key_arguments(parser)


def run_on(options: argparse.Namespace, work: Work[T]) -> T:
    """Run what works on a database that need not be whole. Raises OperationalError if there is none."""
    return LOOP_THREAD.run(_run(Options.of(options.database, {"token": options.token, "key": key_of(options)}), work))


async def _run(opened: Options, work: Work[T]) -> T:
    guild, name = await open_guild(opened)
    try:
        return await work(guild, await find_log(guild, name), opened.for_engine())
    finally:
        await guild.close()
