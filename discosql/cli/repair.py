"""``discosql repair``: mend a damaged database, or go back to an earlier slot. Tells first what it does and loses."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from discosql.cli.progress import ProgressLine
from discosql.cli.target import add_target_arguments, run_on
from discosql.storage.engine import Channel, EngineOptions, Guild
from discosql.upkeep.repair import Reversal, describe_loss, describe_plan, plan_as_dict, repair_of

EPILOG: Final = """\
Without --yes nothing is done but told. Lost pages are rebuilt from earlier checkpoints and the log since, damaged
indexes from the rows. Where something is lost for good, as when the log cannot be read to its end, --last-good gives
that up. --to-slot N makes a database whose log is whole what it was as of that slot, by a commit of its own.

Before giving anything up: a process that still has the database open may have it whole in memory. Let it write a
checkpoint (closing it does), and look again. Stop all other processes before repairing.

The exit status is 0 if there was nothing to repair or all was done, else 1.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what a repair takes."""
    parser.epilog = EPILOG
    add_target_arguments(parser)
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--last-good", action="store_true", help="give up what cannot be had back")
    goal.add_argument("--to-slot", type=int, metavar="N", help="make the database what it was as of slot N")
    parser.add_argument("--yes", action="store_true", help="do it, instead of only telling what would be done")
    parser.add_argument("--json", action="store_true", help="write what is done and lost as JSON")


def run(options: argparse.Namespace) -> int:
    """Tell what a repair does, and do it if that was asked for."""
    with ProgressLine(describe=lambda: "looking at the database") as progress:

        async def work(guild: Guild, log: Channel, engine: EngineOptions) -> int:
            if options.to_slot is not None:
                return await _revert(options, Reversal(guild, log, engine, options.to_slot, progress), progress)
            return await _repair(options, guild, log, engine, progress)

        return run_on(options, work)


async def _repair(
    options: argparse.Namespace, guild: Guild, log: Channel, engine: EngineOptions, progress: ProgressLine
) -> int:
    repair = repair_of(guild, log, engine, progress)
    plan = await repair.plan()
    progress.wipe()
    _write(options, plan_as_dict(plan), list(describe_plan(plan)))
    if plan.is_empty:
        return 0
    if plan.slot is None:
        return 1
    if plan.loses and not options.last_good:
        return _tell("Nothing was done: --last-good would give up what is lost.")
    if not options.yes:
        return _tell("Nothing was done: --yes would do it.")
    await repair.execute(plan)
    progress.wipe()
    _tell("Done.")
    return 0


async def _revert(options: argparse.Namespace, reversal: Reversal, progress: ProgressLine) -> int:
    entries = await reversal.losses()
    progress.wipe()
    lines = [f"Going back to slot {options.to_slot} would undo:", *describe_loss(entries)]
    _write(options, {"slot": options.to_slot, "entries": [entry.as_dict() for entry in entries]}, lines)
    if not options.yes:
        await reversal.close()
        return _tell("Nothing was done: --yes would do it.")
    counts = await reversal.execute()
    progress.wipe()
    for table, count in counts.items():
        _tell(f"table {table}: {count.inserted} rows inserted, {count.updated} updated, {count.deleted} deleted")
    _tell("Done.")
    return 0


def _write(options: argparse.Namespace, data: dict[str, object], lines: Sequence[str]) -> None:
    if options.json:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)


def _tell(line: str) -> int:
    """Write a line for people, apart from what programs read; return the exit status of what was not done."""
    sys.stderr.write(f"{line}\n")
    return 1
