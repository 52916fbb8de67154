"""``discosql export``: write tables, a query or the whole database to files and other databases."""

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Final

import discosql
from discosql.cli.keys import key_of
from discosql.cli.progress import ProgressLine, speed_of
from discosql.cli.target import add_target_arguments
from discosql.transfer.exporting import BATCH, FORMATS, IF_EXISTS, QUERY, Exported

EPILOG: Final = """\
TARGET is a file, whose ending tells the format: rows (.csv .tsv .json .jsonl .md .html .txt .parquet .arrow) or a
database (.sqlite .db .duckdb); a folder, for a file a table; - for standard output; or the URL of a database server as
SQLAlchemy writes it. All rows are of one moment, and files get their names when they are complete.

  discosql export shop.disco item.csv --table item
  discosql export shop.disco - --format json --query "SELECT * FROM item WHERE price > 2"
  discosql export shop.disco out/ --format jsonl
  discosql export shop.disco shop.sqlite
  discosql export discord://myserver postgresql+psycopg://me:password@localhost/shop
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what an export takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument("target", metavar="TARGET", help="a file, a folder, a URL, or -")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--table", action="append", default=[], metavar="NAME", help="a table or view; may be repeated")
    what.add_argument("--query", metavar="SQL", help="the rows of a query")
    parser.add_argument("--as", dest="name", default=QUERY, metavar="NAME", help="what to call the rows of a query")
    parser.add_argument("--format", choices=FORMATS, help="default: by the target's ending")
    parser.add_argument("--if-exists", choices=IF_EXISTS, default="fail", help="default: %(default)s")
    parser.add_argument("--force", dest="if_exists", action="store_const", const="replace", help="--if-exists replace")
    parser.add_argument(
        "--batch", type=int, default=BATCH, metavar="N", help="rows written together (default: %(default)s)"
    )
    parser.add_argument("--as-of", metavar="MOMENT", help="export the database as of a slot, or of a moment in UTC")


def run(options: argparse.Namespace) -> int:
    """Export."""
    as_of = int(options.as_of) if options.as_of is not None and options.as_of.isdecimal() else options.as_of
    connection = discosql.connect(options.database, token=options.token, key=key_of(options), create=False, as_of=as_of)
    gc.disable()  # rows hold no cycles, and looking for some in a million values takes a third of the time
    try:
        with ProgressLine() as progress:
            done = connection.export(
                options.target,
                options.table,
                query=options.query,
                name=options.name,
                format=options.format,
                if_exists=options.if_exists,
                batch=options.batch,
                progress=progress,
            )
    finally:
        gc.enable()
        connection.close()
    for line in told(done):
        sys.stderr.write(f"{line}\n")
    return 0


def told(done: Exported) -> Sequence[str]:
    """Return in lines what an export did."""
    rows = sum(done.rows.values())
    tables = f" of {len(done.rows)} tables" if len(done.rows) != 1 else ""
    speed = speed_of(rows, done.seconds)
    where = "" if done.target == "-" else f" to {done.target}"
    return [*[f"warning: {text}" for text in done.warnings], f"{rows} rows{tables} written{where}{speed}"]
