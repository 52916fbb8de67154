"""The ``discosql`` command: which sub-command is meant, and what its errors become.

A sub-command is a module of this package with ``add_arguments(parser)``, which says what it takes, and
``run(options)``, which does it and returns the exit status. `COMMANDS` names them all.
"""

import argparse
import io
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import discosql
from discosql.cli.reporting import report
from discosql.errors import Error

SHELL: Final = "shell"
"""The sub-command that is meant when none is named."""

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        SHELL: "run SQL from arguments, files or standard input, or open a prompt",
        "bot": "offer a database on a Discord server by slash commands",
        "doctor": "see whether token, server and database are as they should be, and what to do",
        "rekey": "encrypt a database, with another key, or no longer",
        "dump": "write a database as SQL text or as an archive",
        "restore": "fill a database from an archive or from SQL text",
        "import": "store the rows of CSV, TSV, JSON, JSON Lines, Parquet, Arrow and SQLite files",
        "export": "write tables, a query or the whole database to files and other databases",
        "check": "verify a database: its log, pages, indexes, rows and constraints",
        "repair": "mend a damaged database, or go back to an earlier slot",
    }
)
"""The sub-commands, each a module of this package, and what they do in a line."""

_MODULES: Final = {"import": "importing", "export": "exporting"}
"""The modules of those whose names Python has taken."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after an error of SQL or storage, 2 for a wrong command line.

    The first argument chooses the sub-command if it is the name of one. Anything else is for the shell; a database
    file that is named like a sub-command is written ``./shell``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    named = given.pop(0) if given and given[0] in COMMANDS else None
    module = module_of(named or SHELL)
    parser = build_parser(named)
    module.add_arguments(parser)
    options = parser.parse_args(given)
    _write_everything()
    try:
        status: int = module.run(options)
    except Error as exc:
        return report(exc)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has gone; there is nobody to tell
        return 141
    return status


def _write_everything() -> None:
    """Let the output's encoding have escapes for characters that it lacks, instead of failing over them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def module_of(command: str) -> Any:
    """Return the module of a sub-command."""
    return import_module(f"discosql.cli.{_MODULES.get(command, command)}")


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """Return the parser of a sub-command's line, without the sub-command's own arguments; None means none is named."""
    parser = argparse.ArgumentParser(
        prog="discosql" if command is None else f"discosql {command}",
        description=None if command is None else f"{COMMANDS[command][0].upper()}{COMMANDS[command][1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if command is None:
        parser.description = (
            "Run SQL on a database whose storage is a Discord server, or a local file that stands in for one.\n"
            "With a COMMAND as the first argument, do what that command does:\n\n"
            + "\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items())
        )
        parser.add_argument("--version", action="version", version=f"discosql {discosql.__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
