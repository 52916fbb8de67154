"""``discosql restore``: fill a database from an archive, or from SQL text."""

import argparse
import sys
from pathlib import Path
from typing import Final

import discosql
from discosql.cli.keys import key_of
from discosql.cli.progress import ProgressLine
from discosql.cli.reporting import counted
from discosql.cli.target import add_target_arguments
from discosql.errors import OperationalError

EPILOG: Final = """\
From an archive (`discosql dump`) a new database is made, or an empty one filled. Every checksum is verified before the
first row is stored. Rows are committed some 50,000 at a time: run again after an interruption, it goes on where it
ended. A FILE that ends with .sql is run as a script instead.

  discosql restore shop.disco shop.zip
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what a restore takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument("file", metavar="FILE", help="an archive, or SQL text if it ends with .sql")


def run(options: argparse.Namespace) -> int:
    """Restore the database."""
    path = Path(options.file)
    if not path.is_file():
        raise OperationalError(f"cannot read {path}: no such file")
    connection = discosql.connect(options.database, token=options.token, key=key_of(options), isolation_level=None)
    try:
        with ProgressLine(describe=lambda: "restoring") as progress:
            if path.suffix == ".sql":
                connection.executescript(_script(path))
            else:
                rows = connection.restore_archive(path, progress=progress)
                progress.wipe()
                sys.stderr.write(f"{counted(rows, 'row')} restored from {path}\n")
    finally:
        connection.close()
    return 0


def _script(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperationalError(f"cannot read {path}: {exc}") from exc
