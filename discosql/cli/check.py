"""``discosql check``: verify a database, whether it can be opened or not."""

import argparse
import json
import sys
from typing import Final

from discosql.cli.progress import ProgressLine
from discosql.cli.reporting import counted
from discosql.cli.target import add_target_arguments, run_on
from discosql.executor.functions import DEFAULT
from discosql.storage.engine import Channel, EngineOptions, Guild
from discosql.upkeep.check import CheckReport, Scope, check_stored

EPILOG: Final = """\
Looked at are the chain of the log and every file of its entries, the checkpoints, every page and its checksum, every
index against the rows and the rows against every index, and every row against the schema: types, NOT NULL, UNIQUE,
CHECK, generated columns, FOREIGN KEY. Nothing is changed.

Each problem is told with its place and its weight: "damage" harms the database as it is now, "history" only what can
be read of its past, a "note" nothing. The exit status is 0 if there is nothing but notes, else 1.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what a check takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    parser.add_argument("--table", help="look at the rows and indexes of one table only")
    parser.add_argument("--history", action="store_true", help="verify pages that only earlier checkpoints name, too")
    parser.add_argument("--json", action="store_true", help="write the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Check the database and write what was found."""
    scope = Scope(table=options.table, history=options.history)
    with ProgressLine(describe=lambda: "checking") as progress:

        async def check(guild: Guild, log: Channel, engine: EngineOptions) -> CheckReport:
            return await check_stored(guild, log, engine, DEFAULT, scope, progress)

        report = run_on(options, check)
    if options.json:
        sys.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(report))
    return 0 if report.ok else 1


def _lines(report: CheckReport) -> list[str]:
    lines = [f"{problem.severity:8}{problem.text}" for problem in report.problems]
    lines.append(
        f"{counted(report.messages, 'message')} of the log, {counted(report.tables, 'table')} and "
        f"{counted(report.rows, 'row')} checked" + (f" as of slot {report.slot}" if report.slot is not None else "")
    )
    harm = sum(problem.severity != "note" for problem in report.problems)
    if not report.opens:
        lines.append("The database cannot be opened as it is; `discosql repair` tells what can be done.")
    elif harm:
        lines.append(f"{counted(harm, 'problem')}; `discosql repair` tells what can be done.")
    else:
        lines.append("ok")
    return lines
