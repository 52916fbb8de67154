"""Checking a database: the log, its checkpoints, every page, every index, and every row against the schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from discosql.errors import DatabaseCorruptionError
from discosql.executor.foreign_keys import foreign_key_check
from discosql.executor.functions.registry import Registry
from discosql.schema import TableSchema
from discosql.storage.engine import Batch, Channel, Engine, EngineOptions, Guild, log_channel
from discosql.storage.inspection import (
    Archive,
    Keyring,
    LogSurvey,
    Problem,
    Progress,
    TableVerifier,
    no_progress,
    problems_of,
    strange_messages,
    survey_log,
    verify_history,
    verify_tables,
)
from discosql.upkeep.rows import RowInspector


@dataclass(slots=True)
class CheckReport:
    """What a check found. `slot` is that of the newest state that can be had, None if there is none.

    `opens` tells whether the database can be opened as it is; the counts are of what was looked at.
    """

    problems: list[Problem]
    opens: bool
    slot: int | None
    messages: int = 0
    tables: int = 0
    rows: int = 0
    lost_tables: set[str] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        """Whether nothing but notes was found."""
        return all(problem.severity == "note" for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON data."""
        return {
            "ok": self.ok,
            "opens": self.opens,
            "slot": self.slot,
            "messages": self.messages,
            "tables": self.tables,
            "rows": self.rows,
            "problems": [problem.as_dict() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Scope:
    """What a check looks at: one `table` or all, and for each the rows, indexes, foreign keys, and history or not."""

    table: str | None = None
    rows: bool = True
    indexes: bool = True
    foreign_keys: bool = True
    history: bool = False

    def wants(self, table: TableSchema) -> bool:
        """Tell whether a table is to be looked at."""
        return self.table is None or self.table.lower() == table.name.lower()


async def check_database(
    guild: Guild,
    log: Channel,
    keyring: Keyring,
    registry: Registry,
    *,
    collations: Mapping[str, Callable[[str, str], int]] | None = None,
    scope: Scope | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Check a database, also one that cannot be opened. `log` is its log channel as the guild lists it now.

    Raises EncryptionKeyError if the keys at hand do not open it.
    """
    scope, progress = scope or Scope(), progress or no_progress
    survey = await survey_log(guild, log, keyring, progress)
    report = CheckReport(list(problems_of(survey)), survey.is_whole, None, len(survey.messages))
    report.problems += await strange_messages(survey)
    if survey.standing is not None:
        await _check_state(survey, report, RowChecks(registry, collations or {}), scope, progress)
    return report


async def check_engine(
    engine: Engine,
    registry: Registry,
    *,
    collations: Mapping[str, Callable[[str, str], int]] | None = None,
    scope: Scope | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Check the database of an engine, as it is stored."""
    log = await log_channel(engine)
    return await check_database(
        engine.guild, log, engine.log.keyring, registry, collations=collations, scope=scope, progress=progress
    )


async def check_stored(
    guild: Guild, log: Channel, options: EngineOptions, registry: Registry, scope: Scope, progress: Progress
) -> CheckReport:
    """Check a database that is not open. `log` is its log channel as the guild lists it now."""
    keyring = Keyring(options.key, log.id, options.randbytes)
    return await check_database(guild, log, keyring, registry, scope=scope, progress=progress)


@dataclass(frozen=True, slots=True)
class RowChecks:
    """What rows are checked with: the functions and collations that a schema may use."""

    registry: Registry
    collations: Mapping[str, Callable[[str, str], int]]


async def _check_state(
    survey: LogSurvey, report: CheckReport, checks: RowChecks, scope: Scope, progress: Progress
) -> None:
    assert survey.standing is not None
    state = survey.standing.state
    archive = Archive(survey.guild, state, survey.keyring)
    inspector = RowInspector(state.catalog, archive.begin(), checks.registry, checks.collations)

    def inspect(table: TableSchema, rows: Batch) -> list[Problem]:
        report.rows += len(rows)
        return list(inspector(table, rows)) if scope.rows else []

    wanted = {table: version for table, version in state.tables.items() if scope.wants(version.schema)}
    found = await verify_tables(archive, wanted, inspect, progress, indexes=scope.indexes)
    for verifier in found.values():
        report.problems += verifier.problems
    report.problems += inspector.unchecked
    report.slot, report.tables = state.slot, len(found)
    report.lost_tables = {state.tables[table].schema.name for table, verifier in found.items() if verifier.lost}
    if scope.foreign_keys:
        report.problems += await _stray_rows(archive, found, scope, progress)
    if scope.history:
        report.problems += await verify_history(survey, archive.pages, progress)
    await archive.pages.close()


async def _stray_rows(
    archive: Archive, verified: Mapping[int, TableVerifier], scope: Scope, progress: Progress
) -> list[Problem]:
    """Return the rows whose foreign keys lead nowhere; tables of which pages are lost are left out."""
    catalog = archive.state.catalog
    children = [table for table in catalog.tables.values() if table.foreign_keys and scope.wants(table)]
    problems = []
    for done, child in enumerate(children):
        progress("foreign keys", done, len(children))
        try:
            rows = await _run(foreign_key_check(archive.begin(), child.name))
        except DatabaseCorruptionError:
            text = f"the foreign keys of table {child.name} cannot be checked: pages are missing or damaged"
            problems.append(Problem("note", text, table=child.name))
            continue
        for table, rowid, parent, _number in rows:
            where = "a row" if rowid is None else f"row {rowid}"
            text = f"FOREIGN KEY constraint failed: {where} of table {table} has no parent in table {parent}"
            problems.append(Problem("damage", text, table=table, rowid=rowid))
    return problems


async def _run(steps: Any) -> Any:
    """Run steps of the executor to their end, fetching what they ask for."""
    try:
        need = next(steps)
        while True:
            need = steps.send(None if need is None else await need.fetch())
    except StopIteration as stop:
        return stop.value
