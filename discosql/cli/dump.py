"""``discosql dump``: write a database as SQL text, or as an archive from which nothing is missing."""

import argparse
import sys
from pathlib import Path
from typing import Final

import discosql
from discosql.cli.keys import key_of
from discosql.cli.progress import ProgressLine
from discosql.cli.reporting import counted
from discosql.cli.target import add_target_arguments
from discosql.dbapi import Connection
from discosql.errors import OperationalError
from discosql.output_text import harmless

EPILOG: Final = """\
A FILE that ends with .sql, or none for standard output, is SQL text as sqlite3's .dump writes it. Any other FILE is an
archive: a zip file of JSON Lines with checksums, which `discosql restore` reads. Neither is encrypted.

  discosql dump shop.disco shop.zip
  discosql dump discord://myserver > shop.sql
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what a dump takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument("file", nargs="?", metavar="FILE", help="default: SQL text on standard output")
    parser.add_argument("--as-of", metavar="MOMENT", help="dump the database as of a slot, or of a moment in UTC")


def run(options: argparse.Namespace) -> int:
    """Write the dump."""
    as_of = int(options.as_of) if options.as_of is not None and options.as_of.isdecimal() else options.as_of
    connection = discosql.connect(options.database, token=options.token, key=key_of(options), create=False, as_of=as_of)
    try:
        with ProgressLine(describe=lambda: "dumping") as progress:
            if options.file is None:
                is_terminal = sys.stdout.isatty()
                for number, line in enumerate(connection.iterdump()):
                    if is_terminal:
                        progress.wipe()
                    else:
                        progress("lines", number, 0)
                    sys.stdout.write(f"{harmless(line) if is_terminal else line}\n")
            elif options.file.endswith(".sql"):
                _write_sql(connection, Path(options.file))
            else:
                rows = connection.write_archive(options.file, progress=progress)
                progress.wipe()
                sys.stderr.write(f"{counted(rows, 'row')} written to {options.file}\n")
    finally:
        connection.close()
    return 0


def _write_sql(connection: Connection, path: Path) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for line in connection.iterdump():
                out.write(f"{line}\n")
    except OSError as exc:
        raise OperationalError(f"cannot write {path}: {exc.strerror}") from exc
