"""PRAGMA integrity_check and quick_check: a check of the database as SQL shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from discosql.executor.context import Result
from discosql.executor.functions.registry import Registry
from discosql.explaining import Steps
from discosql.planner.plan import CheckIntegrity, OutputColumn
from discosql.storage.engine import Engine
from discosql.types import SqlType

if TYPE_CHECKING:
    from discosql.upkeep.check import CheckReport


@dataclass(frozen=True, slots=True)
class _Checking:
    """A `Pending` that checks a database."""

    engine: Engine
    registry: Registry
    collations: Mapping[str, Callable[[str, str], int]]
    pragma: CheckIntegrity

    async def fetch(self) -> "CheckReport":
        """Check it."""
        # Few programs check, and all would import what that needs.
        from discosql.upkeep.check import Scope, check_engine

        scope = Scope(table=self.pragma.table, indexes=not self.pragma.quick, foreign_keys=False)
        return await check_engine(self.engine, self.registry, collations=self.collations, scope=scope)


def check_integrity(
    pragma: CheckIntegrity, engine: Engine, registry: Registry, collations: Mapping[str, Callable[[str, str], int]]
) -> Steps:
    """Return what SQLite returns: one row ``ok``, or a row for each problem, at most as many as were asked for.

    What is committed is checked. As in SQLite, foreign keys are left to PRAGMA foreign_key_check.
    """
    report = cast("CheckReport", (yield _Checking(engine, registry, collations, pragma)))
    texts = [problem.text for problem in report.problems if problem.severity == "damage"]
    name = "quick_check" if pragma.quick else "integrity_check"
    rows = [(text,) for text in texts[: pragma.limit]] or [("ok",)]
    return Result((OutputColumn(name, SqlType.TEXT),), rows)
