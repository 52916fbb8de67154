"""``discosql doctor``: see whether a token, a server and a database are as they should be."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from discosql.cli.keys import add_key_arguments, key_of
from discosql.cli.places import MAKE_A_BOT, NO_TOKEN, is_file, place_of

if TYPE_CHECKING:
    from discosql.bot.doctor import Finding

EPILOG: Final = """\
DATABASE is discord://<server name or id>[/<database>], the server alone, or a file: what has a / or an ending.
Without it only the token is looked at. The token is read from --token or the environment variable DISCOSQL_TOKEN.
Nothing is changed. The exit status is 0 if all is well, 1 if there is a problem.

  discosql doctor "discord://My Server"
  discosql doctor --json 123456789012345678 | jq .ok
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = EPILOG
    parser.add_argument("database", nargs="?", metavar="DATABASE", help="a server, or a database on it, or a file")
    parser.add_argument("--token", help="token of a Discord bot; safer in DISCOSQL_TOKEN")
    parser.add_argument("--json", action="store_true", help="write one JSON object instead of lines")
    add_key_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Examine and tell."""
    return asyncio.run(_tell(options))


async def _tell(options: argparse.Namespace) -> int:
    found: list[Finding] = []
    async for finding in _findings(options):
        found.append(finding)
        if not options.json:
            sys.stdout.write(_line(finding))
            sys.stdout.flush()
    well = all(finding.ok for finding in found)
    if options.json:
        report = {"ok": well, "checks": [asdict(finding) for finding in found]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    else:
        problems = sum(not finding.ok for finding in found)
        sys.stdout.write("all is well\n" if well else f"{problems} problem{'' if problems == 1 else 's'}\n")
    return 0 if well else 1


async def _findings(options: argparse.Namespace) -> "AsyncIterator[Finding]":
    from discosql.bot.doctor import Doctor, Finding, examine_file  # discord.py takes long to import

    key = key_of(options) or os.environ.get("DISCOSQL_KEY")
    if options.database is not None and is_file(options.database):
        yield await examine_file(options.database, key)
        return
    token = options.token or os.environ.get("DISCOSQL_TOKEN")
    if not token:
        yield Finding("token", False, NO_TOKEN, MAKE_A_BOT)
        return
    place = place_of(options.database) if options.database is not None else (None,)
    async for finding in Doctor(*place, key=key).examine(token):
        yield finding


def _line(finding: "Finding") -> str:
    first = f"{'ok' if finding.ok else 'PROBLEM':8} {finding.check:12} {finding.text}\n"
    return first + (f"{'':21} -> {finding.advice}\n" if finding.advice else "")
