"""``discosql import``: store the rows of files."""

import argparse
import gc
import sys
from pathlib import Path
from typing import Final

import discosql
from discosql.cli.keys import key_of
from discosql.cli.progress import ProgressLine, speed_of
from discosql.cli.target import add_target_arguments
from discosql.dbapi_import import ImportSettings
from discosql.errors import ProgrammingError
from discosql.transfer.formats import ENDINGS
from discosql.transfer.importing import BATCH

EPILOG: Final = """\
A FILE is CSV, TSV, JSON (an array of objects) or JSON Lines (.jsonl, .ndjson), each also with .gz behind it, or Parquet
or Arrow (.arrow, .feather; the extra arrow), or a SQLite database, whatever its ending. Its table is made if there is
none, with types that all of its values fit. Of a SQLite file come all tables with their keys, indexes, views and
triggers; what cannot be carried over is told. Rows are committed in batches: run again after an interruption, it goes
on where it stopped. A file that was imported is not imported again unless --again says so.

  discosql import shop.disco orders.csv --pk id
  discosql import shop.disco old.sqlite --table customer,item
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what an import takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"ends with {', '.join(ENDINGS)}")
    parser.add_argument(
        "--table",
        action="append",
        metavar="NAME",
        help="default: the file's name without its ending; of a SQLite file the tables wanted (NAME,… or repeated)",
    )
    parser.add_argument("--pk", metavar="COLUMN[,...]", default="", help="the primary key")
    parser.add_argument("--upsert", action="store_true", help="change rows whose primary key is there already")
    parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="rows a commit (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="import what was imported before once more")


def run(options: argparse.Namespace) -> int:
    """Import the files, one after the other."""
    for name in options.files:
        if not Path(name).is_file():
            raise ProgrammingError(f"cannot read {name}: no such file")
    connection = discosql.connect(options.database, token=options.token, key=key_of(options), isolation_level=None)
    progress = ProgressLine(describe=lambda: "importing")

    def warn(text: str) -> None:
        progress.wipe()
        sys.stderr.write(f"warning: {text}\n")

    wanted: ImportSettings = {
        "primary_key": [name for name in options.pk.split(",") if name],
        "upsert": options.upsert,
        "batch": options.batch,
        "again": options.again,
        "progress": progress,
        "warn": warn,
    }
    gc.disable()  # rows hold no cycles, and looking for some in a million values takes a third of the time
    try:
        with progress:
            for name in options.files:
                report = connection.import_file(name, options.table, **wanted)
                progress.wipe()
                for done in report.tables:
                    before = f", {done.before} were there" if done.before else ""
                    speed = speed_of(done.rows, done.seconds)
                    sys.stderr.write(f"{done.rows} rows imported into {done.table}{before}{speed}\n")
    finally:
        gc.enable()
        connection.close()
    return 0
